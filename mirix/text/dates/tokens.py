"""Text to tokens: the words and numbers that can be part of a time expression, in runs without anything between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache

from mirix.text.dates.chart import Token, Value
from mirix.text.dates.chinese_words import NOT_AFTER, NOT_AFTER_WEEKDAY, NOT_BEFORE, WEEKDAYS, chinese_words
from mirix.text.dates.english_words import english_words
from mirix.text.dates.forms import Form, calendar_day, day_in_either_order, months_of_year, once, years
from mirix.text.dates.grammar import time_grammar
from mirix.text.dates.holidays import HOLIDAYS
from mirix.text.dates.relations import within
from mirix.text.dates.units import Grain

Entries = tuple[tuple[str, Value], ...]
Run = list[Token]

_DIGITS = {character: number for number, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_TENFOLD = {"十": 10, "百": 100, "千": 1000}

# Alternatives in order: things that look like numbers but are no times come first and are not handed on.
_PATTERN = r"""
    (?P<barrier> https?://\S+ | (?<![\w.+-])[A-Za-z0-9._+-]{1,64}@[\w.-]+ | [$€£¥]\s?\d[\d.,]*
        | (?<!\d)\d[\d.,]{0,20}\s?% | \+\d[\d\ -]{6,} | v\d[\w.]*
        | \d+(?:\.\d+){3,} | \d{1,3}(?:,\d{3})+ | (?<![\d/.-])\d{3,}-\d{3,}[\d-]*
        | (?<![A-Za-z\d])[A-Za-z]{0,20}\d{1,20}[A-Za-z]{1,20}\d\w* )
  | (?P<iso> (?<![\d.-])\d{4}-\d{1,2}-\d{1,2}T\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})? )
  | (?P<ymd> (?<![\d./-])\d{4}(?P<s1>[./-])\d{1,2}(?P=s1)\d{1,2}(?![\d./-]*\d) )
  | (?P<ym> (?<![\d./-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?![\d./-]*\d) )
  | (?P<dmy> (?<![\d./-])\d{1,2}(?P<s2>[./-])\d{1,2}(?P=s2)(?:\d{4}|(?<=/)\d{2})(?![\d./-]*\d) )
  | (?P<slashed> (?<![\d./-])\d{1,2}/\d{1,2}(?![\d./-]*\d) )
  | (?P<hhmm> (?<![\d.:：])\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?![\d:：]) | \d{1,2}\.\d{2}(?=\s?[ap]\.?m\b) )
  | (?P<ordinal> (?<![\d.])\d{1,2}(?:st|nd|rd|th)(?![A-Za-z\d]) )
  | (?P<decade> (?<![\d.])(?:\d{3}0|['’]?[2-9]0)['’]?s(?![A-Za-z\d]) )
  | (?P<quarter> (?<![\w])[QqHh][1-4](?![\w]) )
  | (?P<meridiem> (?:[ap]\.m\.|[AaPp][Mm])(?![A-Za-z]) )
  | (?P<number> (?<![\d.])\d+(?:\.\d+)?(?!\.?\d) )
  | (?P<skipped> ['’](?:s\b|(?=\s)) | (?<=[A-Za-z\d])-(?=[A-Za-z]) )
  | (?P<punctuation> [,，、~～–—-] )
  | (?P<word> [A-Za-z]+(?:['’]clock|\.(?=\s\d))? )
"""
_LONGEST_GAP = 3  # white space within an expression
_LONGEST_NUMBER = 20  # characters; what is longer counts nothing, and Python refuses to read thousands of digits
_LONGEST_RUN = 20  # tokens; what is longer is cut, so that the time taken grows with the text and not faster
# Numbers and these make no time by themselves, so a run of nothing else need not be read.
_EMPTY_WORDS = frozenset(["the", "of", "and", "a", "an", "-", ",", "，", "to", "in", "on", "for"])
_NUMBER_KINDS = frozenset({"<num>", "<ones>", "<tens>", "<spoken>", "<zhnum>", "<minute>"})
# "Three days after my birthday on 2 May": what happened then stands between the count and its date.
_BESIDE_EVENT = re.compile(r"\b(?:after|before|following|preceding)\s+$", re.IGNORECASE)
_EVENT = re.compile(r"(?:my|our|his|her|their|your)(?:\s+[A-Za-z'’]+){1,3}?\s+(?:on|in)(?=\s)", re.IGNORECASE)
_DASHES = dict.fromkeys("~～–—-", "-")


def chinese_number(text: str) -> int | None:
    """二十三 is 23, 二〇二六 is 2026, 一百零五 is 105; None for what is not one plain number (三四, 一两)."""
    if all(character in _DIGITS for character in text):
        long_enough = len(text) == 1 or len(text) == 4 or (len(text) == 2 and text[0] in "〇零")
        return int("".join(str(_DIGITS[character]) for character in text)) if long_enough else None
    total, digit, scale_before = 0, None, 10_000
    for character in text:
        if character in _TENFOLD:
            scale = _TENFOLD[character]
            if scale >= scale_before or digit == 0:
                return None
            total += (1 if digit is None else digit) * scale
            digit, scale_before = None, scale
        elif character in "〇零":
            digit = None
        elif digit is not None:
            return None
        else:
            digit = _DIGITS[character]
    return total + (digit or 0)


@cache
def _lexicon() -> dict[str, Entries]:
    """Entries by single word, each with the kind of its own name that literal words in rules ask for."""
    found = dict.fromkeys(time_grammar().words(), ()) | english_words() | chinese_words()
    return {word: ((word, None), *entries) for word, entries in found.items()}


@cache
def _phrases() -> dict[str, list[list[str]]]:
    """English phrases of several words by their first, the longest first."""
    found: dict[str, list[list[str]]] = {}
    for phrase in _lexicon():
        words = phrase.split()
        if len(words) > 1:
            found.setdefault(words[0], []).append(words)
    return {first: sorted(phrases, key=len, reverse=True) for first, phrases in found.items()}


@cache
def _scanner() -> re.Pattern[str]:
    guarded = []
    words = [word for word in _lexicon() if not word.isascii() and not set(word) <= set(_DIGITS) | set(_TENFOLD)]
    for word in sorted({*words, *(name for name in HOLIDAYS if not name.isascii())}, key=len, reverse=True):
        before = f"(?<!{NOT_BEFORE[word]})" if word in NOT_BEFORE else ""
        after = f"(?!{NOT_AFTER[word]})" if word in NOT_AFTER else ""
        guarded.append(f"{before}{re.escape(word)}{after}")
    chinese = rf"""
  | (?P<zhweekday> (?:周|星期|礼拜)(?P<index>[一二三四五六日天])(?!{NOT_AFTER_WEEKDAY}) )
  | (?P<chinese> {"|".join(guarded)} )
  | (?P<zhnumber> [〇零一二三四五六七八九十百千两]+ )
"""
    return re.compile(_PATTERN + chinese, re.VERBOSE)


def _numeric_date(parts: list[int]) -> Form | None:
    try:
        return calendar_day(date(*parts))
    except ValueError:
        return None


def _moment(text: str) -> Form | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return once(
        Grain.MINUTE,
        lambda ref: ref.instant(moment.astimezone(ref.zone) if moment.tzinfo else moment.replace(tzinfo=ref.zone)),
        is_absolute=True,
    )


def _as_time(form: Form | None) -> Entries:
    return (("<time>", form),) if form else ()


def _digits(text: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", text)]


def _day_month_year(text: str) -> Entries:
    first, second, year = _digits(text)
    return _as_time(day_in_either_order(first, second, year + 2000 if year < 100 else year))


def _slashed(text: str) -> Entries:
    first, second = _digits(text)
    form = day_in_either_order(first, second, None)
    return (("<dom>", form),) if form else ()


def _clock_time(text: str) -> Entries:
    hour, minute = _digits(text)[:2]
    # 09:30 and 21:30 leave no doubt about the half of the day, 9:30 does.
    return ((("<hhmm>", (hour, minute, not text.startswith("0")))),)


def _decade(text: str) -> Entries:
    number = _digits(text)[0]
    return (("<decade>", years(number if number >= 1000 else 1900 + number, 10)),) if number != 0 else ()


# Servers, tags and folders are called so as well: h1, q3. In lower case a year has to stand beside, or what times take.
_YEAR_BEFORE = re.compile(r"(?:19|20)\d\d\s?[/.,-]?\s?$")
_YEAR_BEHIND = re.compile(
    r"(?:\s?(?:to|and|[/–—-])\s?[qh][1-4])?\s?(?:of\s|in\s|[/,-])?\s?(?:19|20)\d\d(?!\w)",
    re.IGNORECASE,
)
_TIME_BEFORE = re.compile(
    r"\b(?:last|next|this|in|by|end of|start of|during|until|since|before|after)\s$", re.IGNORECASE
)
_NAME_BEFORE = re.compile(r"(?<![QHqh][1-4])[/\\<>:._@#]$")
_NAME_BEHIND = re.compile(r"/(?![QHqh][1-4]\b)|[\\<>]|[.:](?=\w)")


def _quarter(match: re.Match[str]) -> Entries:
    text, before, start = match[0], match.string[max(0, match.start() - 12) : match.start()], match.end()
    has_year = _YEAR_BEFORE.search(before) or _YEAR_BEHIND.match(match.string, start)
    if text.islower() and not has_year and not (text[0] == "q" and _TIME_BEFORE.search(before)):
        return ()
    if _NAME_BEFORE.search(before) and not _YEAR_BEFORE.search(before):
        return ()
    if _NAME_BEHIND.match(match.string, start) and not _YEAR_BEHIND.match(match.string, start):
        return ()
    number = int(text[1])
    if text[0] in "qQ":
        form = months_of_year(number * 3 - 2, 3, Grain.QUARTER)
    elif number <= 2:
        form = months_of_year(number * 6 - 5, 6, Grain.HALF)
    else:
        return ()
    return (("<cycle>", form), ("<time>", form))


def _number(text: str) -> Entries:
    if len(text) > _LONGEST_NUMBER:
        return ()
    value = float(text) if "." in text else int(text)
    if len(text) == 2 and text.startswith("0"):
        return (("<num>", value), ("<minute>", value))
    return (("<num>", value),) if value < 1_000_000 else ()


def _entries(kind: str, match: re.Match[str]) -> Entries:
    """What a match can be; nothing if it is no part of any time expression."""
    text = match[0]
    if kind == "zhweekday":
        form = WEEKDAYS[match["index"]]
        return (("<cycle>", form), ("<time>", form), ("<weekday>", form))
    if kind == "zhnumber":
        number = chinese_number(text)
        entries = (("<zhnum>", number),) if number is not None else ()
        if number is not None and len(text) == 2 and text[0] in "〇零":
            entries = (*entries, ("<minute>", number))
        return (*entries, (text, None)) if text in _lexicon() else entries
    if kind == "chinese":
        return _lexicon()[text]
    if kind in ("ymd", "ym", "iso"):
        parts = _digits(text)
        if kind == "iso":
            return _as_time(_moment(text))
        if kind == "ym":
            return _as_time(within(months_of_year(parts[1], 1, Grain.MONTH), years(parts[0])))
        return _as_time(_numeric_date(parts))
    if kind == "punctuation":
        comma = text == "," and re.match(r"\s*[^\W\d_a-zA-Z]", match.string[match.end() : match.end() + 4])
        return (("，" if comma else _DASHES.get(text, text), None),)
    if kind == "meridiem":
        return ((text[0].lower() + "m", None),)
    if kind == "ordinal":
        return (("<ord>", int(text[:-2])),)
    if kind == "quarter":
        return _quarter(match)
    readers = {
        "dmy": _day_month_year, "slashed": _slashed, "hhmm": _clock_time, "decade": _decade,
        "number": _number,
    }  # fmt: skip
    return readers[kind](text) if kind in readers else ()


def _is_verb(text: str, word: str, end: int) -> bool:
    """may and march in lower case are months only beside a number: may 5th, 5 may."""
    if text not in ("may", "march"):
        return False
    return not re.match(r"\s+(?:the\s+)?\d", word[end : end + 8])


_CLOCK_LINE = re.compile(r"\s*(?:\d{1,2}[:.]\d{2}\s*)+")


def scan(text: str) -> Iterator[Run]:
    """Runs of neighbouring tokens, in order."""
    run: Run = []
    position = 0
    for token in _tokens(text):
        gap = text[position : token.start] if run else ""
        if run and (
            gap.strip()
            or len(gap) > _LONGEST_GAP
            or "\n\n" in gap
            or len(run) >= _LONGEST_RUN
            or not token.entries
            or ("\n" in gap and _stands_alone(text, position))
        ):
            yield run
            run = []
        if token.entries and token.entries[0][0] != "skip":
            run.append(token)
        position = token.end
    if run:
        yield run


def _stands_alone(text: str, end: int) -> bool:
    """Whether the line that ends here holds nothing but clock times, as beside the entries of a list."""
    return _CLOCK_LINE.fullmatch(text, text.rfind("\n", 0, end) + 1, end) is not None


def has_time_word(run: Run) -> bool:
    """Whether a run holds more than numbers and small words."""
    return any(
        kind not in _NUMBER_KINDS and kind not in _EMPTY_WORDS and not kind.isdigit()
        for token in run
        for kind, _ in token.entries
    )


def _tokens(text: str) -> Iterator[Token]:
    scanner = _scanner()
    position = 0
    is_after_day = False  # the last word was a weekday or a month: the hyphen of Mon-Fri means "to"
    while match := scanner.search(text, position):
        kind = match.lastgroup or ""
        if kind == "word":
            token = _event(text, match) or _word(text, match)
        elif kind == "skipped" and not (match[0] == "-" and is_after_day):
            token = Token(start=match.start(), end=match.end(), entries=(("skip", None),))
        else:
            entries: Entries = (("-", None),) if kind == "skipped" else _entries(kind, match)
            token = Token(start=match.start(), end=match.end(), entries=entries)
        position = token.end
        is_after_day = any(each in ("<weekday>", "<month>") for each, _ in token.entries)
        yield token


def _event(text: str, match: re.Match[str]) -> Token | None:
    event = _EVENT.match(text, match.start())
    if event is None or not _BESIDE_EVENT.search(text[max(0, match.start() - 12) : match.start()]):
        return None
    return Token(start=match.start(), end=event.end(), entries=(("<event>", None),))


def _word(text: str, match: re.Match[str]) -> Token:
    word, end = _longest_phrase(text, match)
    is_verb = _is_verb(text[match.start() : end], text, end) and not _after_number(text, match.start())
    return Token(start=match.start(), end=end, entries=() if is_verb else _lexicon().get(word, ()))


def _after_number(text: str, start: int) -> bool:
    return bool(re.search(r"\d(?:st|nd|rd|th)?(?:\s+of)?\s+$", text[max(0, start - 10) : start]))


_SEPARATOR = re.compile(r"(?:['’]s?)?(?:[ \t]+|-|\n(?!\n))(?=[A-Za-z\d])|(?<=\bSt)\.\s", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+|\d+[a-z]*")


def _longest_phrase(text: str, match: re.Match[str]) -> tuple[str, int]:
    """The word at a match, or the longest known phrase that starts with it, and where it ends."""
    first = match[0].lower().rstrip(".").replace("’", "'")
    for phrase in _phrases().get(first, ()):
        position = match.end()
        for word in phrase[1:]:
            separator = _SEPARATOR.match(text, position)
            following = _WORD.match(text, separator.end()) if separator else None
            if not following or following[0].lower() != word:
                break
            position = following.end()
        else:
            return " ".join(phrase), position
    return first, match.end()
