"""Measures as values: shares of what was counted, with their counts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

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


def token_f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over tokens with their repeats, as SQuAD counts it; 0 to 1."""
    common = sum((Counter(given) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(given), common / len(wanted)
    return 2 * precision * recall / (precision + recall)
