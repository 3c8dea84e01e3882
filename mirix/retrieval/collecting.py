"""Flush 1 of a search: what the arms find for each probe. All in one flush; against a deadline one after the other.

A server can stop a statement that takes too long, but what it did until then is lost. So a search in a hurry goes by
what each arm took this user's last searches: an arm that would not be done in time is left out at once, and leaves its
time to the next. What is searched beside the question comes last. The first arm, the question's words, is tried however
little time there is: a search that brings nothing is of no use to anybody.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from mirix.memory.near import NearIndex
from mirix.memory.store import Connection
from mirix.retrieval import arms
from mirix.retrieval.arms import Found
from mirix.retrieval.asked import Asked, Deadline
from mirix.retrieval.fusion import Arm

RANKING_SHARE = 0.35  # of the time left, kept for ranking at most: a slow one must not cost later searches their arms
FIRST_MS = 50.0  # that the first arm may take in any case; so much, and what ranking takes, a search may be late
ARM_SHARE = 0.6  # of the time left, that one arm may take
FADE = 0.8  # so much of what is known stays from one search to the next: what was left out is tried again some day


class Pace:
    """What the steps of each user's searches took lately, in ms; 0 where that is not known."""

    def __init__(self) -> None:
        self._took: defaultdict[tuple[int, str], float] = defaultdict(float)

    def expected(self, user_id: int, step: str) -> float:
        return self._took[user_id, step]

    def note(self, user_id: int, step: str, ms: float) -> None:
        """The worst of late: it falls slowly."""
        self._took[user_id, step] = max(ms, FADE * self._took[user_id, step])

    def fade(self, user_id: int, step: str) -> None:
        self._took[user_id, step] *= FADE


async def collect(conn: Connection, asked: Asked) -> list[list[Found]]:
    """What the arms found, for each probe."""
    jobs = _jobs(asked)
    everything = await arms.run_arms(conn, asked.filters, [(arm, values) for _, arm, values in jobs], _indexes(asked))
    found: list[list[Found]] = [[] for _ in asked.probes]
    for (index, _, _), each in zip(jobs, everything, strict=True):
        found[index].append(each)
    return found


async def collect_in_time(
    conn: Connection, asked: Asked, deadline: Deadline, pace: Pace
) -> tuple[list[list[Found]], tuple[Arm, ...]]:
    """The same as far as there is time for it, and the arms that were left out for one probe or all."""
    user_id, indexes = asked.user.user_id, _indexes(asked)
    most_ms = RANKING_SHARE * deadline.left_ms
    kept_ms = min(pace.expected(user_id, "rank") or most_ms, most_ms)
    found: list[list[Found]] = [[] for _ in asked.probes]
    late: list[Arm] = []
    for place, (index, arm, values) in enumerate(sorted(_jobs(asked), key=lambda job: job[0] > 0)):
        step = f"{arm} {'beside' if index else 'question'}"
        left_ms = ARM_SHARE * (deadline.left_ms - kept_ms)
        if not place:
            left_ms = max(FIRST_MS, left_ms)
        elif left_ms < max(1.0, pace.expected(user_id, step)):
            late.append(arm)
            pace.fade(user_id, step)
            continue
        started = time.monotonic()
        in_time = await _run_in_time(conn, asked, arm, values, indexes, left_ms)
        pace.note(user_id, step, (time.monotonic() - started) * 1000)
        if in_time is None:
            late.append(arm)
        else:
            found[index].append(in_time)
    return found, tuple(late)


def _jobs(asked: Asked) -> Sequence[tuple[int, Arm, Mapping[str, Any]]]:
    return [
        (index, arm, values)
        for index, (probe, values) in enumerate(zip(asked.probes, asked.by_probe, strict=True))
        for arm in arms.wanted(probe)
    ]


def _indexes(asked: Asked) -> frozenset[NearIndex] | None:
    return asked.overview.indexes if asked.filters.are_none else frozenset()


async def _run_in_time(
    conn: Connection,
    asked: Asked,
    arm: Arm,
    values: Mapping[str, Any],
    indexes: frozenset[NearIndex] | None,
    limit_ms: float,
) -> Found | None:
    """One arm, cancelled by the server when its time has passed; None then."""
    # What is cancelled leaves the rest of the transaction usable.
    await conn.execute("SAVEPOINT arm")
    try:
        await conn.execute("SELECT set_config('statement_timeout', %s, true)", [str(max(1, int(limit_ms)))])
        found = await arms.run_arm(conn, asked.filters, arm, values, indexes)
    except psycopg.errors.QueryCanceled:
        await conn.execute("ROLLBACK TO arm")
        return None
    await conn.execute("SELECT set_config('statement_timeout', '0', true)")
    return found
