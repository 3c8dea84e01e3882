"""Fills sentence forms: choices, slots, and what makes the result a sentence. Everything random comes from here."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mirix.evaluation.stream.language import Language

T = TypeVar("T")

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([a-z_]+)(\d?)\}")
_ARTICLE = re.compile(r"\b([Aa])\(n\) (\"?)(\w)")
_SENTENCE_START = re.compile(r"(^\"?|[.!?][ ]+\"?|: \")([a-z])")
_TITLES = frozenset({"book", "band", "show"})
_TITLE_WORD = re.compile(r"(?<!['\w])(?!(?:the|and|of|from|at|for|a|in|one|about)\b)[a-z]")
_TRIES = 60


class Filler:
    """Fills forms of a language from one source of chance."""

    def __init__(self, language: Language, rng: random.Random) -> None:
        self.rng = rng
        self._words = language.words
        self._is_chinese = language.is_chinese
        self.barred: set[str] = set()  # never drawn: names of people who are known, answers that nobody may tell

    def fill(self, form: str, given: Mapping[str, str] | None = None) -> str:
        """The form with its choices made and its slots filled; two slots of a form differ."""
        given = given or {}
        while choice := _CHOICE.search(form):
            options = choice[1].split("|")
            form = form[: choice.start()] + self.rng.choice(options) + form[choice.end() :]
        drawn: dict[str, str] = {}

        def value(slot: re.Match[str]) -> str:
            key = slot[1] + slot[2]
            if key in given:
                return given[key]
            if key not in drawn:
                drawn[key] = self.draw(slot[1], taken=list(drawn.values()))
            return drawn[key]

        return _SLOT.sub(value, form)

    def draw(self, name: str, taken: Sequence[str] = ()) -> str:
        """A word of a list that is not barred."""
        word = ""
        for _ in range(_TRIES):
            word = self.fill(self.rng.choice(self._words[name]))
            if word not in self.barred and word not in taken:
                break
        return _TITLE_WORD.sub(lambda m: m[0].upper(), word) if name in _TITLES else word

    def one_of(self, forms: Sequence[str], given: Mapping[str, str] | None = None) -> str:
        return self.fill(self.rng.choice(forms), given)

    def sentence(self, text: str) -> str:
        """English gets its articles and capitals; Chinese needs neither."""
        if text[-1].isalnum():
            text += "。" if self._is_chinese else "."
        if self._is_chinese:
            return text
        return _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), with_articles(text))


def with_articles(text: str) -> str:
    """Each `a(n)` as what follows wants it."""
    return _ARTICLE.sub(lambda m: f"{m[1]}{'n' if m[3] in 'aeiouAEIOU' else ''} {m[2]}{m[3]}", text)


def take(rng: random.Random, items: list[T]) -> T:
    """One of the items, taken away."""
    return items.pop(rng.randrange(len(items)))
