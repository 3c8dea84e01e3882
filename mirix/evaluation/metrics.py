"""Measures as values: shares of what was counted, with their counts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, exp, log2
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Share:
    """A mean of values from 0 to 1."""

    value: float | None  # None: nothing was counted
    n: int  # how many values

    def to_json(self) -> dict[str, float | int | None]:
        return {"value": None if self.value is None else round(self.value, 4), "n": self.n}


def mean(values: Iterable[float | bool]) -> Share:
    """The mean of values from 0 to 1, with their count."""
    listed = [float(value) for value in values]
    return Share(value=sum(listed) / len(listed) if listed else None, n=len(listed))


def spread(values: Sequence[float], *, digits: int = 1) -> dict[str, float] | None:
    """Median and 95th percentile; None of nothing."""
    if not values:
        return None
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), digits), "p95": round(float(p95), digits)}


def grouped(
    items: Iterable[T], key: Callable[[T], str], measure: Callable[[Sequence[T]], Mapping[str, Share]]
) -> dict[str, dict[str, Share]]:
    """A measure for each group of items, groups in order of first appearance."""
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return {name: dict(measure(members)) for name, members in groups.items()}


def recall_at(ranked: Sequence[Hashable], wanted: Collection[Hashable], k: int) -> float:
    """The share of `wanted` among the first `k` distinct entries of a ranking, best first.

    Raises ValueError if nothing is wanted or k < 1.
    """
    if not wanted or k < 1:
        raise ValueError("recall needs something wanted and a k of at least 1")
    first = list(dict.fromkeys(ranked))[:k]
    return len(set(wanted) & set(first)) / len(set(wanted))


def all_at(ranked: Sequence[Hashable], wanted: Collection[Hashable], k: int) -> bool:
    """Whether all of `wanted` is among the first `k` distinct entries."""
    return recall_at(ranked, wanted, k) == 1.0


def reciprocal_rank(ranked: Sequence[Hashable], wanted: Collection[Hashable]) -> float:
    """1 / rank of the first entry that is wanted; 0 where none is."""
    rank = next((number for number, entry in enumerate(dict.fromkeys(ranked), 1) if entry in wanted), None)
    return 1 / rank if rank else 0.0


def ndcg_at(ranked: Sequence[Hashable], wanted: Collection[Hashable], k: int) -> float:
    """Normalised discounted cumulative gain over the first `k` distinct entries, each wanted one a gain of 1."""
    first = list(dict.fromkeys(ranked))[:k]
    gained = sum(1 / log2(number + 1) for number, entry in enumerate(first, 1) if entry in wanted)
    best = sum(1 / log2(number + 1) for number in range(1, min(k, len(set(wanted))) + 1))
    return float(gained / best)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with the bounds between which 95 of 100 resamples fall."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {"mean": round(self.mean, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def bootstrap(values: Sequence[float], *, resamples: int = 2_000, seed: int = 0) -> Interval:
    """The mean of some values and its 95 % interval by the percentile bootstrap. Raises ValueError without values.

    For a comparison hand over the differences, pair by pair.
    """
    if not values:
        raise ValueError("nothing to resample")
    sample = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(sample), size=(resamples, len(sample)))
    low, high = np.percentile(sample[draws].mean(axis=1), [2.5, 97.5])
    return Interval(mean=float(sample.mean()), low=float(low), high=float(high))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """The exact two-sided probability that two systems right as often differ as much as these, item by item."""
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    differing = only_first + only_second
    tail = sum(comb(differing, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2.0**differing)


def token_f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over tokens with their repeats, as SQuAD counts it; 0 to 1."""
    common = sum((Counter(given) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(given), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def bleu_1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """Clipped unigram precision with the brevity penalty; 0 to 1."""
    if not given or not wanted:
        return 0.0
    precision = sum((Counter(given) & Counter(wanted)).values()) / len(given)
    return precision * min(1.0, exp(1 - len(wanted) / len(given)))
