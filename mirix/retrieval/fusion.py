"""Many rankings into one. Pure: candidates and raw scores in, one order out.

    raw scores of the arms ─ normalise ─ weighted sum ─ coverage ─ session ─ manner ─ who spoke ─ small boosts ─ order

Scores are normalised by what is best in this search and added: on LoCoMo's evidence turns a sum of min-max scores
finds 68.6 % in the first ten where reciprocal rank fusion finds 62.8. A message also counts for what it holds of the
question together with those beside it (coverage.py), for the conversation it belongs to, and for how it is told
(forms.py): at length, as a statement, by somebody of themselves, in the form that is asked for. A memory has no
neighbours and is told in one manner, so it counts for itself and in full, and is not at a disadvantage.

What no longer holds never comes before what took its place: see `order`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import log1p
from typing import NamedTuple, TypedDict

Key = str  # the id of a message or memory as text: in a dict it costs a tenth of what a UUID costs


class Arm(StrEnum):
    LEXICAL = "lexical"  # BM25 as a share of what holding every word of the question once gets: from 0, 1 is good
    DENSE = "dense"  # cosine of the text: -1 to 1
    WINDOW = "window"  # cosine of the text with its two neighbours; for a memory the same as DENSE
    TEMPORAL = "temporal"  # of a time that the question names: 0 or about 1
    LINKS = "links"  # what the arms say of the memory it is linked with


class _Span(TypedDict, total=False):
    floor: float
    least_span: float


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What each part adds at most, in parts of one arm.

    Found by trial on evidence recall at 10, one set for everything: on LoCoMo (1,536 questions of categories 1 to 4),
    on the same cut into single sentences in small letters (as people write who send many short messages), and on two
    life logs, English and Chinese. What each step brought, in percent on LoCoMo and on its sentences:

    - 81.8 and 72.4: lexical, dense and window 1, lexical scores of both neighbours 0.5, told 0.2, question 0.08
    - 82.3 and 72.8: the names of speakers in a question count less (`SPEAKER_SHARE` of terms.py)
    - 83.7 and 74.4: lexical 0.5, and coverage in place of the neighbours' scores
    - 83.7 and 75.0: told 0.3, session 0.4
    - 84.1 and 75.7: dense 1.2, window 0.5, temporal 1.5, question 0.15
    - 84.3 and 76.4: first person, form, when 0.25

    Flat round these values (a third more or less of one costs half a point at most). Without `coverage` 4 points are
    lost, without `speaker` 2 to 4, without `session` 1 to 3, without `told` up to 1. A ranker learned on these and 70
    more figures (rare words, ranks, products, kinds of verbs), and tested on conversations it had not seen, finds 85.3
    on LoCoMo: one more point for a model to carry along.
    """

    lexical: float = 0.5
    coverage: float = 1.0  # how much of the question it holds, together with those beside it
    dense: float = 1.2
    window: float = 0.5
    temporal: float = 1.5
    links: float = 0.3
    speaker: float = 1.0  # said by somebody whom the question names
    # These are parts of the best sum of the arms, so that they matter as much where all are weak.
    session: float = 0.4  # how good the best of the same conversation-day is
    told: float = 0.3  # how much it tells, see `Candidate.told`
    question: float = 0.15  # taken off a message that ends with a question: it asks rather than tells
    first_person: float = 0.07  # somebody tells of themselves
    form: float = 0.07  # told in a form that the question asks for
    when: float = 0.25  # where the question asks when: it names a time
    recency: float = 0.02  # these three only decide between equals
    importance: float = 0.1
    pinned: float = 0.1

    @property
    def total(self) -> float:
        arms = self.lexical + self.coverage + self.dense + self.window + self.temporal + self.links
        most = arms * (1 + self.session + self.told + self.first_person + self.form + self.when) + self.speaker
        return most + self.recency + self.importance + self.pinned


