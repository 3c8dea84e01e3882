"""What a search gives back, and what one does with a whole list of it: leave copies out, name the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record
from mirix.retrieval.fusion import Arm, ArmScore
from mirix.retrieval.places import FramePlace
from mirix.text.analyser import tokens

COVERED = 0.7  # share of a message's words in a memory resting on it, from which on showing both says it twice
NEAR_COPY = 0.9  # words in common (Jaccard) of two hits, from which on they are one
# Kinds that say in a sentence what another may have said of the same message; steps and documents have a form to keep.
_SENTENCES = frozenset({MemoryKind.CORE, MemoryKind.EPISODIC, MemoryKind.SEMANTIC})
FEW_WORDS = 4  # shorter texts are alike by chance ("Thanks, see you!")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A memory or a message that was found: exactly one of `record` and `message` is there."""

    id: UUID
    kind: MemoryKind | None  # None: a message
    record: Record | None = None
    message: Message | None = None
    score: float  # 0 to 1, higher is better; compares within one search only
    source_ids: tuple[UUID, ...]  # a memory's messages, the best first; a message's own id and those of its copies
    neighbours: tuple[Message, ...] = ()  # of a message: the ones right before and after it in its session
    outdated: bool = False  # it does not hold any more (with as_of: did not hold any more then)
    superseded_by: UUID | None = None  # the memory that took its place
    speaker: str = ""  # of a memory: who said all that it rests on; "" where several did, or nobody known
    frame: FramePlace | None = None  # the picture behind it, and where on it the words stand; set by frames.py
    arms: Mapping[Arm, ArmScore] = field(default_factory=dict)  # with explain: rank and raw score in each arm

    @property
    def text(self) -> str:
        """What a model or a person is shown; secrets stand as references."""
        if self.record is not None:
            return self.record.body()
        return self.message.text if self.message is not None else ""


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    hits: tuple[Hit, ...]  # best first
    ms: float
    dropped_arms: tuple[Arm, ...] = ()  # left out to keep the deadline


def without_copies(hits: Iterable[Hit], limit: int) -> list[Hit]:
    """The first `limit` hits that say something of their own, in order.

    A message is left out where a memory before it rests on it and holds nearly all its words, so is a memory whose
    words another one of the same message holds, and whatever is nearly word for word like an earlier hit of the same
    speaker and standing. Its id stays among the `source_ids` of the one kept.
    """
    kept: list[Hit] = []
    words: list[frozenset[str]] = []
    for hit in hits:
        own = frozenset(tokens(hit.text))
        same = next((i for i, other in enumerate(kept) if _says_it_already(other, words[i], hit, own)), None)
        if same is not None:
            merged = dict.fromkeys([*kept[same].source_ids, *hit.source_ids])
            kept[same] = replace(kept[same], source_ids=tuple(merged))
        elif len(kept) < limit:
            kept.append(hit)
            words.append(own)
    return kept


def _says_it_already(kept: Hit, kept_words: frozenset[str], hit: Hit, words: frozenset[str]) -> bool:
    if kept.outdated != hit.outdated or not words:
        return False
    if kept.record is not None and hit.message is not None and hit.id in kept.source_ids:
        return len(words & kept_words) >= COVERED * len(words)
    if kept.kind is not hit.kind:
        can_repeat = kept.record is not None and hit.kind in _SENTENCES
        if not can_repeat or set(hit.source_ids).isdisjoint(kept.source_ids):
            return False
        return len(words & kept_words) >= NEAR_COPY * len(words)
    if _speaker(kept) != _speaker(hit) or min(len(words), len(kept_words)) < FEW_WORDS:
        return False
    return len(words & kept_words) >= NEAR_COPY * len(words | kept_words)


def _speaker(hit: Hit) -> str | None:
    return hit.message.speaker if hit.message is not None else None


def evidence_ranking(hits: Sequence[Hit]) -> list[UUID]:
    """The distinct messages that a result rests on, best first: a memory counts as its messages, in its place."""
    return list(dict.fromkeys(source for hit in hits for source in hit.source_ids))
