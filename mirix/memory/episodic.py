"""Episodic memory: what happened or is planned, with a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mirix.errors import InputError
from mirix.memory.record import MemoryKind, Record


@dataclass(frozen=True, kw_only=True)
class EpisodicRecord(Record):
    memory_kind: ClassVar[MemoryKind] = MemoryKind.EPISODIC
    event_type: str = "event"  # meeting, trip, purchase, appointment …
    actor: str = "user"  # who did it
    outcome: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at is None:
            raise InputError("an episodic memory needs occurred_at: when it happened or will happen")

    def index_text(self) -> str:
        return "\n".join(part for part in (super().index_text(), self.outcome) if part)

    def attributes(self) -> dict[str, str]:
        return {"event_type": self.event_type, "actor": self.actor}

    def body(self) -> str:
        return f"{super().body()} ({self.outcome})" if self.outcome else super().body()
