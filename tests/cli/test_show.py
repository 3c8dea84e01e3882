from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from mirix.cli import documents, show
from mirix.memory.changes import Change
from mirix.memory.episodic import EpisodicRecord
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind, new_id
from mirix.memory.semantic import SemanticRecord
from mirix.results import HistoryEntry

OSLO = ZoneInfo("Europe/Oslo")


def rendered(renderable: RenderableType) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-06T00:00+01:00", None, "2026-11-06"),
        ("2026-11-05T23:00+00:00", "2026-11-06T23:00+00:00", "2026-11-06"),
        ("2026-11-06T00:00+01:00", "2026-11-09T00:00+01:00", "2026-11-06 – 2026-11-08"),
        ("2026-11-06T14:00+01:00", None, "2026-11-06 14:00"),
        ("2026-11-06T14:00+01:00", "2026-11-06T14:01+01:00", "2026-11-06 14:00"),
        ("2026-11-06T14:00+01:00", "2026-11-06T18:00+01:00", "2026-11-06 14:00–18:00"),
        ("2026-11-06T18:00+01:00", "2026-11-07T00:00+01:00", "2026-11-06 18:00–24:00"),
        ("2026-11-06T14:00+01:00", "2026-11-07T09:00+01:00", "2026-11-06 14:00 – 2026-11-07 09:00"),
    ],
)
def test_span_says_days_as_days_and_hours_as_hours(start: str, end: str | None, expected: str) -> None:
    assert show.span(at(start), at(end) if end else None, OSLO) == expected


def test_columns_stand_under_each_other_in_chinese_too() -> None:
    records = [
        SemanticRecord(user_id=1, name=name, kind="person", summary="Somebody.")
        for name in ("周岚", "Ola", "塔科马的妈妈")
    ]
    lines = [line for line in rendered(show.memory_tables(records, OSLO)).splitlines() if "person" in line]
    assert len({cell_len(line[: line.index("person")]) for line in lines}) == 1
    assert len(lines) == 3


def test_no_line_is_wider_than_the_page() -> None:
    record = EpisodicRecord(user_id=1, summary="记" * 300, occurred_at=at("2026-11-06T14:00+01:00"))
    assert max(cell_len(line) for line in rendered(show.memory_tables([record], OSLO)).splitlines()) <= 100


def test_tree_follows_the_places_of_memories() -> None:
    records = [
        ProceduralRecord(user_id=1, summary="Restart", steps=["Stop it", "Start it"], tree_path=["work", "loader"]),
        ProceduralRecord(user_id=1, summary="Bake", steps=["Knead"], tree_path=["home"]),
    ]
    lines = rendered(show.memory_tree(records, OSLO)).splitlines()
    places = [line.strip("│├└─ ") for line in lines]
    assert places.index("loader") == places.index("work") + 1
    assert any(place.startswith("Stop it") for place in places)


def vault_record() -> VaultRecord:
    return VaultRecord(
        user_id=1,
        summary="door code",
        reference="k7q2mn",
        ciphertext=b"\xff\x00",
        nonce=b"\x01",
        wrapped_key=b"\x02",
        format_version=1,
        key_id="abcd",
    )


def test_documents_of_vault_entries_hold_nothing_sealed() -> None:
    document = documents.memory_document(vault_record())
    assert document["reference"] == "k7q2mn"
    assert not {"ciphertext", "nonce", "wrapped_key", "key_id", "user_id", "content_hmac"} & document.keys()


def test_history_shows_fields_that_changed_and_nothing_sealed() -> None:
    before = vault_record().authored()
    after = before | {"summary": "back door code", "ciphertext": "AAAA"}
    entry = HistoryEntry(
        operation="update",
        actor="user",
        at=datetime(2026, 11, 6, 13, tzinfo=UTC),
        before=before,
        after=after,
        reason=None,
        operation_id=new_id(),
        is_undone=True,
    )
    text = rendered(show.history_list([entry], OSLO))
    assert "door code → back door code" in text
    assert "(undone)" in text
    assert "AAAA" not in text
    assert "ciphertext" not in str(documents.history_document(entry))


def test_changes_tell_what_took_the_place_of_what() -> None:
    old = SemanticRecord(user_id=1, name="Home", summary="Oslo", status="superseded")
    new = SemanticRecord(user_id=1, name="Home", summary="Bergen")
    changes = [
        (Change(operation="supersede", kind=MemoryKind.SEMANTIC, id=one.id, summary=one.summary), one)
        for one in (new, old)
    ]
    lines = rendered(show.change_list(changes)).splitlines()
    assert "changed" in lines[0]
    assert "was so" in lines[1]
