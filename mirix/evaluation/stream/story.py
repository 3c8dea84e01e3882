"""What a story is: things told on certain days, and what may be asked once they are told."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from mirix.evaluation.lifelog import QuestionType
from mirix.evaluation.stream.circle import Circle
from mirix.evaluation.stream.days import DayTeller
from mirix.evaluation.stream.filling import Filler
from mirix.evaluation.stream.language import Language

_TRIES = 60


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A question; its evidence are numbers of lines of its story."""

    text: str
    answers: Sequence[str]
    evidence: Sequence[int]
    type: QuestionType


@dataclass(frozen=True, kw_only=True)
class Written:
    """A story with its days known: one line a beat, and the questions on them."""

    lines: Sequence[str]
    askings: Sequence[Asking] = ()


@dataclass(frozen=True, kw_only=True)
class Story:
    gaps: Sequence[tuple[int, int]]  # for each line after the first: days since the one before, at least and at most
    write: Callable[[Sequence[date]], Written]  # given the day of each line
    alone: frozenset[int] = frozenset()  # lines that stand by themselves in their message
    is_lesson: bool = False  # told in one go, each line followed by a nod


@dataclass(kw_only=True)
class World:
    """What the makers of stories share. Chance, words, people, and what has been used up."""

    language: Language
    filler: Filler
    circle: Circle
    days: DayTeller
    secrets: set[str]  # of all lives that were made together
    used: set[tuple[str, ...]] = field(default_factory=set)  # what happenings and secrets are about

    def bind(self, family: str, slots: Sequence[str]) -> dict[str, str] | None:
        """Words for the slots that nothing else of the family has; None if there seem to be none left."""
        for _ in range(_TRIES):
            bound = {name: self.filler.draw(name) for name in slots}
            key = (family, *bound.values())
            if key not in self.used:
                self.used.add(key)
                return bound
        return None

    @property
    def rng(self) -> random.Random:
        return self.filler.rng
