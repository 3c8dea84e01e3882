"""What the reader is shown: each arm finds in its own way, all are packed alike and may take as many tokens.

    evidence   Mirix over raw messages        typed   Mirix over the six memories      both   Mirix over all
    bm25, vector, any MemorySystem: a plain ranking      full   the end of the conversation, as much as fits
    none       nothing                        oracle  exactly the turns that hold the answer

One packer (retrieval/context.py) renders every arm's hits, so that only what was found differs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid5

from mirix.errors import NotFoundError, SealError
from mirix.evaluation.corpus import Conversation, Question, Turn
from mirix.evaluation.runs import Shown
from mirix.evaluation.systems import HITS, Bm25System, Entry, Ingest, MemorySystem, MirixSystem, VectorSystem
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind
from mirix.retrieval.context import pack_items, render_hit
from mirix.retrieval.hits import Hit
from mirix.system import AsyncMirix
from mirix.text.chunks import count_tokens
from mirix.text.secrets import find_references

BUDGET = 1_000  # tokens of context
FULL_TOKENS = 16_000  # of the arm `full`, where the reader's limit is not told
_SPACE = UUID("5d0cbb34-5b4b-4c39-9a86-0f7b5b1d6a11")  # of ids made from names


class Arm(StrEnum):
    EVIDENCE = "evidence"
    TYPED = "typed"
    BOTH = "both"
    BM25 = "bm25"
    VECTOR = "vector"
    FULL = "full"
    NONE = "none"
    ORACLE = "oracle"


class ContextArm(Protocol):
    """One way to find what the reader is shown."""

    @property
    def name(self) -> str: ...

    @property
    def system(self) -> MemorySystem | None:
        """What a conversation has to be told to first; arms may share one."""

    async def show(self, conversation: Conversation, question: Question) -> Shown: ...


@dataclass(frozen=True, kw_only=True)
class MirixArm:
    """Mirix, over some of what it keeps. A vault value is filled in after the reader has answered."""

    name: str
    system: MirixSystem
    kinds: Sequence[MemoryKind] | None  # None: all
    messages: bool
    budget: int

    async def show(self, conversation: Conversation, question: Question) -> Shown:
        memory, user = self.system.memory, self.system.user(conversation)
        found = await memory.search(
            question.text,
            user_id=user,
            limit=HITS,
            kinds=self.kinds,
            messages=self.messages,
            asked_at=question.asked_at,
        )
        turns = {hit.id: self.system.turns_of(hit) for hit in found.hits}
        # Messages beside a hit may fill what room is left; they stand for themselves.
        turns |= {n.id: self.system.turns_of(_as_hit(n)) for hit in found.hits for n in hit.neighbours}
        shown = _packed(self.name, conversation, question, found.hits, turns, budget=self.budget, ms=found.ms)
        sealed = {}
        for reference in find_references(shown.text):
            # A text may hold what only looks like a reference.
            with suppress(NotFoundError, SealError):
                sealed[reference] = await memory.reveal(reference, user_id=user)
        return replace(shown, sealed=sealed)


@dataclass(frozen=True, kw_only=True)
class SystemArm:
    """Any memory system. A turn word for word is shown with its time and speaker, other text as it is."""

    system: MemorySystem
    budget: int

    @property
    def name(self) -> str:
        return self.system.name

    async def show(self, conversation: Conversation, question: Question) -> Shown:
        ranked = await self.system.search(conversation, question)
        known = {turn.id: turn for turn in conversation.turns}
        hits = [_hit(entry, known, conversation, question) for entry in ranked.entries]
        turns = {hit.id: entry.ids for hit, entry in zip(hits, ranked.entries, strict=True)}
        return _packed(self.name, conversation, question, hits, turns, budget=self.budget, ms=ranked.ms)


@dataclass(frozen=True, kw_only=True)
class TurnsArm:
    """Turns by rule: nothing is searched."""

    name: str
    choose: Callable[[Conversation, Question], Sequence[Turn]]
    budget: int
    system: None = None

    async def show(self, conversation: Conversation, question: Question) -> Shown:
        begin = time.perf_counter()
        chosen = self.choose(conversation, question)
        hits = [_turn_hit(turn, conversation, n) for n, turn in enumerate(chosen)]
        turns = {hit.id: (turn.id,) for hit, turn in zip(hits, chosen, strict=True)}
        ms = (time.perf_counter() - begin) * 1000
        return _packed(self.name, conversation, question, hits, turns, budget=self.budget, ms=ms)


@dataclass(frozen=True, kw_only=True)
class FullArm:
    """The conversation itself, in order; where it is too long, its end."""

    budget: int
    name: str = Arm.FULL
    system: None = None

    async def show(self, conversation: Conversation, question: Question) -> Shown:
        kept: list[tuple[Turn, str]] = []
        tokens = 0
        turns = list(conversation.turns)
        for number in range(len(turns), 0, -1):
            rendered = render_hit(number, _turn_hit(turns[number - 1], conversation, number), conversation.timezone)
            tokens += count_tokens(rendered + "\n")
            if tokens > self.budget:
                break
            kept.append((turns[number - 1], rendered))
        kept.reverse()
        text = "\n".join(rendered for _, rendered in kept)
        ids = tuple(turn.id for turn, _ in kept)
        return _shown(self.name, conversation, question, ids=ids, tokens=count_tokens(text), ms=0.0, text=text)


def make_arms(
    names: Sequence[Arm], memory: AsyncMirix, *, budget: int = BUDGET, full_tokens: int = FULL_TOKENS
) -> list[ContextArm]:
    """The arms of these names, in order. Raises ConfigError for `vector` where there is no embedder."""
    raw = MirixSystem(memory=memory, mode=Ingest.EVIDENCE)
    graph = MirixSystem(memory=memory, mode=Ingest.GRAPH)
    makers: Mapping[Arm, Callable[[], ContextArm]] = {
        Arm.EVIDENCE: lambda: MirixArm(name=Arm.EVIDENCE, system=raw, kinds=(), messages=True, budget=budget),
        Arm.TYPED: lambda: MirixArm(name=Arm.TYPED, system=graph, kinds=None, messages=False, budget=budget),
        Arm.BOTH: lambda: MirixArm(name=Arm.BOTH, system=graph, kinds=None, messages=True, budget=budget),
        Arm.BM25: lambda: SystemArm(system=Bm25System(), budget=budget),
        Arm.VECTOR: lambda: SystemArm(system=VectorSystem.of(memory), budget=budget),
        Arm.FULL: lambda: FullArm(budget=full_tokens),
        Arm.NONE: lambda: TurnsArm(name=Arm.NONE, choose=lambda conversation, question: (), budget=budget),
        Arm.ORACLE: lambda: TurnsArm(name=Arm.ORACLE, choose=evidence_turns, budget=budget),
    }
    return [makers[name]() for name in dict.fromkeys(names)]


def evidence_turns(conversation: Conversation, question: Question) -> list[Turn]:
    """The turns that hold the answer, as they were said; none where nothing does."""
    if not question.is_answerable:
        return []
    return [turn for turn in conversation.turns if turn.id in question.evidence]


def _packed(
    arm: str,
    conversation: Conversation,
    question: Question,
    hits: Sequence[Hit],
    turns: Mapping[UUID, Sequence[str]],
    *,
    budget: int,
    ms: float,
) -> Shown:
    """The best hits within the budget."""
    items = pack_items(hits, question=question.text, timezone=conversation.timezone, max_tokens=budget)
    # The packer counts items, and not what stands between them.
    while count_tokens(text := "\n".join(item.rendered for item in items)) > budget:
        items = items[:-1]
    ids = tuple(dict.fromkeys(key for item in items for key in turns[item.hit.id]))
    return _shown(arm, conversation, question, ids=ids, tokens=count_tokens(text), ms=ms, text=text)


def _shown(
    arm: str, conversation: Conversation, question: Question, *, ids: tuple[str, ...], tokens: int, ms: float, text: str
) -> Shown:
    return Shown(
        conversation=conversation.name,
        question=question.id,
        arm=str(arm),
        ids=ids,
        tokens=tokens,
        ms=round(ms, 2),
        text=text,
    )


def _hit(entry: Entry, known: Mapping[str, Turn], conversation: Conversation, question: Question) -> Hit:
    """What a system found, as the packer knows it."""
    rests_on = [known[key] for key in entry.ids if key in known]
    if len(rests_on) == 1 and rests_on[0].text in entry.text:
        return _turn_hit(rests_on[0], conversation)
    at = max((turn.at for turn in rests_on), default=question.asked_at)
    made = Turn(id=f"{entry.ids} {entry.text}", at=at, role="tool", speaker="", text=entry.text)
    return _turn_hit(made, conversation)


def _turn_hit(turn: Turn, conversation: Conversation, position: int = 0) -> Hit:
    message = Message(
        user_id=0,
        id=uuid5(_SPACE, f"{conversation.name} {turn.id}"),
        conversation_id=_SPACE,
        batch_id=_SPACE,
        role=turn.role,
        speaker=turn.speaker,
        text=turn.text,
        at=turn.at,
        timezone=conversation.timezone,
        external_id=turn.id,
        position=position,
    )
    return _as_hit(message)


def _as_hit(message: Message) -> Hit:
    return Hit(id=message.id, kind=None, message=message, score=0.0, source_ids=(message.id,))
