"""Controls: what has to come out if the harness is right, in every report. Pure, but for reading an audit file.

oracle      exactly the evidence as context: what the reader could reach                        an arm
shuffled    the evidence of another question as labels: recall has to fall to chance
abstainer   "I don't know." to everything: what silence is worth
planted     answers that are wrong for certain, shown to the judge: its false-accept rate
audited     the same answers measured on corrected labels
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from mirix.errors import InputError
from mirix.evaluation.answers import words
from mirix.evaluation.corpus import Conversation, Question
from mirix.evaluation.runs import Asked, QuestionKey, spread

PLANTED = 50  # of each kind, at most
ABSTENTION = {"en": "I don't know.", "zh": "我不知道。"}


def abstention(lang: str) -> str:
    return ABSTENTION.get(lang, ABSTENTION["en"])


# ---- planted answers ----


class Plant(StrEnum):
    """What is shown to the judge beside real answers."""

    OTHER = "planted: answer of another question"
    TRAP = "planted: trap answer"
    ABSTAINER = "planted: abstention"
    KEY = "planted: the key itself"  # the only one that is right

    @property
    def is_right(self) -> bool:
        return self is Plant.KEY


@dataclass(frozen=True, kw_only=True)
class Planted:
    asked: Asked
    plant: Plant
    text: str


def planted(asked: Sequence[Asked], *, most: int = PLANTED) -> list[Planted]:
    """Answers of known worth, evenly spread over the questions; the same for the same questions."""
    answerable = [each for each in asked if each.question.is_answerable]
    found = [
        Planted(asked=each, plant=Plant.OTHER, text=text)
        for each in spread(answerable, most)
        if (text := _wrong_answer(each, answerable)) is not None
    ]
    traps = [each for each in asked if each.question.trap is not None]
    found += [Planted(asked=each, plant=Plant.TRAP, text=each.question.trap or "") for each in spread(traps, most)]
    for each in spread(answerable, most):
        found.append(Planted(asked=each, plant=Plant.ABSTAINER, text=abstention(each.lang)))
        found.append(Planted(asked=each, plant=Plant.KEY, text=each.question.answers[0]))
    return found


def _wrong_answer(asked: Asked, answerable: Sequence[Asked]) -> str | None:
    """The answer of the next question of its category and conversation that shares no word with what is accepted."""
    own = {word for answer in asked.question.answers for word in words(answer)}
    at = answerable.index(asked)
    for other in [*answerable[at + 1 :], *answerable[:at]]:
        is_near = (other.conversation, other.question.category) == (asked.conversation, asked.question.category)
        if is_near and not own & set(words(other.question.answers[0])):
            return other.question.answers[0]
    return None


# ---- shuffled labels ----


def shuffled(asked: Iterable[tuple[str, Question]]) -> dict[QuestionKey, frozenset[str]]:
    """For each question with evidence, that of another one of its conversation, all of it other turns.

    Questions come with the name of their conversation. Those for which there is no such evidence are left out. Which
    other one is drawn by chance, from a fixed seed: questions that follow one another are often about one session.
    """
    groups: dict[str, list[Question]] = defaultdict(list)
    for conversation, question in asked:
        if question.evidence:
            groups[conversation].append(question)
    found = {}
    for conversation, members in groups.items():
        random.Random(conversation).shuffle(members)
        for at, question in enumerate(members):
            others = (other.evidence for other in [*members[at + 1 :], *members[:at]])
            wrong = next((evidence for evidence in others if not evidence & question.evidence), None)
            if wrong is not None:
                found[conversation, question.id] = wrong
    return found


# ---- audited labels ----


class _Correction(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answers: list[str] | None = None  # alternatives; an empty list: nothing that was said answers it
    evidence: list[str] | None = None  # ids of turns


class _Audit(RootModel[dict[str, _Correction]]):
    pass


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Corrected labels: `{"conversation/question id": {"answers": […], "evidence": […]}}`, either may be left out."""

    corrections: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Audit:
        """Raises InputError."""
        try:
            entries = _Audit.model_validate_json(path.read_bytes()).root
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error}") from error
        except ValidationError as error:
            fault = error.errors()[0]
            raise InputError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
        return cls(corrections={key: entry.model_dump(exclude_none=True) for key, entry in entries.items()})

    def question(self, conversation: str, question: Question) -> Question:
        """A question with its corrected labels."""
        given = self.corrections.get(f"{conversation}/{question.id}")
        if given is None:
            return question
        answers = tuple(given.get("answers", question.answers))
        return replace(
            question,
            answers=answers,
            evidence=frozenset(given.get("evidence", question.evidence)),
        )

    def asked(self, asked: Sequence[Asked]) -> list[Asked]:
        return [replace(each, question=self.question(each.conversation, each.question)) for each in asked]

    def check_asked(self, asked: Sequence[Asked]) -> None:
        """Raises InputError where it corrects none of the questions of a run, which may be some of a file."""
        known = {f"{each.conversation}/{each.question.id}" for each in asked}
        if self.corrections and not known & self.corrections.keys():
            named = ", ".join(sorted(self.corrections)[:3])
            raise InputError(f"the audit corrects none of the questions asked, but e.g. {named}")

    def check(self, conversations: Sequence[Conversation]) -> None:
        """Raises InputError for a question or a turn that is not there. To be handed all conversations of a file."""
        turns = {
            f"{each.name}/{question.id}": {turn.id for turn in each.turns}
            for each in conversations
            for question in each.questions
        }
        for key, given in self.corrections.items():
            if key not in turns:
                raise InputError(f"the audit corrects {key}, but there is no such conversation/question")
            if missing := sorted(set(given.get("evidence", ())) - turns[key]):
                raise InputError(f"the audit says that {key} rests on {missing[0]}, but there is no such turn")
