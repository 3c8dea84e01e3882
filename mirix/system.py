"""AsyncMirix: the verbs that every door (Python, command line, servers) calls. Wiring only.

The one implementation; `mirix.blocking.Mirix` has the same verbs without `await`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import update_wrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from langchain_core.language_models import BaseChatModel
from langsmith.run_helpers import tracing_context

from mirix.checks import (
    check_changes,
    check_count,
    check_entry,
    check_id,
    check_kinds,
    check_text,
    check_user,
)
from mirix.config import Settings, load_settings
from mirix.curation.review import count_waiting
from mirix.db.pool import User
from mirix.db.statements import statements
from mirix.errors import InputError, MirixError, NotFoundError
from mirix.ingest.inputs import (
    Incoming,
    Origin,
    Source,
    check_time,
    check_timezone,
    clean_name,
    from_file,
    from_image,
    from_messages,
    from_text,
)
from mirix.managers.graph import Outcome
from mirix.memory import store
from mirix.memory.kinds import RECORDS
from mirix.memory.lacking import count_lacking
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record, Scope, Status, now
from mirix.memory.reveal import reveal, reveal_all
from mirix.models.usage import Usage
from mirix.parts import Parts, open_parts
from mirix.results import AddResult, BatchResult, HistoryEntry, MemoryStatus
from mirix.retrieval.active import Filters, SearchResult
from mirix.retrieval.answer import Answer
from mirix.retrieval.hits import Hit
from mirix.text.secrets import find_references, reference_text
from mirix.verbs.chat import ChatVerbs
from mirix.verbs.curation import CurationVerbs
from mirix.verbs.screens import ScreenVerbs
from mirix.verbs.transfer import TransferVerbs

P = ParamSpec("P")
R = TypeVar("R")
_EVIDENCE = statements("evidence")
_BATCH = statements("batch")

Content = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]


def _private(
    method: Callable[Concatenate[AsyncMirix, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[AsyncMirix, P], Coroutine[Any, Any, R]]:
    """No call is traced to a service, whatever variables of other libraries say."""

    async def untraced(self: AsyncMirix, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with tracing_context(enabled=False):
            return await method(self, *args, **kwargs)

    return update_wrapper(untraced, method)


class AsyncMirix(ChatVerbs, TransferVerbs, CurationVerbs, ScreenVerbs):
    """A personal memory.

        async with AsyncMirix() as memory:
            await memory.add("I moved to Bergen last Friday.")
            answer = await memory.ask("Where do I live?")

    Settings come from MIRIX_* variables; keyword arguments win over them (`data_dir=…`, `chat_model="openai:…"`). A
    LangChain chat model may be handed over as `model`. Every verb takes `user_id` (default: the user `default`), and
    `agent_id` and `run_id` where a program keeps memories apart within a user.
    """

    def __init__(
        self, settings: Settings | None = None, *, model: BaseChatModel | None = None, **overrides: object
    ) -> None:
        self._settings = settings or load_settings(**overrides)
        self._model = model
        self._parts: Parts | None = None

    async def open(self) -> AsyncMirix:
        """Start or reach the database and check everything. Raises ConfigError, SealError or DatabaseError."""
        if self._parts is None:
            self._parts = await open_parts(self._settings, chat_model=self._model)
        return self

    async def close(self) -> None:
        """Let everything go; the embedded database stops about a minute after its last user."""
        if self._parts is not None:
            parts, self._parts = self._parts, None
            await parts.close()

    async def __aenter__(self) -> AsyncMirix:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def parts(self) -> Parts:
        """What is behind an open Mirix. Raises MirixError when it is not open."""
        if self._parts is None:
            raise MirixError("this Mirix is not open: use `async with AsyncMirix() as memory`, or call open() first")
        return self._parts

    # ---- writing ----

    @_private
    async def add(
        self,
        content: Content | None = None,
        *,
        image: bytes | str | Path | None = None,
        file: str | Path | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        at: datetime | None = None,
        timezone: str | None = None,
        source: Source | None = None,
        trust: int | None = None,
        application: str | None = None,
        title: str | None = None,
        uri: str | None = None,
        speaker: str | None = None,
        conversation: str = "default",
        idempotency_key: str | None = None,
        infer: bool = True,
        wait: bool = True,
    ) -> AddResult:
        """Remember: a text, chat messages ({"role", "content", "name"?, "at"?}), a picture or a file.

        `at` is when it was said or seen (aware); relative dates count from it in `timezone` (IANA name; default: the
        user's). Returns when the managers are done, with what changed; `wait=False` returns as soon as the evidence is
        durable and found by its words; `infer=False` keeps the evidence alone, no manager reads it. The same added
        again changes nothing. Raises InputError for what cannot be taken, ModelError when the managers' model fails:
        the evidence is kept then, and tried again.
        """
        begin = time.monotonic()
        parts = self.parts
        if sum(given is not None for given in (content, image, file)) != 1:
            raise InputError("give exactly one of content, image and file")
        user = await self._ensure_user(user_id, timezone)
        thread = clean_name(conversation, "conversation") or "default"
        origin = Origin(
            at=check_time(at),
            timezone=check_timezone(timezone or user.timezone),
            source=source,
            trust=trust,
            application=clean_name(application, "application"),
            title=clean_name(title, "title", 1_000),
            uri=clean_name(uri, "uri", 10_000),
            speaker=clean_name(speaker, "speaker"),
            conversation=thread,
        )
        incoming = await asyncio.to_thread(_read, parts, content, image, file, origin)
        scope = Scope(
            user_id=user.user_id, agent_id=clean_name(agent_id, "agent_id"), run_id=clean_name(run_id, "run_id")
        )
        stored = await parts.evidence.store(
            user, scope, incoming, conversation=thread, idempotency_key=idempotency_key, infer=infer
        )
        outcomes: Mapping[UUID, Outcome] = {}
        if wait:
            outcomes = await parts.drainer.drain(user, [batch.id for batch in stored if not batch.is_applied])
        elif infer:
            await parts.worker.start()
        batches = [BatchResult.of(batch, outcomes.get(batch.id), waited=wait) for batch in stored]
        usage = sum((outcomes[batch.id].usage for batch in stored if batch.id in outcomes), Usage())
        return AddResult(batches=tuple(batches), usage=replace(usage, ms=_ms(begin)))

    @_private
    async def flush(self, *, user_id: str | None = None) -> int:
        """Work off what waits for this user, in order; returns how many batches that were. Raises ModelUnavailable."""
        return len(await self.parts.drainer.drain(await self._user(user_id)))

    @_private
    async def retry_failed(self, *, user_id: str | None = None) -> int:
        """Try batches again that had no attempt left; returns how many were applied. Raises ModelUnavailable."""
        user = await self._user(user_id)
        async with self.parts.database.transaction(user.user_id) as conn:
            await conn.execute(_BATCH["retry_failed"], {"user_id": user.user_id})
        return len(await self.parts.drainer.drain(user))

    # ---- reading ----

    @_private
    async def search(
        self,
        query: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        limit: int = 10,
        kinds: Iterable[MemoryKind | str] | None = None,
        messages: bool = True,
        since: datetime | None = None,
        until: datetime | None = None,
        tags: Sequence[str] | None = None,
        sources: Sequence[Source] | None = None,
        application: str | None = None,
        as_of: datetime | None = None,
        include_superseded: bool = False,
        explain: bool = False,
        deadline_ms: int | None = None,
        asked_at: datetime | None = None,
    ) -> SearchResult:
        """The memories and messages that bear on a query, best first. No model is called.

        `asked_at` (aware; default now) is what relative dates in the query count from.
        """
        check_count(limit, "limit")
        check_count(deadline_ms, "deadline_ms")
        user = await self._user(user_id)
        sealed = await self._seal_question(user, query)
        filters = Filters(
            kinds=None if kinds is None else frozenset(check_kinds(kinds) or ()),
            messages=messages,
            since=check_time(since),
            until=check_time(until),
            tags=tuple(tags or ()),
            source_kinds=frozenset(sources) if sources else frozenset(),
            application=application,
            as_of=check_time(as_of),
            include_superseded=include_superseded,
            agent_id=agent_id,
            run_id=run_id,
        )
        found = await self.parts.retriever.search(
            user,
            sealed,
            filters=filters,
            limit=limit,
            explain=explain,
            deadline_ms=deadline_ms,
            asked_at=check_time(asked_at),
        )
        self._gave(user, found.hits)
        return replace(found, hits=await self.parts.framer.hits(user.user_id, found.hits, sealed))

    @_private
    async def recall(
        self,
        turn: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        at: datetime | None = None,
        limit: int = 5,
        explain: bool = False,
        deadline_ms: int | None = None,
    ) -> SearchResult:
        """What a turn of a conversation needs from memory, unasked: "Pick me a dish from the menu" finds the allergy.

        At most `limit` hits, best first; none where the turn needs nothing personal (a greeting, a sum, a question of
        general knowledge). `at` (aware; default now) is when the turn is said: its dates count from it. No model is
        called. Core memory belongs in every prompt anyway and is not waited for here.
        """
        check_count(limit, "limit")
        check_count(deadline_ms, "deadline_ms")
        user = await self._user(user_id)
        sealed = await self._seal_question(user, turn)
        found = await self.parts.retriever.recall(
            user,
            sealed,
            filters=Filters(agent_id=agent_id, run_id=run_id),
            limit=limit,
            explain=explain,
            deadline_ms=deadline_ms,
            asked_at=check_time(at),
        )
        self._gave(user, found.hits)
        return found

    @_private
    async def ask(
        self,
        question: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        as_of: datetime | None = None,
        asked_at: datetime | None = None,
        reveal: bool = False,
        max_tokens: int = 1_000,
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer from memory, with citations. `known` is False when the memory does not hold the answer.

        `as_of` asks for what held in the world at that time. With `reveal` the vault references in the answer are
        replaced by their values, which is written to the audit; they never reach a model. Raises ModelError.
        """
        check_count(max_tokens, "max_tokens")
        user = await self._user(user_id)
        sealed = await self._seal_question(user, question)
        filters = Filters(as_of=check_time(as_of), agent_id=agent_id, run_id=run_id)
        answer = await self.parts.answerer.ask(
            user,
            sealed,
            filters=filters,
            asked_at=check_time(asked_at) or now(),
            max_tokens=max_tokens,
            on_text=on_text,
        )
        told = await self._revealed(user, answer) if reveal else answer
        self._gave_answer(user, told)
        return told

    def _gave(self, user: User, hits: Iterable[Hit]) -> None:
        """What comes back of it is no evidence (ingest/echoes.py)."""
        for hit in hits:
            self.parts.evidence.echoes.gave(user.user_id, hit.text, [hit.id])

    def _gave_answer(self, user: User, answer: Answer) -> None:
        self.parts.evidence.echoes.gave(user.user_id, answer.text, [each.id for each in answer.citations])
        for item in answer.context.items:
            for text in (item.text, item.rendered):
                self.parts.evidence.echoes.gave(user.user_id, text, [item.hit.id])

    async def _revealed(self, user: User, answer: Answer) -> Answer:
        """Only entries that were retrieved for this user are filled in."""
        shown = set(find_references(answer.context.text))
        references = [reference for reference in find_references(answer.text) if reference in shown]
        async with self.parts.database.transaction(user.user_id) as conn:
            values = await reveal_all(conn, self.parts.keyring, user.user_id, references, actor="ask")
        text = answer.text
        for reference, value in values.items():
            text = text.replace(reference_text(reference), value)
        return replace(answer, text=text)

    async def _seal_question(self, user: User, question: str) -> str:
        """The question without secrets: a value that is in the vault stands as its reference."""
        question = check_text(question, "the question")
        sealer = self.parts.evidence.sealer(user.user_id)
        async with self.parts.database.transaction(user.user_id) as conn:
            await sealer.load(conn, [question])
        return sealer.seal(question).text

    async def get(self, memory_id: UUID | str, *, user_id: str | None = None) -> Record:
        """One memory. Raises NotFoundError."""
        user = await self._user(user_id)
        async with self.parts.database.transaction(user.user_id) as conn:
            return await store.get(conn, user.user_id, check_id(memory_id))

    async def get_all(
        self,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        kinds: Iterable[MemoryKind | str] | None = None,
        tags: Sequence[str] | None = None,
        as_of: datetime | None = None,
        statuses: Sequence[Status] = ("active",),
        limit: int = 100,
        offset: int = 0,
    ) -> list[Record]:
        """Memories kind by kind, newest change first; `limit` and `offset` count within each kind."""
        check_count(limit, "limit")
        check_count(offset, "offset", least=0)
        chosen_kinds = check_kinds(kinds)
        wanted = MemoryKind if chosen_kinds is None else chosen_kinds
        user = await self._user(user_id)
        scope = Scope(user_id=user.user_id, agent_id=agent_id, run_id=run_id)
        chosen = store.ListFilter(
            tags=tags,
            as_of=check_time(as_of),
            statuses=statuses,
            limit=limit,
            offset=offset,
        )
        found: list[Record] = []
        async with self.parts.database.transaction(user.user_id) as conn:
            for kind in wanted:
                found += await store.list_records(conn, scope, RECORDS[kind], chosen)
        return found

    async def sources(self, memory_id: UUID | str, *, user_id: str | None = None) -> list[Message]:
        """The messages a memory rests on, oldest first."""
        record = await self.get(memory_id, user_id=user_id)
        ids = await self.parts.editor.sources(record.user_id, record.id)
        return await self.parts.evidence.by_id(record.user_id, ids)

    # ---- changing by hand ----

    async def update(
        self, memory_id: UUID | str, /, *, user_id: str | None = None, version: int | None = None, **changes: Any
    ) -> Record:
        """Correct a memory in place. With `version` only if it is still the present one (ConflictError)."""
        user = await self._user(user_id)
        return await self.parts.editor.update(
            user.user_id, check_id(memory_id), check_changes(changes), version=version
        )

    async def delete(self, memory_id: UUID | str, *, user_id: str | None = None) -> list[Record]:
        """Archive a memory, together with others that say the same from the same messages. Undo brings them back."""
        user = await self._user(user_id)
        return await self.parts.editor.delete(user.user_id, check_id(memory_id))

    async def undo(self, memory_id: UUID | str, *, user_id: str | None = None) -> list[Record]:
        """Take the newest change of a memory back, with all that changed in the same operation."""
        user = await self._user(user_id)
        return await self.parts.editor.undo(user.user_id, check_id(memory_id))

    async def history(self, memory_id: UUID | str, *, user_id: str | None = None) -> list[HistoryEntry]:
        """All changes of a memory, oldest first."""
        user = await self._user(user_id)
        rows = await self.parts.editor.history(user.user_id, check_id(memory_id))
        return [
            HistoryEntry(
                operation=row["operation"],
                actor=row["actor"],
                at=row["at"],
                before=row["before"],
                after=row["after"],
                reason=row["reason"],
                operation_id=row["operation_id"],
                is_undone=row["undone_by"] is not None,
            )
            for row in rows
        ]

    async def reveal(self, entry: UUID | str, *, user_id: str | None = None) -> str:
        """The value of a vault entry, by reference ("k7q2mn") or id. Written to the audit before it is opened."""
        user = await self._user(user_id)
        async with self.parts.database.transaction(user.user_id) as conn:
            return await reveal(conn, self.parts.keyring, user.user_id, check_entry(entry), actor="user")

    async def status(self, *, user_id: str | None = None) -> MemoryStatus:
        """How much is remembered, how much waits, and what serves it."""
        parts = self.parts
        embedder = parts.indexer.embedder
        user = await self._user(user_id)
        async with parts.database.transaction(user.user_id) as conn:
            row = await (await conn.execute(_EVIDENCE["count_messages"], {"user_id": user.user_id})).fetchone()
            assert row is not None
            memories = {kind: await store.count(conn, user.user_id, RECORDS[kind]) for kind in MemoryKind}
            lacking = await count_lacking(conn, user.user_id, embedder.name) if embedder else None
            proposals, quarantined = await count_waiting(conn, user.user_id)
        return MemoryStatus(
            user=user.name,
            timezone=user.timezone,
            messages=row["messages"],
            waiting=row["waiting"],
            failed=row["failed"],
            memories=memories,
            proposals=proposals,
            quarantined=quarantined,
            chat_model=self._settings.chat_model,
            embedding_model=embedder.name if embedder else None,
            lacking_vectors=lacking.rows if lacking else 0,
            recogniser=parts.recogniser.name if parts.recogniser else None,
            database="embedded" if self._settings.database_url is None else "MIRIX_DATABASE_URL",
        )

    # ---- users ----

    async def _user(self, name: str | None) -> User:
        """A user to read from. The one of the settings is always there; those named are made by their first add."""
        if name is None or name == Settings.model_fields["user"].default:
            return await self._ensure_user(name, None)
        chosen = check_user(name)
        user = await self.parts.database.find_user(chosen)
        if user is None:
            raise NotFoundError(f"there is no user {chosen!r}: users are made by their first add")
        return user

    async def _ensure_user(self, name: str | None, timezone: str | None) -> User:
        chosen = check_user(self._settings.user if name is None else name)
        return await self.parts.database.ensure_user(chosen, check_timezone(timezone or self.parts.timezone))


def _read(
    parts: Parts, content: Content | None, image: bytes | str | Path | None, file: str | Path | None, origin: Origin
) -> list[Incoming]:
    arrival = now()
    if image is not None:
        if not isinstance(image, bytes | str | Path):
            raise InputError(f"a picture is bytes or a path, not {type(image).__name__}")
        return [from_image(image if isinstance(image, bytes) else Path(image), parts.recogniser, origin, arrival)]
    if file is not None:
        if not isinstance(file, str | Path):
            raise InputError(f"a file is named by its path, not {type(file).__name__}")
        return from_file(Path(file), origin, arrival)
    if isinstance(content, str):
        return from_text(content, origin, arrival)
    if isinstance(content, Mapping):
        return from_messages([content], origin, arrival)
    if isinstance(content, list | tuple):
        return from_messages(content, origin, arrival)
    raise InputError(f"content is a text, a message or a list of messages, not {type(content).__name__}")


def _ms(begin: float) -> float:
    return (time.monotonic() - begin) * 1000
