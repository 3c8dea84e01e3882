"""`mirix evaluate lifelog`: weeks of somebody's messages are told in order, then questions are asked.

messages ─ sessions (no pause over 30 minutes) ─ one add each ─> the memory of a user of that person's own
question ─┬─ search ─> ranked evidence ─> recall at 10       ─┐ the same for plain BM25, which quotes
          └─ ask, with reveal ─> answer ─> right, wrong, F1  ─┘ its best message as the answer
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, model_validator
from pydantic_core import PydanticCustomError

from mirix.errors import ModelError
from mirix.evaluation.answers import Verdict, judge
from mirix.evaluation.bm25 import PlainBM25
from mirix.evaluation.metrics import Share, grouped, mean, recall_at
from mirix.evaluation.report import Report
from mirix.evaluation.runner import NotBlank, Progress, for_each, silent
from mirix.ingest.inputs import Origin, from_messages
from mirix.memory.message import Role
from mirix.memory.record import now
from mirix.models.usage import Usage
from mirix.retrieval.hits import evidence_ranking
from mirix.system import AsyncMirix

PAUSE = timedelta(minutes=30)  # a longer one ends a session
DEPTH = 10  # distinct messages within which evidence has to be found
HITS = 30  # asked for: hits that rest on the same messages leave room for further ones
UNKNOWN = {"en": "I don't know.", "zh": "我不知道。"}


class QuestionType(StrEnum):
    SINGLE = "single"
    MULTI = "multi"
    TEMPORAL = "temporal"
    UPDATE = "update"
    PREFERENCE = "preference"
    PROCEDURE = "procedure"
    VAULT = "vault"
    ABSTAIN = "abstain"  # never said


# Of these it can be told by looking whether an answer is right; the wording of the others is free.
JUDGED = frozenset(
    {QuestionType.SINGLE, QuestionType.TEMPORAL, QuestionType.UPDATE, QuestionType.VAULT, QuestionType.ABSTAIN}
)


class Turn(BaseModel):
    id: str
    at: AwareDatetime
    role: Role
    name: str
    text: str


class Question(BaseModel):
    id: str
    asked_at: AwareDatetime
    question: NotBlank
    answers: list[str]  # alternatives
    evidence: list[str]  # ids of messages
    type: QuestionType


class Person(BaseModel):
    """One person's messages in order, and the questions asked after the last of them."""

    persona: str  # for people
    lang: str
    timezone: str
    messages: list[Turn]
    questions: list[Question]

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_log([turn.id for turn in self.messages], {each.id: each.evidence for each in self.questions})
        return self


def check_log(messages: Sequence[str], evidence: Mapping[str, Sequence[str]]) -> None:
    """For validators: ids of messages, each once, and of each question the messages that answer it."""
    if not messages:
        raise PydanticCustomError("silent", "this person says nothing: there are no messages")
    twice = [name for name, times in Counter(messages).items() if times > 1]
    if twice:
        raise PydanticCustomError("twice", "two messages have the id {id}", {"id": twice[0]})
    for question, ids in evidence.items():
        missing = sorted(set(ids) - set(messages))
        if missing:
            fields = {"question": question, "id": missing[0]}
            raise PydanticCustomError("unknown", "the evidence of question {question}, {id}, is no message", fields)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A person whose messages are in the memory."""

    person: Person
    number: int  # in the file, from 0
    user: str
    ids: Mapping[UUID, str]  # of stored messages: the id in the file
    failed: int  # sessions that the managers' model failed on; their messages are kept

    @property
    def label(self) -> str:
        return f"{self.number} ({self.person.lang})"

    def names(self, ranked: Sequence[UUID]) -> list[str]:
        """Ids as in the file, each once, in order."""
        return list(dict.fromkeys(self.ids[key] for key in ranked))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of one question."""

    told: Told
    question: Question
    ranked: Sequence[str]  # evidence, best first
    answer: str
    verdict: Verdict
    in_context: Sequence[str] = ()  # the messages behind what the answering model was shown
    failure: str | None = None  # the model failed
    search_ms: float = 0.0
    usage: Usage = field(default_factory=Usage)  # of the answer

    @property
    def found(self) -> float | None:
        """Share of the evidence within DEPTH; None where there is none."""
        wanted = self.question.evidence
        return recall_at(self.ranked, wanted, DEPTH) if wanted else None

    def to_json(self) -> dict[str, Any]:
        return {
            "person": self.told.number,
            "id": self.question.id,
            "type": self.question.type.value,
            "question": self.question.question,
            "accepted": self.question.answers,
            "answer": self.answer,
            "claimed": self.verdict.claimed,
            "right": self.verdict.right,
            "f1": round(self.verdict.f1, 3),
            "evidence_ranks": {
                wanted: self.ranked.index(wanted) + 1 if wanted in self.ranked else None
                for wanted in self.question.evidence
            },
            "shown": [wanted for wanted in self.question.evidence if wanted in self.in_context],
            "failure": self.failure,
        }


