"""`mirix evaluate screens`: the texts of somebody's screens are recorded, then questions are asked. Without pixels.

screens ─ batches as a recorder closes them ─> the memory ─> search, ask ─> recall, rank, right, wrong, abstained
                                                 BM25 over the same texts ─> the same figures, quoting its best screen

A batch ends after BATCH_MESSAGES screens, after GATHERS_FOR, and where another application comes to the front.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from mirix.errors import InputError, ModelError
from mirix.evaluation.lifelog import JUDGED, Asked, Person, Question, Told, Turn, ask, ask_bm25
from mirix.evaluation.metrics import Share, grouped, mean, recall_at, reciprocal_rank, spread
from mirix.evaluation.report import Report
from mirix.evaluation.runner import Progress, for_each, silent, zone_at
from mirix.ingest.evidence import BATCH_MESSAGES, GATHERS_FOR
from mirix.ingest.inputs import Incoming, Origin, from_text
from mirix.memory.record import Scope
from mirix.models.usage import Usage
from mirix.system import AsyncMirix
from mirix.text.chunks import is_cjk

DEPTHS = (5, 10)  # distinct screens within which evidence has to be found


class Screen(BaseModel):
    """What a text recogniser read on a screen."""

    id: str
    at: AwareDatetime
    app: str
    title: str
    text: str


async def evaluate_screens(
    memory: AsyncMirix, screens: Sequence[Screen], questions: Sequence[Question], *, progress: Progress = silent
) -> Report:
    """Record all screens, then ask. Raises InputError for a screen told twice and for evidence that is no screen."""
    _check(screens, questions)
    screens = sorted(screens, key=lambda screen: screen.at)
    started = time.monotonic()
    told, usage, failed = await _recorded(memory, screens, progress)
    recorded_ms = (time.monotonic() - started) * 1000
    as_asked = [(_in_language_of(told, question), question) for question in questions]

    async def asked(pair: tuple[Told, Question]) -> Asked:
        return await ask(memory, *pair)

    outcomes = await for_each(as_asked, asked, what="questions", progress=progress)
    baseline = [outcome for each, question in as_asked for outcome in ask_bm25(each, [question])]
    return Report(
        evaluation="screens",
        metrics={**measure(outcomes), "failed": mean(outcome.failure is not None for outcome in outcomes)},
        groups=_groups(outcomes),
        baselines={"bm25": Report(evaluation="screens", metrics=measure(baseline), groups=_groups(baseline))},
        facts={
            "screens": len(screens),
            "questions": len(questions),
            "batches": sum(1 for _ in batches_of(screens)),
            "failed_batches": failed,
            "recording": _cost(usage) | {"ms_per_screen": round(recorded_ms / len(screens), 1)},
            "answering": _cost(sum((outcome.usage for outcome in outcomes), Usage())),
            "search_ms": spread([outcome.search_ms for outcome in outcomes]),
            "ask_ms": spread([outcome.usage.ms for outcome in outcomes if outcome.failure is None]),
        },
        items=[outcome.to_json() for outcome in outcomes],
    )


def _check(screens: Sequence[Screen], questions: Sequence[Question]) -> None:
    ids = [screen.id for screen in screens]
    twice = next((name for number, name in enumerate(ids) if name in ids[:number]), None)
    if twice is not None:
        raise InputError(f"two screens have the id {twice!r}: each screen has its own")
    for question in questions:
        missing = sorted(set(question.evidence) - set(ids))
        if missing:
            raise InputError(f"question {question.id!r} names the evidence {missing[0]!r}, which is no screen")


async def _recorded(memory: AsyncMirix, screens: Sequence[Screen], progress: Progress) -> tuple[Told, Usage, int]:
    """The screens, added in order; what that cost, and how many batches the managers' model failed on."""
    zone = zone_at(screens[0].at)
    person = Person(
        persona="",
        lang="en",
        timezone=zone,
        messages=[Turn(id=one.id, at=one.at, role="user", name=one.app, text=one.text) for one in screens],
        questions=[],
    )
    parts = memory.parts
    user = await parts.database.ensure_user("screens", zone)
    ids: dict[UUID, str] = {}
    usage, failed, done = Usage(), 0, 0
    for batch in batches_of(screens):
        incoming = [part for screen in batch for part in _incoming(screen, zone)]
        stored = await parts.evidence.store(user, Scope(user_id=user.user_id), incoming, conversation="screens")
        keys = [key for each in stored for key in each.message_ids]
        ids |= {key: part.external_id or "" for key, part in zip(keys, incoming, strict=True)}
        try:
            outcomes = await parts.drainer.drain(user, [each.id for each in stored if not each.is_applied])
            usage = sum((outcome.usage for outcome in outcomes.values()), usage)
        except ModelError:
            failed += 1
        done += len(batch)
        progress("screens", done, len(screens))
    return Told(person=person, number=0, user=user.name, ids=ids, failed=failed), usage, failed


def _incoming(screen: Screen, zone: str) -> list[Incoming]:
    """A long screen comes in parts; the parts carry its id."""
    origin = Origin(
        at=screen.at, timezone=zone, source="screen", application=screen.app, title=screen.title, speaker="Screen"
    )
    return [replace(part, external_id=screen.id) for part in from_text(screen.text, origin, screen.at)]


def batches_of(screens: Sequence[Screen]) -> Iterator[list[Screen]]:
    """Screens as a recorder hands them over to the managers."""
    batch: list[Screen] = []
    for screen in screens:
        is_over = len(batch) == BATCH_MESSAGES or (
            batch and (screen.app != batch[-1].app or screen.at - batch[0].at > GATHERS_FOR)
        )
        if is_over:
            yield batch
            batch = []
        batch.append(screen)
    if batch:
        yield batch


def _in_language_of(told: Told, question: Question) -> Told:
    """The same screens, for a question in English or in Chinese: answers are judged by its language."""
    language = "zh" if any(map(is_cjk, question.question)) else "en"
    return replace(told, person=told.person.model_copy(update={"lang": language}))


def _groups(outcomes: Sequence[Asked]) -> dict[str, dict[str, dict[str, Share]]]:
    return {"type": grouped(outcomes, lambda outcome: outcome.question.type.value, measure)}


def measure(outcomes: Sequence[Asked]) -> dict[str, Share]:
    """Accuracy, wrong and abstained are over the types whose answers can be told right by looking, F1 over all."""
    sought = [outcome for outcome in outcomes if outcome.question.evidence]
    judged = [outcome.verdict for outcome in outcomes if outcome.question.type in JUDGED]
    recalls = {
        f"recall@{depth}": mean(recall_at(each.ranked, each.question.evidence, depth) for each in sought)
        for depth in DEPTHS
    }
    return recalls | {
        "mrr": mean(reciprocal_rank(each.ranked, each.question.evidence) for each in sought),
        "answer_accuracy": mean(verdict.right for verdict in judged),
        "wrong": mean(verdict.wrong for verdict in judged),
        "abstained": mean(not verdict.claimed for verdict in judged),
        "answer_f1": mean(outcome.verdict.f1 for outcome in outcomes),
    }


def _cost(usage: Usage) -> dict[str, Any]:
    return {name: value for name, value in usage.to_json().items() if name != "ms"}