WEIGHTS = Weights()
# A screen is found by its words: its vector is that of a whole page, its neighbours are other pages, and times stand on
# all of them. Its coverage is that of its best lines (passages.py).
SCREEN_WEIGHTS = Weights(lexical=1.0, coverage=2.0, dense=0.5, window=0.0, temporal=0.5)
TOPIC_SHARE = 0.3  # what the best topic adds, beside the question itself
LEXICAL_SPAN = 0.6  # a best document that holds less of the question than this does not count in full
COVERAGE_SPAN = 0.5  # the same for what a text holds together with those beside it
COSINE_SPAN = 0.3  # the same for cosines, best to least of the candidates
# How the scores of each arm come to 0..1, see `normalise`.
_SPANS: dict[Arm, _Span] = {
    Arm.LEXICAL: {"floor": 0.0, "least_span": LEXICAL_SPAN},
    Arm.DENSE: {"least_span": COSINE_SPAN},
    Arm.WINDOW: {"least_span": COSINE_SPAN},
    Arm.TEMPORAL: {"floor": 0.0, "least_span": 1.0},
    Arm.LINKS: {"floor": 0.0},
}
MUCH = 40  # terms of a message that tells as much as one can
RECENT_DAYS = 30.0  # half-life of the recency boost


class Candidate(NamedTuple):
    """What ranking knows of something that was found.

    A tuple: a search makes hundreds of them, and a frozen dataclass takes three times as long to make.
    """

    id: Key
    is_message: bool
    session: Hashable = None  # conversation and day of a message
    neighbours: tuple[Key, ...] = ()  # the messages right before and after it in its session
    is_named: bool = False  # the question names who said it
    told: float = 1.0  # 0 to 1: how much it tells, by its length; a memory tells what it has to
    is_screen: bool = False  # a page of lines that have little to do with each other
    is_question: bool = False
    is_first_person: bool = True
    has_form: bool = True  # of those that the question asks for
    names_time: bool = False
    at: datetime | None = None  # said, happened, or true since
    importance: float = 0.5  # 0 to 1
    utility: float = 0.0  # -1 to 1, votes
    is_pinned: bool = False
    is_outdated: bool = False
    replaced_by: tuple[Key, ...] = ()  # the memories that took its place, at the end of the chain: replaced by nothing
    sources: tuple[Key, ...] = ()  # of a memory: its messages


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmScore:
    rank: int  # from 1
    score: float  # raw, as the arm gave it


Scores = Mapping[Key, float]


def normalise(scores: Sequence[float | None], *, floor: float | None = None, least_span: float = 0.0) -> list[float]:
    """To 0..1 by the best and the least of a list, or by the best and a given floor.

    A list whose scores lie closer together than `least_span` does not reach 1: an arm that found nothing good has
    little to say. None (not found) becomes 0; where all are equal, and no span is asked for, they become 1.
    """
    found = [score for score in scores if score is not None]
    if not found:
        return [0.0] * len(scores)
    low = min(found) if floor is None else floor
    span = max(max(found) - low, least_span)
    if span <= 0:
        return [0.0 if score is None else 1.0 for score in scores]
    return [0.0 if score is None else max(0.0, (score - low) / span) for score in scores]


def scaled(arms: Mapping[Arm, Scores]) -> dict[Arm, dict[Key, float]]:
    """The raw scores of each arm to 0..1, by the best and the least that this search found."""
    return {
        arm: dict(zip(scores, normalise(list(scores.values()), **_SPANS[arm]), strict=True))
        for arm, scores in arms.items()
    }


def shortlist(
    by_probe: Sequence[Mapping[Arm, Scores]], *, limit: int, of_each: int = 0, weights: Weights = WEIGHTS
) -> dict[Key, float]:
    """The `limit` best by what the arms alone say, and the `of_each` best of each probe: (id, sum of the arms).

    Takes what `scaled` gives. All that is told of the others need not be read.
    """
    lexical = weights.lexical + weights.coverage  # which is known for those that are looked at alone
    sums = [_sum(arms, weights, lexical=lexical) for arms in by_probe]
    asked: dict[Key, float] = sums[0] if sums else {}
    chosen = [key for each in sums for key in _best(each, of_each)]
    total = dict(asked)
    for each in sums[1:]:
        for key, score in each.items():
            total[key] = max(total.get(key, 0.0), asked.get(key, 0.0) + TOPIC_SHARE * score)
    best = dict.fromkeys([*_best(total, limit), *chosen])
    return {key: total[key] for key in best}


