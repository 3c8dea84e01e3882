"""Shows what is in memory: of the user a fair selection, type by type, or all that is about something.

Every line can be cited. Superseded values are left out, and of the vault only captions are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from mirix.chat.deed import Deed, Done
from mirix.chat.wording import KIND_NAMES, LINE_CHARS, MESSAGES_NAME, Language, Saying
from mirix.curation.forgetting import Trace
from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.memory import store
from mirix.memory.core import CoreRecord
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind, Record, Scope, one_line
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord
from mirix.retrieval.active import Filters, Retriever
from mirix.retrieval.answer import Citation
from mirix.text.analyser import query_terms

CORE_LINES = 20
PER_KIND = 6  # of the other memories
ABOUT = 15  # lines about one thing
HITS_ABOUT = 40
LEAST_SHARE = 0.5  # of the words of what is asked about that a line has to hold
POOL = 200  # newest memories of a kind to choose from
_POSSESSIVE = re.compile(r"['’]s\b")
_DOCUMENT = statements("document")


@dataclass(frozen=True, kw_only=True)
class Shower:
    database: Database
    retriever: Retriever

    async def show(self, user: User, scope: Scope, about: str | None, language: Language) -> Deed:
        """What is known of the user, or about something."""
        if about and about.strip():
            return await self._show_about(user, scope, about.strip(), language)
        found: list[Record] = []
        total = 0
        async with self.database.transaction(user.user_id) as conn:
            for kind in MemoryKind:
                pool = await store.list_records(conn, scope, RECORDS[kind], store.ListFilter(limit=POOL))
                total += await store.count(conn, user.user_id, RECORDS[kind])
                found += _selection(kind, pool)
        if not found:
            return _said(Saying.NOTHING_KNOWN.said(language))
        head = Saying.KNOWN.said(language, shown=len(found), total=total)
        return await self._listing(user, head, found, language)

    async def _show_about(self, user: User, scope: Scope, about: str, language: Language) -> Deed:
        filters = Filters(agent_id=scope.agent_id, run_id=scope.run_id)
        hits = (await self.retriever.search(user, about, filters=filters, limit=HITS_ABOUT)).hits
        wanted = set(words_of(about))
        shares = {
            hit.id: len(wanted & set(query_terms(hit.record.index_text() if hit.record else hit.text))) / len(wanted)
            for hit in hits
            if wanted and not hit.outdated
        }
        enough = max([LEAST_SHARE, *shares.values()])
        best = [hit for hit in hits if shares.get(hit.id, 0.0) >= enough][:ABOUT]
        records = [hit.record for hit in best if hit.record is not None]
        # What was said is shown where no memory was made of it.
        covered = {source for hit in best if hit.record is not None for source in hit.source_ids}
        messages = [hit.message for hit in best if hit.message is not None and hit.id not in covered]
        told = [message for message in messages if not _asks(message)]
        if not records and not told:
            return _said(Saying.NOTHING_KNOWN_ABOUT.said(language, about=about))
        head = Saying.KNOWN_ABOUT.said(language, about=about)
        return await self._listing(user, head, records, language, told)

    async def _listing(
        self, user: User, head: str, records: Sequence[Record], language: Language, messages: Sequence[Message] = ()
    ) -> Deed:
        sources = await self._sources(user, [record.id for record in records])
        zone = ZoneInfo(user.timezone)
        lines, citations = [head], []
        order = list(MemoryKind)
        previous: MemoryKind | None = None
        for n, record in enumerate(sorted(records, key=lambda r: order.index(r.memory_kind)), 1):
            if record.memory_kind is not previous:
                previous = record.memory_kind
                lines.append(f"\n{KIND_NAMES[previous][language == 'zh']}")
            line = _line(record, zone)
            lines.append(f"- {line} [{n}]")
            citations.append(
                Citation(n=n, kind=record.memory_kind, id=record.id, source_ids=sources.get(record.id, ()), quote=line)
            )
        if messages:
            lines.append(f"\n{MESSAGES_NAME[language == 'zh']}")
        for n, message in enumerate(messages, len(citations) + 1):
            line = one_line(message.text, LINE_CHARS)
            lines.append(f"- {message.at.astimezone(zone):%Y-%m-%d} {message.speaker}: {line} [{n}]")
            citations.append(Citation(n=n, kind=None, id=message.id, source_ids=(message.id,), quote=line))
        text = "\n".join(lines)
        return Deed(
            done=Done(action="listed", listed=tuple(Trace(r.memory_kind, r.id, r.summary) for r in records)),
            text=text,
            kept=text,
            cited=[citation.id for citation in citations],
            citations=tuple(citations),
        )

    async def _sources(self, user: User, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
        found: dict[UUID, tuple[UUID, ...]] = {}
        async with self.database.transaction(user.user_id) as conn:
            parameters = {"user_id": user.user_id, "record_ids": list(ids)}
            for row in await (await conn.execute(_DOCUMENT["sources_of"], parameters)).fetchall():
                if row["stands"]:
                    found[row["record_id"]] = (*found.get(row["record_id"], ()), row["source_id"])
        return found


def words_of(about: str) -> list[int]:
    """The terms that tell what something is about: "Oda's phone" is oda, phone."""
    return query_terms(_POSSESSIVE.sub(" ", about))


def _said(text: str) -> Deed:
    return Deed(done=Done(action="listed"), text=text, kept=text)


def _selection(kind: MemoryKind, pool: Sequence[Record]) -> list[Record]:
    """The lines that are always in mind; of the others what is pinned, then what counts most, then the newest."""
    if kind is MemoryKind.CORE:
        lines = [record for record in pool if isinstance(record, CoreRecord)]
        return list(sorted(lines, key=lambda line: (line.label, line.position, line.id))[:CORE_LINES])
    by_worth = sorted(pool, key=lambda record: (record.pinned, record.importance), reverse=True)
    return by_worth[:PER_KIND]


def _line(record: Record, zone: ZoneInfo) -> str:
    body = one_line(record.summary, LINE_CHARS)
    if record.memory_kind is MemoryKind.EPISODIC and record.occurred_at:
        return f"{record.occurred_at.astimezone(zone):%Y-%m-%d} {body}"
    if isinstance(record, SemanticRecord) and record.name not in body:
        return f"{record.name}: {body}"
    if isinstance(record, ResourceRecord):
        return one_line(f"{record.title}: {record.summary}" if record.title not in body else body, LINE_CHARS)
    if isinstance(record, ProceduralRecord):
        return one_line(f"{body}: {'; '.join(record.steps)}", LINE_CHARS)
    return body


def _asks(message: Message) -> bool:
    return message.text.rstrip().endswith(("?", "?"))
