"""What a text tells of something that is being forgotten: judged by words alone, and pure.

A memory is a handful of statements: its summary and the sentences of its details. A sentence tells one of them when it
shares at least half of the words of the shorter of the two (function words left out, words stemmed, Chinese in pairs of
characters), unless it tells something that stays better still. A sentence that tells both, goes: forgetting errs on the
side of forgetting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from mirix.memory.record import Record, columns, one_line
from mirix.text.analyser import tokens
from mirix.text.chunks import sentence_spans

R = TypeVar("R", bound=Record)
Words = frozenset[str]

GAP = "[…]"  # stands where something was forgotten
TOLD = 0.5  # share of the shorter statement from which on a sentence tells it, where nothing that stays is told better
PLAINLY = 0.8  # from here on it tells it whatever else it tells
_PROSE = ("details", "content")  # columns of any number of sentences
_NAMES = frozenset({"name", "title", "outcome"})


def words(text: str) -> Words:
    return frozenset(tokens(text))


def statements_of(record: Record) -> list[Words]:
    """What a memory says, one statement after another."""
    prose = [getattr(record, name) for name in _PROSE if name in columns(type(record))]
    steps = [str(step) for step in getattr(record, "steps", ())]
    found = [words(text) for text in [record.summary, *steps, *(s for text in prose for s in _sentences(text))]]
    return [statement for statement in found if statement]


@dataclass(frozen=True, kw_only=True)
class Forgettable:
    """What must not be found again."""

    statements: tuple[Words, ...] = ()
    literals: tuple[str, ...] = field(default=(), repr=False)  # values of vault entries, and how texts name them

    def is_told(self, sentence: str, kept: Sequence[Words] = ()) -> bool:
        """Whether a sentence tells it; `kept` are statements that stay."""
        if any(literal in sentence for literal in self.literals):
            return True
        said = words(sentence)
        share = _nearest(said, self.statements)
        return share >= PLAINLY or (share >= TOLD and share >= _nearest(said, kept))

    def cut(self, text: str, kept: Sequence[Words] = ()) -> str:
        """The text with a gap in the place of every run of sentences that tell it; "" when nothing is left."""
        return _without(text, lambda sentence: self.is_told(sentence, kept))

    def has_more_in(self, record: Record) -> bool:
        """Whether anything is left of the details of a memory."""
        names = columns(type(record))
        return any(self.cut(getattr(record, name)) for name in _PROSE if name in names)

    def cut_record(self, record: R) -> R:
        """A memory that says something else, without the sentences it shares with what is forgotten."""
        names = columns(type(record))
        kept = [words(record.summary)]
        new: dict[str, object] = {n: self.cut(getattr(record, n), kept) for n in _PROSE if n in names}
        left = [s for text in new.values() for s in _sentences(str(text)) if s != GAP]
        if self.is_told(record.summary, kept):
            new["summary"] = one_line(left[0]) if left else GAP
        rest = words(" ".join([str(new.get("summary", record.summary)), *left]))
        for name in _NAMES.intersection(names):
            line = getattr(record, name) or ""
            if self.is_told(line) and not words(line) <= rest:
                new[name] = new.get("summary", record.summary)
        if "content" in new:
            new["content"] = new["content"] or GAP
        if "steps" in names:
            new["steps"] = [self.cut(str(step), kept) or GAP for step in getattr(record, "steps", ())]
        new["keywords"] = [word for word in record.keywords if words(word) <= rest or not self.is_told(word)]
        return replace(record, **new)  # type: ignore[arg-type]


def cut_but(text: str, kept: Sequence[Words]) -> str:
    """The text with gaps in the places of all sentences but those that tell something that stays."""
    return _without(text, lambda sentence: _nearest(words(sentence), kept) < TOLD)


def _without(text: str, goes: Callable[[str], bool]) -> str:
    parts: list[str] = []
    gaps = 0
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        if not goes(sentence):
            parts.append(sentence)
            continue
        gaps += 1
        if not parts or not parts[-1].startswith(GAP):
            parts.append(GAP + sentence[len(sentence.rstrip()) :])
    if not gaps:
        return text
    return "".join(parts).strip() if any(not part.startswith(GAP) for part in parts) else ""


def _sentences(text: str) -> list[str]:
    return [sentence for start, end in sentence_spans(text) if (sentence := text[start:end].strip())]


def _nearest(said: Words, statements: Iterable[Words]) -> float:
    """The largest share of common words, 0 to 1, of the shorter of the two."""
    return max((len(said & one) / min(len(said), len(one)) for one in statements if said and one), default=0.0)


def is_still_told(text: str, gone: Iterable[str], left: Iterable[str]) -> bool:
    """Whether all that a text owes to its messages stands in those that are left.

    Words that stand in none of them (a model's own, a date worked out) prove nothing either way.
    """
    remaining = frozenset(word for one in left for word in tokens(one))
    lost = frozenset(word for one in gone for word in tokens(one)) - remaining
    return not words(text) & lost
