"""An answer from memory, with citations: the read path as a LangGraph graph.

    topics ─> retrieve ─> answer ─┬─> END           a caller who has the topics already begins at retrieve
                           ▲      └─> search ─┐   at most `search_rounds` times
                           └──────────────────┘   then once more without tools, and with <final/>

    topics    one model call: what to search for           topics.py, agents/topic_maker.md
    retrieve  the question and its topics, no model        active.py, context.py
    answer    one model call, which may ask to search      agents/chat_agent.md
    search    what it asked for, numbered on

What the model cites is resolved to memories and their messages in code; a number that was never shown is taken out of
the text. Core memory has no numbers: an answer that cites nothing and says what a line of it says is given that line as
its citation (core_source.py). Any other that cites nothing is not known from memory.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirix.db.pool import User
from mirix.definitions import AgentDefinition
from mirix.errors import ModelReplyError
from mirix.memory.record import MemoryKind, now, one_line
from mirix.models.chat import call_model
from mirix.models.reply import ModelReply, ToolCall
from mirix.models.usage import Usage
from mirix.retrieval.active import Filters, Retriever, core_blocks
from mirix.retrieval.context import MAX_TOKENS, Context, ContextItem, pack, pack_items
from mirix.retrieval.core_source import line_behind
from mirix.retrieval.frames import Block, Framer
from mirix.retrieval.hits import Hit
from mirix.retrieval.places import FramePlace
from mirix.retrieval.topics import make_topics, render_now, render_question
from mirix.text.analyser import tokens
from mirix.text.chunks import split_sentences

TOPIC_MAKER = "topic_maker"
CHAT_AGENT = "chat_agent"
SEARCH_TOOL = "search_memory"
HITS = 20  # more than the budget holds of long ones
ROUNDS = 3  # searches of the model, where its definition names no limit
ROUND_SHARE = 0.5  # of the budget, for what one such search adds
QUOTE_CHARS = 200

_CITED = re.compile(r"\s?[\[【]\s*(?P<numbers>\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*)\s*[\]】]")
_NUMBER = re.compile(r"\d+")


class _SearchMemory(BaseModel):
    """Search the user's memory with other words than the question's. Gives further numbered items."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, description="What to search for, in the words the answer would use.")
    types: list[MemoryKind | Literal["message"]] | None = Field(
        default=None, description="Only these; message: what was said, word for word. Left out: all, mostly best."
    )
    since: datetime | None = Field(default=None, description="Only what was said or happened from then on, ISO 8601.")
    until: datetime | None = Field(default=None, description="Only before this time, ISO 8601.")


SEARCH_SCHEMA: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": SEARCH_TOOL,
        "description": _SearchMemory.__doc__,
        "parameters": _SearchMemory.model_json_schema(),
    },
}


@dataclass(frozen=True, kw_only=True)
class Citation:
    """What a number in the answer stands for."""

    n: int
    kind: MemoryKind | None  # None: a message
    id: UUID
    source_ids: tuple[UUID, ...]  # the messages it rests on; a message: its own id
    quote: str  # the sentence of it that is nearest to the answer
    outdated: bool = False
    frame: FramePlace | None = None  # the picture behind it, and where on it the words stand that answer


@dataclass(frozen=True, kw_only=True)
class Answer:
    text: str
    citations: tuple[Citation, ...]  # by number, each once
    known: bool  # False: it rests on nothing in memory
    context: Context  # what the model was shown; a core line that is cited stands last among its items
    topics: tuple[str, ...]
    usage: Usage


class _State(TypedDict, total=False):
    user: User
    question: str
    recent: str  # the turns before it, rendered; "" outside a conversation
    asked_at: datetime  # in the user's zone
    filters: Filters
    max_tokens: int
    on_text: Callable[[str], None] | None
    topics: list[str]
    is_given: bool  # the caller named the topics; none: nothing is looked for
    context: Context
    pictures: list[Block]  # for a model that sees
    talk: list[BaseMessage]  # of the search rounds: the model's calls and what they gave
    reply: ModelReply
    rounds: int
    is_final: bool  # the reply was made without tools
    usage: Usage


