"""Time expressions in text: which words are one, and what they mean to whoever said them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mirix.errors import InputError
from mirix.text.dates.chart import Node, parse
from mirix.text.dates.forms import Form, Policy, once, resolve
from mirix.text.dates.grammar import LOOSE, STRONG, WEAK, time_grammar
from mirix.text.dates.place import place_of
from mirix.text.dates.ranges import TimeMention, TimeRange
from mirix.text.dates.reference import Reference, Tense
from mirix.text.dates.relations import intersect, on_day
from mirix.text.dates.tense import is_habit, tense_around
from mirix.text.dates.tokens import has_time_word, scan
from mirix.text.dates.units import Grain

# A word that may follow "on the 5th" or "at nine" without being what is counted.
_NO_NOUN = re.compile(
    r"\s*(?:$|[^\w\s]|\n|[A-Z一-鿿]|(?:at|in|on|of|and|or|to|for|we|i|he|she|they|it|you|is|was|"
    r"will|with|from|until|by|"
    r"because|but|so|when|after|before|this|next|last|then|there|my|our|his|her|their|your|the|"
    r"that|if|as|am|pm|sharp|"
    r"please|instead|again|too|were|are|did|would|can|could|should|already|today|tomorrow)\b)"
)
_RECURRING = re.compile(
    (
        r"(?:\b(?:every|each|any|most|all)\s+(?:other\s+|second\s+|single\s+)?|"
        r"每[个到逢隔]?(?:[年月周天日]|星期|礼拜)?[的到]?|逢|TGI\s+)$"
    ),
    re.IGNORECASE,
)
_RECURRING_AFTER = re.compile(r"\s+(?:of|in)\s+(?:every|each|any)\b", re.IGNORECASE)
_OPEN_ENDED = re.compile(r"(?:\b(?:since|until|till|before|after|by)\s+(?:the\s+)?|自从?|直到|截至)$", re.IGNORECASE)
_OPEN_ENDED_AFTER = re.compile(r"\s*(?:之前|以前|前|之后|以后|以来|为止)")
_ADDRESS = re.compile(r"[路街巷弄道村坊]")
_HOUSE_NUMBER = re.compile(r"[\d一二三四五六七八九十百〇零]+号")
_NAME_AFTER = re.compile(r" (?!I\b)[A-Z][a-z]+")
_NAME_BEFORE = re.compile(r"[a-z,] (?!(?:On|By|Until|Last|Next|This|The|In|At|From|Since|I)\b)[A-Z][a-z]+ $")
_SENTENCE_END = re.compile(r"[.!?。！？\n]|.{120}", re.DOTALL)
_MOVED = re.compile(
    r"(?i)\b(?:moved|changed|rescheduled|postponed|pushed|shifted|switched|brought forward|"
    r"put off|put back)\b[^.!?]{0,24}\bfrom\b|从[^。!?！？]{1,16}(?:改|挪|推迟|提前|换|移|调)到"
)
# 第一次周五合唱: which of the weekly ones, no day by itself.
_SAME_STORY = re.compile(
    r"[^.!?。！？\n]{0,60}\b(?:back|return\w*|home|until|till|to|through)\b[^.!?。！？\n]{0,12}|"
    r"[^.!?。！？\n]{0,30}(?:回|返|到)[^.!?。！？\n]{0,6}"
)
_COUNTED_TIME = re.compile(r"第[一二三四五六七八九十\d]+[次回个]的?$")
_AND = re.compile(r"\s*(?:and|or|,|，|、|和|与|或|跟|及|&)\s*(?:on\s+)?")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A time expression before it is read from a point of view."""

    start: int  # in characters
    end: int
    form: Form
    range: TimeRange
    is_open_ended: bool  # bounds something on one side: since midnight, 四点之前


def reference(anchor: datetime, timezone: str) -> Reference:
    """Raises InputError if `anchor` is naive or the zone has no such name."""
    if anchor.tzinfo is None or anchor.utcoffset() is None:
        raise InputError("the time from which dates are counted has no offset: give an aware datetime")
    try:
        zone = ZoneInfo(timezone)
        local = anchor.astimezone(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"no such time zone: {timezone!r}: give an IANA name such as Europe/London") from error
    except OverflowError as error:
        raise InputError("the time from which dates are counted is out of range") from error
    return Reference(anchor=local, zone=zone, place=place_of(timezone))


def read(form: Form, ref: Reference) -> TimeRange | None:
    """What a form means, or None where the calendar has no such time (the 30th of February, the year 9999)."""
    try:
        found = resolve(form, ref)
    except (OverflowError, ValueError):
        return None
    return found if found and found.is_forward else None


