"""How far forgetting reaches: reads what hangs on some memories and messages, and decides what goes and what stays.

A **memory** takes with it
  - its twins: other memories that say the same from the same messages (`is_twin`, in either direction), and the vault
    entry whose value it tells;
  - the values whose place it took, however far back ("forget my address" leaves no former address), unless it is itself
    a former value: then the others stay, and the value after it follows the one before it;
  - the messages it rests on. One that another memory, active or superseded, rests on stays, but for the sentences that
    tell what is forgotten; they also go from the memories on that message. Of a vault entry every message goes or is
    cut that names it, wherever it was said.
A **message** takes with it the memories that rest on it alone, and those that owe to it any word that the other
messages they rest on do not hold; what these had replaced or taken in holds again, as if the message had never been
said. A vault entry stays as long as another message or memory names it.
Answers of the assistant that cite what goes, go: they repeat it. What was said elsewhere, and no memory connects with
what is forgotten, stays; search shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from psycopg import sql

from mirix.curation.telling import GAP, Forgettable, cut_but, is_still_told, statements_of
from mirix.db.statements import statements
from mirix.errors import NotFoundError, SealError
from mirix.ingest.evidence import query
from mirix.memory import store
from mirix.memory.editing import is_twin
from mirix.memory.envelope import Keyring
from mirix.memory.kinds import RECORDS
from mirix.memory.knowledge_vault import VaultRecord, open_value
from mirix.memory.message import Message
from mirix.memory.record import Record, columns
from mirix.memory.store import Connection
from mirix.text.secrets import reference_text

_FORGET = statements("forget")
_TEXTS = ("summary", "details", "keywords", "content", "steps", "title", "name")  # columns a reference may stand in
_RESTING = frozenset({0, 1})  # active and superseded, of document.shelf modulo 3


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A memory rests on a message."""

    record_id: UUID
    shelf: int
    source_id: UUID

    @property
    def counts(self) -> bool:
        """Whether it keeps the message from being forgotten with another memory."""
        return self.shelf % 3 in _RESTING


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What goes, and what stays in another form. Read twice, it is the same as long as nothing changed."""

    records: tuple[Record, ...]  # memories that go
    messages: tuple[Message, ...]  # messages that go
    redacted: tuple[tuple[Message, Message], ...]  # messages that stay: as it is, as it will be
    near: tuple[Record, ...]  # rest on messages that are cut, or name what goes: they may repeat it
    changed: tuple[tuple[Record, Record], ...]  # those of them that do: as it is, as it will be
    released: tuple[tuple[Record, Record], ...]  # former values whose successor goes: as it is, as it will be
    kept: tuple[Record, ...]  # rest on a message that goes and on others
    resting: Mapping[UUID, tuple[str, ...]]  # texts of the other messages of each of those
    forgettable: Forgettable
    judged: tuple[UUID, ...]  # messages that stay and lose a memory
    named: Mapping[UUID, tuple[UUID, ...]]  # vault entries that rest on the messages naming them from now on


async def find_reach(
    conn: Connection, keyring: Keyring, user_id: int, memory_ids: Collection[UUID], message_ids: Collection[UUID]
) -> Reach:
    """Raises NotFoundError for an id that names nothing of this user."""
    walk = _Walk(conn=conn, keyring=keyring, user_id=user_id)
    await walk.take_facts(memory_ids)
    walk.gone_messages |= set(message_ids)
    await walk.take_answers()
    await walk.cut_what_stays()
    size = -1
    while size < (size := len(walk.gone_messages) + len(walk.gone)):
        await walk.take_what_rests()
        await walk.take_answers()
    return await walk.result()


@dataclass(kw_only=True)
class _Walk:
    conn: Connection
    keyring: Keyring
    user_id: int
    facts: dict[UUID, Record] = field(default_factory=dict)  # forgotten for what they say
    gone: dict[UUID, Record] = field(default_factory=dict)  # facts, and memories without a message left
    gone_messages: set[UUID] = field(default_factory=set)
    cut_messages: set[UUID] = field(default_factory=set)
    told: frozenset[UUID] = frozenset()  # those of them that a fact rests on
    kept: dict[UUID, Record] = field(default_factory=dict)
    resting: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    named: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    judged: set[UUID] = field(default_factory=set)
    redacted: list[tuple[Message, Message]] = field(default_factory=list)
    forgettable: Forgettable = field(default_factory=Forgettable)

    # ---- deciding ----

    async def take_facts(self, ids: Collection[UUID]) -> None:
        """Memories with all that says the same, and the messages that only told of them."""
        todo = list((await self._records(ids)).values())
        while todo:
            fresh = {record.id: record for record in todo if record.id not in self.facts}
            self.facts |= fresh
            twins = await self._twins(list(fresh.values()))
            self.facts |= {twin.id: twin for twin in twins}
            ends = [r.id for r in [*fresh.values(), *twins] if r.status != "superseded" or r.id not in ids]
            todo = [record for record, _ in await self._replaced_by(ends) if record.id not in self.facts]
        self.gone |= self.facts
        own = {edge.source_id for edge in await self._edges("edges_of_memories", self.facts)}
        edges = await self._edges("edges_of_messages", own)
        held = {edge.source_id for edge in edges if edge.counts and edge.record_id not in self.facts}
        self.gone_messages |= own - held
        self.cut_messages |= held
        self.told = frozenset(held)
        references = self._references(self.facts.values())
        self.cut_messages |= set(await self._ids("messages_naming", texts=references)) if references else set()

    async def take_answers(self) -> None:
        """The answers that cite what goes, and those that cite what is cut."""
        cited: set[UUID] = set()
        while cited < (new := {*self.gone, *self.gone_messages}):
            cited = new
            self.gone_messages |= set(await self._ids("messages_citing", ids=list(new)))
        self.cut_messages |= set(await self._ids("messages_citing", ids=list(self.cut_messages)))
        self.cut_messages -= self.gone_messages

    async def cut_what_stays(self) -> None:
        """Messages without the sentences that tell it; of one in which none does in so many words, only what other
        memories tell stays. A message of which nothing is left goes whole, unless a memory rests on it."""
        self.forgettable = self._forgettable()
        edges = [e for e in await self._edges("edges_of_messages", self.cut_messages) if e.record_id not in self.gone]
        resting: dict[UUID, set[UUID]] = defaultdict(set)
        for edge in edges:
            if edge.counts:
                resting[edge.source_id].add(edge.record_id)
        others = await self._records({edge.record_id for edge in edges})
        for message in await self._messages(self.cut_messages):
            stays = [s for one in sorted(resting[message.id]) for s in statements_of(others[one])]
            text = self.forgettable.cut(message.text, stays)
            if text == message.text and message.id in self.told:
                text = cut_but(message.text, stays)
            if not text and not resting[message.id]:
                self.gone_messages.add(message.id)
                continue
            is_told = self.forgettable.is_told(message.title or "", stays)
            new = replace(message, text=text or GAP, title=None if is_told else message.title)
            if new != message:
                self.redacted.append((message, new))

    async def take_what_rests(self) -> None:
        """Memories that rest on messages that go."""
        on = {edge.record_id for edge in await self._edges("edges_of_messages", self.gone_messages)} - self.gone.keys()
        sources: dict[UUID, set[UUID]] = defaultdict(set)
        for edge in await self._edges("edges_of_memories", on):
            sources[edge.record_id].add(edge.source_id)
        texts = {m.id: m.text for m in await self._messages({s for ids in sources.values() for s in ids})}
        for record_id, record in (await self._records(on)).items():
            left = sources[record_id] - self.gone_messages
            if isinstance(record, VaultRecord):
                naming = set(await self._ids("messages_naming", texts=[reference_text(record.reference)]))
                self.named[record_id] = tuple(sorted(naming - self.gone_messages - left))
                stays = bool(left or self.named[record_id]) or await self._is_named(record)
            else:
                lost = [texts[source] for source in sources[record_id] - left]
                stays = bool(left) and is_still_told(record.index_text(), lost, [texts[source] for source in left])
            if stays:
                self.kept[record_id] = record
                self.resting[record_id] = tuple(texts[source] for source in sorted(left))
            else:
                self.gone[record_id] = record
                self.judged |= left

    async def result(self) -> Reach:
        """All of it, with what stays in its new form."""
        near = await self._near() if self.facts else []
        changed = [(record, new) for record in near if (new := self.forgettable.cut_record(record)) != record]
        kept = [record for record in self.kept.values() if record.id not in self.gone]
        return Reach(
            records=tuple(sorted(self.gone.values(), key=lambda record: record.id)),
            messages=tuple(await self._messages(self.gone_messages)),
            redacted=tuple(pair for pair in self.redacted if pair[0].id not in self.gone_messages),
            near=tuple(near),
            changed=tuple(changed),
            released=tuple(await self._released()),
            kept=tuple(sorted(kept, key=lambda record: record.id)),
            resting=self.resting,
            forgettable=self.forgettable,
            judged=tuple(sorted((self.judged | self.told) - self.gone_messages)),
            named={entry: ids for entry, ids in self.named.items() if ids and entry not in self.gone},
        )

    def _forgettable(self) -> Forgettable:
        said = {statement for record in self.facts.values() for statement in statements_of(record)}
        return Forgettable(
            statements=tuple(sorted(said, key=sorted)),
            literals=tuple(sorted({mark for record in self.facts.values() for mark in self._marks(record)})),
        )

    async def _near(self) -> list[Record]:
        """Memories that say something else, but may repeat it."""
        near = {edge.record_id for edge in await self._edges("edges_of_messages", self.cut_messages)}
        if references := self._references(self.facts.values()):
            near |= {one for kind in RECORDS.values() for one in await self._naming(kind, references)}
        return list((await self._records(near - self.gone.keys())).values())

    async def _released(self) -> list[tuple[Record, Record]]:
        """Values whose successor goes: the value after it follows them, and where there is none they hold again."""
        pairs = []
        for record, is_merged in await self._replaced_by(self.gone):
            if record.id in self.gone:
                continue
            after: Record | None = record
            while after is not None and (after is record or after.id in self.gone):
                following = after.superseded_by
                after = (await self._records([following])).get(following) if following else None
            if after is not None:
                valid_to = (
                    max(after.valid_from, record.valid_from) if record.status == "superseded" else record.valid_to
                )
                new = replace(record, superseded_by=after.id, valid_to=valid_to)
            elif record.status == "superseded" or (record.status == "archived" and is_merged):
                ends = record.valid_to if record.status == "archived" else None
                new = replace(record, superseded_by=None, status="active", valid_to=ends)
            else:
                new = replace(record, superseded_by=None)
            pairs.append((record, new))
        return pairs

    # ---- reading ----

    async def _twins(self, records: Sequence[Record]) -> list[Record]:
        own = await self._edges("edges_of_memories", [record.id for record in records])
        by_source = defaultdict(list)
        for edge in await self._edges("edges_of_messages", {edge.source_id for edge in own}):
            by_source[edge.source_id].append(edge.record_id)
        others = await self._records({one for ids in by_source.values() for one in ids} - self.facts.keys())
        near = {(edge.record_id, other) for edge in own for other in by_source[edge.source_id] if other in others}
        pairs = ((self.facts[one], others[other]) for one, other in sorted(near))
        found = {other.id: other for one, other in pairs if self._says_the_same(one, other)}
        return list(found.values())

    def _says_the_same(self, one: Record, other: Record) -> bool:
        """Twins, and a vault entry with the memory that tells its value or names it. No twin is a memory that says
        something else and quotes the same message: it only loses the quotation."""
        if is_twin(one, other) or is_twin(other, one):
            told = Forgettable(statements=tuple(statements_of(one)))
            if told.is_told(other.summary) or not told.has_more_in(other):
                return True
        marks = [(mark, told) for entry, told in ((one, other), (other, one)) for mark in self._marks(entry)]
        return any(mark in f"{told.summary}\n{told.details}" for mark, told in marks)

    def _marks(self, record: Record) -> list[str]:
        """How texts tell a vault entry: its value, and its reference. None of another memory."""
        if not isinstance(record, VaultRecord):
            return []
        marks = [reference_text(record.reference)]
        with suppress(SealError):  # nobody can read it any more: it is known by its reference alone
            marks.append(open_value(record, self.keyring))
        return marks

    async def _edges(self, name: str, ids: Iterable[UUID]) -> list[Edge]:
        wanted = {"user_id": self.user_id, "ids": list(ids)}
        return [Edge(**row) for row in await (await self.conn.execute(_FORGET[name], wanted)).fetchall()]

    async def _records(self, ids: Iterable[UUID]) -> dict[UUID, Record]:
        """Memories of any kind, in the order of their ids; messages among the ids are left out."""
        places = {"user_id": self.user_id, "ids": list(ids)}
        by_kind = defaultdict(list)
        for row in await (await self.conn.execute(_FORGET["places"], places)).fetchall():
            if kind := store.kind_of_shelf(row["shelf"]):
                by_kind[kind].append(row["record_id"])
        found: list[Record] = []
        for kind, wanted in by_kind.items():
            found += await store.get_many(self.conn, self.user_id, RECORDS[kind], wanted)
        return {record.id: record for record in sorted(found, key=lambda record: record.id)}

    async def _replaced_by(self, ids: Iterable[UUID]) -> list[tuple[Record, bool]]:
        """Memories whose place was taken by some others, and whether they were folded into them."""
        wanted = {"user_id": self.user_id, "ids": list(ids)}
        is_merged: dict[UUID, bool] = {}
        for kind in RECORDS:
            cursor = await self.conn.execute(_FORGET["replaced_by"].format(table=sql.Identifier(kind.table)), wanted)
            is_merged |= {row["id"]: row["is_merged"] for row in await cursor.fetchall()}
        return [(record, is_merged[record.id]) for record in (await self._records(is_merged)).values()]

    async def _messages(self, ids: Iterable[UUID]) -> list[Message]:
        wanted = {"user_id": self.user_id, "ids": list(ids)}
        cursor = await self.conn.execute(query("messages_by_id"), wanted)
        return [Message(**row) for row in await cursor.fetchall()]

    async def _ids(self, name: str, **parameters: Any) -> list[UUID]:
        cursor = await self.conn.execute(_FORGET[name], {"user_id": self.user_id} | parameters)
        return [row["id"] for row in await cursor.fetchall()]

    async def _naming(self, record_type: type[Record], references: Sequence[str]) -> list[UUID]:
        texts = [sql.Identifier(name) for name in columns(record_type) if name in _TEXTS]
        table = sql.Identifier(record_type.memory_kind.table)
        found = _FORGET["memories_naming"].format(table=table, texts=sql.SQL(", ").join(texts))
        cursor = await self.conn.execute(found, {"user_id": self.user_id, "texts": list(references)})
        return [row["id"] for row in await cursor.fetchall()]

    async def _is_named(self, entry: VaultRecord) -> bool:
        """Whether a memory that stays names a vault entry."""
        for record_type in RECORDS.values():
            if set(await self._naming(record_type, [reference_text(entry.reference)])) - self.gone.keys() - {entry.id}:
                return True
        return False

    @staticmethod
    def _references(records: Iterable[Record]) -> list[str]:
        """How texts name the vault entries among some memories."""
        return sorted(reference_text(record.reference) for record in records if isinstance(record, VaultRecord))


async def check_ids(conn: Connection, user_id: int, ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """The ids of memories, and those of messages. Raises NotFoundError for an id that names neither."""
    places = {"user_id": user_id, "ids": list(ids)}
    rows = await (await conn.execute(_FORGET["places"], places)).fetchall()
    kinds = {row["record_id"]: store.kind_of_shelf(row["shelf"]) for row in rows}
    if unknown := [one for one in ids if one not in kinds]:
        raise NotFoundError(f"no memory or message {unknown[0]} of this user: see `mirix memory list --all`")
    memories = {one for one, kind in kinds.items() if kind is not None}
    return memories, kinds.keys() - memories
