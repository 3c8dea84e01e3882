"""`mirix evaluate routing`: does an input reach the memories it belongs to, and no others?

Each input is added for a user of its own. A pair (input, kind) counts as reached when at least one operation of that
kind was applied, or a value sealed. What may go either way is in neither list and is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, BaseModel

from mirix.errors import ModelError
from mirix.evaluation.metrics import Share, grouped, mean
from mirix.evaluation.report import Report
from mirix.evaluation.runner import Progress, for_each, silent, zone_at
from mirix.memory.message import Role
from mirix.memory.record import MemoryKind
from mirix.system import AsyncMirix


class Turn(BaseModel):
    role: Role
    text: str


class RoutingItem(BaseModel):
    """One input, with the kinds that have to receive something of it and those that must not."""

    id: str
    lang: str
    at: AwareDatetime
    messages: list[Turn]
    must: list[MemoryKind]
    must_not: list[MemoryKind]
    note: str = ""  # for people


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One judged pair of an input and a kind."""

    lang: str
    kind: MemoryKind
    is_wanted: bool
    is_reached: bool


@dataclass(frozen=True, kw_only=True)
class Routed:
    item: RoutingItem
    reached: frozenset[MemoryKind]
    failure: str | None  # the model failed

    def pairs(self) -> Iterator[Pair]:
        for wanted, kinds in ((True, self.item.must), (False, self.item.must_not)):
            for kind in kinds:
                yield Pair(lang=self.item.lang, kind=kind, is_wanted=wanted, is_reached=kind in self.reached)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.item.id,
            "reached": sorted(self.reached),
            "missed": sorted(set(self.item.must) - self.reached),
            "needless": sorted(set(self.item.must_not) & self.reached),
            "failure": self.failure,
        }


async def evaluate_routing(memory: AsyncMirix, items: Sequence[RoutingItem], *, progress: Progress = silent) -> Report:
    """Add every input for a fresh user, and see which memories it reached."""

    async def add(item: RoutingItem) -> Routed:
        turns = [{"role": turn.role, "text": turn.text, "at": item.at} for turn in item.messages]
        try:
            added = await memory.add(turns, user_id=f"routing {item.id}", timezone=zone_at(item.at))
        except ModelError as error:
            return Routed(item=item, reached=frozenset(), failure=str(error))
        return Routed(item=item, reached=frozenset(change.kind for change in added.changes), failure=None)

    routed = await for_each(items, add, what="inputs", progress=progress)
    pairs = [pair for each in routed for pair in each.pairs()]
    return Report(
        evaluation="routing",
        metrics=measure(pairs) | {"failed": mean(each.failure is not None for each in routed)},
        groups={
            "type": grouped(sorted(pairs, key=lambda pair: pair.kind.number), lambda pair: pair.kind.value, measure),
            "language": grouped(pairs, lambda pair: pair.lang, measure),
        },
        items=[each.to_json() for each in routed],
    )


def measure(pairs: Sequence[Pair]) -> dict[str, Share]:
    """`precision` is over the judged pairs that were reached."""
    return {
        "must_recall": mean(pair.is_reached for pair in pairs if pair.is_wanted),
        "must_not_rate": mean(pair.is_reached for pair in pairs if not pair.is_wanted),
        "precision": mean(pair.is_wanted for pair in pairs if pair.is_reached),
    }
