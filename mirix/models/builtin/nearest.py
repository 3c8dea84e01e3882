"""Which kinds of memory a text resembles, learnt at load from the labelled sentences in `examples.jsonl`.

Kernel ridge regression over the examples: every example votes with a weight that the closed form finds, so "what the
model knows is data". The kernel is a weighted sum of cosines: hand-made signals (and their square), n-grams (idf-
weighted) and, for English, sentence vectors when an embedder is given. A few hundred examples need one solve of a
matrix of that size (milliseconds); the same examples always give the same model.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mirix.models.builtin.language import is_chinese, ngrams, plain
from mirix.models.builtin.signals import SIGNAL_NAMES, read_signals
from mirix.models.builtin.vectors import EmbedTexts, example_vectors

KINDS: Final = ("core", "episodic", "semantic", "procedural", "resource", "vault")
Floats = NDArray[np.float64]
EmbedAll = Callable[[Sequence[str]], NDArray[np.float32] | NDArray[np.float64]]

# Weights in the kernel and the ridge: the best of a coarse grid by leave-one-out over the examples (mean squared
# error 0.0476 with sentence vectors,
# 0.0510 without). The squared signals let two signals together mean what neither means alone.
_SIGNAL_WEIGHT, _SIGNAL_SQUARE_WEIGHT, _NGRAM_WEIGHT, _VECTOR_WEIGHT = 1.0, 1.0, 0.8, 0.8
_RIDGE = 1.5
# How much worse a false alarm is than a miss, as rates. An exchange noted as an event is never an error, so events
# are cheap.
_FALSE_ALARM_COST = {"core": 1.4, "episodic": 0.8, "semantic": 1.4, "procedural": 2.0, "resource": 3.0, "vault": 3.0}
_LOWEST_THRESHOLD = 0.3


@dataclass(frozen=True, kw_only=True)
class Example:
    """One labelled text."""

    text: str
    kinds: frozenset[str]  # kinds it must reach
    optional: frozenset[str]  # kinds that are right either way
    before: str  # what was said just before; "" when nothing matters


@lru_cache(maxsize=1)
def load_examples() -> tuple[Example, ...]:
    """The labelled sentences that ship with the package."""
    lines = resources.files(__package__).joinpath("examples.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(
        Example(
            text=row["text"],
            kinds=frozenset(row["kinds"]),
            optional=frozenset(row.get("optional", ())),
            before=row.get("before", ""),
        )
        for row in map(json.loads, lines)
    )


@lru_cache(maxsize=1)
def plain_nearest() -> NearestExamples:
    """The examples without sentence vectors: the same for everybody, so it is learnt once in a process."""
    return NearestExamples(load_examples())


class NearestExamples:
    """How much a text belongs to each of the six kinds, as a margin: above 0 it does, about +0.6 it plainly does."""

    def __init__(self, examples: Sequence[Example], embed: EmbedTexts | None = None) -> None:
        texts = [example.text for example in examples]
        idf = _idf(texts)
        self._embed = embed
        self._dimension = 0
        self._vocabulary = {gram: position for position, gram in enumerate(sorted(idf))}
        self._weights = np.array([idf[gram] for gram in sorted(idf)])
        rows = _signal_rows(texts)
        self._signal_mean = rows.mean(axis=0)
        self._signal_scale = 1.0 / np.sqrt(rows.var(axis=0) + 0.05)
        learn = (lambda english: example_vectors(english, embed)) if embed is not None else None
        self._rows = self._features(texts, learn)
        targets = np.array([[_target(example, kind) for kind in KINDS] for example in examples])
        self._mean = targets.mean(axis=0)
        kernel = self._compare(self._rows)
        self._solution = np.linalg.solve(kernel + _RIDGE * np.eye(len(examples)), targets - self._mean)
        self.left_out = _leave_one_out(kernel, targets)
        self._thresholds = np.array(
            [_threshold(kind, self.left_out[:, column], examples) for column, kind in enumerate(KINDS)]
        )

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Margins per kind of each text."""
        if not texts:
            return []
        margins = self._compare(self._features(texts, self._embed)) @ self._solution + self._mean - self._thresholds
        return [dict(zip(KINDS, row.tolist(), strict=True)) for row in margins]

    def left_out_margins(self) -> Floats:
        """(examples, kinds): the margins each example would have had it not been among the examples (cross-
        validation).
        """
        return np.asarray(self.left_out - self._thresholds)

    def _features(self, texts: Sequence[str], embed: EmbedAll | None) -> tuple[Floats, Floats, Floats]:
        return self._scaled(_signal_rows(texts)), self._gram_rows(texts), self._vector_rows(texts, embed)

    def _compare(self, rows: tuple[Floats, Floats, Floats]) -> Floats:
        signals, grams, vectors = (mine @ known.T for mine, known in zip(rows, self._rows, strict=True))
        kernel = _SIGNAL_WEIGHT * signals + _SIGNAL_SQUARE_WEIGHT * signals**2 + _NGRAM_WEIGHT * grams
        return np.asarray(kernel + _VECTOR_WEIGHT * vectors)

    def _scaled(self, rows: Floats) -> Floats:
        return _unit((rows - self._signal_mean) * self._signal_scale)

    def _gram_rows(self, texts: Sequence[str]) -> Floats:
        rows = np.zeros((len(texts), len(self._vocabulary)))
        for row, text in zip(rows, texts, strict=True):
            for gram, count in Counter(ngrams(text)).items():
                position = self._vocabulary.get(gram)
                if position is not None:
                    row[position] = (1.0 + np.log(count)) * self._weights[position]
        return _unit(rows)

    def _vector_rows(self, texts: Sequence[str], embed: EmbedAll | None) -> Floats:
        """Sentence vectors of the English texts; Chinese ones have none (the usual embedder does not read Chinese)."""
        english = [position for position, text in enumerate(texts) if not is_chinese(text)]
        if embed is None or not english:
            return np.zeros((len(texts), self._dimension))
        found = np.asarray(embed(english_texts(texts)), dtype=np.float64)
        self._dimension = found.shape[1]
        rows = np.zeros((len(texts), self._dimension))
        rows[english] = found
        return rows


