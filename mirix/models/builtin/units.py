"""Sentences of the answer context as they are compared with a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mirix.models.builtin.language import HAN, content_terms, plain, split_sentences
from mirix.models.builtin.prompt import Item


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One sentence of the context."""

    item: Item
    sentences: tuple[str, ...]  # all sentences of the item
    order: int  # which of them this is
    terms: frozenset[str]  # its content terms and, for Chinese, its characters
    around: frozenset[str]  # those of the whole item, its name included

    @property
    def text(self) -> str:
        return self.sentences[self.order]

    @property
    def with_next(self) -> str:
        return " ".join(self.sentences[self.order : self.order + 2])


@dataclass(frozen=True, kw_only=True)
class Found:
    """A unit and how well it answers: 0 not at all, 1 it holds all words of the question and what is asked for."""

    unit: Unit
    score: float
    covered: frozenset[str]


def make_units(items: Sequence[Item]) -> list[Unit]:
    """The sentences of the items, in order. The name of a memory counts in each of them: it is what they are about."""
    units = []
    for item in items:
        named = frozenset() if item.kind == "message" else _terms_of(item.name)
        parts = [item.text] if item.kind == "message" else item.text.split(" — ")
        sentences = tuple(dict.fromkeys(sentence for part in parts for sentence in split_sentences(part)))
        around = _terms_of(f"{item.name} {item.text}")
        units += [
            Unit(item=item, sentences=sentences, order=order, terms=named | _terms_of(sentence), around=around)
            for order, sentence in enumerate(sentences)
        ]
    return units


def age_key(unit: Unit) -> float:
    """Later is larger."""
    return unit.item.at.timestamp() if unit.item.at is not None else 0.0


def _terms_of(text: str) -> frozenset[str]:
    terms = set(content_terms(text))
    return frozenset(terms | set(HAN.findall(plain(text))))
