"""The page of the demo, read as a browser would read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from mirix.cli.page import MARKER, Asked, Week, language, prose, week_page
from mirix.curation.frames import KeptFrame
from mirix.memory.core import CoreRecord
from mirix.memory.episodic import EpisodicRecord
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.message import Message
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind, Record, new_id
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord
from mirix.models.usage import Usage
from mirix.retrieval.answer import Answer, Citation
from mirix.retrieval.context import Context
from mirix.retrieval.places import FrameLine

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script><img src="https://evil.example/x" onerror="alert(2)">\'";--></style>'
_VOID = {"meta", "link", "img", "br", "input", "hr"}


def message(text: str, *, at: datetime = MONDAY, **values: object) -> Message:
    fields = {"user_id": 1, "conversation_id": new_id(), "batch_id": new_id(), "speaker": "Ines"}
    return Message(**(fields | {"text": text, "at": at} | values))  # type: ignore[arg-type]


def answer(text: str, *citations: Citation) -> Answer:
    context = Context(core={}, items=(), tokens=0)
    return Answer(text=text, citations=citations, known=bool(citations), context=context, topics=(), usage=Usage())


def week(
    records: list[Record],
    messages: list[Message],
    *,
    sources: dict[UUID, list[UUID]] | None = None,
    frames: dict[UUID, KeptFrame] | None = None,
    asked: list[Asked] | None = None,
) -> Week:
    return Week(
        zone=ZoneInfo("Europe/Lisbon"),
        model="builtin",
        records=records,
        sources=sources or {},
        messages=messages,
        frames=frames or {},
        asked=asked or [],
    )


@pytest.fixture
def full() -> Week:
    """One memory of each kind, one that was superseded, a secret, and a question answered from a screen."""
    said = message("I row at the quay last Friday [2026-02-27], the code is {{vault:k7q2mn}}.")
    seen = message(
        "Harbour Pool\nYour locker is 47B", at=MONDAY + timedelta(hours=5), source_kind="screen", application="Browser"
    )
    new = CoreRecord(user_id=1, label="human", summary="Lives in Porto", valid_from=MONDAY)
    old = CoreRecord(
        user_id=1,
        label="human",
        summary="Lives in Faro",
        status="superseded",
        valid_from=MONDAY - timedelta(days=9),
        valid_to=MONDAY,
        superseded_by=new.id,
    )
    event = EpisodicRecord(user_id=1, summary="Rowed at the quay", occurred_at=MONDAY - timedelta(days=3))
    records: list[Record] = [
        new,
        old,
        event,
        EpisodicRecord(user_id=1, summary="Swims", occurred_at=MONDAY + timedelta(days=30)),
        SemanticRecord(user_id=1, name="Quay", summary="A place to row"),
        ProceduralRecord(user_id=1, summary="How to moor", steps=["Come alongside", "Make fast"]),
        ResourceRecord(user_id=1, title="Letter", summary="A letter", content="Dear Rui,\nsee you."),
        VaultRecord(
            user_id=1,
            reference="k7q2mn",
            summary="code of the quay",
            ciphertext=b"sealed-bytes",
            nonce=b"n",
            wrapped_key=b"w",
            format_version=1,
            key_id="key-1",
        ),
    ]
    frame = KeptFrame(
        message_id=seen.id,
        webp=b"RIFF-picture",
        width=400,
        height=200,
        lines=(
            FrameLine(text="Harbour Pool", box=(0, 0, 100, 10)),
            FrameLine(text="Your locker is 47B", box=(40, 60, 200, 80)),
        ),
    )
    cited = Citation(n=2, kind=None, id=seen.id, source_ids=(seen.id,), quote="Your locker is 47B")
    return week(
        records,
        [said, seen],
        sources={new.id: [said.id], event.id: [said.id]},
        frames={seen.id: frame},
        asked=[
            Asked(question="Which locker?", at=MONDAY, answer=answer("47B [2]", cited), passed=True),
            Asked(question="我住在哪里?", at=MONDAY, answer=None, passed=None),
        ],
    )


class Reader(HTMLParser):
    """Collects the elements, and fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text.append(data)

    def attributes(self, tag: str) -> Iterator[dict[str, str]]:
        return (attributes for name, attributes in self.elements if name == tag)

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.elements if name in attributes.get("class", "").split()]


def test_page_is_well_formed_and_every_link_on_it_leads_somewhere(full: Week) -> None:
    page = Reader(week_page(full))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.attributes("a"):
        assert link["href"].removeprefix("#") in ids
    for _, attributes in page.elements:
        assert set(attributes.get("data-with", "").split()) <= set(ids)


