"""How much of a question one place of a screen holds. Pure; from the rows of ranking.py to fusion.py.

A screen is dozens of lines that have little to do with each other: menus, a list of letters, one letter. Words of the
question that stand far apart on it mean nothing together, so a screen counts for its best few lines on end. Rare words
count for more, as in BM25; how rare they are is read off the screens that are compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from mirix.text.analyser import tokens

ENDING = 3  # letters that a word may have behind its stem
LINES = 4  # on end: a label and its value, a name and what was written under it


def best_passages(question: str, texts: Mapping[str, str]) -> dict[str, float]:
    """The share of a question, 0 to 1, that the best lines of each text hold, by text."""
    terms = [_Term(term) for term in dict.fromkeys(tokens(question))]
    held = {key: _held(text, terms) for key, text in texts.items()}
    weights = _weights(len(terms), list(held.values()))
    whole = sum(weights)
    if whole <= 0:
        return dict.fromkeys(texts, 0.0)
    worth: dict[int, float] = {}
    return {key: max(_worth(bits, weights, worth) for bits in _runs(lines)) / whole for key, lines in held.items()}


class _Term:
    """A term of a question, found without cutting every line into terms: that takes 50 times as long."""

    def __init__(self, term: str) -> None:
        self.text = term
        # A stem with an ending; Chinese is not set off.
        self._word = (
            re.compile(rf"(?<![^\W_]){re.escape(term)}[^\W_]{{0,{ENDING}}}(?![^\W_])") if term.isascii() else None
        )

    def is_in(self, line: str) -> bool:
        return self.text in line and (self._word is None or self._word.search(line) is not None)


def _held(text: str, terms: Sequence[_Term]) -> list[int]:
    """For each line which terms it holds: bit n is set for term n."""
    lines = [line for line in text.casefold().splitlines() if line.strip()]
    return [sum(1 << place for place, term in enumerate(terms) if term.is_in(line)) for line in lines]


def _weights(terms: int, texts: Sequence[Sequence[int]]) -> list[float]:
    """The idf of each term over the texts; 0 for one that none holds."""
    whole = [_union(lines) for lines in texts]
    holders = [sum(bits >> place & 1 for bits in whole) for place in range(terms)]
    return [math.log(1 + (len(whole) - n + 0.5) / (n + 0.5)) if n else 0.0 for n in holders]


def _runs(lines: Sequence[int]) -> list[int]:
    return [_union(lines[start : start + LINES]) for start in range(max(len(lines) - LINES + 1, 1))]


def _union(lines: Sequence[int]) -> int:
    held = 0
    for bits in lines:
        held |= bits
    return held


def _worth(bits: int, weights: Sequence[float], known: dict[int, float]) -> float:
    if bits not in known:
        known[bits] = sum(weight for place, weight in enumerate(weights) if bits >> place & 1)
    return known[bits]
