"""Scores of answers, arm by arm: from the records of a run to figures. Pure.

Questions with an answer are scored by token F1, BLEU-1, whether an accepted answer stands in the reply, and the judge;
questions without one by whether the reader said that it does not know, and never against the trap answer. `correct`
joins both: right by the main measure, or rightly silent. What the reader failed on counts as wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mirix.evaluation.answers import contains_value, judge, says_unknown, words
from mirix.evaluation.judging import PROMPTS, Opinion, opinion
from mirix.evaluation.metrics import bleu_1, bootstrap, mcnemar, spread, token_f1
from mirix.evaluation.runs import Answered, Asked, Verdict, text_digest

MODEL_FREE = ("contains", "f1", "bleu_1")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One question and what one arm came to on it."""

    asked: Asked
    answered: Answered | None  # None: the reader failed
    opinions: Mapping[str, Opinion] = field(default_factory=dict)  # by prompt of the judge
    f1: float = 0.0
    bleu_1: float = 0.0
    contains: bool = False  # an accepted answer stands in it: answers.py
    is_silent: bool = False  # it says that it is not known

    @classmethod
    def of(cls, asked: Asked, answered: Answered | None, verdicts: Sequence[Verdict] = ()) -> Scored:
        if answered is None:
            return cls(asked=asked, answered=None)
        question, text = asked.question, answered.text
        is_silent = not text or says_unknown(text)
        if not question.is_answerable:
            return cls(asked=asked, answered=answered, is_silent=is_silent)
        seen = judge(
            text,
            question.answers,
            asked_at=question.asked_at,
            timezone=asked.timezone,
            is_chinese=asked.lang == "zh",
            verbatim=question.is_verbatim,
            stepwise=question.is_stepwise,
        )
        given = words(text)
        return cls(
            asked=asked,
            answered=answered,
            opinions={
                prompt: opinion([each for each in verdicts if each.prompt == prompt])
                for prompt in PROMPTS
                if any(each.prompt == prompt for each in verdicts)
            },
            f1=max(token_f1(given, words(each)) for each in question.answers),
            bleu_1=max(bleu_1(given, words(each)) for each in question.answers),
            contains=seen.right,
            is_silent=is_silent,
        )

    def value(self, measure: str) -> float:
        """From 0 to 1. A judge's measure is 0 where it has not judged, and where only the exact value is right."""
        if measure in PROMPTS:
            given = self.opinions.get(measure)
            return float(given is not None and given.is_right and not self._lacks_value)
        return float(getattr(self, measure))

    def is_correct(self, main: str) -> bool:
        return bool(self.value(main)) if self.asked.question.is_answerable else self.is_silent and bool(self.answered)

    @property
    def _lacks_value(self) -> bool:
        question, text = self.asked.question, self.answered.text if self.answered else ""
        return question.is_verbatim and not any(contains_value(text, each) for each in question.answers)

    @property
    def evidence_share(self) -> float | None:
        """Of the evidence, how much the reader was shown; None where there is none to show."""
        wanted = self.asked.question.evidence
        if not wanted or not self.asked.question.is_answerable or self.answered is None:
            return None
        return len(wanted & set(self.answered.context_ids)) / len(wanted)


def score(
    asked: Sequence[Asked], answers: Sequence[Answered], verdicts: Sequence[Verdict], arms: Sequence[str]
) -> dict[str, list[Scored]]:
    """Every question for every arm, in the order of the questions."""
    said = {answer.key: answer for answer in answers}
    judged: dict[tuple[str, str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        key = (verdict.conversation, verdict.question, verdict.arm)
        if key in said and verdict.digest == text_digest(said[key].text):
            judged[key].append(verdict)
    return {
        arm: [Scored.of(each, said.get((*each.key, arm)), judged.get((*each.key, arm), ())) for each in asked]
        for arm in arms
    }


def figures(scored: Sequence[Scored], main: str) -> dict[str, Any]:
    """The figures of one arm, over all and by category. Fractions from 0 to 1; every mean with its count."""
    categories = sorted({each.asked.question.category for each in scored})
    members = {name: [each for each in scored if each.asked.question.category == name] for name in categories}
    return _figures(scored, main) | {"by_category": {name: _figures(each, main) for name, each in members.items()}}


def _figures(scored: Sequence[Scored], main: str) -> dict[str, Any]:
    answerable = [each for each in scored if each.asked.question.is_answerable]
    others = [each for each in scored if not each.asked.question.is_answerable]
    said = [each.answered for each in scored if each.answered is not None]
    measures = list(MODEL_FREE) + [prompt for prompt in PROMPTS if any(prompt in each.opinions for each in scored)]
    return {
        "n": len(scored),
        "failed": len(scored) - len(said),
        "correct": _interval([each.is_correct(main) for each in scored]),
        **{measure: _interval([each.value(measure) for each in answerable]) for measure in measures},
        "abstention": _interval([each.is_correct(main) for each in others]),
        "needless_abstention": _interval([each.is_silent for each in answerable]),
        "evidence_in_context": _interval([share for each in scored if (share := each.evidence_share) is not None]),
        "context_tokens": _mean([each.context_tokens for each in said]),
        "input_tokens": _mean([each.input_tokens for each in said]),
        "output_tokens": _mean([each.output_tokens for each in said]),
        "search_ms": spread([each.search_ms for each in said]),
        "reader_ms": spread([each.reader_ms for each in said]),
    }


def _interval(values: Sequence[float | bool]) -> dict[str, Any]:
    if not values:
        return {"n": 0, "mean": None}
    return {"n": len(values), **bootstrap([float(value) for value in values]).to_json()}


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 1) if values else None


def compare(first: Sequence[Scored], second: Sequence[Scored], main: str) -> dict[str, Any]:
    """How much better `second` is than `first`, question by question: both are lists over the same questions."""
    by_category: dict[str, list[tuple[Scored, Scored]]] = defaultdict(list)
    for pair in zip(first, second, strict=True):
        by_category[pair[0].asked.question.category].append(pair)
    pairs = list(zip(first, second, strict=True))
    answerable = [pair for pair in pairs if pair[0].asked.question.is_answerable]
    return {
        "correct": _difference(pairs, lambda each: float(each.is_correct(main))),
        "f1": _difference(answerable, lambda each: each.f1),
        "only_first": sum(a.is_correct(main) and not b.is_correct(main) for a, b in pairs),
        "only_second": sum(b.is_correct(main) and not a.is_correct(main) for a, b in pairs),
        "mcnemar_p": round(
            mcnemar([each.is_correct(main) for each in first], [each.is_correct(main) for each in second]), 5
        ),
        "by_category": {
            name: _difference(members, lambda each: float(each.is_correct(main)))
            for name, members in sorted(by_category.items())
        },
    }


def _difference(pairs: Sequence[tuple[Scored, Scored]], measure: Callable[[Scored], float]) -> dict[str, Any]:
    values = [measure(second) - measure(first) for first, second in pairs]
    return {**_interval(values), "differing": sum(value != 0 for value in values)}
