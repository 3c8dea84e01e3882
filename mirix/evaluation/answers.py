"""Judges a short answer against accepted ones. Pure: text in, verdict out.

An answer is right when it claims to know, is short, and one of the accepted answers stands in it: word for word after
normalisation, as the same date however it is written, or (what is kept verbatim) character for character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mirix.evaluation.metrics import token_f1
from mirix.text.analyser import tokens
from mirix.text.dates import find_mentions

MOST_WORDS = 25
MOST_CHARACTERS = 40  # of Chinese, spaces not counted
STEPS_ROOM = 3  # short answers that all steps of a procedure may take
STEP_SHARE = 0.6  # of the words of a step that tell it

_CITATION = re.compile(r"\s?[\[【]\d{1,3}(?:[,，、]\s?\d{1,3})*[\]】]")
_UNKNOWN = re.compile(
    r"(?:^|[.!?;:—\n]\s*)(?:sorry,? |unfortunately,? )?(?:"
    r"(?:I|we) (?:do not|don't|don’t|cannot|can't|can’t) (?:know|say|tell|find)\b|"
    r"(?:I|we) have no (?:record|memory|note|information)\b|"
    r"(?:that|this|it) (?:is|was) (?:not known|unknown|not in (?:my )?memory)|(?:not known|unknown)\s*(?:[.!]|$))"
    r"|(?:^|[。！？；，,\n]\s*)(?:抱歉，?|对不起，?)?我?(?:不知道|不清楚|没有(?:相关的?)?(?:记录|记忆|信息)|未知|无从得知)",
    re.IGNORECASE,
)
_ARTICLES = frozenset({"a", "an", "the"})
_HAN = re.compile(r"[㐀-鿿]")
_NUMERAL = re.compile("[〇零一二两三四五六七八九十百千万亿]+")
_DIGITS = {character: str(value) for value, character in enumerate("零一二三四五六七八九十")} | {"〇": "0", "两": "2"}
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_WORD = re.compile(r"[㐀-鿿]|[^\W_㐀-鿿]+")
_NAMED_DAY = re.compile(
    r"(?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\d{4}-\d\d-\d\d|[\d〇一二三四五六七八九十]月"
)
_STEP_BORDER = re.compile(r"[,;，；、。\n]|\bthen\b|然后")
_YEAR = re.compile(r"\d{4}|[〇零一二三四五六七八九]{4}年")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    claimed: bool  # it claims to know
    right: bool  # for a question without an answer: it does not claim to know
    f1: float  # tokens in common with the nearest accepted answer; 0 to 1

    @property
    def wrong(self) -> bool:
        """Claimed and not right: worse than saying nothing."""
        return self.claimed and not self.right


def judge(
    answer: str,
    accepted: Sequence[str],
    *,
    asked_at: datetime,
    timezone: str,
    is_chinese: bool,
    verbatim: bool = False,
    stepwise: bool = False,
    has_answer: bool = True,
) -> Verdict:
    """The verdict on an answer with its citations. `accepted` are alternatives; not used without `has_answer`.

    With `stepwise` they are steps, told in free words but all of them and in their order.
    """
    text = without_citations(answer)
    claimed = bool(text) and not says_unknown(text)
    if not has_answer:
        return Verdict(claimed=claimed, right=not claimed, f1=float(not claimed))
    if not claimed:
        return Verdict(claimed=False, right=False, f1=0.0)
    given = words(text)
    return Verdict(
        claimed=True,
        right=is_short(text, is_chinese=is_chinese, room=STEPS_ROOM if stepwise else 1)
        and any(
            contains_value(text, each)
            if verbatim
            else (stepwise and tells_steps(given, each))
            or contains_words(given, words(each))
            or contains_date(text, each, asked_at, timezone)
            for each in accepted
        ),
        f1=max((token_f1(given, words(each)) for each in accepted), default=0.0),
    )


def without_citations(text: str) -> str:
    return _CITATION.sub("", text).strip()


def says_unknown(text: str) -> bool:
    """Whether a sentence of the answer says that it is not known."""
    return _UNKNOWN.search(text) is not None


def is_short(text: str, *, is_chinese: bool, room: int = 1) -> bool:
    if is_chinese:
        return len("".join(text.split())) <= room * MOST_CHARACTERS
    return len(text.split()) <= room * MOST_WORDS


def words(text: str) -> list[str]:
    """Normalised words: case, width, punctuation, articles and the way numbers are written make no difference.

    Chinese is cut into characters; its numerals become digits.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'s", "").replace("’s", "")
    folded = _THOUSANDS.sub(lambda number: number.group().replace(",", ""), folded)
    folded = _NUMERAL.sub(lambda numeral: f" {_digits(numeral.group())} ", folded)
    return [word for word in _WORD.findall(folded) if word not in _ARTICLES]


