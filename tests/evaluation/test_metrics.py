from __future__ import annotations

import pytest

from mirix.evaluation.metrics import Share, grouped, mean, recall_at, token_f1


def test_a_mean_carries_its_count() -> None:
    assert mean([True, False, 0.5]) == Share(value=0.5, n=3)


def test_the_mean_of_nothing_is_no_number() -> None:
    assert mean([]) == Share(value=None, n=0)
    assert mean([]).to_json() == {"value": None, "n": 0}


def test_recall_counts_distinct_entries() -> None:
    assert recall_at(["a", "a", "b", "c"], ["b", "c"], 2) == 0.5
    assert recall_at(["a", "a", "b", "c"], ["b", "c"], 3) == 1.0


def test_recall_of_nothing_wanted_is_an_error() -> None:
    with pytest.raises(ValueError, match="something wanted"):
        recall_at(["a"], [], 5)


def test_token_f1_counts_repeats_once_each() -> None:
    assert token_f1(["green", "tea"], ["green", "tea"]) == 1.0
    assert token_f1(["tea", "tea", "tea", "tea"], ["tea"]) == pytest.approx(0.4)
    assert token_f1([], ["tea"]) == 0.0


def test_groups_keep_their_order_of_appearance() -> None:
    by_length = grouped(["bb", "a", "cc"], lambda text: str(len(text)), lambda texts: {"n": mean([1.0] * len(texts))})
    assert [(name, each["n"].n) for name, each in by_length.items()] == [("2", 2), ("1", 1)]
