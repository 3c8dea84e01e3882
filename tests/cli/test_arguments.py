from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mirix.cli.arguments import parse_assignments, parse_time, short_id
from mirix.errors import InputError

ZONE = "Europe/Oslo"


@pytest.mark.parametrize(
    ("text", "bound", "expected"),
    [
        ("2026-11-13T10:00:00+02:00", "start", "2026-11-13T10:00:00+02:00"),
        ("2026-11-13 10:00", "start", "2026-11-13T10:00:00+01:00"),
        ("2026-07-01T10:00", "end", "2026-07-01T10:00:00+02:00"),
        ("2026-11-13", "start", "2026-11-13T00:00:00+01:00"),
        ("2026-11-13", "end", "2026-11-14T00:00:00+01:00"),
    ],
)
def test_times_are_read_in_the_users_zone(text: str, bound: str, expected: str) -> None:
    found = parse_time(text, ZONE, bound="end" if bound == "end" else "start")
    assert found.isoformat() == expected


@pytest.mark.parametrize("text", ["yesterday", "昨天"])
def test_words_count_from_now(text: str) -> None:
    found = parse_time(text, "UTC")
    assert found.date() in {(datetime.now(UTC) - timedelta(days=days)).date() for days in (1, 2)}


def test_what_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(InputError, match="last Friday"):
        parse_time("soonish", ZONE)


def test_assignments_are_json_where_they_parse() -> None:
    changes = parse_assignments(["summary=Lives = here", 'tags=["a", "b"]', "importance=0.9", "expires_at=null"])
    assert changes == {"summary": "Lives = here", "tags": ["a", "b"], "importance": 0.9, "expires_at": None}


@pytest.mark.parametrize("pair", ["summary", "=x", "two words=x"])
def test_what_is_no_assignment_is_refused(pair: str) -> None:
    with pytest.raises(InputError, match="field=value"):
        parse_assignments([pair])


def test_short_id_is_the_random_end() -> None:
    assert short_id("01a1fe99-391b-76e6-97ec-2422f0a3af66") == "f0a3af66"
