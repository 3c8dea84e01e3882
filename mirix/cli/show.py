"""What people are shown: memories as a table per type or as a tree, changes, hits, answers with their citations.

Every function takes values and returns something that rich prints; nothing here calls Mirix. Times are in the zone that
is handed in: that of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mirix.cli.arguments import short_id
from mirix.memory.core import CoreRecord
from mirix.memory.episodic import EpisodicRecord
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.message import Message
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import UNKNOWN_START, MemoryKind, Record, one_line
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord
from mirix.text.secrets import reference_text

if TYPE_CHECKING:
    from mirix.memory.changes import Change
    from mirix.results import HistoryEntry
    from mirix.retrieval.answer import Answer
    from mirix.retrieval.hits import Hit

COLOURS: Mapping[MemoryKind, str] = {
    MemoryKind.CORE: "magenta",
    MemoryKind.EPISODIC: "cyan",
    MemoryKind.SEMANTIC: "green",
    MemoryKind.PROCEDURAL: "yellow",
    MemoryKind.RESOURCE: "blue",
    MemoryKind.VAULT: "red",
}
_DONE = {
    "insert": "new",
    "update": "corrected",
    "supersede": "changed",
    "merge": "merged",
    "delete": "deleted",
    "undo": "undone",
}
_LINE = 160  # characters of a summary in a list


def grid(*columns: str, header: bool = False) -> Table:
    """A table without lines. A column ending in `*` wraps and takes what room is left."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=header, header_style="dim", expand=False)
    for column in columns:
        is_wide = column.endswith("*")
        table.add_column(column.rstrip("*"), no_wrap=not is_wide, overflow="fold" if is_wide else "ellipsis")
    return table


def kind_text(kind: MemoryKind | None) -> Text:
    """The name of a memory type in its colour; None: a message."""
    return Text(kind.value, style=COLOURS[kind]) if kind else Text("message", style="dim")


def id_text(memory_id: UUID | str) -> Text:
    return Text(short_id(memory_id), style="dim")


# ---- times ----


def held(record: Record, zone: ZoneInfo) -> str:
    """Since when and until when, as far as it is known."""
    known = [] if record.valid_from == UNKNOWN_START else [f"since {moment(record.valid_from, zone)}"]
    return ", ".join([*known, *([f"until {moment(record.valid_to, zone)}"] if record.valid_to else [])])


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`2026-11-06 14:30`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"


def span(start: datetime | None, end: datetime | None, zone: ZoneInfo) -> str:
    """When something happened: a day, days, a time, or hours of a day. `end` is exclusive."""
    if start is None:
        return ""
    first = start.astimezone(zone)
    last = end.astimezone(zone) if end else None
    if first.time() == time() and (last is None or last.time() == time()):
        final = (last - timedelta(days=1)).date() if last else first.date()
        return f"{first:%Y-%m-%d}" if final <= first.date() else f"{first:%Y-%m-%d} – {final:%Y-%m-%d}"
    if last is None or last - first <= timedelta(minutes=1):
        return f"{first:%Y-%m-%d %H:%M}"
    same_day = first.date() == (last - timedelta(microseconds=1)).date()
    until = "24:00" if last.time() == time() else f"{last:%H:%M}"
    return f"{first:%Y-%m-%d %H:%M}–{until}" if same_day else f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"


# ---- memories ----


def _summary(record: Record, zone: ZoneInfo) -> Text:
    text = Text(one_line(record.summary, _LINE))
    if record.status != "active":
        text.stylize("dim")
        until = f" since {day(record.valid_to, zone)}" if record.status == "superseded" and record.valid_to else ""
        text.append(f"  ({record.status}{until})", style="dim italic")
    return text


def _procedure(record: ProceduralRecord, zone: ZoneInfo) -> Text:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(record.steps, 1))
    return Text.assemble(_summary(record, zone), "\n", (steps, "dim"))


