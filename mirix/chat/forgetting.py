"""Forgetting as it is said in a conversation: the last turn, the last answer, what is about something, or everything.

One turn or a few memories go at once. Whatever may be more than the user has in mind is listed first: the question is
a row of the conversation that cites all of it, and a plain yes in the very next turn does exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from mirix.chat.deed import Deed, Done
from mirix.chat.hearing import Forget
from mirix.chat.rows import Recent
from mirix.chat.showing import words_of
from mirix.chat.wording import Language, Saying, bullets, counted, forgotten_text
from mirix.curation.forgetting import Forgetter, Trace
from mirix.curation.reach import Reach, find_reach
from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.ingest.evidence import Evidence
from mirix.memory import store
from mirix.memory.envelope import Keyring
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message
from mirix.memory.record import Record, Scope

ASKED_ABOVE = 3  # memories and messages of an answer that go without a question
_CHAT = statements("chat")
_FORGET = statements("forget")
_DOCUMENT = statements("document")


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What would go."""

    records: Sequence[Record]
    messages: Sequence[Message]

    @property
    def ids(self) -> list[UUID]:
        return [*(record.id for record in self.records), *(message.id for message in self.messages)]


@dataclass(frozen=True, kw_only=True)
class ChatForgetter:
    database: Database
    keyring: Keyring
    evidence: Evidence
    forgetter: Forgetter

    async def forget(self, user: User, scope: Scope, wanted: Forget, recent: Recent, language: Language) -> Deed:
        """Do it, or ask. Raises ConflictError when others keep changing what is to be forgotten."""
        match wanted.what:
            case "last_turn":
                ids = [row.id for row in recent.last_exchange]
                if not ids:
                    return _nothing(Saying.NOTHING_SAID, language)
                found = await self._existing(user, ids)
                reach, goes_further = await self._reach(user, found)
                if goes_further:
                    return self._asked(found, reach, language)
                return await self._gone(user, ids, language)
            case "last_answer":
                if not recent.answers_last:
                    return _nothing(Saying.NOTHING_CITED, language)
                found = await self._existing(user, recent.last_cited)
                reach, goes_further = await self._reach(user, found)
                if len(found.ids) > ASKED_ABOVE or goes_further:
                    return self._asked(found, reach, language)
                return await self._gone(user, [*found.ids, recent.rows[-1].id], language)
            case _:
                about = wanted.about or ""
                terms = words_of(about)
                if wanted.what == "about" and not terms:
                    return _nothing(Saying.NOTHING_ABOUT, language, about=about)
                found = await self._holding(user, scope, terms if wanted.what == "about" else [])
                if not found.ids:
                    return _nothing(Saying.NOTHING_ABOUT, language, about=about or "…")
                reach, _ = await self._reach(user, found)
                return self._asked(found, reach, language)

    async def confirmed(self, user: User, asked: Sequence[UUID], language: Language) -> Deed:
        """The user said yes to what was asked."""
        found = await self._existing(user, asked)
        return await self._gone(user, found.ids, language) if found.ids else _nothing(Saying.GONE_ALREADY, language)

    async def _gone(self, user: User, ids: Sequence[UUID], language: Language) -> Deed:
        forgotten = await self.forgetter.forget(user.user_id, ids)
        return Deed(
            done=Done(action="forgotten", forgotten=forgotten),
            text=forgotten_text(forgotten, language, in_full=True),
            kept=forgotten_text(forgotten, language, in_full=False),
        )

    def _asked(self, found: _Found, reach: Reach, language: Language) -> Deed:
        """What exactly would go, and the question."""
        told = [record.summary for record in reach.records]
        told += [f"{message.speaker}: {message.text}" for message in reach.messages if message.role != "assistant"]
        messages = len(reach.messages) + 1  # the question repeats it, too
        count = counted(len(reach.records), messages, language, redacted=len(reach.redacted))
        lines = [Saying.WOULD_GO.said(language, count=count), bullets(told, language)]
        replies = len(reach.records) + messages - len(told)
        lines += [Saying.AND_REPLIES.said(language, count=replies), Saying.CONFIRM.said(language)]
        text = "\n".join(lines)
        return Deed(
            done=Done(
                action="asked",
                listed=tuple(Trace(record.memory_kind, record.id, record.summary) for record in reach.records),
                messages=messages,
            ),
            text=text,
            kept=text,
            cited=found.ids,
            asks=True,
        )

    async def _reach(self, user: User, found: _Found) -> tuple[Reach, bool]:
        """How far it reaches, and whether a memory would go that was not named and knows more than the messages that
        were.
        """
        memory_ids, message_ids = {record.id for record in found.records}, {message.id for message in found.messages}
        async with self.database.transaction(user.user_id) as conn:
            reach = await find_reach(conn, self.keyring, user.user_id, memory_ids, message_ids)
            gone = {record.id for record in reach.records} - set(found.ids)
            parameters = {"user_id": user.user_id, "record_ids": list(gone)}
            rows = await (await conn.execute(_DOCUMENT["sources_of"], parameters)).fetchall()
        return reach, any(row["source_id"] not in {message.id for message in reach.messages} for row in rows)

    async def _existing(self, user: User, ids: Sequence[UUID]) -> _Found:
        async with self.database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(_FORGET["places"], {"user_id": user.user_id, "ids": list(ids)})).fetchall()
        return await self._read(user, rows)

    async def _holding(self, user: User, scope: Scope, terms: Sequence[int]) -> _Found:
        """Everything in which all of the terms stand, whatever its standing: what was superseded goes as well."""
        async with self.database.transaction(user.user_id) as conn:
            parameters = {"user_id": user.user_id, "terms": list(terms)}
            rows = await (await conn.execute(_CHAT["holding"], parameters)).fetchall()
        found = await self._read(user, rows)
        return _Found(
            records=[record for record in found.records if _is_of(record, scope)],
            messages=[message for message in found.messages if _is_of(message, scope)],
        )

    async def _read(self, user: User, rows: Sequence[dict[str, object]]) -> _Found:
        by_kind: dict[object, list[UUID]] = {}
        for row in rows:
            shelf, record_id = row["shelf"], row["record_id"]
            assert isinstance(shelf, int) and isinstance(record_id, UUID)
            by_kind.setdefault(store.kind_of_shelf(shelf), []).append(record_id)
        records: list[Record] = []
        async with self.database.transaction(user.user_id) as conn:
            for kind, record_type in RECORDS.items():
                records += await store.get_many(conn, user.user_id, record_type, by_kind.get(kind, []))
        messages = await self.evidence.by_id(user.user_id, by_kind.get(None, []))
        return _Found(records=sorted(records, key=lambda record: record.id), messages=messages)


def _is_of(found: Record | Message, scope: Scope) -> bool:
    """Whether it belongs to the agent and run that are named, or is shared."""
    is_agents = scope.agent_id is None or found.agent_id == scope.agent_id
    is_runs = scope.run_id is None or found.run_id == scope.run_id
    return found.visibility == "shared" or (is_agents and is_runs)


def _nothing(saying: Saying, language: Language, **values: object) -> Deed:
    text = saying.said(language, **values)
    return Deed(text=text, kept=text)
