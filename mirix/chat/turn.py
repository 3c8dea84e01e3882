"""One turn of a conversation, as a LangGraph graph: the same for every model.

    listen ─┬─> hear ─┬─> answer ───────> keep      an ordinary turn, or one that is kept out
            │         └─> act ──────────> keep      show, forget, correct: code does it, and says so
            └─> act     a plain yes or no to what was asked

    listen  the turn without its secrets, the last rows of the conversation, what they ask     rows.py
    hear    what it asks of the memory: one model call, on the user's own words alone          hearing.py
    answer  the ordinary answer, from the topics that were heard: retrieval/answer.py
    act     showing.py, forgetting.py, correcting.py; the words of the reply are in wording.py
    keep    rows of `message`, and the managers for what is evidence

Nothing is written before the turn has been heard: what is to be kept out leaves no row. What the assistant recalled,
and what it says of the memory, is a row that is never read by a manager and never found (`Recalled`). An answer that
rests on nothing shown and says something of its own is an ordinary turn of the assistant, trusted no more than what the
model was shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph

from mirix.chat import hearing
from mirix.chat.correcting import Corrector
from mirix.chat.deed import Deed, Done
from mirix.chat.forgetting import ChatForgetter
from mirix.chat.hearing import Correct, Forget, Heard, KeepOut, SetTopics, ShowMemories
from mirix.chat.rows import Recent, read_recent
from mirix.chat.showing import Shower
from mirix.chat.wording import UNKNOWN, Language, Saying, corrected_text, is_no, is_yes, language_of
from mirix.db.pool import Database, User
from mirix.definitions import AgentDefinition
from mirix.errors import ModelError
from mirix.ingest.evidence import Evidence, StoredBatch
from mirix.ingest.inputs import Incoming, Origin, Recalled, clean_text, from_text
from mirix.jobs.drain import Drainer
from mirix.jobs.worker import Worker
from mirix.managers.graph import Outcome
from mirix.memory import store
from mirix.memory.record import Record, Scope, Trust, now
from mirix.models.usage import Usage
from mirix.retrieval.active import Filters
from mirix.retrieval.answer import Answer, Answerer
from mirix.text.analyser import tokens
from mirix.text.secrets import find_references

OWN_SHARE = 0.3  # of an answer's words that have to be new for it to say something of its own
FEW_WORDS = 4
_ALONE = re.compile(r"[^,.:;!?—,。:;!?]{1,40}[\s.!。!]*")  # "don't remember this", and nothing that it could mean


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a turn came to."""

    text: str  # the reply; secrets stand as references
    deed: Deed | None  # what was done to the memory; None: an ordinary turn
    answer: Answer | None
    stored: tuple[StoredBatch, ...]  # what was kept as evidence
    outcomes: Mapping[UUID, Outcome]  # of its batches, as far as the managers are done
    usage: Usage