def english_texts(texts: Sequence[str]) -> list[str]:
    """The English ones among the texts, as they are embedded."""
    return [plain(text) for text in texts if not is_chinese(text)]


def _leave_one_out(kernel: Floats, targets: Floats) -> Floats:
    """Closed form: the error of a left-out row is its dual weight over the diagonal of the inverse."""
    inverse = np.linalg.inv(kernel + _RIDGE * np.eye(len(kernel)))
    return np.asarray(targets - (inverse @ (targets - targets.mean(axis=0))) / np.diag(inverse)[:, None])


def _threshold(kind: str, scores: Floats, examples: Sequence[Example]) -> float:
    """Where misses and false alarms of the left-out examples cost least."""
    wanted = np.array([kind in example.kinds for example in examples])
    other = np.array([kind not in example.kinds and kind not in example.optional for example in examples])
    steps = np.arange(0.2, 0.6, 0.02)
    costs = [
        (scores[wanted] <= step).mean() + _FALSE_ALARM_COST[kind] * (scores[other] > step).mean() for step in steps
    ]
    # The mean of the near-best steps: the single best one follows chance.
    near = steps[np.array(costs) <= min(costs) * 1.05]
    # Texts from elsewhere score lower and less surely than the examples do: no threshold below the floor. Events may
    # be noted freely.
    return float(near.mean() if kind == "episodic" else max(near.mean(), _LOWEST_THRESHOLD))


def _target(example: Example, kind: str) -> float:
    if kind in example.kinds:
        return 1.0
    return 0.4 if kind in example.optional else 0.0


def _idf(texts: Sequence[str]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(ngrams(text)))
    return {gram: float(np.log(1 + len(texts) / count)) for gram, count in counts.items() if count > 1}


def _signal_rows(texts: Sequence[str]) -> Floats:
    rows = [[signals[name] for name in SIGNAL_NAMES] for signals in map(read_signals, texts)]
    return np.array(rows, dtype=np.float64).reshape(len(texts), len(SIGNAL_NAMES))


def _unit(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1.0))