def _best(scores: Scores, limit: int) -> list[Key]:
    return sorted(scores, key=scores.__getitem__, reverse=True)[:limit]  # of a few hundred: faster than a heap


def _sum(arms: Mapping[Arm, Scores], weights: Weights, *, lexical: float) -> dict[Key, float]:
    parts = {Arm.LEXICAL: lexical, Arm.DENSE: weights.dense, Arm.WINDOW: weights.window}
    parts |= {Arm.TEMPORAL: weights.temporal, Arm.LINKS: weights.links}
    total: dict[Key, float] = {}
    for arm, scores in arms.items():
        weight = parts[arm]
        for key, score in scores.items():
            total[key] = total.get(key, 0.0) + weight * score
    return total


def fuse(
    candidates: Mapping[Key, Candidate],
    arms: Mapping[Arm, Scores],
    *,
    now: datetime,
    covered: Scores | None = None,
    asks_when: bool = False,
    weights: Weights = WEIGHTS,
) -> dict[Key, float]:
    """A score for each candidate, 0 to 1, higher is better.

    Takes what `scaled` and `coverage.covered` give. An arm may be missing; scores of what is no candidate are ignored.
    """
    listed = list(candidates.values())
    base = _arm_sum(listed, arms, covered or {}, weights)
    best = max(base, default=0.0)
    sessions: dict[Hashable, float] = {}
    for candidate, score in zip(listed, base, strict=True):
        if candidate.is_message and score > sessions.get(candidate.session, -1.0):
            sessions[candidate.session] = score
    low = min(sessions.values(), default=0.0)
    fused = {}
    total = weights.total
    for candidate, score in zip(listed, base, strict=True):
        support = sessions[candidate.session] if candidate.is_message else score
        share = (support - low) / (best - low) if best > low and support > low else 0.0
        manner = weights.session * share + _manner(candidate, weights, asks_when=asks_when)
        boost = _boost(candidate, now, weights)
        extra = weights.speaker + boost if candidate.is_named else boost
        fused[candidate.id] = max(0.0, score + manner * best + extra) / total
    return fused


def told(length: int) -> float:
    """How much a message of so many terms tells, 0 to 1."""
    return min(1.0, log1p(length) / log1p(MUCH))


def _arm_sum(listed: Sequence[Candidate], arms: Mapping[Arm, Scores], covered: Scores, weights: Weights) -> list[float]:
    """What the arms and the coverage add up to, for each candidate."""
    total = _sum(arms, weights, lexical=weights.lexical)
    shares = normalise([covered.get(each.id, 0.0) for each in listed], floor=0.0, least_span=COVERAGE_SPAN)
    sums = [total.get(each.id, 0.0) + weights.coverage * share for each, share in zip(listed, shares, strict=True)]
    if any(each.is_screen for each in listed):
        page = SCREEN_WEIGHTS
        pages = _sum(arms, page, lexical=page.lexical)
        for place, (each, share) in enumerate(zip(listed, shares, strict=True)):
            if each.is_screen:
                sums[place] = pages.get(each.id, 0.0) + page.coverage * share
    return sums


def _manner(candidate: Candidate, weights: Weights, *, asks_when: bool) -> float:
    """What the way it is told adds."""
    added = weights.told * candidate.told
    if candidate.is_question:
        added -= weights.question
    if candidate.is_first_person:
        added += weights.first_person
    if candidate.has_form:
        added += weights.form
    if asks_when and candidate.names_time:
        added += weights.when
    return added


def _boost(candidate: Candidate, now: datetime, weights: Weights) -> float:
    age_days = max(0.0, (now - candidate.at).total_seconds() / 86_400) if candidate.at else float("inf")
    worth = (candidate.importance + (candidate.utility + 1) / 2) / 2  # 0 to 1; 0.5 where nobody judged it
    freshness: float = 0.5 ** (age_days / RECENT_DAYS)
    return weights.recency * freshness + weights.importance * worth + weights.pinned * candidate.is_pinned


