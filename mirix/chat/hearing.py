"""The first step of a turn: what does it ask of the memory? One model call (agents/conversation_agent.md).

The call is shown the user's own words and nothing else. What an answer recalled, what stood on a screen or in a file
never gets here, so nothing but the user can make the memory forget. It takes the place of the topic maker's call.

A reply that cannot be used goes back to the model once. After that the turn is taken as an ordinary one, unless it
sounds as if it were meant for the memory: then nothing is done, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mirix.chat.rows import recalls
from mirix.definitions import AgentDefinition
from mirix.memory.message import Message
from mirix.memory.record import Trust
from mirix.models.builtin.conversation import is_ordinary
from mirix.models.chat import call_model
from mirix.models.reply import ModelReply
from mirix.models.usage import Usage
from mirix.retrieval.topics import MAX_TOPICS, TOPIC_CHARS, render_now
from mirix.text.chunks import clip_to_tokens
from mirix.text.dates import annotate
from mirix.text.markup import attributes, neutralise

AGENT = "conversation_agent"
TURN_TOKENS = 400  # of an earlier turn that are shown
LATEST_TOKENS = 4_000  # of the turn itself; what is longer is a document, and says at its beginning what it is for


class SetTopics(BaseModel):
    """The turn asks, tells or plans something: what to look up in memory for it."""

    model_config = ConfigDict(extra="forbid")

    topics: list[str] = Field(description="Short search phrases in the language of the turn; empty: nothing is needed.")
    reply: str | None = Field(
        default=None, description="Only without topics: one short sentence in reply to a greeting or a piece of news."
    )


class ShowMemories(BaseModel):
    """The user wants to see what the memory holds."""

    model_config = ConfigDict(extra="forbid")

    about: str | None = Field(default=None, description="Whom or what about; left out: the user.")


class Forget(BaseModel):
    """The user tells the assistant to forget."""

    model_config = ConfigDict(extra="forbid")

    what: Literal["last_turn", "last_answer", "about", "everything"] = Field(
        description="What the user just said, what was just answered from memory, what is about something, or all."
    )
    about: str | None = Field(default=None, description="With what=about: its name, or the words that tell it.")

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if (self.what == "about") != bool(self.about and self.about.strip()):
            raise ValueError("`about` goes with what=about, and only with it")
        return self


class KeepOut(BaseModel):
    """The turn itself is not to be remembered."""

    model_config = ConfigDict(extra="forbid")

    last_turn_too: bool = Field(default=False, description="What the user said before it is to be forgotten as well.")
    topics: list[str] = Field(default=[], description="If it asks something: what to look up for the answer.")


class Correct(BaseModel):
    """The user says that something in memory, or in the last answer, is wrong."""

    model_config = ConfigDict(extra="forbid")

    right: str | None = Field(default=None, description="What is right, in the user's words; left out: not said.")
    wrong: str | None = Field(default=None, description="What it replaces, if the user said it.")


@dataclass(frozen=True, kw_only=True)
class Unclear:
    """No reply could be used, and the turn may have been meant for the memory: nothing is done."""


Heard = SetTopics | ShowMemories | Forget | KeepOut | Correct | Unclear
TOOLS: dict[str, type[SetTopics | ShowMemories | Forget | KeepOut | Correct]] = {
    "set_topics": SetTopics,
    "show_memories": ShowMemories,
    "forget": Forget,
    "keep_out": KeepOut,
    "correct": Correct,
}


def tool_schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    parameters = model.model_json_schema()
    return {"type": "function", "function": {"name": name, "description": model.__doc__, "parameters": parameters}}


def render_conversation(turns: Sequence[Message], *, with_recalled: bool) -> str:
    """Earlier turns of a conversation. What the assistant recalled is only told to have been said, unless asked for;
    what anybody but the user or the assistant said is left out.
    """
    rows = [_turn(turns, place, with_recalled) for place in range(len(turns))]
    return "\n".join(["<conversation>", *(row for row in rows if row), "</conversation>"])


def _turn(turns: Sequence[Message], place: int, with_recalled: bool) -> str:
    message = turns[place]
    if message.role == "tool" or message.trust < Trust.OWN or message.source_kind != "chat":
        return '<turn role="assistant" kind="reply"/>' if message.role == "assistant" else ""
    text = neutralise(clip_to_tokens(message.text, TURN_TOKENS))
    if message.role == "user":
        return f'<turn role="user">{text}</turn>'
    if message.standing != "hidden":
        return f'<turn role="assistant">{text}</turn>'
    kind = "question" if message.asks else "answer" if recalls(turns, place) else "reply"
    return (
        f'<turn role="assistant" kind="{kind}">{text}</turn>'
        if with_recalled
        else (f'<turn role="assistant" kind="{kind}"/>')
    )


def render_turn(text: str, at: datetime, timezone: str) -> str:
    """The turn that is heard, with the meaning of its relative times; `at` in the zone of the user."""
    shown = neutralise(annotate(clip_to_tokens(text, LATEST_TOKENS), at, timezone))
    return f"<turn {attributes({'at': at.isoformat(timespec='seconds')})}>{shown}</turn>"


async def hear(
    model: BaseChatModel,
    definition: AgentDefinition,
    turn: str,
    recent: Sequence[Message],
    at: datetime,
    *,
    timezone: str,
    deadline_s: float | None,
) -> tuple[Heard, Usage]:
    """What a turn (sealed) asks of the memory, and what asking cost. Raises ModelUnavailable and ModelError."""
    parts = [render_now(at), render_conversation(recent, with_recalled=False), render_turn(turn, at, timezone)]
    messages: list[BaseMessage] = [SystemMessage(definition.prompt), HumanMessage("\n".join(parts))]
    schemas = [tool_schema(name, TOOLS[name]) for name in definition.tools]
    usage = Usage()
    for _ in range(2):
        reply = await call_model(model, messages, schemas, parallel=False, deadline_s=deadline_s)
        usage = usage + Usage.of(reply)
        heard, fault = read_heard(reply)
        if heard is not None:
            return _within_limits(heard, definition), usage
        told: list[BaseMessage] = [ToolMessage(fault, tool_call_id=c.id, status="error") for c in reply.calls]
        messages = [*messages, reply.message, *(told or [HumanMessage(fault)])]
    return (SetTopics(topics=[turn[:TOPIC_CHARS]]) if is_ordinary(turn) else Unclear()), usage


def read_heard(reply: ModelReply) -> tuple[Heard | None, str]:
    """What a reply says; or None, and why it cannot be used, in words for the model."""
    if not reply.calls:
        return None, f"Call one of the tools: {', '.join(TOOLS)}."
    distinct = [
        call
        for index, call in enumerate(reply.calls)
        if (call.name, call.arguments) not in ((other.name, other.arguments) for other in reply.calls[:index])
    ]
    if len(distinct) > 1:
        return None, "error: one turn is one call; nothing was done. Call the one tool that the turn is about."
    [call] = distinct
    if call.error is not None or call.name not in TOOLS:
        return None, call.error or f"error: there is no tool {call.name!r}"
    try:
        return TOOLS[call.name].model_validate(dict(call.arguments)), ""
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return None, f"error: {call.name} was not done: {faults}"


def _within_limits(heard: Heard, definition: AgentDefinition) -> Heard:
    if not isinstance(heard, SetTopics | KeepOut):
        return heard
    chosen = dict.fromkeys(" ".join(topic.split())[:TOPIC_CHARS] for topic in heard.topics)
    limit = definition.limits.topics or MAX_TOPICS
    return heard.model_copy(update={"topics": [topic for topic in chosen if topic][:limit]})
