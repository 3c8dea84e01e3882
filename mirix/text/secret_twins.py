"""Misread twins: a value that is known, as a text recogniser saw it, with some letters wrong, lost or parted. Pure.

Spaces and case, which recognisers get wrong most, do not count. Two edits are allowed in eight characters and more, and
one in five of a long value; short values have to stand there as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex

LEAST = 8  # characters: shorter values have neighbours among ordinary words and numbers
_PHRASE = 16  # characters of letters alone
_LONGEST = 20_000  # characters of a line that are looked through


def bare(text: str) -> str:
    """Without white space and case; one character for each that is left."""
    return "".join(map(_small, "".join(text.split())))


def _small(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def edits_allowed(value: str) -> int:
    """How many characters of a bare value may be wrong. Numbers stand beside other numbers, so less is allowed."""
    if len(value) < LEAST:
        return 0
    return 1 if value.isdigit() and len(value) < 13 else max(2, len(value) // 5)


def find_near(value: str, text: str) -> Iterator[tuple[int, int]]:
    """The half-open spans in a line of `text` where `value` or a misread twin stands; both as they were read."""
    wanted = bare(value)
    places = [index for index, character in enumerate(text) if not character.isspace()][:_LONGEST]
    line = "".join(_small(text[index]) for index in places)
    most = edits_allowed(wanted)
    if len(wanted) - most > len(line) or not _may_hold(wanted, line, most):
        return
    digits = sum(character.isdigit() for character in wanted)
    for found in _pattern(wanted, most).finditer(line):
        # "password" is no twin of "password1".
        if sum(character.isdigit() for character in found.group()) * 2 >= digits and found.group():
            yield places[found.start()], places[found.end() - 1] + 1


def twin_of(value: str, known: Iterable[str]) -> str | None:
    """The known value that `value` is, or is misread from."""
    wanted = bare(value)
    near = (other for other in known if abs(len(wanted) - len(bare(other))) <= edits_allowed(bare(other)))
    return next((other for other in near if any(True for _ in find_near(other, value))), None)


def may_stand_in(values: Iterable[str], text: str) -> list[str]:
    """Those values that are worth looking for in a long text; quick. Short ones and plain words stand anywhere."""
    whole = bare(text)
    telling = [value for value in values if _is_telling(value)]
    return [value for value in telling if _may_hold(wanted := bare(value), whole, edits_allowed(wanted))]


def _is_telling(value: str) -> bool:
    return len(value) >= _PHRASE or (len(bare(value)) >= LEAST and not value.isalpha())


def _may_hold(wanted: str, line: str, most: int) -> bool:
    """Whether enough pairs of letters are the same: an edit spoils two of them."""
    pairs = [wanted[index : index + 2] for index in range(len(wanted) - 1)]
    return sum(pair in line for pair in pairs) >= len(pairs) - 2 * most


@lru_cache(maxsize=4096)
def _pattern(wanted: str, most: int) -> regex.Pattern[str]:
    return regex.compile(f"(?e)(?:{regex.escape(wanted)}){{e<={most}}}")
