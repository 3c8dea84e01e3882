"""A folder of screenshots with questions: ScreenshotVQA's shape, and more where the day was generated.

YYYYMMDD_HHMMSS.png, shots.jsonl   see mirix_desktop/folder.py
qa_pairs.json                      {"student", "qa_pairs": [{"question", "answer", …}]}
truth.json                         what was to be seen where (generated days only)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

from mirix.errors import InputError
from mirix.ingest.boxes import Box

Model = TypeVar("Model", bound=BaseModel)


class Pair(BaseModel):
    """A question. Of the paper's own files only `question` and `answer` are there."""

    question: str
    answer: str
    id: str = ""
    answers: list[str] = []  # accepted forms; none: the answer alone
    type: str = "single"
    language: str = ""
    asked_at: AwareDatetime | None = None
    facts: list[str] = []  # of truth.json: each has to be seen
    evidence: list[str] = []  # files on which a part of the answer stands
    boxes: Mapping[str, list[Box]] = {}

    @property
    def accepted(self) -> list[str]:
        return self.answers or [self.answer]


class _Pairs(BaseModel):
    student: str = ""
    qa_pairs: list[Pair]


class Sighting(BaseModel):
    file: str
    box: Box


class Fact(BaseModel):
    """Something that could be read on some shots."""

    id: str
    text: str
    shots: list[Sighting]
    dwell_s: float
    is_glance: bool

    @property
    def files(self) -> frozenset[str]:
        return frozenset(shot.file for shot in self.shots)


class Secret(BaseModel):
    kind: str
    value: str
    shots: list[Sighting]


class Private(BaseModel):
    file: str
    box: Box
    marker: str


class Truth(BaseModel):
    """What a generated day showed, and where."""

    facts: list[Fact] = []
    secrets: list[Secret] = []
    private: list[Private] = []
    repeats: list[str] = []  # files on which nothing but a caret or a clock had moved


class Day(BaseModel):
    folder: Path
    pairs: list[Pair]
    truth: Truth | None


def read_day(folder: Path) -> Day:
    """The questions and the truth of a folder. Raises InputError for what is missing or wrong."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: name one with screenshots and qa_pairs.json")
    pairs = _read(folder / "qa_pairs.json", _Pairs).qa_pairs
    if not pairs:
        raise InputError(f"{folder / 'qa_pairs.json'} holds no question")
    named = [pair if pair.id else pair.model_copy(update={"id": f"q{number}"}) for number, pair in enumerate(pairs, 1)]
    told = folder / "truth.json"
    return Day(folder=folder, pairs=named, truth=_read(told, Truth) if told.exists() else None)


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"there is no {path}: it holds the questions") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise InputError(f"{path} cannot be used: {place}: {first['msg']}") from None


def asked_at(pair: Pair, last_shot: datetime) -> datetime:
    """When a question is asked: after the last screenshot, where nothing is told."""
    return pair.asked_at or last_shot