_Cells = Callable[[Any, ZoneInfo], Sequence[RenderableType]]
# Heading of each column and what stands in it, by type: the one place that knows how each memory is listed.
_LISTED: Mapping[MemoryKind, tuple[tuple[str, ...], _Cells]] = {
    MemoryKind.CORE: (("block", "line*"), lambda r, zone: (r.label, _summary(r, zone))),
    MemoryKind.EPISODIC: (
        ("when", "what happened*"),
        lambda r, zone: (span(r.occurred_at, r.occurred_until, zone), _summary(r, zone)),
    ),
    MemoryKind.SEMANTIC: (
        ("about", "kind", "what*"),
        lambda r, zone: (one_line(r.name, 24), r.kind, _summary(r, zone)),
    ),
    MemoryKind.PROCEDURAL: (("kind", "how it is done*"), lambda r, zone: (r.entry_type, _procedure(r, zone))),
    MemoryKind.RESOURCE: (
        ("type", "title*", "what it says*"),
        lambda r, zone: (r.resource_type, Text(one_line(r.title, 40)), _summary(r, zone)),
    ),
    MemoryKind.VAULT: (
        ("reference", "type", "sensitivity", "what it is*"),
        lambda r, zone: (reference_text(r.reference), r.entry_type, r.sensitivity, _summary(r, zone)),
    ),
}


def memory_tables(records: Iterable[Record], zone: ZoneInfo) -> RenderableType:
    """A table per type that has any."""
    parts: list[RenderableType] = []
    for kind, group in _by_kind(records):
        columns, cells = _LISTED[kind]
        table = grid("id", *columns, header=True)
        for record in _in_order(group):
            table.add_row(id_text(record.id), *cells(record, zone))
        parts += [_heading(kind, len(group)), Padding(table, (0, 0, 1, 2))]
    return Group(*parts) if parts else Text("No memories.", style="dim")


def memory_tree(records: Iterable[Record], zone: ZoneInfo) -> RenderableType:
    """A tree per type, along the places that the memories have in it."""
    parts: list[RenderableType] = []
    for kind, group in _by_kind(records):
        root = Tree(_heading(kind, len(group)), guide_style="dim")
        branches: dict[tuple[str, ...], Tree] = {(): root}
        for record in _in_order(group):
            branch = _branch(branches, _place(record))
            leaf = branch.add(Text.assemble(_leaf(record, zone), "  ", id_text(record.id)))
            for step in record.steps if isinstance(record, ProceduralRecord) else ():
                leaf.add(Text(step, style="dim"))
        parts += [root, ""]
    return Group(*parts) if parts else Text("No memories.", style="dim")


def _branch(branches: dict[tuple[str, ...], Tree], place: tuple[str, ...]) -> Tree:
    if place not in branches:
        branches[place] = _branch(branches, place[:-1]).add(Text(place[-1], style="bold"))
    return branches[place]


def _place(record: Record) -> tuple[str, ...]:
    if record.tree_path:
        return tuple(record.tree_path)
    match record:
        case CoreRecord():
            return (record.label,)
        case SemanticRecord():
            return (record.kind,)
        case ResourceRecord():
            return (record.resource_type,)
        case VaultRecord():
            return (record.entry_type,)
    return ()


def _leaf(record: Record, zone: ZoneInfo) -> Text:
    match record:
        case EpisodicRecord():
            return Text.assemble(
                (span(record.occurred_at, record.occurred_until, zone), "dim"), "  ", _summary(record, zone)
            )
        case SemanticRecord():
            return Text.assemble((record.name, "bold"), "  ", _summary(record, zone))
        case ResourceRecord():
            return Text.assemble((one_line(record.title, 40), "bold"), "  ", _summary(record, zone))
        case VaultRecord():
            return Text.assemble(_summary(record, zone), "  ", (reference_text(record.reference), "dim"))
    return _summary(record, zone)


