"""Procedures that are told a step a turn: an opening that says what it is about, then one short instruction after the
other, with at most a "go on" between them.

A step by itself ("Count them.") concerns nothing that could be told; only the run of them is a procedure. Told by form:
no first person, no question, no past, short, and soon after the one before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from mirix.models.builtin.language import content_terms, is_chinese, is_past_form, plain, split_sentences
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.signals import has
from mirix.models.builtin.steps import without_order
from mirix.models.builtin.subjects import is_one_off

_PAUSE = timedelta(minutes=5)  # between two steps
_FEWEST = 3  # messages, and steps; two instructions in a row are any talk
_STEP_WORDS, _STEP_HAN = 16, 26
_PROMPT_WORDS, _PROMPT_HAN = 8, 10  # of the assistant: "Got it, go on."
_HEADED = re.compile(r"^(?P<heading>[^:\n]{2,110}):\s*(?P<step>\S.*)?$")
_NO_STEP = re.compile(
    r"(?i)\?|\b(?:I|I['’]\w+|we|we['’]\w+|my|me|our|us)\b|"
    r"^\W*(?:the|an?|this|that|these|those|there|it|he|she|they|you|his|her|no|not|yes|thanks?|thank|ok|okay|so|well|"
    r"oh|what|who|when|where|why|how|which|nothing|nobody|somebody|everyone|everybody)\b|"
    r"^\W*[\w'’-]+(?: [\w'’-]+)? (?:is|are|was|were|has|had|will|would|can|could|did|does)\b|"
    r"[我咱你您他她它]|^\W*[「“\"]|[了没]|[吧呢啊吗]\W*$"
)
_SAME_IN_PAST = re.compile(r"(?i)^(?:let|put|set|cut|shut|spread|hit|split|read|beat)\b")


@dataclass(frozen=True, kw_only=True)
class Dictation:
    """One procedure told over several messages."""

    heading: str
    steps: tuple[str, ...]
    messages: tuple[Message, ...]


def find_dictations(messages: Sequence[Message]) -> list[Dictation]:
    """The procedures that are told a step a turn, in order. Each message belongs to at most one."""
    found: list[Dictation] = []
    open_: Dictation | None = None
    for message in messages:
        if message.role == "assistant":
            if not _is_prompt(message.text):
                _close(open_, found)
                open_ = None
            continue
        if open_ is not None and _is_soon(open_.messages[-1], message) and _goes_on(message):
            steps = (*open_.steps, without_order(message.text))
            open_ = Dictation(heading=open_.heading, steps=steps, messages=(*open_.messages, message))
            continue
        _close(open_, found)
        open_ = _opening(message)
    _close(open_, found)
    return found


def _close(dictation: Dictation | None, found: list[Dictation]) -> None:
    if dictation is not None and min(len(dictation.messages), len(dictation.steps)) >= _FEWEST:
        found.append(dictation)


def _opening(message: Message) -> Dictation | None:
    """What a message tells that names a thing to do, with its first step or before it."""
    if message.is_context or message.source != "chat":
        return None
    sentences = split_sentences(message.text.strip())
    if not sentences:
        return None
    headed = _HEADED.match(sentences[-1])
    if headed is not None:
        heading, first = " ".join([*sentences[:-1], headed["heading"]]), headed["step"] or ""
    else:
        heading, first = " ".join(sentences[:-1]), sentences[-1]
    told_once = has("past_event", plain(heading)) and has("first_person", heading)
    if not content_terms(heading) or "?" in heading or told_once or (first and not _is_step(first)):
        return None
    return Dictation(
        heading=heading.strip(" .。:"), steps=(without_order(first),) if first else (), messages=(message,)
    )


def _goes_on(message: Message) -> bool:
    """Whether a message is a step and nothing else."""
    if message.is_context or message.source != "chat":
        return False
    return len(split_sentences(message.text.strip())) == 1 and _is_step(message.text)


def _is_step(sentence: str) -> bool:
    text = plain(sentence).strip()
    step = without_order(text)
    if not content_terms(step) or _NO_STEP.search(step) or has("greeting", step) or is_one_off(step):
        return False
    if is_chinese(step):
        return len(step) <= _STEP_HAN
    is_past = is_past_form(step.split()[0].strip(",.!")) and not _SAME_IN_PAST.match(step)
    return len(step.split()) <= _STEP_WORDS and not is_past


def _is_prompt(text: str) -> bool:
    return len(text) <= _PROMPT_HAN if is_chinese(text) else len(text.split()) <= _PROMPT_WORDS


def _is_soon(before: Message, message: Message) -> bool:
    return before.at is not None and message.at is not None and message.at - before.at <= _PAUSE
