"""The nouns of an invented day: facts, secrets, views, steps, questions. Pure data.

Whatever has to be found again on the screen stands in the texts as a mark, `⟦f12|the words⟧`; pages turn a mark into
an element of its own, native programs show the words alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

MARK = re.compile(r"⟦(?P<id>[fsp]\d+)\|(?P<text>[^⟧]*)⟧")

Language = Literal["en", "zh"]
Data = Mapping[str, object]


def mark(identity: str, text: str) -> str:
    return f"⟦{identity}|{text}⟧"


def plain(text: str) -> str:
    """The words alone."""
    return MARK.sub(lambda found: found["text"], text)


def marks_in(value: object) -> Iterator[tuple[str, str]]:
    """(id, words) of every mark in strings, however deep they stand in lists and mappings."""
    if isinstance(value, str):
        yield from ((found["id"], found["text"]) for found in MARK.finditer(value))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from marks_in(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from marks_in(inner)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One atom of what the day shows."""

    id: str
    subject: str
    attribute: str
    value: str
    valid_from: str  # the simulated time it came to be true, HH:MM
    supersedes: str | None = None  # id of the fact it takes the place of

    @property
    def m(self) -> str:
        """The value as it goes into a text."""
        return mark(self.id, self.value)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A value that must never be kept. Invented; opens nothing."""

    id: str
    kind: str  # card, api_key, password, pin, recovery_code
    value: str

    @property
    def m(self) -> str:
        return mark(self.id, self.value)


@dataclass(frozen=True, kw_only=True)
class PrivateMark:
    """Words that stand in a private window and nowhere else."""

    id: str
    text: str

    @property
    def m(self) -> str:
        return mark(self.id, self.text)


@dataclass(frozen=True, kw_only=True)
class View:
    """What one window shows."""

    window: str  # main, side, private, terminal, notes, vault
    app: str  # a template of pages/, or terminal, notes, vault
    title: str
    url: str = ""
    data: Data = field(default_factory=dict)
    scroll: int = 0  # pixels of the content pane; -1: its end
    language: Language = "en"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One shot: the active window's view, and for how long the screen stays so."""

    view: View
    seconds: float
    scene: str
    notification: tuple[str, str] | None = None  # a popup's title and text
    closes: tuple[str, ...] = ()  # windows that are gone from now on
    is_repeat: bool = False  # nothing but a caret or a clock moved
    at: datetime | None = None  # set when the day is scheduled; aware


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked at the end of the day."""

    text: str
    answers: tuple[str, ...]  # the first is the answer, the others are accepted too
    kind: str  # single, update, multi, temporal, source, count, procedure, abstain, vault
    facts: tuple[str, ...] = ()  # what has to be seen to answer
    older: tuple[str, ...] = ()  # outdated values of the same
    is_first_seen: bool = False  # the answer is the time the first fact was first on the screen
    language: Language = "en"


@dataclass(frozen=True, kw_only=True)
class Story:
    seed: int
    student: str
    facts: tuple[Fact, ...]
    secrets: tuple[Secret, ...]
    private: tuple[PrivateMark, ...]
    steps: tuple[Step, ...]
    questions: tuple[Question, ...]
    themes: Mapping[str, Data]  # per app: dark, font, size
