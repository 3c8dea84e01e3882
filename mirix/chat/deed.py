"""What was done to the memory in a turn, as data and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from mirix.curation.forgetting import Forgotten, Trace
from mirix.memory.record import MemoryKind
from mirix.retrieval.answer import Citation

Action = Literal["none", "listed", "asked", "forgotten", "kept_out", "corrected", "restated", "unclear"]


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A memory whose words were changed in place; undo takes it back."""

    kind: MemoryKind
    id: UUID
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a turn did to the memory, beside remembering what was said.

    none      nothing: an ordinary turn, or what was wanted could not be done
    listed    memories were shown
    asked     what would be forgotten was listed; only a plain yes in the next turn does it
    forgotten it is gone for good
    kept_out  the turn was not kept
    corrected words of memories were replaced
    restated  a correction was taken as a new statement
    unclear   the turn seemed to be meant for the memory, but no way was found to read it: nothing was done or kept
    """

    action: Action = "none"
    listed: tuple[Trace, ...] = ()  # memories that were shown, or that would be forgotten
    messages: int = 0  # messages that would be forgotten
    forgotten: Forgotten | None = None
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What was done, and what is said about it."""

    done: Done = field(default_factory=Done)
    text: str
    kept: str | None = None  # the text as it stays in the conversation; None: the reply does not
    cited: Sequence[UUID] = ()  # what the text repeats, or asks about
    asks: bool = False
    citations: tuple[Citation, ...] = ()