def combine(question: Scores, topics: Sequence[Scores]) -> dict[Key, float]:
    """The question's own scores, each raised by the topic that liked the item most; 0 to 1.

    Trial on LoCoMo with the built-in model's topics: taking the best of both instead loses 12 points of recall at 10.
    """
    if not topics:
        return dict(question)
    return {
        key: (score + TOPIC_SHARE * max(topic.get(key, 0.0) for topic in topics)) / (1 + TOPIC_SHARE)
        for key, score in question.items()
    }


def order(candidates: Mapping[Key, Candidate], scores: Scores) -> list[tuple[Key, float]]:
    """Best first, with what took the place of something always before it.

    A current memory gets at least the score of what it replaced, and what it replaced comes behind it at best. A
    memory likewise gets at least the score of a message that it rests on: it is that message, distilled. Ties keep
    newer things first (ids rise with time).
    """
    final = {key: scores.get(key, 0.0) for key in candidates}
    for candidate in candidates.values():
        if not candidate.is_message and not candidate.is_outdated:
            carried = [final[key] for key in candidate.sources if key in final and _is_told_by(candidates[key])]
            final[candidate.id] = max([final[candidate.id], *carried])
    for candidate in candidates.values():
        for current in candidate.replaced_by:
            if current in final:
                final[current] = max(final[current], final[candidate.id])

    def place(key: Key) -> tuple[float, bool, bool, bool]:
        candidate = candidates[key]
        return -final[key], bool(candidate.replaced_by), candidate.is_outdated, candidate.is_message

    newest_first = sorted(final, reverse=True)
    return [(key, final[key]) for key in sorted(newest_first, key=place)]


def _is_told_by(source: Candidate) -> bool:
    """Whether a memory is what a message says, distilled; of a screen it is a line or two."""
    return not source.is_outdated and not source.is_screen


def in_turn(candidates: Mapping[Key, Candidate], rankings: Sequence[Scores], *, limit: int) -> list[tuple[Key, float]]:
    """The best of each ranking in turn, for a search that looks for several things at once; at most `limit`.

    Each brings evidence that none before it brings. What is outdated comes right behind what took its place, or not at
    all. The scores are those of the rankings, lowered where a later one would be higher.
    """
    listed = [iter([key for key, _ in order(candidates, ranking)]) for ranking in rankings]
    chosen: dict[Key, float] = {}
    shown: set[Key] = set()
    last = 1.0
    while listed and len(chosen) < limit:
        for ranking in list(listed):
            key = next((key for key in ranking if _is_new(candidates, key, chosen, shown)), None)
            if key is None:
                listed.remove(ranking)
                continue
            current = [each for each in _current(candidates, key) if each not in chosen]
            for each in (*current[:1], key):
                last = min(last, max(scores.get(each, 0.0) for scores in rankings))
                chosen[each] = last
                shown.update(candidates[each].sources or (each,))
    return list(chosen.items())[:limit]


def _is_new(candidates: Mapping[Key, Candidate], key: Key, chosen: Collection[Key], shown: Collection[Key]) -> bool:
    candidate = candidates[key]
    if candidate.is_outdated and not _current(candidates, key):
        return False
    return key not in chosen and not all(source in shown for source in candidate.sources or (key,))


def _current(candidates: Mapping[Key, Candidate], key: Key) -> list[Key]:
    """What took its place and holds."""
    known = [each for each in candidates[key].replaced_by if each in candidates]
    return [each for each in known if not candidates[each].is_outdated]


def ranks(arms: Mapping[Arm, Scores]) -> dict[Key, dict[Arm, ArmScore]]:
    """For explanation: rank and raw score of each item in each arm that found it."""
    found: dict[Key, dict[Arm, ArmScore]] = {}
    for arm, scores in arms.items():
        best_first = sorted(scores, key=lambda key: (-scores[key], key))
        for rank, key in enumerate(best_first, start=1):
            found.setdefault(key, {})[arm] = ArmScore(rank=rank, score=scores[key])
    return found