class Answerer:
    """Answers questions. One for all users; `models` and `definitions` by agent name."""

    def __init__(
        self,
        retriever: Retriever,
        *,
        definitions: Mapping[str, AgentDefinition],
        models: Mapping[str, BaseChatModel],
        framer: Framer | None = None,
        deadline_s: float | None = 120.0,
    ) -> None:
        self._retriever = retriever
        self._framer = framer
        self._definitions = definitions
        self._models = models
        self._deadline_s = deadline_s
        graph = StateGraph(_State)
        graph.add_node("topics", self._topics)
        graph.add_node("retrieve", self._retrieve)
        graph.add_node("answer", self._answer)
        graph.add_node("search", self._search)
        graph.add_conditional_edges(START, _first_step, ["topics", "retrieve"])
        graph.add_edge("topics", "retrieve")
        graph.add_edge("retrieve", "answer")
        graph.add_conditional_edges("answer", _next_step, ["search", END])
        graph.add_edge("search", "answer")
        self._graph = graph.compile()

    async def ask(
        self,
        user: User,
        question: str,
        *,
        filters: Filters | None = None,
        asked_at: datetime | None = None,
        max_tokens: int = MAX_TOKENS,
        topics: Sequence[str] | None = None,
        recent: str = "",
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer a question that holds no secret any more (the caller seals it).

        `asked_at` (aware; default now) is what relative times in the question count from; `max_tokens` bounds the
        items that are shown, beside core memory. Given `topics` spare the call that makes them; an empty list means
        that nothing is looked for. `recent` is what was said before in the conversation, rendered. With `on_text` the
        text is streamed as the model writes it: citations are not yet checked then. Raises ModelUnavailable,
        ModelError, ModelReplyError and DatabaseUnavailable.
        """
        started = time.monotonic()
        state: _State = {
            "user": user,
            "question": question,
            "recent": recent,
            "asked_at": (asked_at or now()).astimezone(ZoneInfo(user.timezone)),
            "filters": filters or Filters(),
            "is_given": topics is not None,
            "max_tokens": max_tokens,
            "on_text": on_text,
            "talk": [],
            "rounds": 0,
            "is_final": False,
            "usage": Usage(),
        }
        if topics is not None:
            state["topics"] = list(topics)
        done = await self._graph.ainvoke(state, {"recursion_limit": 100})
        context = done["context"]
        text, citations = resolve_citations(done["reply"].text, context)
        if not citations:
            text, context = await self._with_core_source(state, text, context)
            text, citations = resolve_citations(text, context)
        citations = await self._framed(user, question, text, citations, context)
        return Answer(
            text=text,
            citations=citations,
            known=bool(citations),
            context=context,
            topics=tuple(done["topics"]),
            usage=replace(done["usage"], ms=(time.monotonic() - started) * 1000),
        )

    async def _with_core_source(self, state: _State, text: str, context: Context) -> tuple[str, Context]:
        """The text with a citation of the core line it rests on, and the context with that line; both as they are where
        there is none."""
        line = line_behind(text, state["question"], [line for lines in context.core.values() for line in lines])
        if line is None:
            return text, context
        found = await self._retriever.core_line(state["user"], line, state["filters"])
        shown = next((item for item in context.items if found is not None and item.hit.id == found.id), None)
        if found is not None and shown is None:
            [shown] = pack_items(
                [found],
                question=state["question"],
                timezone=state["user"].timezone,
                max_tokens=MAX_TOKENS,
                first=len(context.items) + 1,
            )
            context = context.with_items([shown])
        return (f"{text} [{shown.n}]" if shown is not None else text), context

    async def _framed(
        self, user: User, question: str, text: str, citations: Sequence[Citation], context: Context
    ) -> tuple[Citation, ...]:
        """The citations, each with its place on the picture behind it, where there is one."""
        if self._framer is None or not citations:
            return tuple(citations)
        places = await self._framer.places(
            user.user_id,
            [context.items[citation.n - 1].hit for citation in citations],
            question=question,
            said=[_said_with(citation.n, text) for citation in citations],
            quotes=[citation.quote for citation in citations],
        )
        return tuple(replace(each, frame=place) for each, place in zip(citations, places, strict=True))

    async def _topics(self, state: _State) -> _State:
        topics, usage = await make_topics(
            self._models[TOPIC_MAKER],
            self._definitions[TOPIC_MAKER],
            state["question"],
            state["asked_at"],
            timezone=state["user"].timezone,
            deadline_s=self._deadline_s,
        )
        return {"topics": topics, "usage": state["usage"] + usage}

    async def _retrieve(self, state: _State) -> _State:
        user, filters = state["user"], state["filters"]
        hits: Sequence[Hit] = ()
        if state["topics"] or not state["is_given"]:
            found = await self._retriever.retrieve(
                user, state["question"], state["topics"], filters=filters, limit=HITS, asked_at=state["asked_at"]
            )
            hits = found.hits
        context = pack(
            hits,
            core_blocks(await self._retriever.core_lines(user, filters)),
            question=state["question"],
            timezone=user.timezone,
            max_tokens=state["max_tokens"],
        )
        pictures = await self._framer.shown(user.user_id, context) if self._framer else []
        return {"context": context, "pictures": pictures}

    async def _answer(self, state: _State) -> _State:
        definition = self._definitions[CHAT_AGENT]
        is_final = state["rounds"] >= (definition.limits.search_rounds or ROUNDS)
        # What the searches gave is in the context by then; a history of calls without their tools is refused by some.
        talk = [] if is_final else state["talk"]
        messages = [SystemMessage(content=definition.prompt), _human(state, is_final), *talk]
        reply = await call_model(
            self._models[CHAT_AGENT],
            messages,
            [] if is_final else [SEARCH_SCHEMA],
            again_if_empty=True,
            deadline_s=self._deadline_s,
            on_text=state["on_text"],
        )
        if not reply.text and not (reply.calls and not is_final):
            raise ModelReplyError("the chat model answered with nothing: ask again, or name another model")
        return {"reply": reply, "is_final": is_final, "usage": state["usage"] + Usage.of(reply)}

    async def _search(self, state: _State) -> _State:
        context = state["context"]
        results: list[BaseMessage] = []
        for call in state["reply"].calls:
            more, told = await self._found_for(call, state, context)
            context = context.with_items(more)
            results.append(ToolMessage(content=told, tool_call_id=call.id))
        talk = [*state["talk"], state["reply"].message, *results]
        return {"context": context, "talk": talk, "rounds": state["rounds"] + 1}

    async def _found_for(self, call: ToolCall, state: _State, context: Context) -> tuple[Sequence[ContextItem], str]:
        """New items for one call of the model, and what it is told."""
        zone = ZoneInfo(state["user"].timezone)
        try:
            if call.error is not None:
                return (), call.error
            wanted = _SearchMemory.model_validate(dict(call.arguments))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            return (), f"{SEARCH_TOOL} was not run: {faults}"
        filters = replace(
            state["filters"],
            **_narrowed(state["filters"], wanted),
            since=_aware(wanted.since, zone),
            until=_aware(wanted.until, zone),
        )
        found = await self._retriever.search(
            state["user"], wanted.query, filters=filters, limit=HITS, asked_at=state["asked_at"]
        )
        more = pack_items(
            found.hits,
            question=f"{state['question']}\n{wanted.query}",
            timezone=state["user"].timezone,
            max_tokens=int(state["max_tokens"] * ROUND_SHARE),
            first=len(context.items) + 1,
            shown={item.hit.id for item in context.items},
        )
        return more, "\n".join(item.rendered for item in more) or "Nothing further was found."


def _first_step(state: _State) -> str:
    return "retrieve" if state["is_given"] else "topics"


def _next_step(state: _State) -> str:
    return "search" if state["reply"].calls and not state["is_final"] else END


def _human(state: _State, is_final: bool) -> HumanMessage:
    text = _prompt(state, is_final)
    return HumanMessage(content=[{"type": "text", "text": text}, *state["pictures"]] if state["pictures"] else text)


def _prompt(state: _State, is_final: bool) -> str:
    """The human message. The context holds what the searches added only in the final call: before, it stands in their
    results."""
    context = state["context"]
    if not is_final and state["talk"]:
        first = sum(1 for item in context.items if not _is_told(item, state["talk"]))
        context = replace(context, items=context.items[:first])
    parts = [
        render_now(state["asked_at"]),
        context.text,
        *([state["recent"]] if state["recent"] else []),
        render_question(state["question"], state["asked_at"], state["user"].timezone),
    ]
    return "\n".join([*parts, "<final/>"] if is_final else parts)


def _is_told(item: ContextItem, talk: Sequence[BaseMessage]) -> bool:
    return any(isinstance(message, ToolMessage) and item.rendered in message.text for message in talk)


def _narrowed(filters: Filters, wanted: _SearchMemory) -> dict[str, Any]:
    """Kinds and messages as the model asked, within what the question was allowed."""
    if not wanted.types:
        return {}
    kinds = frozenset(kind for kind in wanted.types if isinstance(kind, MemoryKind))
    allowed = kinds if filters.kinds is None else kinds & filters.kinds
    return {"kinds": allowed, "messages": filters.messages and "message" in wanted.types}


def _aware(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment.replace(tzinfo=zone) if moment is not None and moment.tzinfo is None else moment


def resolve_citations(text: str, context: Context) -> tuple[str, tuple[Citation, ...]]:
    """The text with its citations as `[1][2]`, and what they stand for; numbers that were never shown are dropped."""
    cited: dict[int, Citation] = {}

    def rewrite(match: re.Match[str]) -> str:
        kept = []
        for number in dict.fromkeys(map(int, _NUMBER.findall(match["numbers"]))):
            item = context.item(number)
            if item is not None:
                kept.append(f"[{number}]")
                cited.setdefault(number, _citation(item, _said_with(number, text)))
        space = " " if kept and match[0][0].isspace() else ""
        return space + "".join(kept)

    resolved = _CITED.sub(rewrite, text)
    return resolved.strip(), tuple(cited[number] for number in sorted(cited))


def _said_with(number: int, text: str) -> str:
    """The sentences of the answer that cite a number, without their citations."""
    said: list[str] = []
    before: list[str] = []  # sentences since the last citation: one behind a full stop stands alone, and is theirs
    for sentence in split_sentences(text):
        cited = {each for match in _CITED.finditer(sentence) for each in _NUMBER.findall(match["numbers"])}
        stands_alone = not _CITED.sub("", sentence).strip()
        if str(number) in cited:
            said += before if stands_alone else [sentence]
        before = [] if cited else [*before, sentence]
    return _CITED.sub("", " ".join(said))


def _citation(item: ContextItem, said: str) -> Citation:
    words = set(tokens(said))
    whole = item.hit.record.body() if item.hit.record else item.text
    sentences = split_sentences(whole) or [whole]
    nearest = max(sentences, key=lambda sentence: len(words & set(tokens(sentence))))
    return Citation(
        n=item.n,
        kind=item.hit.kind,
        id=item.hit.id,
        source_ids=item.hit.source_ids,
        quote=one_line(nearest, QUOTE_CHARS),
        outdated=item.hit.outdated,
    )
