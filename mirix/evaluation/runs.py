"""The folder of a run: what was asked, shown, answered and judged, each as it came, so that a stopped run goes on.

    DIR/run.json         how it is run: a run with other settings does not mix with it
    DIR/questions.jsonl  what is asked, with what is accepted
    DIR/contexts.jsonl   what each arm showed the reader
    DIR/answers.jsonl    what the reader said
    DIR/verdicts.jsonl   what each judge said of it
    DIR/report.json, report.md, report.html

Everything after the answers (judging, scoring, the report) reads this folder and nothing else. Records are frozen
dataclasses, one on a line; the last line of a file may be half written, and is cut off then. Sealed values of the data
set stand in contexts.jsonl in the clear, so that answers can be scored without the memory.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from mirix.errors import ConfigError, InputError
from mirix.evaluation.corpus import Conversation, Question

T = TypeVar("T")
QuestionKey = tuple[str, str]  # conversation, id


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question with what has to be known about its conversation."""

    conversation: str
    lang: str
    timezone: str
    turns: int  # of the conversation
    question: Question

    @property
    def key(self) -> QuestionKey:
        return self.conversation, self.question.id


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one arm shows the reader for one question."""

    conversation: str
    question: str
    arm: str
    ids: tuple[str, ...]  # the turns that its items are or rest on
    tokens: int  # estimated
    ms: float  # of the search
    text: str  # the items as they stand in the prompt
    sealed: Mapping[str, str] = field(default_factory=dict)  # vault references in the text: their values

    @property
    def key(self) -> tuple[str, str, str]:
        return self.conversation, self.question, self.arm


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the reader said."""

    conversation: str
    question: str
    category: str
    arm: str
    context_ids: tuple[str, ...]
    context_tokens: int
    search_ms: float
    input_tokens: int  # of the whole prompt
    output_tokens: int
    is_usage_estimated: bool  # the server counted nothing
    reader_ms: float
    raw: str  # as it came
    text: str  # without citations, vault references filled in: what is scored

    @property
    def key(self) -> tuple[str, str, str]:
        return self.conversation, self.question, self.arm


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a judge said once of one answer."""

    conversation: str
    question: str
    arm: str  # of the answer; of what was planted: how
    labels: str  # original or audited
    judge: str  # the model
    prompt: str  # lenient or strict
    prompt_version: str
    run: int  # from 1
    digest: str  # of the answer that was judged
    verdict: bool | None  # None: the judge said neither

    @property
    def key(self) -> tuple[Hashable, ...]:
        answer = (self.conversation, self.question, self.arm, self.labels, self.digest)
        return (*answer, self.judge, self.prompt, self.prompt_version, self.run)


class Lines(Generic[T]):
    """A file of records that is appended to. Not safe for two processes at once."""

    def __init__(self, path: Path, record_type: type[T]) -> None:
        self.path = path
        self._adapter = TypeAdapter(record_type)

    def read(self) -> list[T]:
        """The records so far. Raises InputError that names the line."""
        records = []
        for number, line in enumerate(self._whole_lines(), 1):
            try:
                records.append(self._adapter.validate_json(line))
            except ValidationError as error:
                raise InputError(f"{self.path} line {number} is none of ours: {error.errors()[0]['msg']}") from None
        return records

    def append(self, records: Iterable[T]) -> None:
        """Add records; they are on the disk when this returns."""
        text = b"".join(self._adapter.dump_json(record) + b"\n" for record in records)
        with self.path.open("ab") as file:
            self._cut_half_line(file.tell())
            file.seek(0, os.SEEK_END)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _whole_lines(self) -> list[bytes]:
        if not self.path.exists():
            return []
        return self.path.read_bytes().split(b"\n")[:-1]  # what stands behind the last line end is half a line

    def _cut_half_line(self, size: int) -> None:
        if size == 0:
            return
        with self.path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.truncate(sum(len(line) + 1 for line in self._whole_lines()))


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    path: Path

    @classmethod
    def open(cls, path: Path, settings: Mapping[str, Any], asked: Sequence[Asked]) -> RunFolder:
        """Begin a run or go on with it. Raises ConfigError where it was run with other settings or questions."""
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path=path)
        wanted = {**settings, "questions": _digest(asked)}
        if folder._settings_file.exists():
            known = folder.settings
            other = sorted(name for name in wanted.keys() | known.keys() if wanted.get(name) != known.get(name))
            if other:
                raise ConfigError(
                    f"{path} holds a run with other settings ({other[0]} was {known.get(other[0])}, is "
                    f"{wanted.get(other[0])}): name another --out"
                )
            return folder
        folder.questions.append(asked)
        folder._settings_file.write_text(json.dumps(wanted, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return folder

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """The folder of a run that was begun. Raises InputError."""
        folder = cls(path=path)
        if not folder._settings_file.exists():
            raise InputError(f"{path} is not the folder of a run: there is no run.json in it")
        return folder

    @property
    def _settings_file(self) -> Path:
        return self.path / "run.json"

    @property
    def settings(self) -> dict[str, Any]:
        return dict(json.loads(self._settings_file.read_text(encoding="utf-8")))

    @property
    def questions(self) -> Lines[Asked]:
        return Lines(self.path / "questions.jsonl", Asked)

    @property
    def contexts(self) -> Lines[Shown]:
        return Lines(self.path / "contexts.jsonl", Shown)

    @property
    def answers(self) -> Lines[Answered]:
        return Lines(self.path / "answers.jsonl", Answered)

    @property
    def verdicts(self) -> Lines[Verdict]:
        return Lines(self.path / "verdicts.jsonl", Verdict)


def asked_of(conversations: Sequence[Conversation]) -> list[Asked]:
    """All questions of some conversations."""
    return [
        Asked(
            conversation=conversation.name,
            lang=conversation.lang,
            timezone=conversation.timezone,
            turns=sum(1 for _ in conversation.turns),
            question=question,
        )
        for conversation in conversations
        for question in conversation.questions
    ]


def spread(items: Sequence[T], most: int | None) -> list[T]:
    """At most so many items, in order, at even distances."""
    if most is None or most >= len(items):
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]


@cache
def load_prompt(name: str) -> str:
    """The text of `prompts/<name>.md`."""
    return files("mirix.evaluation").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()


def prompt_version(name: str) -> str:
    """Changes whenever the prompt does."""
    return text_digest(load_prompt(name))


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _digest(asked: Sequence[Asked]) -> str:
    """Changes with what is asked and what is accepted."""
    adapter = TypeAdapter(Asked)
    # Sets have no order of their own.
    listed = [(adapter.dump_python(each, mode="json"), sorted(each.question.evidence)) for each in asked]
    for document, evidence in listed:
        document["question"]["evidence"] = evidence
    return text_digest(json.dumps([document for document, _ in listed], sort_keys=True))
