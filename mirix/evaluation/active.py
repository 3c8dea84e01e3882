"""`mirix evaluate active`: is the memory that a turn needs found unasked, and nothing put in where none is needed?

Each turn stands alone after the person's life log has been told; none of them is remembered. What goes along with every
turn anyway (core memory) is no needless evidence and is judged apart: its size, and what it covers of the needs and of
what does not hold any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, BaseModel

from mirix.errors import InputError
from mirix.evaluation.bm25 import PlainBM25
from mirix.evaluation.lifelog import Person, Told, tell
from mirix.evaluation.metrics import Share, grouped, mean, recall_at
from mirix.evaluation.report import Report
from mirix.evaluation.runner import Progress, for_each, silent
from mirix.memory.record import MemoryKind
from mirix.retrieval.hits import Hit, evidence_ranking
from mirix.system import AsyncMirix

DEPTH = 5  # distinct messages


class ActiveTurn(BaseModel):
    """What somebody says after the life log has ended, and the messages a good reply builds on."""

    id: str
    person: int  # in the life log beside it, from 0
    lang: str
    at: AwareDatetime
    turn: str
    needs: list[str]  # ids of messages; empty: the turn needs nothing personal
    stale: list[str]  # messages whose value does not hold any more
    why: str = ""  # for people


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Something that was put before the model for a turn."""

    messages: Sequence[str]  # that it rests on
    is_core: bool = False  # goes along with every turn
    is_outdated: bool = False  # marked as such
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    turn: ActiveTurn
    shown: Sequence[Shown]  # best first
    core: frozenset[str]  # the messages that the core memory rests on

    @property
    def ranked(self) -> list[str]:
        return list(dict.fromkeys(message for each in self.shown for message in each.messages))

    @property
    def found(self) -> float | None:
        """Share of the needs in the first messages; None where nothing is needed."""
        return recall_at(self.ranked, self.turn.needs, DEPTH) if self.turn.needs else None

    @property
    def is_needless(self) -> bool:
        """Anything but core memory is put in, though nothing is needed."""
        return not self.turn.needs and any(not each.is_core for each in self.shown)

    @property
    def is_stale(self) -> bool:
        """A value that does not hold any more is shown as if it did.

        That is: not marked as outdated, or marked while nothing current that is needed stands beside it. A memory that
        also rests on a needed message tells the newer value.
        """
        needs, stale = set(self.turn.needs), set(self.turn.stale)
        old = [each for each in self.shown if stale & set(each.messages) and not needs & set(each.messages)]
        has_current = any(needs & set(each.messages) for each in self.shown if not each.is_outdated)
        return any(not each.is_outdated or not has_current for each in old)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.turn.id,
            "person": self.turn.person,
            "turn": self.turn.turn,
            "needs": self.turn.needs,
            "found": self.found,
            "needless": self.is_needless,
            "stale": self.is_stale if self.turn.stale else None,
            "needs_in_core": [message for message in self.turn.needs if message in self.core],
            "shown": [
                {
                    "messages": list(each.messages),
                    "core": each.is_core,
                    "outdated": each.is_outdated,
                    "score": each.score,
                }
                for each in self.shown
            ],
        }


async def evaluate_active(
    memory: AsyncMirix, turns: Sequence[ActiveTurn], people: Sequence[Person], *, progress: Progress = silent
) -> Report:
    """Tell the life logs of the people, then hand over the turns. Raises InputError for a turn of nobody."""
    wanted = sorted({turn.person for turn in turns})
    if wanted[0] < 0 or wanted[-1] >= len(people):
        raise InputError(f"the turns name person {wanted[-1]}, but the life log holds {len(people)}, counted from 0")
    told = {number: await tell(memory, people[number], number, progress=progress) for number in wanted}
    core = {number: await _core(memory, each) for number, each in told.items()}

    async def outcome(turn: ActiveTurn) -> Outcome:
        shown = await recall(memory, told[turn.person], turn)
        return Outcome(turn=turn, shown=shown, core=core[turn.person].messages)

    outcomes = await for_each(turns, outcome, what="turns", progress=progress)
    indices = {n: PlainBM25([message.text for message in each.person.messages]) for n, each in told.items()}
    baseline = [
        Outcome(turn=turn, shown=_bm25(indices[turn.person], told[turn.person], turn), core=frozenset())
        for turn in turns
    ]
    return Report(
        evaluation="active",
        metrics=measure(outcomes) | _measure_core(outcomes),
        groups=_groups(outcomes),
        baselines={"bm25": Report(evaluation="active", metrics=measure(baseline), groups=_groups(baseline))},
        facts={"core_memory": {told[number].label: each.to_json() for number, each in core.items()}},
        items=[each.to_json() for each in outcomes],
    )


async def recall(memory: AsyncMirix, told: Told, turn: ActiveTurn) -> list[Shown]:
    """What Mirix puts before the model for a turn, best first."""
    found = await memory.recall(turn.turn, user_id=told.user, at=turn.at, limit=DEPTH)
    return [_shown(told, hit) for hit in found.hits]


def _shown(told: Told, hit: Hit) -> Shown:
    return Shown(
        messages=told.names(evidence_ranking([hit])),
        is_core=hit.kind is MemoryKind.CORE,
        is_outdated=hit.outdated,
        score=round(hit.score, 4),
    )


def _bm25(index: PlainBM25, told: Told, turn: ActiveTurn) -> list[Shown]:
    return [Shown(messages=[told.person.messages[number].id]) for number in index.rank(turn.turn)[:DEPTH]]


@dataclass(frozen=True, kw_only=True)
class _Core:
    """The core memory of a person: its size, and what it rests on."""

    lines: int
    characters: int
    messages: frozenset[str]

    def to_json(self) -> dict[str, int]:
        return {"lines": self.lines, "characters": self.characters}


async def _core(memory: AsyncMirix, told: Told) -> _Core:
    records = await memory.get_all(user_id=told.user, kinds=[MemoryKind.CORE], limit=1_000)
    sources = [message.id for record in records for message in await memory.sources(record.id, user_id=told.user)]
    return _Core(
        lines=len(records),
        characters=sum(len(record.summary) for record in records),
        messages=frozenset(told.names(sources)),
    )


def _groups(outcomes: Sequence[Outcome]) -> dict[str, dict[str, dict[str, Share]]]:
    return {
        "language": grouped(outcomes, lambda outcome: outcome.turn.lang, measure),
        "person": grouped(outcomes, lambda outcome: str(outcome.turn.person), measure),
    }


def _measure_core(outcomes: Sequence[Outcome]) -> dict[str, Share]:
    """What core memory covers of the needs; and of the stale turns those where it rests on a stale message.

    The latter is an upper bound: a line may tell another part of such a message, one that still holds.
    """
    return {
        "needs_in_core": mean(message in each.core for each in outcomes for message in each.turn.needs),
        "stale_in_core": mean(bool(each.core & set(each.turn.stale)) for each in outcomes if each.turn.stale),
    }


def measure(outcomes: Sequence[Outcome]) -> dict[str, Share]:
    return {
        f"recall@{DEPTH}": mean(outcome.found for outcome in outcomes if outcome.found is not None),
        f"all_needs@{DEPTH}": mean(outcome.found == 1.0 for outcome in outcomes if outcome.turn.needs),
        "needless_rate": mean(outcome.is_needless for outcome in outcomes if not outcome.turn.needs),
        "stale_rate": mean(outcome.is_stale for outcome in outcomes if outcome.turn.stale),
    }
