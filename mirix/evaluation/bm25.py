"""The baseline of every retrieval measure: plain BM25 over the raw messages, a document being the text of a message.

It has Mirix's own analyser, so that what is compared is the retrieval and not the tokens.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from mirix.text.analyser import analyse, query_terms

K1 = 1.2  # as Lucene ships it
B = 0.75


class PlainBM25:
    """Ranks documents by number, from 0."""

    def __init__(self, documents: Sequence[str], *, k1: float = K1, b: float = B) -> None:
        analyses = [analyse(text) for text in documents]
        average = sum(each.length for each in analyses) / len(analyses) if analyses else 0.0
        self._k1 = k1
        self._frequencies = [dict(zip(each.terms, each.frequencies, strict=True)) for each in analyses]
        self._norms = [k1 * (1 - b + b * each.length / average) if average else k1 for each in analyses]
        self._holders = Counter(term for each in analyses for term in each.terms)

    def rank(self, question: str) -> list[int]:
        """The documents that share a term with the question, best first; ties keep the order of the documents."""
        terms = query_terms(question)
        scores = [
            sum(self._idf(term) * self._weight(frequencies[term], norm) for term in terms if term in frequencies)
            for frequencies, norm in zip(self._frequencies, self._norms, strict=True)
        ]
        return sorted((number for number, score in enumerate(scores) if score > 0), key=lambda n: -scores[n])

    def _idf(self, term: int) -> float:
        holders = self._holders[term]
        return math.log(1 + (len(self._norms) - holders + 0.5) / (holders + 0.5))

    def _weight(self, frequency: int, norm: float) -> float:
        return frequency * (self._k1 + 1) / (frequency + norm)
