"""The invented rows of a bench, all from one seed: who has how many, what they say, and what is asked. Pure.

A user's rows come in batches, as they do in life: some messages of one topic and the memories that rest on them. The
batches of all users are shuffled, so that nobody's rows lie together on disk. Half of the questions hold a word of
daily life (food, home, work) as half of LoCoMo's do, and so are searched together with up to three probes of
retrieval/bridges.py; half name a month, so that all arms work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.resources import files
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mirix.memory.record import MemoryKind

Floats = NDArray[np.float32]

DIMENSIONS = 384
MODEL = "bench"  # what the rows name as their embedder
START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 730
BATCH_MESSAGES, BATCH_MEMORIES = 4, 6
_BATCH = BATCH_MESSAGES + BATCH_MEMORIES
_KINDS = (*MemoryKind,)
_KIND_SHARES = (0.002, 0.42, 0.33, 0.083, 0.083, 0.082)  # of the memories, in the order of MemoryKind
_CHINESE_SHARE = 0.25  # of the batches
_LONG_SHARE = 0.05  # of the batches: mails, notes
_SUPERSEDED_SHARE = 0.05  # of the memories that have a later one of their kind in the batch
_TOPICS = 512
_USER_TOPICS = 12
# How near rows are to those of their topic and batch: cosines of 0.36 and 0.61, as sentences of one subject have.
_TOPIC, _OCCASION, _OWN = 0.6, 0.5, 0.62
_NEAR = 0.75  # cosine of a question with the row it is about
_WORDS, _HAN_WORDS = 60_000, 3_000
_ZIPF_SHIFT = 5.0  # the commonest word then stands in a fifth of the texts
_DAILY_RANKS = (50, 3_000)  # of the words that bridges.py searches for
_TOPIC_WORDS = 300
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A message (kind None) or a memory."""

    id: UUID
    kind: MemoryKind | None
    text: str
    at: datetime
    place: int  # among the rows of its batch
    sources: tuple[int, ...] = ()  # places of messages
    superseded_by: int | None = None  # place of the memory that took its place
    is_outdated: bool = False


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one user told on one occasion, and what was kept of it."""

    user: int  # from 1
    number: int  # among the batches of the user
    rows: tuple[Row, ...]
    vectors: Floats  # (rows, DIMENSIONS)
    windows: Floats  # (messages, DIMENSIONS)


@dataclass(frozen=True, kw_only=True)
class Question:
    user: int
    text: str


def user_sizes(rows: int, users: int) -> list[int]:
    """How many rows each user has, the biggest first, by Zipf's law; at least one batch each."""
    shares = 1 / np.arange(1, users + 1)
    sizes = np.maximum(_BATCH, np.round(rows * shares / shares.sum() / _BATCH) * _BATCH).astype(int)
    sizes[0] = max(_BATCH, sizes[0] + (rows - int(sizes.sum())) // _BATCH * _BATCH)
    return [int(size) for size in sizes]


class World:
    """All that can be drawn from one seed."""

    def __init__(self, rows: int, users: int, seed: int) -> None:
        self.seed = seed
        self.sizes = user_sizes(rows, users)
        self._random = np.random.default_rng(seed)
        self._topics = _unit(self._random.standard_normal((_TOPICS, DIMENSIONS), dtype=np.float32))
        self._words = _words(self._random)
        self._han = _han_words(self._random)

    @cached_property
    def _order(self) -> NDArray[np.int32]:
        """The user of each batch, in the order of arrival."""
        users = np.repeat(np.arange(1, len(self.sizes) + 1, dtype=np.int32), [size // _BATCH for size in self.sizes])
        self._random.shuffle(users)
        return users

    @property
    def batch_count(self) -> int:
        return len(self._order)

    def batches(self) -> Iterator[Batch]:
        """All batches in the order of arrival; to be walked through once."""
        numbers: dict[int, int] = {}
        step = timedelta(days=DAYS) / max(1, len(self._order))
        for place, user in enumerate(self._order.tolist()):
            number = numbers[user] = numbers.get(user, -1) + 1
            yield self._batch(user, number, START + place * step)

    def _batch(self, user: int, number: int, at: datetime) -> Batch:
        random = self._random
        topic = int((user * 31 + random.integers(_USER_TOPICS) * 97) % _TOPICS)
        occasion = _unit(random.standard_normal(DIMENSIONS, dtype=np.float32))
        own = _unit(random.standard_normal((_BATCH, DIMENSIONS), dtype=np.float32))
        vectors = _unit(_TOPIC * self._topics[topic] + _OCCASION * occasion + _OWN * own)
        said = vectors[:BATCH_MESSAGES]
        around = said.copy()
        around[1:] += said[:-1]
        around[:-1] += said[1:]
        return Batch(user=user, number=number, rows=self._rows(topic, at), vectors=vectors, windows=_unit(around))

    def _rows(self, topic: int, at: datetime) -> tuple[Row, ...]:
        random = self._random
        texts = self._texts(topic, is_chinese=bool(random.random() < _CHINESE_SHARE))
        times = [at + timedelta(minutes=place) for place in range(_BATCH)]
        ids = [_id(moment, random.bytes(10)) for moment in times]
        kinds = [_KINDS[each] for each in np.sort(random.choice(len(_KINDS), BATCH_MEMORIES, p=_KIND_SHARES))]
        replaced = self._replaced(kinds)
        rows = [
            Row(
                id=ids[place],
                kind=kind,
                text=texts[place],
                at=times[place],
                place=place,
                sources=((place % BATCH_MESSAGES),),
                superseded_by=replaced.get(place),
                is_outdated=place in replaced,
            )
            for place, kind in enumerate(kinds, BATCH_MESSAGES)
        ]
        outdated = {row.sources[0] for row in rows if row.is_outdated} - {
            row.sources[0] for row in rows if not row.is_outdated
        }
        messages = [
            Row(
                id=ids[place], kind=None, text=texts[place], at=times[place], place=place, is_outdated=place in outdated
            )
            for place in range(BATCH_MESSAGES)
        ]
        return (*messages, *rows)

    def _replaced(self, kinds: Sequence[MemoryKind]) -> dict[int, int]:
        """Places of superseded memories, each with that of the memory that took its place."""
        pairs = [place for place in range(len(kinds) - 1) if kinds[place] is kinds[place + 1]]
        return {
            place + BATCH_MESSAGES: place + BATCH_MESSAGES + 1
            for place in pairs
            if self._random.random() < _SUPERSEDED_SHARE
        }

    def _texts(self, topic: int, *, is_chinese: bool) -> list[str]:
        words, counts = (self._han, (4, 14)) if is_chinese else (self._words, (6, 26))
        lengths = self._random.integers(*counts, size=_BATCH)
        if self._random.random() < _LONG_SHARE:
            lengths *= 8
        ranks = words.draw(self._random, int(lengths.sum()), topic)
        separator, end = ("", "。") if is_chinese else (" ", ".")
        ends = np.cumsum(lengths).tolist()
        return [
            separator.join(words.listed[rank] for rank in ranks[last - length : last]) + end
            for last, length in zip(ends, lengths.tolist(), strict=True)
        ]

    def questions(self, asked: Sequence[tuple[int, str, Floats]]) -> tuple[list[Question], Floats]:
        """A question on each row (user, text, vector), and the vectors of the questions."""
        random = np.random.default_rng(self.seed + 1)
        found = [
            Question(user=user, text=_question(random, text, place)) for place, (user, text, _) in enumerate(asked)
        ]
        about = np.stack([vector for _, _, vector in asked]) if asked else np.zeros((0, DIMENSIONS), dtype=np.float32)
        noise = _unit(random.standard_normal(about.shape, dtype=np.float32))
        return found, _unit(_NEAR * about + float(np.sqrt(1 - _NEAR**2)) * noise)


@dataclass(frozen=True, kw_only=True)
class _Vocabulary:
    listed: list[str]  # the commonest first
    shares: NDArray[np.float64]  # cumulative

    def draw(self, random: np.random.Generator, count: int, topic: int) -> list[int]:
        """Ranks of words: two of three as anybody talks, the third of the topic."""
        ranks = np.searchsorted(self.shares, random.random(count))
        spread = np.random.default_rng(topic).integers(len(self.listed) // 50, len(self.listed), _TOPIC_WORDS)
        of_topic = spread[(random.random(count) ** 2 * _TOPIC_WORDS).astype(int)]
        chosen: list[int] = np.where(random.random(count) < 2 / 3, ranks, of_topic).tolist()
        return chosen


def _words(random: np.random.Generator) -> _Vocabulary:
    """Invented words, and among them those that a question of daily life is searched with."""
    starts = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
    pieces = random.integers(len(starts), size=(2 * _WORDS, 4))
    lengths = random.integers(2, 5, 2 * _WORDS)
    made = dict.fromkeys("".join(starts[x] for x in row[:n]) for row, n in zip(pieces, lengths, strict=True))
    listed = list(made)[:_WORDS]
    daily = _daily_words()
    for rank, word in zip(random.choice(np.arange(*_DAILY_RANKS), len(daily), replace=False), daily, strict=True):
        listed[rank] = word
    return _Vocabulary(listed=listed, shares=_zipf(len(listed)))


def _daily_words() -> list[str]:
    lines = files("mirix.retrieval").joinpath("bridges.jsonl").read_text(encoding="utf-8").splitlines()
    found = {word for line in lines for probe in json.loads(line)["find"] for word in probe.split() if word.isascii()}
    return sorted(found)


def _han_words(random: np.random.Generator) -> _Vocabulary:
    """Words of two characters out of two thousand."""
    first = random.integers(0x4E00, 0x4E00 + 2_000, size=(2 * _HAN_WORDS, 2))
    listed = list(dict.fromkeys(chr(a) + chr(b) for a, b in first.tolist()))[:_HAN_WORDS]
    return _Vocabulary(listed=listed, shares=_zipf(len(listed)))


def _zipf(count: int) -> NDArray[np.float64]:
    weights = 1 / (np.arange(count) + _ZIPF_SHIFT)
    shares: NDArray[np.float64] = np.cumsum(weights / weights.sum())
    shares[-1] = 1.0
    return shares


def _question(random: np.random.Generator, text: str, place: int) -> str:
    month = int(random.integers(len(_MONTHS)))
    if not text.isascii():
        start = int(random.integers(max(1, len(text) - 6)))
        daily = ("晚饭吃了", "", "回家的路上", "")[place % 4]
        when = f"2025年{month + 1}月" if place % 2 else ""
        return f"{when}{daily}{text[start : start + 6].strip('。')}是什么？"
    words = text.strip(".").split()
    chosen = random.choice(words, min(len(words), int(random.integers(3, 7))), replace=False)
    daily = ("for dinner ", "", "at the restaurant with my family ", "")[place % 4]
    when = f" in {_MONTHS[month]} 2025" if place // 2 % 2 else ""
    return f"What did I say {daily}about {' '.join(chosen)}{when}?"


def _id(moment: datetime, rest: bytes) -> UUID:
    """A UUIDv7 of a moment."""
    head = int(moment.timestamp() * 1000).to_bytes(6, "big")
    raw = bytearray(head + rest)
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(raw))


def _unit(vectors: Floats) -> Floats:
    scaled: Floats = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return scaled
