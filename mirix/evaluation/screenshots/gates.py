"""What change filters keep of a day, and what they lose."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mirix.evaluation.metrics import Share, mean
from mirix.evaluation.screenshots.day import Truth
from mirix.evaluation.screenshots.filters import FILTERS, ChangeFilter
from mirix_desktop.shots import Shot


@dataclass
class FilterRun:
    """A filter over all shots of a day."""

    filter: ChangeFilter
    kept: list[str]  # files
    seconds: float = 0.0

    def take(self, file: str, shot: Shot) -> bool:
        started = time.perf_counter()
        is_new = self.filter.is_new(shot.image, shot.monitor, shot.at)
        self.seconds += time.perf_counter() - started
        if is_new:
            self.kept.append(file)
        return is_new


def filter_runs() -> dict[str, FilterRun]:
    return {name: FilterRun(filter=make(), kept=[]) for name, make in FILTERS.items()}


def gate_measures(truth: Truth, taken: Sequence[str], kept: Collection[str]) -> Mapping[str, Share]:
    """Facts (seen for two seconds and more) none of whose shots was kept, and kept shots that showed nothing new.

    `taken` are the files the filter was shown: what the privacy gate refused counts against nobody.
    """
    shown, chosen, repeats = frozenset(taken), frozenset(kept), frozenset(truth.repeats)
    facts = [fact for fact in truth.facts if not fact.is_glance and fact.files & shown]
    return {
        "facts_missed": mean(not fact.files & chosen for fact in facts),
        "duplicates": mean(file in repeats for file in kept),
        "kept": mean(file in chosen for file in taken),
    }
