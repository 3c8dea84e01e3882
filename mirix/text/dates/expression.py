"""A whole expression, with its asides, to one range: "tonight around nine, so between nine and ten"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from mirix.text.dates.chart import parse
from mirix.text.dates.forms import Form, offset
from mirix.text.dates.grammar import time_grammar
from mirix.text.dates.mentions import Found, find, read, reference
from mirix.text.dates.ranges import Granularity, TimeRange
from mirix.text.dates.reference import Reference, Tense
from mirix.text.dates.tokens import scan
from mirix.text.dates.units import Grain

_LONGEST = 2_000  # characters; an expression is a phrase, not a document
_ENDS_OUT = re.compile(
    r"left out|exclu(?:ded|ding|sive)|not (?:counting|including) (?:either|them|both|those|the ends)|"
    r"neither (?:day|end|one) (?:included|counted)|"
    r"不含首尾|不包括首尾|首尾不算|两头不算|两端不算|不算这两天|不含这两天|都不算",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|except|excluding|rather than|instead of|without)\s+"
    r"(?:counting\s+|including\s+|on\s+|in\s+)?(?:the\s+)?|不是|不算|不含|除了)$",
    re.IGNORECASE,
)


def resolve_expression(
    expression: str, anchor: datetime, timezone: str, *, prefer: Literal["past", "future"] | None = None
) -> TimeRange | None:
    """The range that a whole expression means, said at `anchor` (aware) in `timezone` (IANA name); None if none.

    `prefer` decides where the expression alone leaves past or future open ("on Monday"); otherwise its own verbs do,
    and without any a weekday is the coming one and a month the nearest.
    Raises InputError if `anchor` is naive or `timezone` is no IANA name.
    """
    ref = reference(anchor, timezone)
    text = expression[:_LONGEST]
    ref = replace(ref, tense=Tense(prefer) if prefer else None, leaves_ends_out=bool(_ENDS_OUT.search(text)))
    try:
        return _resolved(text, ref)
    except (OverflowError, ValueError):
        return None  # beyond the calendar: the day after the last of the year 9999


def _resolved(text: str, ref: Reference) -> TimeRange | None:
    found = list(find(text, ref)) or list(find(text, ref, weak=True))
    kept = [each for each in found if not _NEGATED.search(text[max(0, each.start - 24) : each.start])] or found
    kept = [each for each in kept if not each.is_open_ended] or kept
    if all(each.form.period is Grain.DAY for each in kept):
        # Nothing, or no more than a clock time: the rest may be a date in another language.
        other = _other_spelling(text, ref)
        if other or not kept:
            return other
    if len(kept) == 1:
        return _with_hours(kept[0], text, ref) or kept[0].range
    meaning = kept[0].range
    for aside in kept[1:]:
        meaning = _refine(meaning, aside, ref)
    return meaning


def _with_hours(found: Found, text: str, ref: Reference) -> TimeRange | None:
    """A day ago, meaning 24 hours: the hours count."""
    if not found.form.is_approximate_day:
        return None
    for run in scan(text[found.end :]):
        for node in parse(run, time_grammar()):
            if node.kind in ("<dur>", "<zhdur>") and node.value.minutes:
                sign = -1 if found.range.start < ref.anchor else 1
                return read(offset(node.value, sign), ref)
    return None


def _is_whole_cycle(form: Form, span: TimeRange) -> bool:
    """Monday to Sunday, midnight to midnight: says how something is counted and narrows nothing."""
    return form.period is Grain.WEEK and span.end - span.start >= timedelta(days=7)


def _refine(meaning: TimeRange, aside: Found, ref: Reference) -> TimeRange:
    """What an expression means once a later part of the sentence says more about it."""
    if _is_whole_cycle(aside.form, aside.range):
        return meaning
    inside = _inside(meaning, aside.form, ref)
    if inside:
        return inside
    other = aside.range
    if other.start <= meaning.start and meaning.end <= other.end and not aside.form.is_run:
        return meaning
    if aside.form.is_weekday and aside.form.period is Grain.WEEK:
        return _nearest(meaning, aside.form, ref)
    return other


def _nearest(meaning: TimeRange, weekday: Form, ref: Reference) -> TimeRange:
    """The weekday next to what was said before: two weeks ago, it was a Saturday."""
    day, reach = meaning.start.date(), timedelta(days=8)
    return min(weekday.spans(ref, day - reach, day + reach), key=lambda span: abs(span.start - meaning.start))


def _inside(meaning: TimeRange, form: Form, ref: Reference) -> TimeRange | None:
    """The occurrence of a recurring form that lies in a range, or that is the range from nine to ten round nine."""
    if form.period is None:
        return None
    day = meaning.start.date()
    after = (meaning.end - timedelta(microseconds=1)).date() + timedelta(days=1)
    for span in form.spans(ref, day, after):
        starts_inside = meaning.start <= span.start < meaning.end
        is_wider = span.start <= meaning.start < span.end and meaning.granularity is Granularity.INSTANT
        if (starts_inside and span.end <= meaning.end) or is_wider:
            return span
    return None


# Languages whose dates are read besides English and Chinese; all that the library knows would take five seconds.
_OTHER_LANGUAGES = ["en", "zh", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "pl", "ru", "ja", "ko", "tr"]
_FULL_DATE = re.compile(r"(?=.*\d{4})(?=.*\d{1,2}\D).{6,40}", re.DOTALL)


def _other_spelling(text: str, ref: Reference) -> TimeRange | None:
    """A complete date in a spelling or language that the grammar does not know, such as 12 janvier 2024."""
    if not _FULL_DATE.fullmatch(text.strip()):
        return None
    import dateparser  # takes half a second to load

    settings: dict[str, Any] = {"STRICT_PARSING": True, "PARSERS": ["absolute-time"], "RETURN_AS_TIMEZONE_AWARE": False}
    try:
        moment = dateparser.parse(text.strip(), languages=_OTHER_LANGUAGES, settings=settings)
    except (ValueError, OverflowError, TypeError, AttributeError, KeyError):
        return None  # its own errors on odd input
    if moment is None:
        return None
    has_clock = re.search(r"\d:\d", text)
    return ref.instant(moment.replace(tzinfo=ref.zone)) if has_clock else ref.day(moment.date())
