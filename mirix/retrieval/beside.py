"""The turns beside a good hit that belong to the answer. Pure.

Somebody tells of a boat, is asked, and says "we called her Wren": the question what the boat is called finds the first
turn and not the second, which shares no word with it. Most turns that a search misses stand within two turns of one
that it found. So a neighbour of one of the best hits is taken in right behind it where it brings words of the question
that the hit lacks, or where it has the form that the question asks for: a naming, a number, a time, a reason. (Taking
every neighbour in that brings a single word costs a point of LoCoMo's evidence recall at 10; of five hits two more.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from mirix.text.analyser import tokens

REACH = 2  # turns before and after
ANCHORS = 3  # of the best messages
MOST = 1  # beside each

_NUMERAL = r"\d|[一二两三四五六七八九十百千万半零〇]{2,}|[一二两三四五六七八九十][个元块米克天年月日号点斤本页]"
_ENGLISH_NUMERAL = (
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|dozen|half)\b"
)
# A question that compares or adds up wants more than one of what it asks for.
_SEVERAL = re.compile(
    r"比|相差|差多少|一共|总共|加起来|几倍|涨了|长了|降了|"
    r"(?i:\b(?:than|difference|together|in total|altogether|more|less)\b)"
)
# (what the question asks for, how that is told)
_FORMS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(r"叫什么|什么名字|叫啥|(?i:\bnames?\b|\bcalled\b|\bwho is\b|\bwho's\b)"),
        re.compile(r"叫|名字|姓|(?i:\bcall(?:ed)?\b|\bnamed?\b|\bit's\b.*[A-Z]|\bher name|\bhis name)"),
    ),
    (
        re.compile(
            r"多少|几(?!乎)|多[大久长高远重贵]|贵|(?i:\bhow (?:many|much|old|long|far|tall|big)\b|\bcosts?\b|\bprice\b)"
        ),
        re.compile(f"{_NUMERAL}|(?i:{_ENGLISH_NUMERAL})"),
    ),
    (
        re.compile(
            r"什么时候|哪天|哪一天|几号|几月|何时|(?i:\bwhen\b|\bwhat (?:date|day|time)\b|\bwhich (?:date|day)\b)"
        ),
        re.compile(
            r"[\d一二三四五六七八九十][月号日点]|周[一-日末]|星期|今天|明天|昨天|"
            r"(?i:\b(?:today|tomorrow|yesterday|last|next|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b|\b\d{1,2}(?:st|nd|rd|th)\b)"
        ),
    ),
    (
        re.compile(r"为什么|为何|因为什么|怎么会|(?i:\bwhy\b|\bwhat for\b)"),
        re.compile(r"因为|所以|为了|(?i:\b(?:because|since|so that)\b)"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A turn within REACH of a hit, in the same session."""

    anchor: UUID
    id: UUID
    text: str
    anchor_text: str
    distance: int  # in turns, from 1


def belonging(question: str, near: Iterable[Beside]) -> dict[UUID, list[UUID]]:
    """By hit: the turns beside it that belong to the answer, the nearest first, at most MOST."""
    asked = _words(question)
    wants_several = _SEVERAL.search(question) is not None
    forms = [told for asks, told in _FORMS if asks.search(question)]
    found: dict[UUID, list[tuple[int, int, UUID]]] = {}
    for each in near:
        added = asked & _words(each.text) - _words(each.anchor_text)
        fits = any(told.search(each.text) and (wants_several or not told.search(each.anchor_text)) for told in forms)
        if len(added) > 1 or fits:  # one word in common is common
            found.setdefault(each.anchor, []).append((-len(added) - 2 * fits, each.distance, each.id))
    return {anchor: [key for _, _, key in sorted(listed)[:MOST]] for anchor, listed in found.items()}


def _words(text: str) -> set[str]:
    """Its tokens but for single characters, which stand anywhere."""
    return {token for token in tokens(text) if len(token) > 1}


def insert(ranked: Sequence[tuple[UUID, float]], beside: dict[UUID, list[UUID]]) -> list[tuple[UUID, float]]:
    """The order with what belongs to a hit right behind it, unless it stands before it."""
    chosen: dict[UUID, float] = {}
    for key, score in ranked:
        chosen.setdefault(key, score)
        for near in beside.get(key, ()):
            chosen.setdefault(near, score)
    return list(chosen.items())
