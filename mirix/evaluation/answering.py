"""Answers: one reader, one prompt, every arm; what was shown and said is written down as it comes.

conversation ─> told to the systems ─> each arm shows something for each question ─> contexts.jsonl
                                       the reader answers from it, nothing else    ─> answers.jsonl

A run that was stopped goes on where it stopped: a conversation whose contexts are all there is not told again, and no
question is answered twice. What the reader failed on is not written down, so that going on asks it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from mirix.errors import ModelError, ModelReplyError, ModelUnavailable
from mirix.evaluation.answers import without_citations
from mirix.evaluation.arms import ContextArm
from mirix.evaluation.corpus import Conversation
from mirix.evaluation.runner import Progress, for_each, silent
from mirix.evaluation.runs import Answered, Asked, RunFolder, Shown, load_prompt
from mirix.models.chat import call_model
from mirix.retrieval.topics import render_now, render_question
from mirix.text.secrets import reference_text

READER = "reader"  # its prompt
FEW = 5  # failures in the beginning after which a model is taken to be out of reach

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The model that answers, whatever the arm."""

    model: BaseChatModel
    deadline_s: float | None = 120.0

    async def answer(self, asked: Asked, shown: Shown) -> Answered:
        """Raises ModelError."""
        question = asked.question
        asked_at = question.asked_at.astimezone(ZoneInfo(asked.timezone))
        human = "\n".join(
            [
                render_now(asked_at),
                "<context>",
                *([shown.text] if shown.text else []),
                "</context>",
                render_question(question.text, asked_at, asked.timezone),
            ]
        )
        messages = [SystemMessage(content=load_prompt(READER)), HumanMessage(content=human)]
        reply = await call_model(self.model, messages, deadline_s=self.deadline_s)
        text = without_citations(reply.text)
        for reference, value in shown.sealed.items():
            text = text.replace(reference_text(reference), value)
        return Answered(
            conversation=asked.conversation,
            question=question.id,
            category=question.category,
            arm=shown.arm,
            context_ids=shown.ids,
            context_tokens=shown.tokens,
            search_ms=shown.ms,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            is_usage_estimated=reply.is_usage_estimated,
            reader_ms=round(reply.ms, 2),
            raw=reply.text,
            text=text,
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    answered: int  # now
    failed: int  # asked, and the reader gave no answer
    first_failure: str | None = None


async def run_answers(
    folder: RunFolder,
    conversations: Sequence[Conversation],
    asked: Sequence[Asked],
    arms: Sequence[ContextArm],
    reader: Reader,
    *,
    progress: Progress = silent,
) -> Outcome:
    """Show and answer whatever is not answered yet.

    A reader that fails now and then ends nothing, a failing memory does. Raises ModelError where the reader never
    answers.
    """
    contexts = {shown.key: shown for shown in folder.contexts.read()}
    for done, conversation in enumerate(conversations, 1):
        own = [each for each in asked if each.conversation == conversation.name]
        contexts |= await _show_all(folder, conversation, own, arms, contexts.keys(), progress)
        progress("conversations", done, len(conversations))
    answered = {answer.key for answer in folder.answers.read()}
    pairs = [
        (each, shown)
        for each in asked
        for arm in arms
        if (shown := contexts[each.conversation, each.question.id, arm.name]).key not in answered
    ]

    async def one(pair: tuple[Asked, Shown]) -> None:
        answer = await reader.answer(*pair)
        folder.answers.append([answer])  # not in a thread: that would go on writing after the run was stopped

    return await ask_all(pairs, one, what="answers", has_answered=bool(answered), progress=progress)


async def ask_all(
    tasks: Sequence[T], ask: Callable[[T], Awaitable[None]], *, what: str, has_answered: bool, progress: Progress
) -> Outcome:
    """Put everything to a model. What it fails on is counted and left for the next time.

    Raises ModelError when it fails on the FEW first, or on all that there is, and never answered before: the model is
    wrong then, and not what it was asked. One that has answered in an earlier run must be out of reach.
    """
    failures: list[ModelError] = []
    answered = 0

    def stop_if_hopeless(enough: int) -> None:
        fault = ModelUnavailable if has_answered else ModelError
        is_fault = all(isinstance(each, fault) and not isinstance(each, ModelReplyError) for each in failures)
        if answered == 0 and len(failures) >= enough and is_fault:
            raise type(failures[0])(
                f"the model failed on the first {len(failures)} {what} and was asked no more: {failures[0]} (what is "
                "in the folder stays: run the same command again once it answers)"
            ) from failures[0]

    async def one(task: T) -> None:
        nonlocal answered
        try:
            await ask(task)
        except ModelError as error:
            failures.append(error)
            stop_if_hopeless(FEW)
        else:
            answered += 1

    await for_each(tasks, one, what=what, progress=progress)
    if failures:
        stop_if_hopeless(1)
    return Outcome(answered=answered, failed=len(failures), first_failure=str(failures[0]) if failures else None)


async def _show_all(
    folder: RunFolder,
    conversation: Conversation,
    asked: Sequence[Asked],
    arms: Sequence[ContextArm],
    known: Set[tuple[str, str, str]],
    progress: Progress,
) -> dict[tuple[str, str, str], Shown]:
    """The contexts of one conversation that are not there yet."""
    missing = [
        (arm, each) for arm in arms for each in asked if (conversation.name, each.question.id, arm.name) not in known
    ]
    needed = {id(arm.system): arm.system for arm, _ in missing if arm.system is not None}
    for system in needed.values():
        await system.ingest(conversation)
    shown = []
    for done, (arm, each) in enumerate(missing, 1):
        shown.append(await arm.show(conversation, each.question))
        progress(f"contexts of {conversation.name}", done, len(missing))
    folder.contexts.append(shown)
    return {each.key: each for each in shown}