def test_page_loads_nothing(full: Week) -> None:
    source = week_page(full)
    page = Reader(source)
    loading = [
        (name, value)
        for tag, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "srcset", "action", "data", "poster", "background") or (tag == "link" and name == "href")
    ]
    assert loading
    assert [value for _, value in loading if not value.startswith("data:")] == []
    assert not re.search(r"@import|url\(|\bfetch\(|XMLHttp|WebSocket|https?://", source)
    (policy,) = (each["content"] for each in page.attributes("meta") if "http-equiv" in each)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'"


def test_each_memory_stands_in_the_column_of_its_kind(full: Week) -> None:
    page = Reader(week_page(full))
    headings = [each["id"].removeprefix("kind-") for each in page.attributes("h3") if "id" in each]
    assert headings == [kind.value for kind in MemoryKind]
    assert len(page.with_class("card")) == len(full.records)


def test_superseded_memory_is_struck_through_and_leads_to_what_took_its_place(full: Week) -> None:
    page = Reader(week_page(full))
    (past,) = page.with_class("past")
    (old,) = [each for each in page.attributes("s") if each.get("class") == "words"]
    assert past["data-ref"] == past["id"]
    assert old["lang"] == "en"
    (new,) = [each for each in page.with_class("card") if past["id"] in each["data-with"].split()]
    assert "until 2026-03-02" in " ".join(page.text)
    assert new["id"] != past["id"]


def test_memory_names_the_messages_it_rests_on_and_they_name_it(full: Week) -> None:
    page = Reader(week_page(full))
    cards = {each["id"]: each["data-with"].split() for each in page.with_class("card")}
    (said,) = [each for each in page.attributes("li") if each.get("id") == "e1"]
    resting = sorted(name for name, with_ in cards.items() if "e1" in with_)
    assert resting == sorted(said["data-with"].split())
    assert len(resting) == 2


def test_events_outside_the_week_stand_before_and_after_it(full: Week) -> None:
    text = " ".join(Reader(week_page(full)).text)
    assert re.search(r"earlier.*Rowed at the quay.*ahead.*Swims", text[text.index("The week") :], re.DOTALL)


def test_yellow_box_stands_where_the_quoted_words_are(full: Week) -> None:
    page = Reader(week_page(full))
    (mark,) = page.with_class("frame-mark")
    assert mark["style"] == "left:10.0%;top:30.0%;width:40.0%;height:10.0%"
    (cite,) = page.with_class("cite")
    assert cite["href"] == "#e2"


def test_picture_is_in_the_page_itself(full: Week) -> None:
    pictures = list(Reader(week_page(full)).attributes("img"))
    assert {each["src"] for each in pictures} == {"data:image/webp;base64,UklGRi1waWN0dXJl"}
    assert "Marked: Your locker is 47B" in pictures[0]["alt"]


def test_sealed_value_is_only_named(full: Week) -> None:
    page = week_page(full)
    assert '<span class="sealed">vault:k7q2mn</span>' in page
    assert "sealed-bytes" not in page
    assert "key-1" not in page


def test_hostile_text_is_inert_wherever_it_stands(full: Week) -> None:
    clean = Reader(week_page(full))
    said, seen = full.messages
    frame = replace(full.frames[seen.id], lines=(FrameLine(text=HOSTILE, box=(1, 1, 2, 2)),))
    cited = Citation(n=1, kind=None, id=seen.id, source_ids=(seen.id,), quote=HOSTILE)
    hostile = replace(
        full,
        model=HOSTILE,
        records=[
            replace(record, summary=HOSTILE, details=HOSTILE, tree_path=[HOSTILE])
            if not isinstance(record, SemanticRecord)
            else replace(record, name=HOSTILE, summary=HOSTILE)
            for record in full.records
        ],
        messages=[
            replace(said, text=HOSTILE, speaker=HOSTILE),
            replace(seen, text=HOSTILE, application=HOSTILE, title=HOSTILE),
        ],
        frames={seen.id: frame},
        asked=[Asked(question=HOSTILE, at=MONDAY, answer=answer(f"{HOSTILE} [1]", cited), passed=True)],
    )
    page = Reader(week_page(hostile))
    assert len(list(page.attributes("script"))) == len(list(clean.attributes("script"))) == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert all(each["src"].startswith("data:") for each in page.attributes("img"))
    assert HOSTILE in "".join(page.text)


def test_page_carries_the_marker_by_which_it_may_be_written_over(full: Week) -> None:
    assert MARKER in week_page(full)[:1_000]


def test_page_of_nothing_is_a_page() -> None:
    Reader(week_page(week([], [])))


def test_resolved_date_is_set_apart_and_escaping_comes_first() -> None:
    assert prose("last Friday [2026-02-27] & <b>") == (
        'last Friday<span class="resolved">2026-02-27</span> &amp; &lt;b&gt;'
    )


def test_chinese_text_is_marked_as_such() -> None:
    assert (language("我对腰果过敏"), language("Rows at the quay")) == ("zh-Hans", "en")