def _digits(numeral: str) -> str:
    """三十四 as 34; left as it is where it is no number."""
    if len(numeral) == 1:
        return _DIGITS.get(numeral, numeral)
    # The analyser gives the digits of a numeral among its tokens.
    return next((token for token in tokens(numeral) if token.isdecimal()), numeral)


def contains_words(given: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether `wanted`, not empty, is a run of `given`."""
    size = len(wanted)
    return size > 0 and any(list(given[at : at + size]) == list(wanted) for at in range(len(given) - size + 1))


def tells_steps(given: Sequence[str], accepted: str) -> bool:
    """Whether `given` tells the steps of `accepted`, which commas part, each behind the one before.

    A step is told where STEP_SHARE of its words stand close together.
    """
    steps = [listed for step in _STEP_BORDER.split(accepted) if (listed := words(step))]
    start = 0
    for step in steps:
        at = next((at for at in range(start, len(given)) if _is_told(step, given[at : at + 2 * len(step) + 2])), None)
        if at is None:
            return False
        start = at + 1
    return bool(steps)


def _is_told(step: Sequence[str], window: Sequence[str]) -> bool:
    wanted = set(step)
    return window[0] in wanted and len(wanted & set(window)) >= STEP_SHARE * len(wanted)


def contains_value(text: str, value: str) -> bool:
    """Whether a value stands in the text character for character, and not as part of a longer one."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", text) is not None


def contains_date(text: str, accepted: str, asked_at: datetime, timezone: str) -> bool:
    """Whether the text names the date that `accepted` is, however either is written.

    Only days named by month and day count: "last Friday" tells a reader no date. A year left out fits any.
    """
    wanted = list(_days(accepted, asked_at, timezone))
    if len(wanted) != 1 or not _is_date_only(accepted, asked_at, timezone):
        return False
    return any(_is_same_day(day, wanted[0]) for day in _days(text, asked_at, timezone))


@dataclass(frozen=True, kw_only=True)
class _Day:
    year: int | None  # None: not named
    first: tuple[int, int]  # month and day
    last: tuple[int, int]


def _days(text: str, asked_at: datetime, timezone: str) -> Iterator[_Day]:
    for mention in find_mentions(text, asked_at, timezone):
        if _NAMED_DAY.search(mention.text):
            first, last = mention.range.start, mention.range.end - timedelta(microseconds=1)
            if (last - first).days <= 7:
                year = first.year if _YEAR.search(mention.text) else None
                yield _Day(year=year, first=(first.month, first.day), last=(last.month, last.day))


def _is_same_day(one: _Day, other: _Day) -> bool:
    same_year = one.year is None or other.year is None or one.year == other.year
    return same_year and one.first == other.first and one.last == other.last


def _is_date_only(accepted: str, asked_at: datetime, timezone: str) -> bool:
    rest = accepted
    for mention in reversed(list(find_mentions(accepted, asked_at, timezone))):
        rest = rest[: mention.start_index] + rest[mention.end_index :]
    return not _without_small_words(rest)


def _without_small_words(text: str) -> Collection[str]:
    return [word for word in words(text) if word not in {"on", "at", "in", "of", "在"}]