def _heading(kind: MemoryKind, count: int) -> Text:
    return Text.assemble((kind.value, f"bold {COLOURS[kind]}"), (f" {count}", "dim"))


def _by_kind(records: Iterable[Record]) -> list[tuple[MemoryKind, list[Record]]]:
    groups: dict[MemoryKind, list[Record]] = {kind: [] for kind in MemoryKind}
    for record in records:
        groups[record.memory_kind].append(record)
    return [(kind, group) for kind, group in groups.items() if group]


def _in_order(records: Sequence[Record]) -> list[Record]:
    """Events by time, core lines by block, the rest as they were made."""
    return sorted(records, key=lambda r: (getattr(r, "label", ""), r.occurred_at or r.valid_from, r.id))


def memory_card(record: Record, sources: Sequence[Message], zone: ZoneInfo) -> RenderableType:
    """One memory with all that is known of it, and the messages it rests on."""
    table = grid("field", "value*")
    values: dict[str, str] = {"id": str(record.id), **record.attributes()}
    if isinstance(record, VaultRecord):
        values["reference"] = reference_text(record.reference)
    values |= {
        "when": span(record.occurred_at, record.occurred_until, zone),
        "valid": held(record, zone),
        "status": record.status,
        "place": " / ".join(record.tree_path),
        "keywords": ", ".join(record.keywords),
        "tags": ", ".join(record.tags),
        "superseded by": str(record.superseded_by or ""),
        "trust": f"{record.trust} of 3, from {record.source_kind}",
        "version": f"{record.version}, {moment(record.updated_at, zone)}",
    }
    for name, value in values.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(value))
    parts: list[RenderableType] = [
        Text.assemble(kind_text(record.memory_kind), "  ", (one_line(record.summary, 400), "bold"))
    ]
    parts += [Padding(Text(body), (1, 0, 0, 2)) for body in _bodies(record) if body]
    parts.append(Padding(table, (1, 0, 0, 2)))
    if sources:
        parts += [Text("\nrests on", style="dim"), Padding(message_list(sources, zone), (0, 0, 0, 2))]
    return Group(*parts)


def _bodies(record: Record) -> list[str]:
    found = [record.details if record.details != record.summary else ""]
    if isinstance(record, ProceduralRecord):
        found.append("\n".join(f"{number}. {step}" for number, step in enumerate(record.steps, 1)))
    if isinstance(record, ResourceRecord) and record.content != record.details:
        found.append(record.content)
    return found


def message_list(messages: Iterable[Message], zone: ZoneInfo) -> Table:
    table = grid("at", "speaker", "text*")
    for message in messages:
        text = Text(one_line(message.text, _LINE))
        if message.standing != "current":
            text.append(f"  ({message.standing})", style="dim italic")
        table.add_row(Text(moment(message.at, zone), style="dim"), message.speaker, text)
    return table


# ---- changes ----


def change_list(changes: Sequence[tuple[Change, Record | None]]) -> Table:
    """What was written; with the memory as it is now where that tells more than the change itself."""
    table = grid("kind", "operation", "summary*", "id")
    for change, record in changes:
        summary = Text(one_line(change.summary, _LINE))
        if isinstance(record, VaultRecord):
            summary.append(f"  sealed as {reference_text(record.reference)}", style="dim")
        table.add_row(kind_text(change.kind), Text(_done(change, record), style="dim"), summary, id_text(change.id))
    return table


def _done(change: Change, record: Record | None) -> str:
    if record is not None and record.status == "superseded":
        return "was so"
    if record is not None and record.status == "archived" and change.operation == "merge":
        return "folded in"
    if record is not None and record.status == "quarantined":
        return "in quarantine"
    return _DONE[change.operation]


def routing(routes: Mapping[MemoryKind, int]) -> Text:
    """Which memories a batch concerned: `core 1 · episodic 2`."""
    return Text(" · ", style="dim").join(
        Text.assemble(kind_text(kind), (f" {count}", "dim")) for kind, count in routes.items()
    )


