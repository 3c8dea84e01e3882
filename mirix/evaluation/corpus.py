"""The one shape that every data set is read into: conversations with their sessions, and questions on them.

A data set is one module in `datasets/` with a function from a file to conversations; everything after it (runner.py,
the arms, the report) knows only this shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mirix.errors import InputError
from mirix.memory.message import Role


@dataclass(frozen=True, kw_only=True)
class Turn:
    id: str  # unique within the conversation
    at: datetime  # aware
    role: Role
    speaker: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Question:
    id: str  # unique within the conversation
    text: str
    asked_at: datetime  # aware, after the last turn
    answers: tuple[str, ...]  # alternatives; empty where nothing that was said answers it
    evidence: frozenset[str]  # ids of turns; empty: not scored in retrieval
    category: str  # as the data set calls it
    trap: str | None = None  # a wrong answer that the question invites
    is_verbatim: bool = False  # only right character for character
    is_stepwise: bool = False  # right with all steps in their order, in whatever words

    @property
    def is_answerable(self) -> bool:
        return bool(self.answers)


@dataclass(frozen=True, kw_only=True)
class Conversation:
    name: str
    lang: str  # ISO 639-1, the main one
    timezone: str  # IANA name
    sessions: tuple[tuple[Turn, ...], ...]  # in order of time
    questions: tuple[Question, ...]

    @property
    def turns(self) -> Iterator[Turn]:
        for session in self.sessions:
            yield from session


def told_apart(conversations: Iterable[Conversation]) -> list[Conversation]:
    """The conversations, which figures know by name. Raises InputError where a name or a question's id repeats."""
    listed = list(conversations)
    once(f"the conversation {each.name}" for each in listed)
    for each in listed:
        once(f"the question {question.id} of {each.name}" for question in each.questions)
    return listed


def once(names: Iterable[str]) -> None:
    """Raises InputError for what is named twice."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InputError(f"{twice[0]} is there twice, and results are kept by name: give each its own")


def turn_texts(turns: Sequence[Turn]) -> list[str]:
    """Each turn as a line that says who said it, for baselines that know no speakers."""
    return [f"{turn.speaker}: {turn.text}" for turn in turns]