def find(text: str, ref: Reference, *, weak: bool = False) -> Iterator[Found]:
    """Expressions in order of the text, the longest at each place, none within another.

    `weak`: words that count only in company are taken too ("may", "spring").
    """
    previous: Found | None = None
    for run in scan(text):
        if not has_time_word(run):
            continue
        nodes = [node for node in parse(run, time_grammar()) if _counts(node, weak)]
        nodes = [node for node in nodes if not _is_little(text, run[node.start].start, run[node.end - 1].end)]
        nodes.sort(key=lambda node: (node.core, -node.end, -node.rank, node.kind))
        position = 0
        for node in nodes:
            start, end = run[node.core].start, run[node.end - 1].end
            if node.start < position or not (weak or _is_time_here(node, text, start, end)):
                continue
            form = _beside(node.value, previous, text[previous.end : start]) if previous else node.value
            span = read(form, replace(ref, tense=ref.tense or tense_around(text, start, end)))
            if span or not form.is_match:
                # What has no meaning as a whole (30 February) has none in parts either.
                position = node.end
            if span:
                previous = Found(
                    start=start, end=end, form=form, range=span, is_open_ended=_is_open_ended(text, start, end)
                )
                yield previous


def _counts(node: Node, weak: bool) -> bool:
    return node.kind == STRONG or node.kind in LOOSE or (weak and node.kind in WEAK)


def _is_little(text: str, start: int, end: int) -> bool:
    """有一点, 快一点: a little."""
    return text[start:end] == "一点" and text[max(0, start - 1) : start].isalpha()


def _is_open_ended(text: str, start: int, end: int) -> bool:
    return bool(_OPEN_ENDED.search(text[max(0, start - 12) : start]) or _OPEN_ENDED_AFTER.match(text, end))


def _beside(form: Form, previous: Found, between: str) -> Form:
    """A form as it is meant after another expression: "tomorrow I call Jan at three", 下周二和周四."""
    day = previous.range.start.date()
    if form.period is Grain.DAY and previous.form.grain <= Grain.DAY and not _SENTENCE_END.search(between):
        earliest = previous.range.start if previous.form.grain < Grain.DAY else None
        return on_day(form, day, earliest, is_absolute=previous.form.is_absolute)
    if (
        form.period is Grain.MONTH
        and form.grain <= Grain.DAY
        and previous.form.grain <= Grain.DAY
        and _SAME_STORY.fullmatch(between)
    ):
        # "On 3 October there, back on the 6th": the first such day from there on.
        ahead = once(Grain.MONTH, lambda ref: ref.days(day, day + timedelta(days=31)))
        return intersect(form, ahead) or form
    if form.is_weekday and form.period is Grain.WEEK and previous.form.grain is Grain.DAY and _AND.fullmatch(between):
        week = once(Grain.WEEK, lambda ref: ref.days(day + timedelta(days=1), day + timedelta(days=8)))
        return intersect(form, week) or form
    return form


def _is_time_here(node: Node, text: str, start: int, end: int) -> bool:
    """Whether words that can be a time are one where they stand in running text."""
    form: Form = node.value
    if node.kind in LOOSE and not _NO_NOUN.match(text, end):
        return False
    if node.kind == "<at>" and _NAME_AFTER.match(text, end):
        return False
    if form.is_run and _MOVED.search(text[max(0, start - 40) : end]):
        # "Moved from today to Wednesday" names two days, and no stretch between them.
        return False
    if form.is_weekday and _COUNTED_TIME.search(text[max(0, start - 12) : start]):
        return False
    if _RECURRING.search(text[max(0, start - 24) : start]) or _RECURRING_AFTER.match(text, end):
        return False
    if _ADDRESS.search(text[max(0, start - 1) : start]) and _HOUSE_NUMBER.fullmatch(text, start, end):
        return False
    if form.period is None:
        # "He ran it in forty minutes" is a length of time.
        return not (text[start : start + 3].lower() == "in " and tense_around(text, start, end) is Tense.PAST)
    if form.policy in (Policy.DAY, Policy.STRICT) and is_habit(text, start, end):
        return False
    # Friday Night Lights, Man Friday: part of a name, unless a preposition says that it is a day.
    last_word = text[start:end].split()[-1]
    is_in_name = node.core == node.start and last_word[:1].isupper() and last_word.isalpha()
    return not (is_in_name and (_NAME_AFTER.match(text, end) or _NAME_BEFORE.search(text[max(0, start - 30) : start])))


def find_mentions(text: str, anchor: datetime, timezone: str) -> list[TimeMention]:
    """All time expressions in running text, in order; the tense of the clause decides what a bare weekday means.

    Raises InputError if `anchor` is naive or `timezone` is no IANA name.
    """
    ref = reference(anchor, timezone)
    return [
        TimeMention(
            start_index=found.start,
            end_index=found.end,
            text=text[found.start : found.end],
            range=found.range,
            relative=not found.form.is_absolute,
        )
        for found in find(text, ref)
    ]