class _State(TypedDict, total=False):
    user: User
    scope: Scope
    conversation: str
    text: str  # as it was said, secrets included: never shown to a model
    sealed: str
    language: Language
    at: datetime  # in the user's zone
    on_text: Callable[[str], None] | None
    recent: Recent
    heard: Heard | None  # None: a yes or no to what was asked
    answer: Answer | None
    reply: str
    deed: Deed | None
    stored: list[StoredBatch]
    outcomes: dict[UUID, Outcome]
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class Chatter:
    """Takes turns. One for all users; `models` and `definitions` by agent name."""

    database: Database
    evidence: Evidence
    answerer: Answerer
    drainer: Drainer
    worker: Worker
    shower: Shower
    forgetter: ChatForgetter
    corrector: Corrector
    definition: AgentDefinition
    model: BaseChatModel
    deadline_s: float | None

    async def turn(
        self,
        user: User,
        scope: Scope,
        text: str,
        *,
        conversation: str,
        at: datetime | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Turn:
        """Hear a turn, answer it and do what it says. `at` (aware; default now) is when it was said.

        Raises InputError for an empty turn; ModelUnavailable and ModelError when it could not be heard (nothing is kept
        then) or not answered (what the user said is kept).
        """
        started = time.monotonic()
        state: _State = {
            "user": user,
            "scope": scope,
            "conversation": conversation,
            "text": clean_text(text).strip(),
            "language": language_of(text),
            "at": (at or now()).astimezone(ZoneInfo(user.timezone)),
            "on_text": on_text,
            "answer": None,
            "deed": None,
            "reply": "",
            "stored": [],
            "outcomes": {},
            "usage": Usage(),
        }
        done = await self._graph.ainvoke(state)
        return Turn(
            text=done["deed"].text if done["deed"] and not done["reply"] else done["reply"],
            deed=done["deed"],
            answer=done["answer"],
            stored=tuple(done["stored"]),
            outcomes=done["outcomes"],
            usage=replace(done["usage"], ms=(time.monotonic() - started) * 1000),
        )

    @cached_property
    def _graph(self) -> Any:
        graph = StateGraph(_State)
        for name, node in (
            ("listen", self._listen),
            ("hear", self._hear),
            ("answer", self._answer),
            ("act", self._act),
            ("keep", self._keep),
        ):
            graph.add_node(name, node)
        graph.add_edge(START, "listen")
        graph.add_conditional_edges("listen", _is_answered, ["hear", "act"])
        graph.add_conditional_edges("hear", _is_ordinary, ["answer", "act"])
        graph.add_edge("answer", "keep")
        graph.add_edge("act", "keep")
        graph.add_edge("keep", END)
        return graph.compile()

    async def _listen(self, state: _State) -> _State:
        user = state["user"]
        recent = await read_recent(self.database, user.user_id, state["conversation"])
        sealer = self.evidence.sealer(user.user_id)
        async with self.database.transaction(user.user_id) as conn:
            await sealer.load(conn, [state["text"]])
        before = next((row.text for row in reversed(recent.rows) if row.standing != "hidden"), "")
        return {"recent": recent, "sealed": sealer.seal(state["text"], before=before).text}

    async def _hear(self, state: _State) -> _State:
        heard, usage = await hearing.hear(
            self.model,
            self.definition,
            state["sealed"],
            state["recent"].shown,
            state["at"],
            timezone=state["user"].timezone,
            deadline_s=self.deadline_s,
        )
        return {"heard": heard, "usage": state["usage"] + usage}

    async def _answer(self, state: _State) -> _State:
        heard = state["heard"]
        assert isinstance(heard, SetTopics | KeepOut)
        if isinstance(heard, SetTopics) and not heard.topics and heard.reply:
            if on_text := state["on_text"]:
                on_text(heard.reply)
            return {"reply": heard.reply.strip()}
        if isinstance(heard, KeepOut) and not heard.topics:
            return {"deed": await self._keep_out(heard, state)}
        scope = state["scope"]
        try:
            answer = await self.answerer.ask(
                state["user"],
                state["sealed"],
                filters=Filters(agent_id=scope.agent_id, run_id=scope.run_id),
                asked_at=state["at"],
                topics=heard.topics,
                recent=hearing.render_conversation(state["recent"].shown, with_recalled=True),
                on_text=state["on_text"],
            )
        except ModelError:
            if isinstance(heard, SetTopics):  # what was said is not lost with the answer
                await self._store(state, self._said(state), infer=True)
                await self.worker.start()
            raise
        deed = await self._keep_out(heard, state) if isinstance(heard, KeepOut) else None
        reply = f"{answer.text}\n\n{deed.text}" if deed else answer.text
        return {"deed": deed, "answer": answer, "reply": reply, "usage": state["usage"] + answer.usage}

    async def _keep_out(self, heard: KeepOut, state: _State) -> Deed:
        if heard.last_turn_too:
            wanted = Forget(what="last_turn")
            deed = await self.forgetter.forget(
                state["user"], state["scope"], wanted, state["recent"], state["language"]
            )
            text = f"{Saying.KEPT_OUT.said(state['language'])}\n{deed.text}"
            return replace(deed, done=replace(deed.done, action="kept_out"), text=text)
        is_alone = _ALONE.fullmatch(state["sealed"]) is not None and bool(state["recent"].last_turn)
        saying = Saying.KEPT_OUT_ALONE if is_alone else Saying.KEPT_OUT
        return Deed(done=Done(action="kept_out"), text=saying.said(state["language"]))

    async def _act(self, state: _State) -> _State:
        user, scope, language, recent = state["user"], state["scope"], state["language"], state["recent"]
        match state.get("heard"):
            case None if is_no(state["sealed"]):
                text = Saying.NOT_FORGOTTEN.said(language)
                return {"deed": Deed(text=text, kept=text)}
            case None:
                return {"deed": await self.forgetter.confirmed(user, recent.asked, language)}
            case ShowMemories() as wanted:
                return {"deed": await self.shower.show(user, scope, wanted.about, language)}
            case Forget() as wanted:
                return {"deed": await self.forgetter.forget(user, scope, wanted, recent, language)}
            case Correct(right=right):
                if not right or not right.strip():
                    text = Saying.WHAT_IS_RIGHT.said(language)
                    cited = recent.last_cited if recent.answers_last else []  # still what the talk is about
                    return {"deed": Deed(text=text, kept=text, cited=cited)}
                return await self._correct(state)
            case _:
                return {"deed": Deed(done=Done(action="unclear"), text=Saying.UNCLEAR.said(language))}

    async def _correct(self, state: _State) -> _State:
        """Replace the wrong words, or take what was said as a new statement."""
        user, language = state["user"], state["language"]
        changes, usage = await self.corrector.find(user, state["sealed"], state["recent"], state["at"])
        usage = state["usage"] + usage
        stored = await self._store(state, self._said(state), infer=not changes)
        if changes:
            ids = [message_id for batch in stored for message_id in batch.message_ids]
            done = await self.corrector.apply(user, changes, ids)
            told = dict.fromkeys(corrected_text(one, language) for one in done)
            text = "\n".join([*told, Saying.UNDO.said(language, id=done[0].id.hex[-8:])])
            deed = Deed(
                done=Done(action="corrected", corrections=tuple(done)),
                text=text,
                kept=text,
                cited=[one.id for one in done],
            )
            return {"deed": deed, "stored": stored, "usage": usage}
        outcomes = await self._drained(user, stored)
        replaced = await self._replaced(user, outcomes)
        outcome = Saying.NOT_REPLACED.said(language)
        if replaced:
            outcome = Saying.REPLACED.said(language, before=replaced[0].body(), after=replaced[1].body())
        text = f"{Saying.RESTATED.said(language)}\n{outcome}"
        deed = Deed(
            done=Done(action="restated"),
            text=text,
            kept=text,
            cited=[record.id for record in replaced],
        )
        return {"deed": deed, "stored": stored, "outcomes": outcomes, "usage": usage}

    async def _replaced(self, user: User, outcomes: Mapping[UUID, Outcome]) -> list[Record]:
        """A memory whose place was taken, and the one that took it."""
        changed = [change.id for outcome in outcomes.values() for change in outcome.applied.changes]
        async with self.database.transaction(user.user_id) as conn:
            for record_id in changed:
                record = await store.get(conn, user.user_id, record_id)
                if record.status == "superseded" and record.superseded_by:
                    return [record, await store.get(conn, user.user_id, record.superseded_by)]
        return []

    async def _keep(self, state: _State) -> _State:
        """The rows of the turn; then the managers read what is evidence."""
        heard, deed, answer, user = state.get("heard"), state["deed"], state["answer"], state["user"]
        if deed is not None:
            # What was said to the memory is a part of the conversation; what tells what to forget is not.
            if deed.done.action in ("none", "listed") and not isinstance(heard, Forget):
                await self._store(state, [replace(one, recalled=Recalled()) for one in self._said(state)], infer=False)
            if deed.kept is not None:
                recalled = Recalled(cited=tuple(deed.cited), asks=deed.asks, references=_references(deed.kept))
                await self._store(state, [self._reply(state, deed.kept, recalled)], infer=False)
            return {}
        said, own = self._said(state), _own_trust(answer, state["sealed"])
        if own is not None:
            reply = replace(self._reply(state, state["reply"], None), trust=own)
            stored = await self._store(state, [*said, reply], infer=True)
        else:
            stored = await self._store(state, said, infer=True)
            cited = tuple(citation.id for citation in answer.citations) if answer else ()
            # A reply repeats the turn it is made to, and is forgotten with it.
            cited += tuple(message_id for batch in stored for message_id in batch.message_ids)
            recalled = Recalled(cited=cited, references=_references(state["reply"]))
            await self._store(state, [self._reply(state, state["reply"], recalled)], infer=False)
        return {"stored": stored, "outcomes": await self._drained(user, stored)}

    async def _drained(self, user: User, stored: Sequence[StoredBatch]) -> dict[UUID, Outcome]:
        """What the managers made of it. Their model failing takes nothing from the reply: they try again later."""
        try:
            return await self.drainer.drain(user, [batch.id for batch in stored if not batch.is_applied])
        except ModelError:
            await self.worker.start()
            return {}

    async def _store(self, state: _State, incoming: Sequence[Incoming], *, infer: bool) -> list[StoredBatch]:
        return await self.evidence.store(
            state["user"], state["scope"], incoming, conversation=state["conversation"], infer=infer
        )

    def _said(self, state: _State) -> list[Incoming]:
        # With its time: what is said twice is two turns.
        return from_text(state["text"], Origin(at=state["at"], timezone=state["user"].timezone), state["at"])

    def _reply(self, state: _State, text: str, recalled: Recalled | None) -> Incoming:
        return Incoming(
            role="assistant",
            speaker="Assistant",
            text=text,
            at=state["at"],
            has_time=True,
            timezone=state["user"].timezone,
            source_kind="chat",
            trust=Trust.OWN,
            recalled=recalled,
        )


def _is_answered(state: _State) -> str:
    """A plain yes or no to what was asked needs no model."""
    return "act" if state["recent"].asked and (is_yes(state["sealed"]) or is_no(state["sealed"])) else "hear"


def _is_ordinary(state: _State) -> str:
    return "answer" if isinstance(state["heard"], SetTopics | KeepOut) else "act"


def _own_trust(answer: Answer | None, turn: str) -> int | None:
    """How far an answer can be trusted that says something of its own; None where it only recalls, or says nothing.

    It is made from all that the model was shown, and trusted no more than the least of it.
    """
    if answer is None or answer.known or answer.text in UNKNOWN:
        return None
    words = set(tokens(answer.text))
    core = " ".join(line for lines in answer.context.core.values() for line in lines)
    if len(words) < FEW_WORDS or len(words - set(tokens(f"{core} {turn}"))) < OWN_SHARE * len(words):
        return None
    shown = [
        hit.record.trust if hit.record else hit.message.trust if hit.message else Trust.SEEN
        for hit in (item.hit for item in answer.context.items)
    ]
    return min([Trust.OWN, *shown])


def _references(text: str) -> frozenset[str]:
    return frozenset(find_references(text))
