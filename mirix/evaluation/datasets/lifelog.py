"""Life logs: weeks of somebody's messages to an assistant, and typed questions asked after the last of them.

A list of `{"persona", "lang", "timezone", "messages": [{"id", "at", "role", "name", "text"}], "questions": [{"id",
"asked_at", "question", "answers", "evidence", "type"}]}`. The type of a question is its category, whichever there are;
`abstain` was never said, an answer of type `vault` is right character for character, one of type `procedure` with all
steps in their order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from mirix.evaluation.corpus import Conversation, Question, Turn, told_apart
from mirix.evaluation.lifelog import QuestionType, check_log, sessions_of
from mirix.evaluation.lifelog import Turn as Said
from mirix.evaluation.runner import NotBlank, read_items


class _Question(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    asked_at: AwareDatetime
    question: NotBlank
    answers: list[str]
    evidence: list[str]
    type: str


class _Person(BaseModel):
    model_config = ConfigDict(extra="ignore")

    lang: str
    timezone: str
    messages: list[Said]
    questions: list[_Question]

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_log([said.id for said in self.messages], {each.id: each.evidence for each in self.questions})
        return self


def read(path: Path) -> list[Conversation]:
    """One conversation for each person of a file. Raises InputError for what is not of this shape."""
    return told_apart(_conversation(person, number) for number, person in enumerate(read_items(path, _Person)))


def _conversation(person: _Person, number: int) -> Conversation:
    return Conversation(
        name=f"person-{number}",
        lang=person.lang,
        timezone=person.timezone,
        sessions=tuple(tuple(_turn(said) for said in session) for session in sessions_of(person.messages)),
        questions=tuple(_question(each) for each in person.questions),
    )


def _turn(said: Said) -> Turn:
    return Turn(id=said.id, at=said.at, role=said.role, speaker=said.name, text=said.text)


def _question(each: _Question) -> Question:
    is_answerable = each.type != QuestionType.ABSTAIN
    return Question(
        id=each.id,
        text=each.question,
        asked_at=each.asked_at,
        answers=tuple(each.answers) if is_answerable else (),
        evidence=frozenset(each.evidence) if is_answerable else frozenset(),
        category=each.type,
        is_verbatim=each.type == QuestionType.VAULT,
        is_stepwise=each.type == QuestionType.PROCEDURE,
    )
