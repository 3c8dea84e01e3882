"""LongMemEval (Wu et al., ICLR 2025): each question has a history of chats of its own, `haystack_sessions`.

The files (`longmemeval_s.json`, `longmemeval_m.json`, `longmemeval_oracle.json`) are not part of Mirix: see
https://github.com/xiaowu0162/LongMemEval. Evidence are the turns marked `has_answer`; where none is, all turns of the
sessions in `answer_session_ids`. Questions whose id ends in `_abs` cannot be answered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mirix.errors import InputError
from mirix.evaluation.corpus import Conversation, Question, Turn, told_apart
from mirix.evaluation.runner import NotBlank, read_items
from mirix.memory.message import Role

_UNANSWERABLE = "_abs"


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Role
    content: str
    has_answer: bool = False


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore")

    question_id: str
    question_type: str
    question: NotBlank
    question_date: str
    answer: str | int | float
    answer_session_ids: list[str] = []
    haystack_session_ids: list[str]
    haystack_dates: list[str]
    haystack_sessions: list[list[_Said]]


def read(path: Path) -> list[Conversation]:
    """One conversation for each question of a file. Raises InputError for what is not of LongMemEval's shape."""
    return told_apart(_conversation(item) for item in read_items(path, _Item))


def _conversation(item: _Item) -> Conversation:
    counts = {len(item.haystack_session_ids), len(item.haystack_dates), len(item.haystack_sessions)}
    if len(counts) != 1 or not item.haystack_sessions:
        raise InputError(f"{item.question_id}: haystack sessions, their ids and their dates are not of one number")
    dated = sorted(
        (
            (_time(date, item.question_id), key, said)
            for key, date, said in zip(
                item.haystack_session_ids, item.haystack_dates, item.haystack_sessions, strict=True
            )
            if said
        ),
        key=lambda each: each[0],
    )
    sessions = tuple(
        tuple(
            Turn(id=f"{key}:{number}", at=at, role=turn.role, speaker=turn.role, text=turn.content)
            for number, turn in enumerate(said, 1)
            if turn.content.strip()
        )
        for at, key, said in dated
    )
    if not any(sessions):
        raise InputError(f"{item.question_id}: nothing is said in its sessions")
    is_answerable = not item.question_id.endswith(_UNANSWERABLE)
    question = Question(
        id=item.question_id,
        text=item.question,
        asked_at=_time(item.question_date, item.question_id),
        answers=(str(item.answer),) if is_answerable else (),
        evidence=_evidence(item) if is_answerable else frozenset(),
        category=item.question_type,
    )
    return Conversation(
        name=item.question_id, lang="en", timezone="UTC", sessions=tuple(filter(None, sessions)), questions=(question,)
    )


def _evidence(item: _Item) -> frozenset[str]:
    listed = [
        (key, number, turn)
        for key, said in zip(item.haystack_session_ids, item.haystack_sessions, strict=True)
        for number, turn in enumerate(said, 1)
        if turn.content.strip()
    ]
    marked = frozenset(f"{key}:{number}" for key, number, turn in listed if turn.has_answer)
    return marked or frozenset(f"{key}:{number}" for key, number, _ in listed if key in item.answer_session_ids)


def _time(said: str, question_id: str) -> datetime:
    """`2023/05/30 (Tue) 23:40`; the file names no zone."""
    try:
        return datetime.strptime(said, "%Y/%m/%d (%a) %H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{question_id}: {said!r} is no date like '2023/05/30 (Tue) 23:40'") from None
