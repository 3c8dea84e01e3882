"""The turns beside a good hit that belong to the answer. Pure.

Somebody tells of a boat, is asked, and says "we called her Wren": the question what the boat is called finds the first
turn and not the second, which shares no word with it. Most turns that a search misses stand within two turns of one
that it found. So a neighbour of one of the best hits is taken in right behind it where it brings words of the question
that the hit lacks, or where it has the form that the question asks for: a naming, a number, a time, a reason. (Taking
every neighbour in that brings a single word costs a point of LoCoMo's evidence recall at 10; of five hits two more.)

Two more belong: what somebody says right after a hit to put it right ("no, Thursday"), and, where it is asked how
something is done, the turns that go on after the best hit, for who teaches a thing step by step names it only once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mirix.retrieval.fusion import Key
from mirix.text.analyser import tokens

REACH = 2  # turns before and after
ANCHORS = 3  # of the best messages
MOST = 1  # beside each
LESSON_REACH = 10  # of the steps of a lesson, which may be nodded at one by one
STEPS = 5  # taken in of a lesson; with replies between them five of a lesson's turns are most of it
PAUSE_S = 180.0  # a longer one ends a lesson

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
# A question how something is done, and the words that put right what was just said.
_LESSON = re.compile(
    r"怎么(?!样|会|称呼|回事|了)|如何|怎样|步骤|流程|顺序|先后|做法|方法|办法|操作|配方|"
    r"(?i:\bhow (?:(?:do|can|could|should|must) (?:I|we|you|one)\b|to\b)|\bwhat (?:do|should|must) (?:I|we) do\b|"
    r"\bsteps?\b|\bprocedure\b|\brecipe\b|\b(?:what|which) order\b|\binstructions\b)"
)
_CORRECTION = re.compile(
    r".{0,6}(?:不对|[说写记弄搞打讲看]错|口误|更正|纠正|改正|抱歉|不好意思|应该是)|刚才|"
    r"(?i:\W*(?:no,|wait\b|sorry\b|correction|actually|scratch that|strike that|i meant?\b|i misspoke|make that|"
    r"my mistake|oops|rather\b))"
)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A turn within reach of a hit, in the same session."""

    anchor: Key
    id: Key
    text: str
    anchor_text: str
    distance: int  # in turns, from 1
    later_s: float = 0.0  # than the hit, in seconds; negative before it
    is_same_role: bool = True  # as the hit


def reach(question: str) -> int:
    """How many turns before and after a hit may belong to it."""
    return LESSON_REACH if _LESSON.search(question) else REACH


def belonging(question: str, near: Sequence[Beside], *, best: Key | None = None) -> dict[Key, list[Key]]:
    """By hit: the turns beside it that belong to the answer, the nearest first, at most MOST and what puts it right.

    Of the `best` hit the steps that follow it too, where it is asked how something is done.
    """
    asked = _words(question)
    held = {text: asked & _words(text) for text in {each.anchor_text for each in near}}
    wants_several = _SEVERAL.search(question) is not None
    forms = [told for asks, told in _FORMS if asks.search(question)]
    found: dict[Key, list[tuple[int, int, Key]]] = {}
    right: dict[Key, list[Key]] = {}
    for each in near:
        if each.distance > REACH:
            continue
        if each.anchor == best and each.later_s > 0 and each.is_same_role and _CORRECTION.match(each.text):
            right.setdefault(each.anchor, []).append(each.id)
        added = (asked & _words(each.text)) - held[each.anchor_text]
        fits = any(told.search(each.text) and (wants_several or not told.search(each.anchor_text)) for told in forms)
        if len(added) > 1 or fits:  # one word in common is common
            found.setdefault(each.anchor, []).append((-len(added) - 2 * fits, each.distance, each.id))
    belongs = {anchor: [key for _, _, key in sorted(listed)[:MOST]] for anchor, listed in found.items()}
    for anchor, keys in right.items():
        belongs[anchor] = list(dict.fromkeys([*keys, *belongs.get(anchor, ())]))
    if best is not None and _LESSON.search(question):
        steps = _lesson([each for each in near if each.anchor == best])
        belongs[best] = list(dict.fromkeys([*steps, *belongs.get(best, ())]))
    return belongs


def _lesson(near: Sequence[Beside]) -> list[Key]:
    """What the same one goes on to say, without a long pause."""
    steps: list[Key] = []
    last = 0.0
    for each in sorted(near, key=lambda each: each.distance):
        if each.later_s <= 0:
            continue
        if each.later_s - last > PAUSE_S:
            break
        last = each.later_s
        if each.is_same_role:
            steps.append(each.id)
    return steps[:STEPS]


def _words(text: str) -> set[str]:
    """Its tokens but for single characters, which stand anywhere."""
    return {token for token in tokens(text) if len(token) > 1}


def insert(ranked: Sequence[tuple[Key, float]], beside: dict[Key, list[Key]]) -> list[tuple[Key, float]]:
    """The order with what belongs to a hit right behind it, unless it stands before it."""
    chosen: dict[Key, float] = {}
    for key, score in ranked:
        chosen.setdefault(key, score)
        for near in beside.get(key, ()):
            chosen.setdefault(near, score)
    return list(chosen.items())
