"""What callers hand in becomes evidence of a known source, time and trust; what cannot be taken is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirix.errors import InputError
from mirix.ingest.inputs import (
    TRUST_OF,
    Origin,
    check_time,
    check_timezone,
    clean_name,
    clean_text,
    from_file,
    from_messages,
    from_text,
    storable,
)

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
OSLO = Origin(timezone="Europe/Oslo")


def origin(**changes: Any) -> Origin:
    return Origin(timezone="Europe/Oslo", **changes)


def test_a_text_is_said_by_the_user_at_its_arrival() -> None:
    [item] = from_text("Hello.", OSLO, NOON)
    assert (item.role, item.speaker, item.source_kind, item.trust) == ("user", "User", "chat", 3)
    assert (item.at, item.has_time, item.timezone) == (NOON, False, "Europe/Oslo")


def test_chat_messages_carry_their_own_speaker_time_and_id() -> None:
    said = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
    items = from_messages(
        [
            {"role": "user", "content": "Hi", "name": "Anna", "at": said, "id": "D1:3"},
            {"role": "assistant", "text": "Hello", "speaker": "Helper"},
            {"role": "tool", "content": "4 °C"},
        ],
        OSLO,
        NOON,
    )
    assert [(i.speaker, i.at, i.has_time) for i in items] == [
        ("Anna", said, True),
        ("Helper", NOON, False),
        ("Tool", NOON, False),
    ]
    assert items[0].external_id == "D1:3"


@pytest.mark.parametrize(("source", "trust"), TRUST_OF.items())
def test_trust_follows_from_the_source_and_may_be_lowered_only(source: Any, trust: int) -> None:
    assert from_text("x", origin(source=source), NOON)[0].trust == trust
    assert from_text("x", origin(source=source, trust=1), NOON)[0].trust == 1
    for wrong in (trust + 1, 0, -1):
        with pytest.raises(InputError, match="not possible"):
            from_text("x", origin(source=source, trust=wrong), NOON)


def test_what_a_tool_returned_is_never_trusted_as_the_conversation_it_stands_in() -> None:
    items = from_messages([{"text": "Weather?"}, {"role": "tool", "text": "rain"}], OSLO, NOON)
    assert [item.trust for item in items] == [3, 1]


def test_a_long_text_is_stored_in_parts_that_lose_no_word() -> None:
    text = " ".join(f"Sentence number {n} about the harbour of Tromsø." for n in range(600))
    items = from_text(text, OSLO, NOON)
    assert len(items) > 1
    assert " ".join(item.text for item in items).split() == text.split()


def test_a_file_is_given_by_the_user_and_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n\nOda repairs harpsichords.", encoding="utf-8")
    [item] = from_file(path, OSLO, NOON)
    assert (item.source_kind, item.trust, item.title, item.uri) == ("file", 2, "notes.md", path.as_uri())
    assert item.has_time, "the time of the file"


@pytest.mark.parametrize("text", ["", "   \n\t", "\x00\x00", "\u200b\ufeff", "\u202e \u202c"])
def test_a_text_without_anything_in_it_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="empty or blank"):
        from_text(text, OSLO, NOON)


def test_names_that_are_no_text_are_refused_by_name() -> None:
    for wrong in (5, b"x", ["x"], True):
        with pytest.raises(InputError, match="the title is a text"):
            clean_name(wrong, "title")  # type: ignore[arg-type]


def test_names_carry_no_vault_reference() -> None:
    [item] = from_messages([{"content": "Hi", "name": "A {{vault:k7q2mn}}\nB"}], OSLO, NOON)
    assert item.speaker == "A ((vault:k7q2mn)) B"
    assert clean_name("｛｛vault：k7q2mn｝｝", "title") == "((vault：k7q2mn))"


@pytest.mark.parametrize("wrong", ["2026-01-01", True, 5, date(2026, 1, 1)])
def test_what_is_no_time_is_refused_as_one(wrong: Any) -> None:
    with pytest.raises(InputError, match="a time is a datetime"):
        check_time(wrong)


@pytest.mark.parametrize("wrong", ["3", 2.5, True, [3]])
def test_trust_that_is_no_number_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError, match="trust is a number"):
        from_text("x", origin(trust=wrong), NOON)


@pytest.mark.parametrize("wrong", [5, "E" * 100_000, "../../etc/passwd", "/etc/passwd", "a\0", "\ud800"])
def test_what_names_no_zone_is_refused_in_few_words(wrong: Any) -> None:
    with pytest.raises(InputError, match="unknown time zone") as refused:
        check_timezone(wrong)
    assert len(str(refused.value)) < 200


def test_white_space_without_end_makes_no_message_of_megabytes() -> None:
    items = from_text("a" + " " * 300_000 + "b" + "\n" * 300_000 + "c" + "_" * 300_000, OSLO, NOON)
    assert max(len(item.text) for item in items) <= 20_000
    assert "".join(item.text for item in items).replace("_", "").split() == ["abc"]


def test_a_text_beyond_measure_is_refused() -> None:
    with pytest.raises(InputError, match="1 MB"):
        clean_text("x" * 11_000_000)
    with pytest.raises(InputError, match="1 MB"):
        clean_text("雪" * 4_000_000)


@given(st.text(alphabet=st.characters(exclude_categories=[]), min_size=1))
def test_whatever_is_taken_can_be_stored(text: str) -> None:
    stored = storable(text)
    assert "\x00" not in stored and stored.encode("utf-8") is not None
    assert storable(stored) == stored
    if text.isascii():
        assert stored == text.replace("\x00", "")


def test_values_that_json_does_not_know_become_null() -> None:
    assert storable({"a\x00": [float("nan"), float("inf"), 1.5, True, None]}) == {"a": [None, None, 1.5, True, None]}


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 6, 1, 12, 0), "has no time zone"),
        (datetime(9999, 12, 31, tzinfo=UTC), "not a time of a life"),
        (datetime(1, 1, 1, tzinfo=UTC), "not a time of a life"),
    ],
)
def test_times_that_cannot_be_meant_are_refused(moment: datetime, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_time(moment)
    with pytest.raises(InputError, match=words):
        from_messages([{"text": "x", "at": moment}], OSLO, NOON)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "\x00", "Europe/Oslo\x00"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="unknown time zone"):
        check_timezone(name)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": "x"},
        {"role": "user"},
        {"role": "user", "content": 3},
        {"role": "user", "content": "x", "colour": "red"},
        {"role": "user", "content": "x", "at": "yesterday"},
        {"role": "user", "content": "x", "id": "i" * 300},
        "x",
        None,
    ],
)
def test_a_message_that_is_none_is_told_with_its_number(message: Any) -> None:
    with pytest.raises(InputError, match="message 2 cannot be taken"):
        from_messages([{"text": "fine"}, message], OSLO, NOON)


def test_no_messages_are_nothing_to_add() -> None:
    with pytest.raises(InputError, match="empty"):
        from_messages([], OSLO, NOON)


def test_an_unknown_source_is_told() -> None:
    with pytest.raises(InputError, match=r"unknown source 'dream': there are chat, file"):
        from_text("x", origin(source="dream"), NOON)


def test_names_are_one_line_and_short() -> None:
    assert clean_name(" Inbox \n 3\x00 new ", "title") == "Inbox 3 new"
    assert clean_name("caf\udce9", "title") == "caf\ufffd"
    assert clean_name("", "title") is clean_name(None, "title") is None
    with pytest.raises(InputError, match="title is longer than 200"):
        clean_name("x" * 201, "title")