async def evaluate_lifelog(
    memory: AsyncMirix,
    people: Sequence[Person],
    *,
    limit: int | None = None,
    infer: bool = True,
    progress: Progress = silent,
) -> Report:
    """Tell and ask. `limit` bounds the questions of each person; all messages are told. Without `infer`, evidence is
    kept alone and no manager reads it."""
    told = [await tell(memory, person, number, infer=infer, progress=progress) for number, person in enumerate(people)]
    pairs = [(each, question) for each in told for question in each.person.questions[:limit]]

    async def asked(pair: tuple[Told, Question]) -> Asked:
        return await ask(memory, *pair)

    outcomes = await for_each(pairs, asked, what="questions", progress=progress)
    baselines = [outcome for each in told for outcome in ask_bm25(each, each.person.questions[:limit])]
    report = _report(outcomes)
    return Report(
        evaluation="lifelog",
        metrics={**report.metrics, "failed": mean(outcome.failure is not None for outcome in outcomes)},
        groups=report.groups,
        baselines={"bm25": _report(baselines)},
        facts={"failed_sessions": sum(each.failed for each in told)},
        items=report.items,
    )


async def tell(
    memory: AsyncMirix, person: Person, number: int, *, infer: bool = True, progress: Progress = silent
) -> Told:
    """Add the messages of a person in order, a session at a time."""
    user = f"person {number}"
    sessions = list(sessions_of(person.messages))
    ids: dict[UUID, str] = {}
    failed = 0
    for done, session in enumerate(sessions, 1):
        turns = [
            {"id": turn.id, "role": turn.role, "name": turn.name, "text": turn.text, "at": turn.at} for turn in session
        ]
        try:
            added = await memory.add(turns, user_id=user, timezone=person.timezone, infer=infer)
        except ModelError:
            failed += 1
            added = await memory.add(turns, user_id=user, timezone=person.timezone, wait=False)
        # A long message is stored in parts; the parts carry its id.
        parts = from_messages(turns, Origin(timezone=person.timezone), now())
        ids |= {key: part.external_id or "" for key, part in zip(added.message_ids, parts, strict=True)}
        progress(f"sessions of person {number}", done, len(sessions))
    return Told(person=person, number=number, user=user, ids=ids, failed=failed)


def sessions_of(messages: Sequence[Turn]) -> Iterator[list[Turn]]:
    """Messages as a chat hands them over: those with no pause over PAUSE between them belong together."""
    session: list[Turn] = []
    for turn in messages:
        if session and turn.at - session[-1].at > PAUSE:
            yield session
            session = []
        session.append(turn)
    if session:
        yield session


async def ask(memory: AsyncMirix, told: Told, question: Question) -> Asked:
    """Search and ask one question."""
    found = await memory.search(question.question, user_id=told.user, limit=HITS, asked_at=question.asked_at)
    ranked = told.names(evidence_ranking(found.hits))
    try:
        answer = await memory.ask(question.question, user_id=told.user, asked_at=question.asked_at, reveal=True)
    except ModelError as error:
        verdict = Verdict(claimed=False, right=False, f1=0.0)
        return Asked(
            told=told,
            question=question,
            ranked=ranked,
            answer="",
            verdict=verdict,
            failure=str(error),
            search_ms=found.ms,
        )
    return Asked(
        told=told,
        question=question,
        ranked=ranked,
        answer=answer.text,
        verdict=_verdict(told, question, answer.text),
        in_context=told.names([source for item in answer.context.items for source in item.hit.source_ids]),
        search_ms=found.ms,
        usage=answer.usage,
    )


def ask_bm25(told: Told, questions: Sequence[Question]) -> Iterator[Asked]:
    """The same questions put to plain BM25, which quotes the best message."""
    messages = told.person.messages
    index = PlainBM25([message.text for message in messages])
    for question in questions:
        best = index.rank(question.question)
        answer = messages[best[0]].text if best else UNKNOWN.get(told.person.lang, UNKNOWN["en"])
        yield Asked(
            told=told,
            question=question,
            ranked=[messages[number].id for number in best],
            answer=answer,
            verdict=_verdict(told, question, answer),
        )


def _verdict(told: Told, question: Question, answer: str) -> Verdict:
    return judge(
        answer,
        question.answers,
        asked_at=question.asked_at,
        timezone=told.person.timezone,
        is_chinese=told.person.lang == "zh",
        verbatim=question.type is QuestionType.VAULT,
        has_answer=question.type is not QuestionType.ABSTAIN,
    )


def _report(outcomes: Sequence[Asked]) -> Report:
    return Report(
        evaluation="lifelog",
        metrics=measure(outcomes),
        groups={
            "type": grouped(outcomes, lambda outcome: outcome.question.type.value, measure),
            "person": grouped(outcomes, lambda outcome: outcome.told.label, measure),
        },
        items=[outcome.to_json() for outcome in outcomes],
    )


def measure(outcomes: Sequence[Asked]) -> dict[str, Share]:
    """Accuracy and wrong rate are over the judged types, F1 is over all."""
    judged = [outcome.verdict for outcome in outcomes if outcome.question.type in JUDGED]
    return {
        f"evidence_recall@{DEPTH}": mean(outcome.found for outcome in outcomes if outcome.found is not None),
        "answer_accuracy": mean(verdict.right for verdict in judged),
        "wrong_rate": mean(verdict.wrong for verdict in judged),
        "answer_f1": mean(outcome.verdict.f1 for outcome in outcomes),
    }
