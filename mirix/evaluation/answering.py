"""Answers: one reader, one prompt, every arm; what was shown and said is written down as it comes.

conversation ─> told to the systems ─> each arm shows something for each question ─> contexts.jsonl
                                       the reader answers from it, nothing else    ─> answers.jsonl

A run that was stopped goes on where it stopped: a conversation whose contexts are all there is not told again, and no
question is answered twice. What the reader failed on is not written down, so that going on asks it again.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from mirix.errors import ModelError
from mirix.evaluation.answers import without_citations
from mirix.evaluation.arms import ContextArm
from mirix.evaluation.corpus import Conversation
from mirix.evaluation.runner import Progress, for_each, silent
from mirix.evaluation.runs import Answered, Asked, RunFolder, Shown, load_prompt
from mirix.models.chat import call_model
from mirix.retrieval.topics import render_now, render_question
from mirix.text.secrets import reference_text

READER = "reader"  # its prompt


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
    """Show and answer whatever is not answered yet. A failing reader ends nothing, a failing memory does."""
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

    async def one(pair: tuple[Asked, Shown]) -> str | None:
        try:
            answer = await reader.answer(*pair)
        except ModelError as error:
            return str(error)
        folder.answers.append([answer])  # not in a thread: that would go on writing after the run was stopped
        return None

    failures = [words for words in await for_each(pairs, one, what="answers", progress=progress) if words is not None]
    return Outcome(
        answered=len(pairs) - len(failures),
        failed=len(failures),
        first_failure=failures[0] if failures else None,
    )


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
