"""Where on a picture the words stand that answer. Pure: recognised lines and words in, a few boxes out.

A line is worth the rare words that it shares with what is wanted; a word that stands on every line tells nothing. What
stands beside it or right above it (the label of a value, the head of a mail) decides between lines that say the same.

    answer   the words of the answer that the question does not hold are the value: the lines that hold it
    query    nobody knows the value: the line that shares most with the query, by its own words or those of the label
             beside or above it, and holds more than these, of the form that is asked for (a number, a time)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from uuid import UUID

from mirix.retrieval.forms import Form, forms_asked
from mirix.text.analyser import tokens

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

MOST_BOXES = 3
# What a word is worth by where it comes from.
VALUE, SAID, ASKED = 3.0, 1.0, 0.5
FEW_WORDS = 8  # of an answer that gives a value and little else
NEAR = 3  # words round a word of the question
TOLD = 0.3  # of the worth of the best line, for a line that stands in the memory
LABELLED = 0.8  # of what a label is worth, counted for its value
UNFIT = 0.3  # of the worth of a line that does not hold what is asked for
BESIDE = 0.35  # of what the lines around a line are worth, counted for it
FURTHER = 0.5  # of the gain of the first line that a further one has to bring
FURTHER_NEAR = 0.25  # where it stands right below or above one that was taken: a sentence over two lines
QUOTE_SHARE = 0.5  # of the words of a line that a quote must hold, for the line to be a part of it
LEAST_RUN = 3  # characters of a value that is looked for without regard to spaces
SOURCE_SHARE = 0.4  # of the words of "who …" or "in which program …" that are to stand where it was said
LINE_GAP = 1.6  # heights of a line, up to which the next one belongs to it

_ASKS_TIME = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:time|day|date)\b|何时|几[点号月时]|哪[天日]|什么时[候间]", re.IGNORECASE
)
_ASKS_CODE = re.compile(
    r"\b(?:number|code|price|costs?|total|plate|pin|version|address|amount)\b|编号|号码|单号|密码|价格|多少|总[计共]|合计",
    re.IGNORECASE,
)
_ASKS_SOURCE = re.compile(
    r"\bwho(?:m|se)?\b|\b(?:which|what) (?:app|application|program|window|website|site)\b"
    r"|谁|哪个(?:应用|程序|软件|窗口|网站)",
    re.IGNORECASE,
)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TIME = re.compile(
    rf"\d[:：]\d\d|\d{{4}}-\d\d|\b\d{{1,2}}[./]\d{{1,2}}\b|\b{_MONTH}\.? \d|\d {_MONTH}|\d ?(?:am|pm)\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|[\d一二三四五六七八九十] ?[月日号点]|周[一二三四五六日末]|星期",
    re.IGNORECASE,
)
_VALUE = re.compile(r"\d(?:[\w.,:/-]*\w)?", re.ASCII)  # a number, without its currency and full stop
_YEAR = re.compile(r"(?:19|20)\d\d")  # of a resolved date: seldom on the screen
_DIGIT = re.compile(r"[\d〇零一二三四五六七八九十]")


@lru_cache(maxsize=1 << 13)
def _words_of(text: str) -> frozenset[str]:
    """Kept, for most lines of a screen stand on the next one too."""
    return frozenset(tokens(text))


@dataclass(frozen=True, kw_only=True, eq=False)  # the same words in another place are another line
class FrameLine:
    """A recognised line. Where it held a secret its text is sealed and its pixels are painted over."""

    text: str
    box: Box

    @cached_property
    def words(self) -> frozenset[str]:
        return _words_of(self.text)

    @property
    def height(self) -> int:
        return max(self.box[3] - self.box[1], 1)


@dataclass(frozen=True, kw_only=True)
class FramePlace:
    """The picture behind a hit or a citation, and where on it the words stand that answer."""

    message_id: UUID  # of the frame
    application: str | None
    title: str | None  # of the window
    at: datetime
    width: int  # pixels
    height: int
    boxes: tuple[Box, ...]  # from top to bottom, at most MOST_BOXES; empty: the words are not on it


def boxes_for_quote(lines: Sequence[FrameLine], quote: str) -> tuple[Box, ...]:
    """The one line that holds a quote as it stands, or the fewest that hold its words between them."""
    flat = _flat(quote)
    whole = [line for line in lines if flat and flat in _flat(line.text)]
    if whole:
        return (whole[0].box,)
    wanted = frozenset(tokens(quote))
    fitting = [line for line in lines if line.words and len(line.words & wanted) >= QUOTE_SHARE * len(line.words)]
    return _boxes(_covering(fitting, dict.fromkeys(wanted, 1.0), {}, wanted, most=len(fitting), least=0.0))


def boxes_for_answer(lines: Sequence[FrameLine], *, question: str, said: str, quote: str = "") -> tuple[Box, ...]:
    """Where an answer stands. `said` is what it says, `quote` the sentence of its source that is nearest to that.

    An answer that is not on the picture (counted, or misread by the recogniser) has the place of its question.
    """
    asked, told, quoted = (frozenset(tokens(text)) for text in (question, said, quote))
    weights = dict.fromkeys(asked, ASKED) | dict.fromkeys(quoted | (told & asked), SAID) | _told_weights(said, asked)
    whole = _holding_flat(lines, [said])
    values = [value for value in _VALUE.findall(said) if value not in question]
    holding = whole or [line for line in lines if any(_holds(line.text, value) for value in values)]
    # What shares only words of the question with a line tells no answer, unless the answer is made of them.
    sought = told - asked if any(line.words & (told - asked) for line in lines) else told or quoted
    near = _near_to(lines, holding) if holding else lines
    most = 1 if whole else MOST_BOXES
    found = _covering(near, weights, _rarity(lines, weights), sought, around=lines, first_of=holding, most=most)
    found = [line for line in found if line in holding or line.words & (sought | quoted)]
    if not found:
        return boxes_for_query(lines, question, quote)
    if _ASKS_SOURCE.search(question):
        found += _what_was_said(lines, found[0], asked)
    return _boxes(found[:MOST_BOXES])


def _what_was_said(lines: Sequence[FrameLine], name: FrameLine, asked: frozenset[str]) -> list[FrameLine]:
    """The line that holds most words of the question, rather beside the name, where the name has none of them."""
    if name.words & asked:
        return []
    told = [line for line in lines if len(line.words & asked) >= SOURCE_SHARE * len(asked)]
    return [max(told, key=lambda line: len(line.words & asked) + _is_beside(name, line))] if told else []


def _told_weights(said: str, asked: frozenset[str]) -> dict[str, float]:
    """Of a long answer, which quotes more than was asked for, what stands near the words of the question counts."""
    words = tokens(said)
    weights = {word: SAID if _YEAR.fullmatch(word) else VALUE for word in words if word not in asked}
    places = [place for place, word in enumerate(words) if word in asked]
    if len(set(words)) <= FEW_WORDS or not places:
        return weights
    near = {word for place in places for word in words[max(place - NEAR, 0) : place + NEAR + 1]}
    return {word: weight if word in near else ASKED for word, weight in weights.items()} | dict.fromkeys(
        near & asked, VALUE
    )


def boxes_for_query(lines: Sequence[FrameLine], query: str, told: str = "") -> tuple[Box, ...]:
    """Where a query is likely answered. `told` is what a memory tells that was made of the picture."""
    asked, wanted = frozenset(tokens(query)), _form_of(query)
    rarity = _rarity(lines, asked)
    own = {line: sum(rarity[word] for word in line.words & asked) for line in lines}
    if told:
        of_memory, most = frozenset(tokens(told)), max(own.values(), default=0.0) or 1.0
        own = {
            line: worth + TOLD * most * len(line.words & of_memory) / (len(line.words) or 1)
            for line, worth in own.items()
        }
    labels = [line for line in lines if line.words & asked]
    found: list[tuple[float, FrameLine, FrameLine | None]] = []
    for line in lines:
        label = max(_labels(line, labels), key=lambda other: own[other], default=None)
        worth = own[line] + (LABELLED * own[label] if label else 0.0)
        if worth > 0.0:
            found.append((worth * (1.0 if _answers(line, wanted, asked) else UNFIT), line, label))
    if not found:
        return ()
    _, best, label = max(found, key=lambda each: each[0])
    return _boxes([best, *([label] if label and own[label] > own[best] else [])])


def _covering(
    lines: Sequence[FrameLine],
    weights: Mapping[str, float],
    rarity: Mapping[str, float],
    further: frozenset[str],
    *,
    around: Sequence[FrameLine] = (),
    first_of: Sequence[FrameLine] = (),
    most: int = MOST_BOXES,
    least: float = FURTHER,
) -> list[FrameLine]:
    """The fewest lines that hold what is wanted between them, the best first: one of `first_of`, where there are any.

    From the second on the words that count are those of `further`.
    """

    def worth(words: Iterable[str]) -> float:
        return sum(weights[word] * rarity.get(word, 1.0) for word in words if word in weights)

    telling = [line for line in around if not line.words.isdisjoint(weights)]
    context = {line: worth(_context(line, telling) - line.words) for line in lines if line in telling}
    missing = set(weights)
    chosen: list[FrameLine] = []
    first = 0.0
    while len(chosen) < most:
        open_to = first_of if first_of and not chosen else lines
        gains = {line: worth(line.words & missing) for line in open_to if line not in chosen}
        best = max(gains, key=lambda line: gains[line] and gains[line] + BESIDE * context.get(line, 0.0), default=None)
        if best is None or (gains[best] <= 0.0 and best not in first_of):
            break
        share = FURTHER_NEAR if any(_is_next(best, line) for line in chosen) else least
        if chosen and gains[best] < min(share, least) * first:
            break
        first = first or gains[best]
        missing = (missing & further) - best.words
        chosen.append(best)
    return chosen


def _rarity(lines: Sequence[FrameLine], words: Iterable[str]) -> dict[str, float]:
    """By word that stands on the picture: how little it is spread over the lines."""
    counts = ((word, sum(word in line.words for line in lines)) for word in words)
    return {word: math.log(1 + len(lines) / count) for word, count in counts if count}


def _context(line: FrameLine, lines: Sequence[FrameLine]) -> frozenset[str]:
    return frozenset[str]().union(*(other.words for other in lines if other != line and _is_beside(line, other)))


def _is_beside(line: FrameLine, other: FrameLine) -> bool:
    return _is_in_row(line, other) or _is_next(line, other)


def _is_in_row(line: FrameLine, other: FrameLine) -> bool:
    common = min(line.box[3], other.box[3]) - max(line.box[1], other.box[1])
    return common >= 0.5 * min(line.height, other.height)


def _is_next(line: FrameLine, other: FrameLine) -> bool:
    """Right above or below, in the same column."""
    gap = max(line.box[1] - other.box[3], other.box[1] - line.box[3])
    overlaps = min(line.box[2], other.box[2]) - max(line.box[0], other.box[0]) > 0
    return overlaps and not _is_in_row(line, other) and gap <= LINE_GAP * max(line.height, other.height)


def _labels(line: FrameLine, lines: Sequence[FrameLine]) -> Iterator[FrameLine]:
    """What a line may be the value of: left of it in its row, or right above it."""
    for other in lines:
        is_left = other.box[2] <= line.box[0] and _is_in_row(line, other)
        if is_left or (other.box[1] < line.box[1] and _is_next(line, other)):
            yield other


def _form_of(query: str) -> re.Pattern[str] | None:
    """How that looks what a query asks for; None: like anything."""
    if _ASKS_TIME.search(query):
        return _TIME
    return _DIGIT if Form.NUMBER in forms_asked(query) or _ASKS_CODE.search(query) else None


def _answers(line: FrameLine, form: re.Pattern[str] | None, asked: frozenset[str]) -> bool:
    """Whether a line says something beside the words of the query, of the form that it asks for."""
    further = " ".join(word for word in line.words if word not in asked)
    if form is _TIME:
        return _TIME.search(line.text) is not None
    return bool(form.search(further) if form else further) and not line.text.rstrip().endswith((":", "：", "?", "？"))


def _near_to(lines: Sequence[FrameLine], holding: Sequence[FrameLine]) -> list[FrameLine]:
    return [line for line in lines if line in holding or any(_is_beside(line, other) for other in holding)]


def _holds(text: str, value: str) -> bool:
    return re.search(rf"(?<![0-9.,:]){re.escape(value)}(?![0-9])", text) is not None


def _holding_flat(lines: Sequence[FrameLine], values: Iterable[str]) -> list[FrameLine]:
    flat = [value for value in map(_flat, values) if len(value) >= LEAST_RUN]
    return [line for line in lines if any(value in _flat(line.text) for value in flat)]


def _flat(text: str) -> str:
    """Without spaces, which recognisers lose and invent."""
    return "".join(text.casefold().split()).rstrip(".。")


def _boxes(lines: Iterable[FrameLine]) -> tuple[Box, ...]:
    return tuple(sorted({line.box for line in lines}, key=lambda box: (box[1], box[0])))
