from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from mirix.checks import (
    check_changes,
    check_count,
    check_entry,
    check_id,
    check_kinds,
    check_text,
    check_user,
)
from mirix.errors import InputError
from mirix.memory.record import MemoryKind, new_id


@pytest.mark.parametrize("value", [0, -1, 2**63, 1.5, "10", True])
def test_a_count_is_a_whole_number_that_postgres_can_hold(value: Any) -> None:
    with pytest.raises(InputError, match="limit is a whole number from 1"):
        check_count(value, "limit")
    check_count(1, "limit")
    check_count(None, "limit")
    check_count(0, "offset", least=0)


@pytest.mark.parametrize("value", [None, 7, b"where", ["where"]])
def test_a_question_that_is_no_text_is_told_apart_from_an_empty_one(value: Any) -> None:
    with pytest.raises(InputError, match="the question is a text"):
        check_text(value, "the question")
    with pytest.raises(InputError, match="the question is empty"):
        check_text(" \x00", "the question")
    with pytest.raises(InputError, match="at most 1 MB"):
        check_text("钥匙" * 400_000, "the question")


def test_a_text_comes_back_as_postgres_can_hold_it() -> None:
    assert check_text("key\x00 \ud800", "the text") == "key \ufffd"


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\x00", 7, None])
def test_a_user_has_a_name(name: Any) -> None:
    with pytest.raises(InputError, match="a user_id is a name"):
        check_user(name)


@pytest.mark.parametrize("kinds", [5, "core", ["core", "dreams"], [None]])
def test_kinds_are_a_list_of_the_six(kinds: Any) -> None:
    with pytest.raises(InputError, match="kind"):
        check_kinds(kinds)
    assert check_kinds(["core", MemoryKind.VAULT]) == [MemoryKind.CORE, MemoryKind.VAULT]
    assert check_kinds(None) is None


@pytest.mark.parametrize("value", ["", "../../etc/passwd", "'; DROP TABLE message", 5, None])
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="is no id of a memory or message"):
        check_id(value)


def test_a_vault_entry_is_named_by_reference_or_id() -> None:
    known = new_id()
    assert check_entry(known) == check_entry(str(known)) == check_entry(known.hex) == UUID(str(known))
    assert check_entry("k7q2mn") == check_entry("{{vault:k7q2mn}}") == "k7q2mn"


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metadata": nested(500)}, "nested deeper"),
        ({"metadata": nested(100_000)}, "nested deeper"),
        ({"metadata": {"at": datetime(2026, 11, 1, tzinfo=UTC)}}, "cannot be kept as JSON"),
        ({"metadata": {"it": object()}}, "cannot be kept as JSON"),
        ({"details": "x" * 1_100_000}, "at most 1 MB"),
    ],
)
def test_changes_that_cannot_be_kept_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_changes(changes)


def test_a_time_is_a_fine_new_value_of_its_own_field() -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    assert check_changes({"occurred_at": moment, "summary": "a\x00b"}) == {"occurred_at": moment, "summary": "ab"}