def history_list(entries: Sequence[HistoryEntry], zone: ZoneInfo) -> RenderableType:
    """All changes of a memory, oldest first, with the fields that changed."""
    parts: list[RenderableType] = []
    for number, entry in enumerate(entries, 1):
        head = Text.assemble(
            (f"{number:>2}  ", "dim"), (moment(entry.at, zone), "dim"), "  ", (_DONE[entry.operation], "bold")
        )
        head.append(f" by {entry.actor}", style="dim")
        if entry.reason:
            head.append(f": {entry.reason}", style="dim")
        if entry.is_undone:
            head.append("  (undone)", style="italic yellow")
        parts.append(head)
        table = grid("field", "value*")
        for name, (before, after) in differences(entry.before, entry.after).items():
            value = Text.assemble((before, "red"), (" → ", "dim"), (after, "green")) if entry.before else Text(after)
            table.add_row(Text(name, style="dim"), value)
        if table.row_count:
            parts.append(Padding(table, (0, 0, 0, 4)))
    return Group(*parts)


_UNSHOWN = frozenset({"ciphertext", "nonce", "wrapped_key", "format_version", "key_id", "valid_from", "content"})
_FIRST_SHOWN = ("summary", "label", "name", "title", "steps", "occurred_at", "status")


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, tuple[str, str]]:
    """Field: (old, new). Of a new memory only what it says, not every default."""
    old, new = before or {}, after or {}
    names = _FIRST_SHOWN[:-1] if before is None else [*new, *(name for name in old if name not in new)]
    found = {}
    for name in names:
        if name not in _UNSHOWN and old.get(name) != new.get(name):
            found[name] = (_plain(old.get(name)), _plain(new.get(name)))
    return found


def _plain(value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    return one_line("; ".join(map(str, value)) if isinstance(value, list) else str(value), _LINE)


# ---- what was found ----


def hit_list(hits: Sequence[Hit], zone: ZoneInfo, *, explain: bool = False) -> RenderableType:
    if not hits:
        return Text("Nothing was found.", style="dim")
    table = grid("n", "score", "kind", "when", "text*", "id")
    for number, hit in enumerate(hits, 1):
        text = Text(one_line(hit.text, _LINE))
        if hit.message:
            text = Text.assemble((f"{hit.message.speaker}: ", "bold"), text)
        if hit.outdated:
            text.append("  (outdated)", style="italic yellow")
        if explain and hit.arms:
            arms = " · ".join(f"{arm.value} #{found.rank} {found.score:.2f}" for arm, found in hit.arms.items())
            text.append(f"\n{arms}", style="dim")
        table.add_row(
            Text(str(number), style="dim"),
            f"{hit.score:.2f}",
            kind_text(hit.kind),
            Text(hit_time(hit, zone), style="dim"),
            text,
            id_text(hit.id),
        )
    return table


def hit_time(hit: Hit, zone: ZoneInfo) -> str:
    if hit.message is not None:
        return moment(hit.message.at, zone)
    record = hit.record
    assert record is not None
    return span(record.occurred_at, None, zone) if record.occurred_at else day(record.valid_from, zone)


def citation_list(answer: Answer, sources: Mapping[int, Sequence[Message]], zone: ZoneInfo) -> Table:
    """What the numbers of an answer stand for: type, its words, and who said so when."""
    table = grid("n", "kind", "quote*", "source")
    for citation in answer.citations:
        quote = Text(citation.quote)
        if citation.outdated:
            quote.append("  (outdated)", style="italic yellow")
        said = sources.get(citation.n, ())
        source = f"{said[0].application or said[0].speaker}, {moment(said[0].at, zone)}" if said else ""
        more = f" +{len(said) - 1}" if len(said) > 1 else ""
        table.add_row(
            Text(f"[{citation.n}]", style="dim"), kind_text(citation.kind), quote, Text(source + more, style="dim")
        )
    return table
