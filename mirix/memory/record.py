"""What all six memories have in common: the kinds, and the columns of `schemas/record.sql` as a record.

A record is declared once here and once in SQL; a test compares the two. Records are values: a change makes a new one,
and only `store.py` writes it. The vector is not part of a record: it is derived, and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Literal, Self, TypeVar
from uuid import UUID

from langchain_core.utils.uuid import uuid7
from pydantic import ConfigDict, TypeAdapter

Status = Literal["active", "superseded", "archived", "quarantined"]
SourceKind = Literal["chat", "screen", "file", "web", "tool", "user"]
Visibility = Literal["private", "shared"]
R = TypeVar("R", bound="Record")


class MemoryKind(StrEnum):
    """The six memories. The order is that of `document.shelf`."""

    CORE = "core"
    EPISODIC = "episodic"
    SEMANTIC = "semantic"
    PROCEDURAL = "procedural"
    RESOURCE = "resource"
    VAULT = "vault"

    @property
    def table(self) -> str:
        return self.module if self is MemoryKind.VAULT else f"{self.module}_memory"

    @property
    def agent(self) -> str:
        return f"{self.module}_memory_manager"

    @property
    def module(self) -> str:
        """Its module in mirix/memory and its file in mirix/db/queries."""
        return "knowledge_vault" if self is MemoryKind.VAULT else self.value

    @property
    def number(self) -> int:
        """Its number in `document.shelf`; messages are 0."""
        return list(MemoryKind).index(self) + 1


class Trust(IntEnum):
    """How far evidence may reach: design, section 8."""

    SEEN = 1  # on screen or web, or returned by a tool
    GIVEN = 2  # other people's messages and files that the user gave
    OWN = 3  # typed by the user or in the user's conversation


def new_id() -> UUID:
    """A UUIDv7: sorts by the time it was made."""
    return uuid7()


def now() -> datetime:
    return datetime.now(UTC)


UNKNOWN_START = datetime(1900, 1, 1, tzinfo=UTC)  # valid_from of what held already when it was told


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose memory: the user, and optionally an agent and a run. Given names must match, or the memory be shared."""

    user_id: int  # short key of the user
    agent_id: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """The shared columns. Times are aware; lists are ordered."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    memory_kind: ClassVar[MemoryKind]

    user_id: int  # short key of the user
    id: UUID = field(default_factory=new_id)
    agent_id: str | None = None
    run_id: str | None = None
    visibility: Visibility = "private"
    summary: str  # one line, in the language of the evidence
    details: str = ""  # the whole
    keywords: list[str] = field(default_factory=list)  # further words it should be found by
    tags: list[str] = field(default_factory=list)  # labels of the user or a program
    metadata: dict[str, Any] = field(default_factory=dict)  # free data of the caller
    tree_path: list[str] = field(default_factory=list)  # place in the user's tree, outermost first
    embedding_model: str | None = None  # which embedder made the vector
    occurred_at: datetime | None = None
    occurred_until: datetime | None = None  # exclusive
    valid_from: datetime = field(default_factory=now)
    valid_to: datetime | None = None  # exclusive
    superseded_by: UUID | None = None
    status: Status = "active"
    trust: int = Trust.OWN
    source_kind: SourceKind = "user"
    confidence: float = 1.0  # 0 to 1
    pinned: bool = False
    importance: float = 0.5  # 0 to 1
    utility: float = 0.0  # -1 to 1
    expires_at: datetime | None = None
    content_hmac: bytes = field(default=b"", repr=False)
    version: int = 1
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def index_text(self) -> str:
        """All text it is found by in words."""
        return "\n".join(part for part in (self.summary, self.details, " ".join(self.keywords)) if part)

    def embedding_text(self) -> str:
        """The text its vector is made of."""
        return "\n".join(part for part in (self.summary, self.details) if part)

    def identity(self) -> str | None:
        """What it says, for de-duplication; None where content_hmac is set by whoever made the record."""
        return self.index_text()

    def body(self) -> str:
        """What a model or a person is shown."""
        return f"{self.summary} — {self.details}" if self.details and self.details != self.summary else self.summary

    def told(self) -> str:
        """Its body without a summary that the details repeat, for a reader with little room."""
        summary = self.summary.rstrip(" .。!！…")
        if not summary or summary not in self.details or self.details == self.summary:
            return self.body()
        return self.body().removeprefix(f"{self.summary} — ")

    def says(self) -> str:
        """What its messages speak for: when that is corrected, they no longer do."""
        return self.body()

    def attributes(self) -> dict[str, str]:
        """Its own columns worth showing beside the body, as words."""
        return {}

    def carried(self) -> dict[str, Any]:
        """The columns that a memory which takes the place of this one keeps, unless it says otherwise."""
        return {"tree_path": self.tree_path, "tags": self.tags}

    def authored(self) -> dict[str, Any]:
        """The columns that history keeps, as JSON values; what is derived is left out."""
        values: dict[str, Any] = adapter(type(self)).dump_python(self, mode="json")
        return {name: value for name, value in values.items() if name not in DERIVED}

    def restored(self, authored: Mapping[str, Any]) -> Self:
        """This record with the authored columns as they were; id, version and what is derived stay its own."""
        current = adapter(type(self)).dump_python(self, mode="json")
        return adapter(type(self)).validate_python(current | dict(authored))


# Not part of what somebody wrote: recomputed, counted or set by the store.
_adapters: dict[type[Record], TypeAdapter[Any]] = {}
DERIVED = frozenset(
    {"user_id", "id", "embedding_model", "content_hmac", "version", "created_at", "updated_at", "utility"}
)


def adapter(record_type: type[R]) -> TypeAdapter[R]:
    """Checks and converts values of a record type; made once."""
    return _adapters.setdefault(record_type, TypeAdapter(record_type))


def columns(record_type: type[Record]) -> tuple[str, ...]:
    """The column names of its table that a record carries, in order."""
    return tuple(item.name for item in fields(record_type))


def one_line(text: str, limit: int = 200) -> str:
    """The text on one line, cut at a word where it is too long."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head).rstrip(",;:、") + "…"
