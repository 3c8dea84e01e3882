"""Known values that stand somewhere else misread."""

from __future__ import annotations

import pytest

from mirix.text.secret_twins import find_near, twin_of
from mirix.text.secrets import find_secrets, with_twins

KNOWN = "Plover-Crank-4172"


@pytest.mark.parametrize("read", [KNOWN, "Plover-Crank-417Z", "plover- Crank 4172", "P1over-Cramk-4172"])
def test_a_twin_is_found_where_it_stands(read: str) -> None:
    line = f"it was {read}, I think"
    [(start, end)] = find_near(KNOWN, line)
    assert line[start:end] == read
    assert twin_of(read, ["Tern-Anchor-2044", KNOWN]) == KNOWN


@pytest.mark.parametrize("other", ["Tern-Anchor-2044", "Plover", "Crank-4172", "a plover and a crank"])
def test_something_else_is_no_twin(other: str) -> None:
    assert list(find_near(KNOWN, other)) == [] and twin_of(other, [KNOWN]) is None


def test_words_are_no_twins_of_a_value_with_digits() -> None:
    assert list(find_near("password12", "password or passwords")) == []


def test_short_values_and_numbers_have_fewer_twins() -> None:
    assert list(find_near("671664", "671665")) == [] and list(find_near("671664", "67 1664")) == [(0, 7)]
    assert list(find_near("4488112119", "4488112210")) == []


def test_twins_and_finds_that_meet_are_one() -> None:
    text = "pwd: Plover-Crank 4172\nnothing\nPlover-Crank-4I72"
    spans = with_twins(text, find_secrets(text), [KNOWN])
    assert [span.value for span in spans] == ["Plover-Crank 4172", "Plover-Crank-4I72"]
    assert all(text[span.start : span.end] == span.value for span in spans)


def test_a_short_value_and_a_plain_word_are_not_looked_for_everywhere() -> None:
    text = "2044 guests, 12044 beds, all of them mariners"
    assert with_twins(text, [], ["2044", "mariners"]) == []
