"""The first step of an answer: a question becomes one to four short phrases to search for (agents/topic_maker.md)."""

from __future__ import annotations

from datetime import datetime

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirix.definitions import AgentDefinition
from mirix.models.chat import call_model
from mirix.models.usage import Usage
from mirix.text.dates import annotate
from mirix.text.markup import attributes, neutralise

TOOL = "set_topics"
MAX_TOPICS = 4
TOPIC_CHARS = 200


class _Topics(BaseModel):
    """Search personal memory for these phrases."""

    model_config = ConfigDict(extra="forbid")

    topics: list[str] = Field(description="One to four short search phrases, in the language of the question.")


SCHEMA = {
    "type": "function",
    "function": {"name": TOOL, "description": _Topics.__doc__, "parameters": _Topics.model_json_schema()},
}


def render_now(moment: datetime) -> str:
    return f"<now>{moment.isoformat(timespec='seconds')} {moment:%A}</now>"


def render_question(question: str, asked_at: datetime, timezone: str) -> str:
    """The question with the meaning of its relative times; `asked_at` in the zone of whoever asks."""
    at = attributes({"asked_at": asked_at.isoformat(timespec="seconds")})
    return f"<question {at}>{neutralise(annotate(question, asked_at, timezone))}</question>"


async def make_topics(
    model: BaseChatModel,
    definition: AgentDefinition,
    question: str,
    asked_at: datetime,
    *,
    timezone: str,
    deadline_s: float | None = 120.0,
) -> tuple[list[str], Usage]:
    """Topics of a question and what they cost; none when the model named none that can be used.

    Topics only widen the search, which looks for the question itself as well: a reply that cannot be used is no error.
    Raises ModelUnavailable and ModelError.
    """
    text = f"{render_now(asked_at)}\n{render_question(question, asked_at, timezone)}"
    messages = [SystemMessage(content=definition.prompt), HumanMessage(content=text)]
    reply = await call_model(model, messages, [SCHEMA], tool_choice=TOOL, parallel=False, deadline_s=deadline_s)
    topics: list[str] = []
    for call in reply.calls:
        if call.name == TOOL and call.error is None:
            try:
                topics += _Topics.model_validate(dict(call.arguments)).topics
            except ValidationError:
                continue
    chosen = dict.fromkeys(" ".join(topic.split())[:TOPIC_CHARS] for topic in topics)
    limit = definition.limits.topics or MAX_TOPICS
    return [topic for topic in chosen if topic][:limit], Usage.of(reply)
