"""LoCoMo (Maharana et al., ACL 2024): ten long conversations of two people, questions with the turns that answer them.

The file, `locomo10.json`, is CC BY-NC 4.0 and not part of Mirix: get it from https://github.com/snap-research/locomo.
Any file of its shape is read.

How labels are cleaned up: an evidence entry may name several turns (`D1:3; D2:4`), with zeros or a colon too many
(`D30:05`, `D:11:26`); all are read. Ids of turns that are not there are dropped, and repeats. A question without
evidence after that is not scored in retrieval. What a picture shows stands behind its turn as `[image: …]`, from the
caption in the file. Blank turns are left out. Answers of category 5 are traps: nothing that was said answers those
questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mirix.errors import InputError
from mirix.evaluation.corpus import Conversation, Question, Turn, once, told_apart
from mirix.evaluation.runner import NotBlank, faults, read_items

CATEGORIES = {"1": "multi-hop", "2": "temporal", "3": "open-domain", "4": "single-hop", "5": "adversarial"}
ADVERSARIAL = "5"
_ASKED_AFTER = timedelta(days=1)  # the last session; the file does not say
_TURN_ID = re.compile(r"D:?(\d+):0*(\d+)")
_SESSION = re.compile(r"session_(\d+)")


class _Answered(BaseModel):
    model_config = ConfigDict(extra="ignore")

    question: NotBlank
    answer: str | int | float | None = None
    adversarial_answer: str | int | None = None
    evidence: list[str] = []
    category: int


class _Sample(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sample_id: str
    conversation: dict[str, Any]  # speaker_a, speaker_b, session_1, session_1_date_time, …
    qa: list[_Answered]


class _Spoken(BaseModel):
    model_config = ConfigDict(extra="ignore")

    dia_id: str
    speaker: str
    text: str
    blip_caption: str | None = None


def read(path: Path) -> list[Conversation]:
    """The conversations of a file. Raises InputError for what is not of LoCoMo's shape."""
    return told_apart(_conversation(sample) for sample in read_items(path, _Sample))


def _conversation(sample: _Sample) -> Conversation:
    sessions = tuple(filter(None, (_session(sample, number) for number in _numbers(sample.conversation))))
    if not sessions:
        raise InputError(f"{sample.sample_id}: there is no session in it")
    turns = [turn.id for session in sessions for turn in session]
    once(f"the turn {turn} of {sample.sample_id}" for turn in turns)
    known = set(turns)
    asked_at = sessions[-1][-1].at + _ASKED_AFTER
    return Conversation(
        name=sample.sample_id,
        lang="en",
        timezone="UTC",
        sessions=sessions,
        questions=tuple(_question(each, number, known, asked_at) for number, each in enumerate(sample.qa, 1)),
    )


def _numbers(conversation: Mapping[str, Any]) -> list[int]:
    return sorted(int(found[1]) for name in conversation if (found := _SESSION.fullmatch(name)))


def _session(sample: _Sample, number: int) -> tuple[Turn, ...]:
    said = str(sample.conversation.get(f"session_{number}_date_time", ""))
    try:
        at = datetime.strptime(said, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(
            f"{sample.sample_id}: session_{number}_date_time is {said!r}, not like '1:56 pm on 8 May, 2023'"
        ) from None
    spoken = sample.conversation[f"session_{number}"]
    if not isinstance(spoken, list):
        raise InputError(f"{sample.sample_id}: session_{number} is no list of turns")
    turns = [_turn(each, at, f"{sample.sample_id}: session_{number}, turn {n}") for n, each in enumerate(spoken, 1)]
    return tuple(turn for turn in turns if turn.text.strip())


def _turn(given: object, at: datetime, place: str) -> Turn:
    try:
        spoken = _Spoken.model_validate(given)
    except ValidationError as error:
        raise InputError(f"{place}: {faults(error)}") from None
    return Turn(id=spoken.dia_id, at=at, role="user", speaker=spoken.speaker, text=_text(spoken))


def _text(spoken: _Spoken) -> str:
    return f"{spoken.text} [image: {spoken.blip_caption}]".lstrip() if spoken.blip_caption else spoken.text


def _question(each: _Answered, number: int, known: Set[str], asked_at: datetime) -> Question:
    category = str(each.category)
    is_trap = category == ADVERSARIAL
    answers = () if is_trap or each.answer is None else (str(each.answer),)
    return Question(
        id=str(number),
        text=each.question,
        asked_at=asked_at,
        answers=answers,
        evidence=frozenset(evidence_ids(each.evidence) & known),
        category=category,
        trap=str(each.adversarial_answer) if is_trap and each.adversarial_answer is not None else None,
    )


def evidence_ids(labels: Iterable[str]) -> set[str]:
    """The turn ids in labels as they stand in the file, e.g. `D8:6; D9:17`."""
    return {f"D{int(day)}:{int(turn)}" for label in labels for day, turn in _TURN_ID.findall(label)}
