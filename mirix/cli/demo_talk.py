"""The prompt at the end of `mirix demo`: a newcomer's own facts go in, and what is made of them is shown line by line.

    line ─┬─ /command ─> as it says
          ├─ question ─> ask ─> the answer with what it quotes
          └─ fact     ─> add ─> routing, what was sealed, resolved dates, new and superseded memories

What is typed goes to a user of its own in the demo's database: a question about oneself must not be answered from the
invented week, and dates count in the zone of whoever types. Row level security keeps the two apart as it would any two
users; `/nora` asks the week.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.padding import Padding
from rich.text import Text

from mirix.cli.arguments import parse_time
from mirix.cli.command import Invocation
from mirix.errors import InputError, MirixError, NotFoundError
from mirix.memory.record import MemoryKind

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.memory.changes import Change
    from mirix.memory.message import Message
    from mirix.memory.record import Record
    from mirix.results import AddResult

YOU = "you"
CONVERSATION = "demo prompt"
_EXAMPLES = (
    ("/at last Monday I live in Leeds.", "as if told last Monday"),
    ("The wifi password at home is Maple!Otter42lamp", "a secret: it is sealed"),
    ("I had lunch with Ada last Friday.", "which Friday that was is worked out"),
    ("I moved from Leeds to Bergen today.", "the old place is superseded, not lost"),
    ("Where do I live?", "answered from memory, with what it rests on"),
    ("/as-of last Friday Where do I live?", "what held then"),
    ("/undo", "the newest change is taken back"),
    ("上周五下午我去看了牙医。", "中文也可以,再问:我什么时候看了牙医?"),
)
_COMMANDS = (
    ("/as-of DATE QUESTION", "what held at that time: /as-of yesterday …, /as-of 2026-11-01 …"),
    ("/at DATE FACT", "tell it as if on that day"),
    ("/undo", "take back what the newest fact changed; again for the one before"),
    ("/memories", "all that is remembered of you"),
    ("/reveal REFERENCE", "open a sealed value, e.g. /reveal k7q2mn; every opening is recorded"),
    ("/nora QUESTION", "ask the invented week instead"),
    ("/help, /quit", "this; and leave (or Ctrl-D)"),
)


def routed(result: AddResult) -> dict[MemoryKind, int]:
    """What each memory took in. Most vault entries are sealed on the way in, before any manager is asked, so of these
    what was written counts."""
    routes = {kind: count for batch in result.batches for kind, count in batch.routes.items()}
    sealed = sum(1 for change in result.changes if change.kind is MemoryKind.VAULT)
    return {**routes, MemoryKind.VAULT: sealed} if sealed else routes


@dataclass(kw_only=True)
class Talk:
    """A newcomer at the prompt."""

    call: Invocation
    own: Mirix
    week: Mirix
    asked_at: datetime  # when the week is asked
    zone: ZoneInfo  # of the newcomer
    is_kept: bool  # --keep
    facts: list[list[UUID]] = field(default_factory=list)  # by fact told: one memory of each operation, oldest first

    def run(self) -> None:
        """Until /quit, Ctrl-D or Ctrl-C."""
        with suppress(ImportError):  # line editing and history; Windows has its own
            import readline  # noqa: F401
        self._welcome()
        empty = 0
        with suppress(EOFError, KeyboardInterrupt):
            while (line := input("you> ").strip()) not in ("/quit", "/exit", "/q"):
                empty = 0 if line else empty + 1
                if line:
                    try:
                        self.turn(line)
                    except MirixError as error:  # one line failed; the talk goes on
                        self.call.warn(str(error))
                    self.call.show("")
                elif empty == 2:
                    self._hint("Type a fact about yourself, or a question. /help shows examples, /quit leaves.")
                    empty = 0
            return
        self.call.show("")  # the line of the prompt is still open

    def turn(self, line: str) -> None:
        """One line. Raises MirixError."""
        commands: Mapping[str, Callable[[str], None]] = {
            "/help": lambda rest: self._help(),
            "/at": self._told_at,
            "/as-of": self._asked_as_of,
            "/undo": lambda rest: self._undo(),
            "/memories": lambda rest: self._memories(),
            "/reveal": self._reveal,
            "/nora": self._ask_week,
        }
        word, _, rest = line.partition(" ")
        if not line.startswith("/"):
            from mirix.models.builtin.conversation import is_question

            self._ask(line) if is_question(line) else self._add(line)
        elif word.lower() in commands:
            commands[word.lower()](rest.strip())
        else:
            self._hint(f"There is no {word}. There are {', '.join(commands)} and /quit; or type a fact or a question.")

    # ---- words ----

    def _welcome(self) -> None:
        kept = "stays in the demo's folder" if self.is_kept else "is removed when you leave"
        words = (
            "Tell it something about yourself, or ask. It goes into a memory of your own beside Nora's, "
            f"in your time zone ({self.zone.key}), and {kept}. For example, in this order:"
        )
        self.call.show("", Text("Now you", style="bold"), "", words, "")
        self._list(_EXAMPLES)
        self.call.show("", Text("/help shows all commands, /quit or Ctrl-D leaves.", style="dim"), "")

    def _help(self) -> None:
        self._list(_EXAMPLES)
        self.call.show("")
        self._list(_COMMANDS)

    def _list(self, rows: Sequence[tuple[str, str]]) -> None:
        from mirix.cli import show

        table = show.grid("what", "why*")
        for typed, why in rows:
            table.add_row(typed, Text(why, style="dim"))
        self.call.show(Padding(table, (0, 0, 0, 2)))

    def _hint(self, words: str) -> None:
        self.call.show(Text(f"  {words}", style="dim"))

    # ---- facts ----

    def _told_at(self, rest: str) -> None:
        at, fact = self._dated(rest, "/at last Monday I live in Leeds.", bound_end=False)
        self._add(fact, at)

    def _add(self, line: str, at: datetime | None = None) -> None:
        from mirix.cli import show
        from mirix.cli.add import changes_with_records

        with self.call.working("remembering"):
            # With its time: what is said twice is told twice.
            result = self.own.add(line, at=at or datetime.now(UTC), conversation=CONVERSATION)
            changed = changes_with_records(self.own, result)
            (message,) = self.own.messages(CONVERSATION, limit=1)
        if result.is_duplicate:
            self._hint("That was told before, word for word and at that time: nothing changed.")
            return
        self._remember_operations(result)
        routes = routed(result)
        table = show.grid("what", "value*")
        if at is not None:
            table.add_row(Text("told", style="dim"), f"{at.astimezone(self.zone):%Y-%m-%d %a}")
        filed = show.routing(routes) if routes else Text("no memory; kept word for word, and found by its words")
        table.add_row(Text("went to", style="dim"), filed)
        for meant in _dates(message):
            table.add_row(Text("date", style="dim"), meant)
        for sealed in _sealed(changed):
            table.add_row(Text("sealed", style="dim"), sealed)
        for past in self._superseded(changed):
            table.add_row(Text("superseded", style="dim"), past)
        for batch in result.batches:
            for problem in batch.problems:
                table.add_row(Text("refused", style="dim"), problem)
        self.call.show(Padding(table, (0, 0, 0, 2)))
        if changed:
            self.call.show("", Padding(show.change_list(changed), (0, 0, 0, 2)))
        self._hint_past(changed)

    def _superseded(self, changed: Sequence[tuple[Change, Record | None]]) -> list[Text]:
        """What no longer holds, and since when."""
        from mirix.cli import show

        return [
            Text.assemble(
                (record.summary, "strike"),
                (f"  held {show.held(record, self.zone)}", "dim"),
            )
            for _, record in changed
            if record is not None and record.status == "superseded" and record.valid_to is not None
        ]

    def _hint_past(self, changed: Sequence[tuple[Change, Record | None]]) -> None:
        """Where something was superseded that held for a day or more, how to ask for it."""
        for _, record in changed:
            if record is None or record.status != "superseded" or record.valid_to is None:
                continue
            last = record.valid_to.astimezone(self.zone).date() - timedelta(days=1)
            if record.valid_from.astimezone(self.zone).date() <= last:
                self.call.show("")
                self._hint(f"Ask for it now, then for what held before: /as-of {last} QUESTION. Or /undo.")
                return

    def _remember_operations(self, result: AddResult) -> None:
        """One memory of each operation, so that each is taken back once."""
        operations = {self.own.history(change.id)[-1].operation_id: change.id for change in result.changes}
        if operations:
            self.facts.append(list(operations.values()))

    def _undo(self) -> None:
        from mirix.cli import show

        if not self.facts:
            self._hint("Nothing is left to take back.")
            return
        with self.call.working("taking back"):
            ids = self.facts.pop()
            records = [record for memory_id in reversed(ids) for record in self.own.undo(memory_id)]
        table = show.grid("kind", "now", "summary*")
        for record in sorted(records, key=lambda record: record.status != "active"):
            is_back = record.status == "active"
            state = Text("so again" if is_back else "taken back", style="green" if is_back else "dim")
            table.add_row(
                show.kind_text(record.memory_kind), state, Text(record.summary, style="" if is_back else "dim")
            )
        self.call.show(Padding(table, (0, 0, 0, 2)))

    def _memories(self) -> None:
        from mirix.cli import show

        records = self.own.get_all(statuses=("active", "superseded"), limit=1_000)
        self.call.show(Padding(show.memory_tables(records, self.zone), (0, 0, 0, 2)))

    def _reveal(self, reference: str) -> None:
        if not reference:
            raise InputError("which one? e.g. /reveal k7q2mn: /memories lists the references of your vault")
        try:
            value = self.own.reveal(reference.removeprefix("{{vault:").removesuffix("}}"))
        except NotFoundError:
            raise InputError(f"no value of yours is sealed as {reference}: /memories lists the references") from None
        self.call.show(Padding(Text(value), (0, 0, 0, 2)))

    # ---- questions ----

    def _asked_as_of(self, rest: str) -> None:
        as_of, question = self._dated(rest, "/as-of yesterday Where do I live?", bound_end=True)
        self._ask(question, as_of=as_of)

    def _ask_week(self, question: str) -> None:
        if not question:
            raise InputError("ask her something: /nora When is my dentist appointment?")
        self._answer(self.week, question, ZoneInfo(self.week.status().timezone), asked_at=self.asked_at)

    def _ask(self, question: str, *, as_of: datetime | None = None) -> None:
        if as_of is not None:
            self.call.show(Text(f"  as of {as_of.astimezone(self.zone):%Y-%m-%d %a}", style="dim"))
        self._answer(self.own, question, self.zone, as_of=as_of)

    def _answer(
        self,
        memory: Mirix,
        question: str,
        zone: ZoneInfo,
        *,
        as_of: datetime | None = None,
        asked_at: datetime | None = None,
    ) -> None:
        from mirix.cli import show
        from mirix.cli.ask import answered
        from mirix.text.secrets import find_references

        answer, sources = answered(self.call, memory, question, as_of=as_of, asked_at=asked_at)
        self.call.show(Padding(Text(answer.text, style="bold"), (0, 0, 0, 2)))
        if answer.citations:
            self.call.show(Padding(show.citation_list(answer, sources, zone), (0, 0, 0, 2)))
        else:
            self._hint("No memory is cited, so nothing is claimed.")
        for reference in find_references(answer.text) if memory is self.own else ():
            self._hint(f"Sealed: no model sees the value. /reveal {reference} opens it.")

    def _dated(self, rest: str, example: str, *, bound_end: bool) -> tuple[datetime, str]:
        """The time that a line begins with, and what follows it. Raises InputError."""
        from mirix.text.dates import find_mentions

        first = rest.partition(" ")[0]
        with suppress(ValueError):
            datetime.fromisoformat(first)
            return self._time(first, bound_end=bound_end), self._rest(rest, first)
        for mention in find_mentions(rest, datetime.now(UTC), self.zone.key):
            if mention.start_index == 0:
                return self._time(mention.text, bound_end=bound_end), self._rest(rest, mention.text)
        raise InputError(f"a date comes first, then the words: {example}")

    def _time(self, text: str, *, bound_end: bool) -> datetime:
        """The first moment of a time, or its last: what begins at midnight is no part of the day before."""
        if bound_end:
            return parse_time(text, self.zone.key, bound="last")
        return parse_time(text, self.zone.key)

    def _rest(self, line: str, date: str) -> str:
        words = line.removeprefix(date).lstrip(" ,，:：")
        if not words:
            raise InputError(f"something has to follow {date!r}")
        return words


def _dates(message: Message) -> list[Text]:
    """`last Friday → 2026-11-13 Fri`, for each time that counts from when it was said."""
    from mirix.text.dates import find_mentions, format_range

    found = []
    for mention in find_mentions(message.text, message.local_at, message.timezone):
        if mention.relative:
            meant, day = format_range(mention.range), f"{mention.range.start:%Y-%m-%d}"
            is_one_day = meant.count(day[:5]) == 1 and meant.startswith(day)
            shown = f"{day} {mention.range.start:%a}{meant.removeprefix(day)}" if is_one_day else meant
            found.append(Text.assemble(mention.text, (" → ", "dim"), (shown, "bold")))
    return found


def _sealed(changed: Sequence[tuple[Change, Record | None]]) -> list[Text]:
    """What was cut out of the text, by reference."""
    from mirix.memory.knowledge_vault import VaultRecord
    from mirix.text.secrets import reference_text

    return [
        Text.assemble(
            record.summary, (" → ", "dim"), (reference_text(record.reference), "bold red"), ("  kept encrypted", "dim")
        )
        for _, record in changed
        if isinstance(record, VaultRecord) and record.sensitivity == "high" and record.status == "active"
    ]
