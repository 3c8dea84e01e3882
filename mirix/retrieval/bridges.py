"""From what a turn talks about to what the memory may hold on it. Pure; the table is data: `bridges.jsonl`.

"Pick me something from the menu" shares no word with "nuts make my throat swell". A slot of daily life (diet, drink,
home, network …) ties the words of such turns to the words such memories are told in. Each line of the table is one slot
in one language: `turn` lists words and phrases of a turn, `find` lists probes, one search each; `latest` marks slots of
which one value holds at a time (latest.py). All phrases are invented.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from mirix.retrieval.latest import Latest
from mirix.text.analyser import tokens
from mirix.text.chunks import HAN
from mirix.text.dates import TimeMention, find_mentions

MAX_PROBES = 6
_HAN = re.compile(f"[{HAN}]")

_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CHINESE_DIGITS = "一二三四五六日"


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """Something else to search for than the words of the turn."""

    text: str
    slot: str
    latest: Latest | None = None  # where one value of the slot holds at a time


@dataclass(frozen=True, kw_only=True)
class _Slot:
    name: str
    is_chinese: bool
    words: frozenset[str]  # English: single words, stemmed
    phrases: tuple[str, ...]  # of several words, and all of Chinese, as they stand
    find: tuple[str, ...]
    latest: Latest | None


def is_chinese(text: str) -> bool:
    """Whether a text is read as Chinese: it holds a Han character."""
    return _HAN.search(text) is not None


@cache
def _slots() -> tuple[_Slot, ...]:
    lines = resources.files(__package__).joinpath("bridges.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_slot(**json.loads(line)) for line in lines)


@cache
def probes_of_the_table() -> frozenset[str]:
    """All that is searched for any turn, but for the names of days."""
    return frozenset(text for slot in _slots() for text in slot.find)


def _slot(slot: str, lang: str, turn: Sequence[str], find: Sequence[str], latest: str | None = None) -> _Slot:
    chinese = lang == "zh"
    return _Slot(
        name=slot,
        is_chinese=chinese,
        words=frozenset(token for word in turn if not chinese and " " not in word for token in tokens(word)[:1]),
        phrases=tuple(phrase for phrase in turn if chinese or " " in phrase),
        find=tuple(find),
        latest=Latest(latest) if latest else None,
    )


def bridge(turn: str, at: datetime, timezone: str) -> list[Bridge]:
    """Probes for a turn, at most MAX_PROBES, in the language of the turn; the slots it names most often first.

    The days it names are probes too, by their names: "the 7th" finds what is on every Tuesday.
    """
    chinese = is_chinese(turn)
    text = " ".join(unicodedata.normalize("NFKC", turn).casefold().split())
    words = frozenset(tokens(turn))
    counted = [(_count(slot, text, words), slot) for slot in _slots() if slot.is_chinese == chinese]
    chosen = [slot for count, slot in sorted(counted, key=lambda each: -each[0]) if count]
    probes = [Bridge(text=day, slot="day") for day in dict.fromkeys(_days(turn, at, timezone, is_chinese=chinese))]
    depth = max((len(slot.find) for slot in chosen), default=0)
    probes += [
        Bridge(text=slot.find[level], slot=slot.name, latest=slot.latest)
        for level in range(depth)
        for slot in chosen
        if level < len(slot.find)
    ]
    return probes[:MAX_PROBES]


@lru_cache(maxsize=8)
def times_named(text: str, at: datetime, timezone: str) -> tuple[TimeMention, ...]:
    """The times that a text names: asked more than once in a search."""
    return tuple(find_mentions(text, at, timezone))


def _count(slot: _Slot, text: str, words: frozenset[str]) -> int:
    """How many of a slot's words a turn holds."""
    return len(slot.words & words) + sum(phrase in text for phrase in slot.phrases)


def _days(turn: str, at: datetime, timezone: str, *, is_chinese: bool) -> Iterator[str]:
    """The days that a turn names, as habits and plans are told."""
    zone = ZoneInfo(timezone)
    for mention in times_named(turn, at, timezone):
        start, end = mention.range.start.astimezone(zone), mention.range.end.astimezone(zone)
        if (end - start).days > 1:
            continue
        if is_chinese:
            day = _CHINESE_DIGITS[start.weekday()]
            yield f"每周{day} 周{day} 星期{day}"
        else:
            yield f"every {_ENGLISH_DAYS[start.weekday()]}"
