"""Asks the questions of a day: is what answers found, is the answer right, and does the box point at it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mirix.db.pool import User
from mirix.errors import ModelError
from mirix.evaluation.answers import Verdict, judge
from mirix.evaluation.bm25 import PlainBM25
from mirix.evaluation.lifelog import UNKNOWN
from mirix.evaluation.metrics import Share, mean, reciprocal_rank
from mirix.evaluation.screenshots.day import Day, Pair, asked_at
from mirix.evaluation.screenshots.record import Recording
from mirix.ingest.boxes import covered
from mirix.models.usage import Usage
from mirix.retrieval.answer import Answer
from mirix.retrieval.hits import Hit
from mirix.system import AsyncMirix
from mirix.text.chunks import is_cjk
from mirix.text.secrets import find_references

DEPTHS = (5, 10)  # distinct frames
HITS = 30
COVERED = 0.5  # of the right place that the cited boxes have to cover
FREE_WORDING = frozenset({"procedure", "preference"})  # nobody can tell by looking whether an answer is right
ABSTAIN = frozenset({"abstain", "privacy"})
SECRET = "vault"  # what must not be told: a reference to the vault tells nothing


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of a question."""

    pair: Pair
    ranked: Sequence[str]  # files, best first
    groups: Sequence[frozenset[str]]  # files that show a part of the answer, one group for each part
    answer: str
    verdict: Verdict
    box_is_right: bool | None = None  # None: nothing was cited that has a picture, or nobody knows the place
    failure: str | None = None
    search_ms: float = 0.0
    usage: Usage = field(default_factory=Usage)

    @property
    def is_answerable(self) -> bool:
        return self.pair.type not in ABSTAIN | {SECRET}

    def found(self, depth: int) -> float:
        """The share of the parts of the answer that the first frames show."""
        first = frozenset(self.ranked[:depth])
        return sum(bool(group & first) for group in self.groups) / len(self.groups)

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.pair.id,
            "type": self.pair.type,
            "question": self.pair.question,
            "accepted": self.pair.accepted,
            "answer": self.answer,
            "claimed": self.verdict.claimed,
            "right": self.verdict.right,
            "box_is_right": self.box_is_right,
            "ranks": [
                min((self.ranked.index(f) + 1 for f in g if f in self.ranked), default=None) for g in self.groups
            ],
            "failure": self.failure,
        }


async def ask(memory: AsyncMirix, user: User, day: Day, recording: Recording, pair: Pair) -> Asked:
    """Search and ask one question."""
    assert recording.last_at is not None
    moment = asked_at(pair, recording.last_at)
    found = await memory.search(pair.question, user_id=user.name, limit=HITS, asked_at=moment)
    ranked = [recording.kept[key] for key in frames_shown(found.hits) if key in recording.kept]
    groups = answer_groups(day, pair)
    try:
        answer = await memory.ask(pair.question, user_id=user.name, asked_at=moment)
    except ModelError as error:
        failed = Verdict(claimed=False, right=False, f1=0.0)
        return Asked(pair=pair, ranked=ranked, groups=groups, answer="", verdict=failed, failure=str(error))
    verdict = _verdict(pair, answer.text, moment, user.timezone)
    return Asked(
        pair=pair,
        ranked=ranked,
        groups=groups,
        answer=answer.text,
        verdict=verdict,
        box_is_right=_box_is_right(pair, answer, recording) if verdict.claimed else None,
        search_ms=found.ms,
        usage=answer.usage,
    )


def frames_shown(hits: Sequence[Hit]) -> list[UUID]:
    """The distinct frames that somebody sees who looks at the hits in order: of near copies the one that stands for
    them, of a memory those it rests on."""
    shown = [key for hit in hits for key in ((hit.id,) if hit.message is not None else hit.source_ids)]
    return list(dict.fromkeys(shown))


def ask_bm25(day: Day, recording: Recording, texts: Mapping[str, str], user: User) -> list[Asked]:
    """The same questions put to plain BM25 over the recognised text of frames; it quotes the best one."""
    assert recording.last_at is not None
    files = list(texts)
    index = PlainBM25(list(texts.values()))
    done = []
    for pair in day.pairs:
        best = [files[number] for number in index.rank(pair.question)]
        answer = texts[best[0]] if best else UNKNOWN[_language(pair)]
        verdict = _verdict(pair, answer, asked_at(pair, recording.last_at), user.timezone)
        done.append(Asked(pair=pair, ranked=best, groups=answer_groups(day, pair), answer=answer, verdict=verdict))
    return done


def measures(outcomes: Sequence[Asked]) -> dict[str, Share]:
    """Recall and rank where it is known which frames show the answer; boxes where a picture was cited."""
    sought = [outcome for outcome in outcomes if outcome.groups and outcome.is_answerable]
    judged = [outcome for outcome in outcomes if outcome.pair.type not in FREE_WORDING]
    return {
        **{f"recall@{depth}": mean(outcome.found(depth) for outcome in sought) for depth in DEPTHS},
        "mrr": mean(reciprocal_rank(each.ranked, frozenset().union(*each.groups)) for each in sought),
        "answer_accuracy": mean(outcome.verdict.right for outcome in judged),
        "wrong": mean(outcome.verdict.wrong for outcome in judged),
        "box_right": mean(each.box_is_right for each in outcomes if each.box_is_right is not None),
        "box_right_of_right_answers": mean(
            each.box_is_right for each in outcomes if each.box_is_right is not None and each.verdict.right
        ),
    }


def answer_groups(day: Day, pair: Pair) -> list[frozenset[str]]:
    """For each part of an answer the files that show it."""
    if day.truth is not None and pair.facts:
        facts = {fact.id: fact.files for fact in day.truth.facts}
        return [facts[name] for name in pair.facts if facts.get(name)]
    return [frozenset(pair.evidence)] if pair.evidence else []


def _box_is_right(pair: Pair, answer: Answer, recording: Recording) -> bool | None:
    """Whether a cited place covers a place where the answer stands. None where there is nothing to compare."""
    if not pair.boxes:
        return None
    places = [citation.frame for citation in answer.citations if citation.frame is not None]
    if not places:
        return None
    return any(
        covered(gold, place.boxes) >= COVERED
        for place in places
        for gold in pair.boxes.get(recording.kept.get(place.message_id, ""), ())
    )


def _language(pair: Pair) -> str:
    return "zh" if any(map(is_cjk, pair.question)) else "en"


def _verdict(pair: Pair, answer: str, moment: datetime, timezone: str) -> Verdict:
    if pair.type == SECRET and find_references(answer):
        return Verdict(claimed=False, right=True, f1=0.0)
    return judge(
        answer,
        pair.accepted,
        asked_at=moment,
        timezone=timezone,
        is_chinese=_language(pair) == "zh",
        has_answer=pair.type not in ABSTAIN | {SECRET},
    )
