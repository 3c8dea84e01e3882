"""What one search is asked: its probes and filters, what it has to give, by when. From active.py to ranking.py."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any

from mirix.db.pool import User
from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Probe
from mirix.retrieval.bridges import Bridge
from mirix.retrieval.fusion import Key
from mirix.retrieval.overview import Overview


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A moment by which a search has to be done; None: take your time."""

    at: float | None  # of time.monotonic()

    @classmethod
    def after(cls, ms: int | None) -> Deadline:
        return cls(at=None if ms is None else time.monotonic() + ms / 1000)

    @property
    def left_ms(self) -> float:
        """Endless without a deadline."""
        return float("inf") if self.at is None else max(0.0, self.at - time.monotonic()) * 1000

    def left_s(self, share: float = 1.0) -> float | None:
        """Seconds left, or a share of them; never negative."""
        return None if self.at is None else self.left_ms / 1000 * share


class Merge(Enum):
    """How the probes of a search come to one order."""

    WEIGHTED = "weighted"  # one thing is looked for: the question counts, what else was searched raises it
    IN_TURN = "in turn"  # several things are: the best of each


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a search has to give."""

    limit: int
    explain: bool
    deadline: Deadline
    merge: Merge = Merge.WEIGHTED
    slots: Mapping[str, Bridge] = field(default_factory=dict)  # by probe: those of which only the latest value holds
    started: float = field(default_factory=time.monotonic)

    @property
    def ms(self) -> float:
        return (time.monotonic() - self.started) * 1000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A search in the making."""

    user: User
    filters: Filters
    asked_at: datetime
    probes: tuple[Probe, ...]  # the question first
    named: frozenset[str]  # speakers that the question names
    is_first_person: bool
    asks_when: bool = False
    embedding_model: str | None
    overview: Overview

    @cached_property
    def by_probe(self) -> tuple[Mapping[str, Any], ...]:
        """The parameters of the arms, for each probe."""
        return tuple(
            arms.parameters(
                self.user.user_id,
                self.filters,
                probe,
                self.embedding_model,
                is_beside=place > 0,
                is_naming=bool(self.named),
                sizes=self.overview.shelves,
            )
            for place, probe in enumerate(self.probes)
        )

    def parameters(self, ids: Collection[Key]) -> dict[str, Any]:
        """The parameters of a statement on what was found."""
        return {**self.by_probe[0], "ids": written_ids(ids)}


def written_ids(ids: Collection[Key]) -> str:
    """Ids as the server reads an array of them."""
    return f"{{{','.join(ids)}}}"
