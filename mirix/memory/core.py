"""Core memory: who the user is and how the assistant should behave; always in the prompt.

One row is one line, so each fact keeps its own source, trust, history and undo; a block is the rendered view of a
label. The limit counts the rendered text: a block that would pass 90 % of it takes no further line until it is
rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from mirix.errors import ConflictError
from mirix.memory.record import MemoryKind, Record

BLOCK_LIMIT = 5_000  # characters of a rendered block
APPEND_SHARE = 0.9  # beyond this share of the limit a block is rewritten, not appended to


@dataclass(frozen=True, kw_only=True)
class CoreRecord(Record):
    memory_kind: ClassVar[MemoryKind] = MemoryKind.CORE
    label: str  # human, persona or the user's own
    position: int = 0  # order within the block

    def attributes(self) -> dict[str, str]:
        return {"label": self.label}

    def carried(self) -> dict[str, Any]:
        return super().carried() | {"label": self.label, "position": self.position}

    def identity(self) -> str:
        return f"{self.label}\n{self.summary}"


def render_block(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def check_room(label: str, kept: Iterable[str], added: Iterable[str], *, rewrite: bool) -> None:
    """Refuse lines that a block has no room for.

    Appending may fill a block to 90 % of its limit, rewriting to all of it. Raises ConflictError that tells a model
    what to do instead.
    """
    before = len(render_block(kept))
    after = len(render_block([*kept, *added]))
    limit = BLOCK_LIMIT if rewrite else int(BLOCK_LIMIT * APPEND_SHARE)
    if after > limit:
        raise ConflictError(
            f"core block '{label}' holds {before} of {BLOCK_LIMIT} characters and may be "
            f"{'rewritten' if rewrite else 'appended'} up to {limit}; this would make {after}. "
            f"Use core_memory_rewrite to put its lines into about {BLOCK_LIMIT // 2} characters without losing a fact"
        )
