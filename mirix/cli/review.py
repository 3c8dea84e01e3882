"""`mirix proposal` and `mirix quarantine`: what only the user can decide, and why it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from mirix.cli.arguments import pick_id, short_id
from mirix.cli.command import Invocation, command
from mirix.errors import NotFoundError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mirix.blocking import Mirix
    from mirix.curation.review import ProposalEntry, QuarantinedEntry
    from mirix.managers.proposals import ProposalState
    from mirix.memory.message import Message
    from mirix.memory.record import Record

_TEXT = 400  # characters of a message
_STATES: tuple[ProposalState, ...] = ("open", "accepted", "rejected")
ProposalId = Annotated[str, typer.Argument(metavar="ID", help="The id of a proposal, or its beginning or end.")]
MemoryId = Annotated[str, typer.Argument(metavar="ID", help="The id of a memory, or its beginning or end.")]


def register(app: typer.Typer) -> None:
    proposal = typer.Typer(no_args_is_help=True, help="Changes that need your word: list, look, accept, reject.")
    command(proposal, "list")(list_proposals)
    command(proposal, "show")(show_proposal)
    command(proposal, "accept")(accept_proposal)
    command(proposal, "reject")(reject_proposal)
    app.add_typer(proposal, name="proposal")
    quarantine = typer.Typer(no_args_is_help=True, help="Memories that read like an order to the assistant.")
    command(quarantine, "list")(list_quarantined)
    command(quarantine, "show")(show_quarantined)
    command(quarantine, "accept")(accept_quarantined)
    command(quarantine, "reject")(reject_quarantined)
    app.add_typer(quarantine, name="quarantine")


# ---- proposals ----


def list_proposals(
    call: Invocation,
    everything: Annotated[bool, typer.Option("--all", help="Accepted and rejected ones too.")] = False,
) -> None:
    """List changes that wait for your word, and why they were not made."""
    from mirix.cli import show

    with call.open() as memory:
        found = memory.proposals(states=_STATES if everything else ("open",))
    call.document({"results": [_proposal_document(entry) for entry in found]})
    if not found:
        call.show("Nothing waits for you.")
        return
    table = show.grid("id", "kind", "change", "what*", "why*", header=True)
    for entry in found:
        state = "" if entry.state == "open" else f" ({entry.state})"
        why = f"{entry.reason}{' · cannot be accepted any more' if entry.obstacle else ''}"
        table.add_row(
            show.id_text(entry.id), show.kind_text(entry.kind), f"{entry.operation}{state}", _what(entry), why
        )
    call.show(table)


def show_proposal(call: Invocation, proposal_id: ProposalId) -> None:
    """Show a proposed change whole: what it would write, why it waits, and the messages it rests on."""
    from mirix.cli import show

    with call.open() as memory:
        zone = ZoneInfo(memory.status().timezone)
        entry = _find_proposal(memory, proposal_id)
    call.document(_proposal_document(entry))
    table = show.grid("field", "value*")
    _row(table, "before", "\n".join(record.body() for record in entry.targets))
    _row(table, "after", "\n".join(_words(record) for record in entry.records) or "deleted")
    for name, (old, new) in _changed_fields(entry).items():
        _row(table, name, f"{old} → {new}")
    _row(table, "why it waits", entry.reason)
    _row(table, "why", entry.wish or "")
    _row(table, "proposed", show.moment(entry.created_at, zone))
    _row(table, "state", entry.state)
    _row(table, "but", entry.obstacle or "")
    call.show(f"{entry.operation} {entry.kind}", table, *_evidence(entry.messages, zone))


def accept_proposal(call: Invocation, proposal_id: ProposalId) -> None:
    """Make a proposed change as your own. `mirix memory undo` takes it back."""
    from mirix.cli import documents, show

    with call.open() as memory:
        changes = memory.accept_proposal(_find_proposal(memory, proposal_id).id)
        records = [(change, memory.get(change.id)) for change in changes]
    call.document({"changes": [documents.change_document(change) for change in changes]})
    call.show(show.change_list(records) if changes else "Accepted already, or known already; nothing changed.")


def reject_proposal(call: Invocation, proposal_id: ProposalId) -> None:
    """Leave everything as it is. The same is not proposed again."""
    with call.open() as memory:
        entry = _find_proposal(memory, proposal_id)
        memory.reject_proposal(entry.id)
    call.document({"id": str(entry.id), "state": "rejected"})
    call.show(f"Rejected {short_id(entry.id)}: {_what(entry)}")


def _find_proposal(memory: Mirix, text: str) -> ProposalEntry:
    found = {entry.id: entry for entry in memory.proposals(states=_STATES)}
    wanted = pick_id(text, lambda: found, one="proposal", several="proposals", see="mirix proposal list --all")
    if wanted not in found:
        raise NotFoundError(f"no proposal {wanted} of this user: see `mirix proposal list --all`")
    return found[wanted]


def _what(entry: ProposalEntry) -> str:
    """Before and after in a few words."""
    before, after = " + ".join(entry.before), " + ".join(entry.after)
    if not entry.records:
        return f"{before} → deleted"
    return f"{before} → {after}" if entry.targets else after


def _changed_fields(entry: ProposalEntry) -> dict[str, tuple[str, str]]:
    """What an update would change beside the words."""
    from mirix.cli.show import differences

    if entry.operation != "update" or not entry.targets:
        return {}
    found = differences(entry.targets[0].authored(), entry.records[0].authored())
    return {name: change for name, change in found.items() if name not in ("summary", "details")}


def _proposal_document(entry: ProposalEntry) -> dict[str, Any]:
    from mirix.cli import documents

    return {
        "id": str(entry.id),
        "memory_kind": entry.kind.value,
        "operation": entry.operation,
        "state": entry.state,
        "reason": entry.reason,
        "wish": entry.wish,
        "before": [documents.memory_document(record) for record in entry.targets],
        "after": [documents.memory_document(record) for record in entry.records],
        "messages": [documents.message_document(message) for message in entry.messages],
        "created_at": entry.created_at.isoformat(),
        "obstacle": entry.obstacle,
    }


# ---- quarantine ----


def list_quarantined(call: Invocation) -> None:
    """List memories that are kept apart, with the words that read like an order."""
    from mirix.cli import show

    with call.open() as memory:
        found = memory.quarantined()
    call.document({"results": [_quarantined_document(entry) for entry in found]})
    if not found:
        call.show("Nothing is in quarantine.")
        return
    table = show.grid("id", "kind", "memory*", "the words*", header=True)
    for entry in found:
        memory_id, kind = show.id_text(entry.memory.id), show.kind_text(entry.memory.memory_kind)
        table.add_row(memory_id, kind, entry.memory.summary, entry.words or "")
    call.show(table)


def show_quarantined(call: Invocation, memory_id: MemoryId) -> None:
    """Show a memory in quarantine whole: why it is there, where it came from, how far that is trusted."""
    from mirix.cli import show

    with call.open() as memory:
        zone = ZoneInfo(memory.status().timezone)
        entry = _find_quarantined(memory, memory_id)
    call.document(_quarantined_document(entry))
    table = show.grid("field", "value*")
    _row(table, "why", entry.reason)
    _row(table, "the words", entry.words or "")
    call.show(table, show.memory_card(entry.memory, [], zone), *_evidence(entry.messages, zone))


def accept_quarantined(call: Invocation, memory_id: MemoryId) -> None:
    """Let a memory out of quarantine: it is found from now on. `mirix memory undo` puts it back."""
    with call.open() as memory:
        record = memory.accept_quarantined(_find_quarantined(memory, memory_id).memory.id)
    _decided(call, record, "Accepted")


def reject_quarantined(call: Invocation, memory_id: MemoryId) -> None:
    """Archive a memory that is in quarantine. `mirix memory undo` puts it back."""
    with call.open() as memory:
        record = memory.reject_quarantined(_find_quarantined(memory, memory_id).memory.id)
    _decided(call, record, "Rejected")


def _decided(call: Invocation, record: Record, words: str) -> None:
    from mirix.cli import documents

    call.document(documents.memory_document(record))
    call.show(f"{words} {short_id(record.id)} ({record.memory_kind}, now {record.status}): {record.summary}")


def _find_quarantined(memory: Mirix, text: str) -> QuarantinedEntry:
    found = {entry.memory.id: entry for entry in memory.quarantined()}
    wanted = pick_id(text, lambda: found, one="memory in quarantine", several="memories", see="mirix quarantine list")
    if wanted not in found:
        raise NotFoundError(f"memory {wanted} is not in quarantine: see `mirix quarantine list`")
    return found[wanted]


def _quarantined_document(entry: QuarantinedEntry) -> dict[str, Any]:
    from mirix.cli import documents

    return {
        "memory": documents.memory_document(entry.memory),
        "reason": entry.reason,
        "words": entry.words,
        "messages": [documents.message_document(message) for message in entry.messages],
    }


# ---- both ----


def _words(record: Record) -> str:
    details = " · ".join(f"{name} {value}" for name, value in record.attributes().items() if value != record.summary)
    return f"{record.body()} ({details})" if details else record.body()


def _row(table: Any, name: str, value: str) -> None:
    from rich.text import Text

    if value:
        table.add_row(Text(name, style="dim"), Text(value))


def _evidence(messages: tuple[Message, ...], zone: ZoneInfo) -> list[RenderableType]:
    """The messages, each with where it came from and how far that is trusted."""
    from rich.text import Text

    from mirix.cli import show
    from mirix.memory.record import one_line

    if not messages:
        return []
    table = show.grid("id", "at", "from", "trust", "text*")
    for message in messages:
        place = " · ".join(part for part in (message.source_kind, message.application, message.speaker) if part)
        at = Text(show.moment(message.at, zone), style="dim")
        text = one_line(message.text, _TEXT)
        table.add_row(show.id_text(message.id), at, place, f"trust {message.trust} of 3", text)
    return [Text("\nrests on", style="dim"), table]
