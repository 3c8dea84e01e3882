"""demo.html: a memory as one page to look at, whole in itself: no script, font or picture comes from anywhere else.

    Week (values of the verbs) ─> cards, days, replies (plain values, each with an anchor) ─> templates/week.html.j2

Memories are `m1`, `m2` …, messages `e1`, `e2` … on the page; what rests on what is said by these names in `data-`
attributes, and the script at its end lights them up together. All text is escaped by the template engine; `prose` marks
up resolved dates and vault references in it, after escaping. `templates/frame.html.j2` is by itself: a screenshot with
the place of a quote in yellow.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mirix.cli.show import day, span
from mirix.memory.core import CoreRecord
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.message import Message
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind, Record, one_line
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord
from mirix.text.chunks import is_cjk
from mirix.text.secrets import reference_text

if TYPE_CHECKING:
    from mirix.curation.frames import KeptFrame
    from mirix.retrieval.answer import Answer, Citation
    from mirix.retrieval.places import Box

MARKER = "<!-- made by mirix demo -->"  # only a file that holds it is ever written over
_RESOLVED = re.compile(r" ?\[(\d{4}[-–:\d ]*)\]")
_SEALED = re.compile(r"\{\{vault:([0-9a-z]+)\}\}")
_CITED = re.compile(r"\[(\d+)\]")
_BLURBS: Mapping[MemoryKind, str] = {
    MemoryKind.CORE: "who you are",
    MemoryKind.EPISODIC: "events, past and planned",
    MemoryKind.SEMANTIC: "people, places, projects",
    MemoryKind.PROCEDURAL: "how things are done",
    MemoryKind.RESOURCE: "documents, word for word",
    MemoryKind.VAULT: "exact values, sealed",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question and what came of it."""

    question: str
    at: datetime
    answer: Answer | None  # None: it was left out
    passed: bool | None


@dataclass(frozen=True, kw_only=True)
class Week:
    """All that the page shows."""

    zone: ZoneInfo
    model: str
    records: Sequence[Record]  # active and superseded
    sources: Mapping[UUID, Sequence[UUID]]  # memory: the messages it rests on
    messages: Sequence[Message]  # oldest first
    frames: Mapping[UUID, KeptFrame]  # by message
    asked: Sequence[Asked]


# ---- what stands on the page ----


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A screenshot as it is drawn, with places marked in yellow: left, top, width, height in percent of it."""

    url: str  # data:
    width: int
    height: int
    title: str
    marks: tuple[tuple[float, float, float, float], ...]
    quote: str  # what is marked


@dataclass(frozen=True, kw_only=True)
class Named:
    """A memory, as others name it."""

    anchor: str
    kind: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message."""

    anchor: str
    at: datetime  # in the zone of the page
    speaker: str
    glyph: str  # user, assistant or screen
    text: str
    standing: str
    picture: Picture | None
    memories: tuple[Named, ...]  # what rests on it


@dataclass(frozen=True, kw_only=True)
class Card:
    """A memory."""

    anchor: str
    kind: str
    head: str  # its name, block or reference
    when: str
    day: date | None  # of what happened
    summary: str
    body: tuple[str, ...]  # what more it says, by paragraph
    steps: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sources: tuple[Told, ...]
    until: str  # of a superseded one, the day
    newer: Named | None  # what took its place
    older: tuple[Named, ...]  # whose place it took


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A citation."""

    n: int
    kind: str
    target: str  # anchor of the memory or message
    text: str
    said: Told | None  # the first message it rests on


@dataclass(frozen=True, kw_only=True)
class Reply:
    question: str
    text: Markup | None
    passed: bool | None
    quotes: tuple[Quoted, ...]
    picture: Picture | None


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the week: what was said on it, and what happened."""

    date: date
    told: tuple[Told, ...]
    events: tuple[Card, ...]


