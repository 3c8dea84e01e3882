from __future__ import annotations

import pytest

from mirix.evaluation.metrics import (
    Share,
    all_at,
    bleu_1,
    bootstrap,
    grouped,
    mcnemar,
    mean,
    ndcg_at,
    recall_at,
    reciprocal_rank,
    token_f1,
)


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


def test_all_at_wants_every_one_of_them() -> None:
    assert all_at(["a", "b", "c"], ["a", "c"], 3)
    assert not all_at(["a", "b", "c"], ["a", "c"], 2)


def test_reciprocal_rank_counts_repeats_once() -> None:
    assert reciprocal_rank(["a", "a", "b"], {"b"}) == 0.5
    assert reciprocal_rank(["a"], {"b"}) == 0.0


def test_ndcg_is_one_for_the_best_order_and_falls_with_rank() -> None:
    assert ndcg_at(["a", "b", "c"], ["a", "b"], 3) == pytest.approx(1.0)
    assert ndcg_at(["c", "a"], ["a"], 2) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg_at(["c"], ["a"], 1) == 0.0


def test_the_bootstrap_interval_holds_the_mean_and_narrows_with_more_values() -> None:
    few, many = bootstrap([0.0, 1.0] * 10), bootstrap([0.0, 1.0] * 1_000)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert bootstrap([0.0, 1.0] * 10) == few  # of one seed


def test_mcnemar_asks_only_where_two_systems_differ() -> None:
    assert mcnemar([True] * 10, [True] * 10) == 1.0
    assert mcnemar([True] * 8 + [False] * 2, [False] * 10) == pytest.approx(2 / 2**8)
    assert mcnemar([True, False], [False, True]) == 1.0


def test_bleu_punishes_what_is_too_short() -> None:
    assert bleu_1(["green", "tea"], ["green", "tea"]) == 1.0
    assert bleu_1(["tea"], ["green", "tea"]) == pytest.approx(0.3679, abs=1e-4)
    assert bleu_1([], ["tea"]) == 0.0
