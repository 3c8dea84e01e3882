"""Which line of core memory an answer without a citation rests on.

Core memory stands in every prompt without numbers, so a model that answers from it alone cites nothing (answer.py). The
line is found by its words; an answer that shares few of them with any line stays one that rests on nothing in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mirix.text.analyser import tokens

HELD = 0.6  # share of what an answer says beyond its question that the line must hold
_UNKNOWN = re.compile(r"(?i)^\W*I (?:don['’]t|do not) know\b|^\W*我不知道")


def line_behind(answer: str, question: str, lines: Iterable[str]) -> str | None:
    """The core line that holds most of what an answer says beyond its question; None where none holds enough.

    It also has to hold a word of the question, or else all of the answer.
    """
    asked = set(tokens(question))
    said = set(tokens(answer)) - asked
    if not said or _UNKNOWN.match(answer):
        return None
    best, most = None, HELD
    for line in lines:
        held = set(tokens(line))
        share = len(said & held) / len(said)
        if share >= most and (share == 1 or held & asked):
            best, most = line, share
    return best
