"""Procedural memory: how something is done: steps, routines, fixes, standing work instructions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from mirix.errors import InputError
from mirix.memory.record import MemoryKind, Record

EntryType = Literal["workflow", "guide", "script", "rule"]


@dataclass(frozen=True, kw_only=True)
class ProceduralRecord(Record):
    memory_kind: ClassVar[MemoryKind] = MemoryKind.PROCEDURAL
    entry_type: EntryType = "workflow"
    steps: list[str]  # in their order
    success_count: int = 0
    failure_count: int = 0

    def __post_init__(self) -> None:
        if not self.steps or not all(step.strip() for step in self.steps):
            raise InputError("a procedural memory needs at least one step, and none may be empty")

    def index_text(self) -> str:
        return "\n".join([super().index_text(), *self.steps])

    def embedding_text(self) -> str:
        return "\n".join([super().embedding_text(), *self.steps])

    def attributes(self) -> dict[str, str]:
        return {"entry_type": self.entry_type}

    def body(self) -> str:
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))
        return f"{super().body()}\n{steps}"
