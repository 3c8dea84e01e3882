"""The judge: a model that compares each answer with the key, by two prompts, several times over.

answers of DIR ─┐
planted answers ┴─> lenient and strict, each `runs` times ─> verdicts.jsonl ─> majority, agreement

Only answers to questions that have one are judged; whether the reader kept silent where nothing was said is seen
without a model. What was judged is not judged again, unless the answer, the judge or its prompt changed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from mirix.errors import ConfigError
from mirix.evaluation.answering import Outcome, ask_all
from mirix.evaluation.controls import Audit, planted
from mirix.evaluation.runner import Progress, silent
from mirix.evaluation.runs import Asked, RunFolder, Verdict, load_prompt, prompt_version, text_digest
from mirix.models.chat import call_model

PROMPTS = ("lenient", "strict")
RUNS = 3
ORIGINAL = "original"
AUDITED = "audited"
NOTHING_ANSWERS = "(Nothing that was said answers this question.)"
_WORD = re.compile(r"\b(CORRECT|WRONG)\b")


def check_judge(reader: str, judge: str, *, same_judge: bool = False) -> None:
    """Raises ConfigError where a judge would judge its own answers, or cannot judge."""
    if judge.strip() == "builtin":
        raise ConfigError("the built-in model answers by rules and cannot judge: name another --judge-model")
    if judge.strip().casefold() == reader.strip().casefold() and not same_judge:
        raise ConfigError(
            f"{judge} gave the answers and would judge itself: name another --judge-model, or say --same-judge"
        )


@dataclass(frozen=True, kw_only=True)
class Judge:
    model: BaseChatModel
    name: str
    deadline_s: float | None = 120.0

    async def verdict(self, prompt: str, asked: Asked, text: str) -> bool | None:
        """Whether the answer agrees with the key; None where the reply says neither. Raises ModelError."""
        question = asked.question
        key = "\n".join(question.answers) if question.is_answerable else NOTHING_ANSWERS
        parts = {"question": question.text, "key": key, "answer": text}
        # No text may close a tag.
        human = "\n".join(f"<{tag}>\n{part.replace('<', '‹')}\n</{tag}>" for tag, part in parts.items())
        messages = [SystemMessage(content=load_prompt(_file(prompt))), HumanMessage(content=human)]
        reply = await call_model(self.model, messages, deadline_s=self.deadline_s)
        return read_verdict(reply.text)


def read_verdict(text: str) -> bool | None:
    """The last of the two words that a judge's reply holds."""
    found = _WORD.findall(text.upper())
    return found[-1] == "CORRECT" if found else None


@dataclass(frozen=True, kw_only=True)
class _ToJudge:
    asked: Asked
    arm: str
    labels: str
    text: str

    def verdict(self, judge: Judge, prompt: str, run: int, verdict: bool | None) -> Verdict:
        return Verdict(
            conversation=self.asked.conversation,
            question=self.asked.question.id,
            arm=self.arm,
            labels=self.labels,
            judge=judge.name,
            prompt=prompt,
            prompt_version=version(prompt),
            run=run,
            digest=text_digest(self.text),
            verdict=verdict,
        )


async def run_judge(
    folder: RunFolder,
    judge: Judge,
    *,
    runs: int = RUNS,
    audit: Audit | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Judge whatever is not judged yet. A judge that fails now and then ends nothing: going on asks it again.

    Raises ModelError where it never answers.
    """
    earlier = folder.verdicts.read()
    known = {verdict.key for verdict in earlier}
    tasks = [
        (each, prompt, run)
        for each in _to_judge(folder, audit)
        for prompt in PROMPTS
        for run in range(1, runs + 1)
        if each.verdict(judge, prompt, run, None).key not in known
    ]
    turn = asyncio.Lock()

    async def one(task: tuple[_ToJudge, str, int]) -> None:
        each, prompt, run = task
        verdict = await judge.verdict(prompt, each.asked, each.text)
        async with turn:
            await asyncio.to_thread(folder.verdicts.append, [each.verdict(judge, prompt, run, verdict)])

    has_answered = any(each.judge == judge.name for each in earlier)
    return await ask_all(tasks, one, what="verdicts", has_answered=has_answered, progress=progress)


def _to_judge(folder: RunFolder, audit: Audit | None) -> Iterable[_ToJudge]:
    """Every answer on the labels as they are, and once more where an audit changed what is accepted."""
    asked = folder.questions.read()
    yield from _on(folder, asked, ORIGINAL)
    for plant in planted(asked):
        yield _ToJudge(asked=plant.asked, arm=plant.plant, labels=ORIGINAL, text=plant.text)
    if audit is not None:
        before = {each.key: each.question.answers for each in asked}
        yield from _on(
            folder, [each for each in audit.asked(asked) if each.question.answers != before[each.key]], AUDITED
        )


def _on(folder: RunFolder, asked: Sequence[Asked], labels: str) -> Iterable[_ToJudge]:
    answerable = {each.key: each for each in asked if each.question.is_answerable}
    for answer in folder.answers.read():
        each = answerable.get((answer.conversation, answer.question))
        if each is not None:
            yield _ToJudge(asked=each, arm=answer.arm, labels=labels, text=answer.text)


def version(prompt: str) -> str:
    """Of a judge's prompt; verdicts by another are none of this one."""
    return prompt_version(_file(prompt))


def _file(prompt: str) -> str:
    return f"judge_{prompt}"


# ---- verdicts together ----


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What several runs of one judge say of one answer."""

    is_right: bool  # more say so than not; a tie is wrong
    is_unanimous: bool
    unreadable: int


def opinion(verdicts: Sequence[Verdict]) -> Opinion:
    """Raises ValueError without verdicts."""
    if not verdicts:
        raise ValueError("no verdict to count")
    said = [each.verdict for each in verdicts if each.verdict is not None]
    return Opinion(
        is_right=2 * sum(said) > len(said),
        is_unanimous=len(set(said)) == 1 and len(said) == len(verdicts),
        unreadable=len(verdicts) - len(said),
    )
