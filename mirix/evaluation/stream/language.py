"""The words and sentence forms of a language, read from its folder and checked. A form is a line of text:

`[this|that]` is a choice, `{city}` a slot: given by the story, or drawn from
the words of that name (`{city2}` as well).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from mirix.evaluation.lifelog import QuestionType

LANGUAGES = ("en", "zh")
ZONES = {"en": "Europe/London", "zh": "Asia/Shanghai"}
_PARTS = ("words", "circle", "facts", "events", "secrets", "procedures", "talk", "days")


def _lines(value: object) -> object:
    return tuple(line.strip() for line in value.splitlines() if line.strip()) if isinstance(value, str) else value


def split_words(value: object) -> object:
    """The words of a text that are parted by commas."""
    return (
        tuple(word.strip() for word in re.split(r"[,、\n]", value) if word.strip()) if isinstance(value, str) else value
    )


def _names(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


Forms = Annotated[tuple[str, ...], BeforeValidator(_lines)]
Words = Annotated[tuple[str, ...], BeforeValidator(split_words)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
About = Literal["person", "me", "pet"]
Shape = Literal["password", "digits", "booking", "member", "phone", "serial"]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attribute(_Checked):
    """Something that is so about somebody, and can be told, changed, got wrong and asked."""

    id: str
    about: About
    type: QuestionType = QuestionType.SINGLE
    values: str  # the name of a list of words, or the words
    tell: Forms
    change: Forms = ()
    wrong: Forms = ()  # a value that must not count
    ask: Forms
    that: str | None = None  # what fits behind "the person who"


class Past(_Checked):
    id: str
    slots: Names = ()  # drawn once for a story
    tell: Forms
    ask: Forms


class Plan(_Checked):
    id: str
    slots: Names = ()
    tell: Forms
    moved: Forms
    dropped: Forms
    ask: Forms  # for what day
    ask_off: Forms  # did it take place


class Series(_Checked):
    id: str
    money: str | None = None  # the unit, where amounts are summed up
    tell: Forms
    decoy: Forms  # looks like one more and is none
    ask: Forms
    ask_month: Forms = ()


class Secret(_Checked):
    id: str
    slots: Names
    shape: Shape
    tell: Forms
    change: Forms = ()
    ask: Forms


class Procedure(_Checked):
    id: str
    intro: Forms
    ask: Forms
    steps: Forms


class Events(_Checked):
    past: tuple[Past, ...]
    plan: tuple[Plan, ...]
    series: tuple[Series, ...]


class CircleForms(_Checked):
    she: Words  # words for relatives
    he: Words
    pronouns: Mapping[str, Mapping[str, str]]
    name: str  # the whole name
    family_refs: tuple[str, ...]
    other_refs: tuple[str, ...]
    twin_refs: tuple[str, str]  # for two of one first name
    which_two: Forms
    two_answer: str
    someone: str
    name_tell: Forms
    name_ask: Forms
    meet_tell: Forms
    meet_ask: Forms
    twins_tell: Forms


class Talk(_Checked):
    space: str  # between sentences
    persona: str
    first: Forms
    lead: Forms
    tail: Forms
    wrong_turn: Forms
    ack: Forms
    joiner: Forms  # between two matters in one message
    nudge: Forms  # lengthens what the assistant has said before
    nod: Forms
    cancelled: tuple[str, ...]
    ask_lead: tuple[str, ...]
    chat: Forms  # turns parted by >>, the user's first


class DayForms(_Checked):
    months: Words
    weekdays: Words
    today: str
    yesterday: str
    tomorrow: str
    ago: str
    ahead: str
    behind_weekday: str
    near_weekday: str
    next_week: str
    date: str
    full: tuple[str, ...]
    month_of: str
    within: Literal["nearest", "week"]  # which day "last Friday" is


class Language(_Checked):
    code: str
    words: Mapping[str, Words]
    circle: CircleForms
    facts: tuple[Attribute, ...]
    events: Events
    secrets: tuple[Secret, ...]
    procedures: tuple[Procedure, ...]
    talk: Talk
    days: DayForms

    @property
    def is_chinese(self) -> bool:
        return self.code == "zh"

    def values_of(self, attribute: Attribute) -> tuple[str, ...]:
        named = self.words.get(attribute.values)
        return tuple(str(word) for word in named or split_words(attribute.values))  # type: ignore[attr-defined]


@cache
def load_language(code: str) -> Language:
    """The forms of a language, checked."""
    folder = Path(__file__).with_name(code)
    parts: dict[str, Any] = {
        name: yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8")) for name in _PARTS
    }
    return Language(code=code, **parts)
