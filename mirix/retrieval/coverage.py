"""How much of a question a text holds, together with what was said right beside it. Pure; from arms.py to fusion.py.

In a chat one thing is told over several turns: "I finally bought a boat" – "Lovely! What is she called?" – "Wren". The
question what the boat is called shares its words with the first two and wants the third. BM25 scores of the neighbours
added up say how often words were said near a turn; what counts is how many of the different words of the question were
said there. So each term counts once, by its weight (its idf), in full where the turn itself holds it and for less where
only a turn beside it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from mirix.retrieval.fusion import Candidate, Key

BESIDE = 0.8  # what a term counts that the turn before or after holds
NEAR = 0.6  # the same of the second turn before or after


@dataclass(frozen=True, kw_only=True)
class Held:
    """Which terms of a probe the texts hold that share a word with it."""

    weights: tuple[float, ...]  # of each term, 0 or more
    terms: Mapping[Key, int]  # by message or memory: bit n is set where it holds term n


def covered(
    candidates: Mapping[Key, Candidate], held: Held, passages: Mapping[Key, float] | None = None
) -> dict[Key, float]:
    """The share of a probe that each candidate holds with its neighbours, 0 to 1, by the weights of its terms.

    Terms that no text holds do not count. The second neighbours are known of those whose first are candidates too.
    `passages` tells it of those that count for a place of their own.
    """
    weigh = _Weigher(held.weights)
    whole = weigh(reduce(or_, held.terms.values(), 0))
    if whole <= 0:
        return dict.fromkeys(candidates, 0.0)
    found = {}
    terms_of = held.terms.get
    for key, candidate in candidates.items():
        own = beside = terms_of(key, 0)
        for near in candidate.neighbours:
            beside |= terms_of(near, 0)
        far = beside
        for near in candidate.neighbours:
            if near in candidates:
                for other in candidates[near].neighbours:
                    far |= terms_of(other, 0)
        share = weigh(own) + BESIDE * weigh(beside & ~own) + NEAR * weigh(far & ~beside)
        found[key] = min(1.0, share / whole)
    return {**found, **passages} if passages else found


class _Weigher:
    """The weight of a set of terms; few different sets occur in a search."""

    def __init__(self, weights: tuple[float, ...]) -> None:
        self._weights = weights
        self._known = {0: 0.0}

    def __call__(self, terms: int) -> float:
        known = self._known.get(terms)
        if known is None:
            known = sum(weight for place, weight in enumerate(self._weights) if terms >> place & 1)
            self._known[terms] = known
        return known