def week_page(week: Week) -> str:
    """The page. Values of the vault are not on it: texts hold references, and pictures are painted over."""
    names = _names(week)
    told = {message.id: _told(week, names, f"e{n}", message) for n, message in enumerate(week.messages, 1)}
    anchors = {m: one.anchor for m, one in names.items()} | {e: one.anchor for e, one in told.items()}
    cards = [_card(week, names, told, record) for record in _in_order(week.records)]
    events = sorted((card for card in cards if card.day), key=lambda card: (card.day, card.when))
    days = _days(told.values(), events)
    first, last = (days[0].date, days[-1].date) if days else (date.max, date.max)
    environment = Environment(
        loader=PackageLoader("mirix.cli"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"prose": prose, "language": language}
    return environment.get_template("week.html.j2").render(
        marker=Markup(MARKER),
        model=week.model,
        columns=[
            (kind.value, _BLURBS[kind], [card for card in cards if card.kind == kind.value]) for kind in MemoryKind
        ],
        replies=[_reply(week, anchors, told, asked) for asked in week.asked],
        days=days,
        earlier=[card for card in events if card.day and card.day < first],
        ahead=[card for card in events if card.day and card.day > last],
        told=list(told.values()),
        screens=len(week.frames),
        superseded=sum(1 for card in cards if card.until),
    )


def prose(text: str) -> Markup:
    """Text as it stands, escaped, with resolved dates and references to the vault set apart."""
    marked = _RESOLVED.sub(r'<span class="resolved">\1</span>', str(escape(text)))
    return Markup(_SEALED.sub(r'<span class="sealed">vault:\1</span>', marked))


def language(text: str) -> str:
    """The value of `lang`: fonts differ for Chinese."""
    return "zh-Hans" if any(map(is_cjk, text)) else "en"


def _in_order(records: Iterable[Record]) -> list[Record]:
    """Kind by kind; events by time, core lines by block, the rest as they came."""
    kinds = list(MemoryKind)
    return sorted(
        records,
        key=lambda r: (kinds.index(r.memory_kind), getattr(r, "label", ""), r.occurred_at or r.valid_from, r.id),
    )


def _names(week: Week) -> dict[UUID, Named]:
    return {
        record.id: Named(anchor=f"m{number}", kind=record.memory_kind.value, summary=one_line(record.summary, 100))
        for number, record in enumerate(_in_order(week.records), 1)
    }


def _told(week: Week, names: Mapping[UUID, Named], anchor: str, message: Message) -> Told:
    frame = week.frames.get(message.id)
    return Told(
        anchor=anchor,
        at=message.at.astimezone(week.zone),
        speaker=message.application or message.speaker if frame else message.speaker,
        glyph="screen" if frame else message.role,
        text=message.text,
        standing=message.standing,
        picture=_picture(frame, message, "") if frame else None,
        memories=tuple(name for memory, name in names.items() if message.id in week.sources.get(memory, ())),
    )


def _picture(frame: KeptFrame, message: Message, quote: str) -> Picture:
    return drawn(frame, message.application, message.title, frame.boxes_of(quote) if quote else (), quote)


def drawn(frame: KeptFrame, application: str | None, title: str | None, boxes: Sequence[Box], quote: str) -> Picture:
    """A screenshot as it stands on a page, with `boxes` of it marked, which hold the words of `quote`."""

    def percent(part: int, whole: int) -> float:
        return round(100 * part / whole, 2)

    return Picture(
        url=f"data:image/webp;base64,{base64.b64encode(frame.webp).decode()}",
        width=frame.width,
        height=frame.height,
        title=" · ".join(part for part in (application, title) if part) or "Screenshot",
        marks=tuple(
            (
                percent(left, frame.width),
                percent(top, frame.height),
                percent(right - left, frame.width),
                percent(bottom - top, frame.height),
            )
            for left, top, right, bottom in boxes
        ),
        quote=quote,
    )


def _card(week: Week, names: Mapping[UUID, Named], told: Mapping[UUID, Told], record: Record) -> Card:
    happened = record.occurred_at.astimezone(week.zone).date() if record.occurred_at else None
    is_past = record.status == "superseded" and record.valid_to is not None
    return Card(
        anchor=names[record.id].anchor,
        kind=record.memory_kind.value,
        head=_head(record),
        when=span(record.occurred_at, record.occurred_until, week.zone),
        day=happened,
        summary=one_line(record.summary, 400),
        body=_body(record),
        steps=tuple(record.steps) if isinstance(record, ProceduralRecord) else (),
        facts=_facts(record),
        sources=tuple(told[source] for source in week.sources.get(record.id, ()) if source in told),
        until=day(record.valid_to, week.zone) if is_past and record.valid_to else "",
        newer=names.get(record.superseded_by) if record.superseded_by else None,
        older=tuple(names[other.id] for other in week.records if other.superseded_by == record.id),
    )


def _head(record: Record) -> str:
    match record:
        case CoreRecord():
            return record.label
        case SemanticRecord():
            return record.name
        case ResourceRecord():
            return record.title
        case VaultRecord():
            return reference_text(record.reference)
    return ""


def _body(record: Record) -> tuple[str, ...]:
    content = record.content if isinstance(record, ResourceRecord) else ""
    texts = [text for text in (record.details, content) if text and text != record.summary]
    return tuple(dict.fromkeys(text.strip() for text in texts))


def _facts(record: Record) -> tuple[tuple[str, str], ...]:
    hidden = {"label", "name", "title", "caption"}
    own = [(name.replace("_", " "), value) for name, value in record.attributes().items() if name not in hidden]
    return (*own, ("trust", f"{record.trust} of 3, from {record.source_kind}"))


def _days(told: Iterable[Told], events: Sequence[Card]) -> list[Day]:
    said: dict[date, list[Told]] = {}
    for one in told:
        said.setdefault(one.at.date(), []).append(one)
    return [
        Day(date=on, told=tuple(ones), events=tuple(event for event in events if event.day == on))
        for on, ones in sorted(said.items())
    ]


# ---- answers ----


def _reply(week: Week, anchors: Mapping[UUID, str], told: Mapping[UUID, Told], asked: Asked) -> Reply:
    if asked.answer is None:
        return Reply(question=asked.question, text=None, passed=asked.passed, quotes=(), picture=None)
    citations = asked.answer.citations
    return Reply(
        question=asked.question,
        text=linked(asked.answer.text, {citation.n: anchors.get(citation.id, "") for citation in citations}),
        passed=asked.passed,
        quotes=tuple(
            Quoted(
                n=citation.n,
                kind=citation.kind.value if citation.kind else "message",
                target=anchors.get(citation.id, ""),
                text=citation.quote,
                said=next((told[source] for source in _messages_of(week, citation) if source in told), None),
            )
            for citation in citations
        ),
        picture=_cited_picture(week, citations),
    )


def linked(text: str, targets: Mapping[int, str]) -> Markup:
    """The answer with its numbers as links."""

    def link(match: re.Match[str]) -> str:
        target = targets.get(int(match[1]))
        return f'<a class="cite" href="#{target}">{match[1]}</a>' if target else match[0]

    return Markup(_CITED.sub(link, str(prose(text))))


def _messages_of(week: Week, citation: Citation) -> Sequence[UUID]:
    return [citation.id] if citation.kind is None else week.sources.get(citation.id, ())


def _cited_picture(week: Week, citations: Iterable[Citation]) -> Picture | None:
    """The first screenshot that an answer rests on, with what it quotes from it."""
    by_id = {message.id: message for message in week.messages}
    for citation in citations:
        for source in _messages_of(week, citation):
            if source in week.frames and source in by_id:
                return _picture(week.frames[source], by_id[source], citation.quote)
    return None
