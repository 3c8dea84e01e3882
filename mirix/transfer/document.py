"""The export format: one JSON document with everything of one user. What stands here is its schema.

    {"format": "mirix-export", "version": 1, "user": {…}, "sealing": {…} or null,
     "conversations": […], "batches": […], "messages": […], "frames": […],
     "memories": {"core": […], "episodic": […], "semantic": […], "procedural": […], "resource": […], "vault": […]},
     "sources": […], "links": […], "history": […], "proposals": […], "uses": […],
     "harmless_values": […]}

- Ids are those of the database and stay the same wherever the export is read. Times are ISO 8601 in UTC. Lists are in
  the order in which things came in, and otherwise by id, so that two exports of the same memory are equal.
- Texts stand as they are stored: what was sealed is a reference such as {{vault:k7q2mn}}. Values of the vault, present
  and former ones, and pictures are sealed under a key that Argon2id makes of a passphrase (`sealing`, passphrase.py).
  Without a passphrase `sealing` is null, and every `value`, `sealed_value` and `picture` is null: left out.
- Not in it: vectors and postings (made anew when it is read), keyed digests (they belong to one database; see
  batch_keys.py for how adding the same again stays without effect) and the audit (it tells about one installation).

`Export.model_json_schema()` is the same as a JSON Schema. Anything else in a file is an error, and nothing is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    create_model,
)

from mirix.errors import InputError
from mirix.ingest.inputs import MAX_TEXT_BYTES, check_time, check_timezone, storable
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Role, Standing
from mirix.memory.record import MemoryKind, SourceKind, Visibility
from mirix.transfer.passphrase import Sealing

FORMAT: Literal["mirix-export"] = "mirix-export"
VERSION: Literal[1] = 1
# Columns of a vault entry that hold its seal under the key of one database.
ENVELOPE = frozenset({"ciphertext", "nonce", "wrapped_key", "format_version", "key_id"})
# Columns of a memory that belong to one database or are made anew.
NOT_MOVED = frozenset({"user_id", "embedding_model", "content_hmac"}) | ENVELOPE


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is beyond what a calendar holds") from None


def _of_a_life(moment: datetime) -> datetime:
    check_time(moment)
    return moment


def _short_enough(text: str) -> str:
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ValueError(f"the text is larger than {MAX_TEXT_BYTES // 1_000_000} MB")
    return text


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
EvidenceMoment = Annotated[Moment, AfterValidator(_of_a_life)]
Zone = Annotated[str, AfterValidator(cache(check_timezone))]
Text = Annotated[str, AfterValidator(_short_enough)]
Blob = Annotated[str | None, Field(description="sealed (base64), or null: left out")]
Json = dict[str, JsonValue]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ExportedUser(Row):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    timezone: Zone


class Conversation(Row):
    id: UUID
    name: str
    created_at: Moment


class BatchKey(Row):
    """Why adding the same again changes nothing: see batch_keys.py."""

    times: Annotated[
        str | None,
        Field(
            pattern=r"^(untimed|local|UTC([+-](0\d|1[0-4]):[0-5]\d)?)$",
            description="how times were written in it; null: only the digest is known",
        ),
    ]
    occurrence: Annotated[int, Field(ge=0, description="how often the same had been news before")] = 0
    digest: Annotated[
        str | None, Field(pattern=r"^([0-9a-f]{2})+$", description="hexadecimal, where the key cannot be made anew")
    ] = None


class Batch(Row):
    id: UUID
    conversation_id: UUID
    key: BatchKey
    state: Literal["pending", "applied", "failed"]
    trust: int
    attempt: int
    replies: Json
    changes: list[JsonValue]
    problems: list[JsonValue]
    routes: Json
    usage: Json
    error: str | None
    created_at: Moment
    applied_at: Moment | None


class ExportedMessage(Row):
    id: UUID
    conversation_id: UUID
    batch_id: UUID
    agent_id: str | None
    run_id: str | None
    visibility: Visibility
    role: Role
    speaker: str
    source_kind: SourceKind
    application: str | None
    title: str | None
    uri: str | None
    mime: str
    text: Text
    at: EvidenceMoment
    timezone: Zone
    trust: int
    standing: Standing
    external_id: str | None
    cited: list[UUID] = []
    asks: bool = False
    created_at: Moment


class Frame(Row):
    message_id: UUID
    width: int
    height: int
    lines: list[Json]
    recogniser: str | None
    monitor: str | None = None
    picture: Annotated[Blob, Field(description="WebP")] = None


class Source(Row):
    """A memory rests on a message."""

    memory_id: UUID
    message_id: UUID
    stands: bool


class Link(Row):
    from_id: UUID
    to_id: UUID
    relation: str


class HistoryRow(Row):
    """A change. In `before` and `after` of vault entries `sealed_value` stands for the envelope."""

    operation_id: UUID
    record_id: UUID
    kind: MemoryKind
    operation: Literal["insert", "update", "supersede", "merge", "delete", "undo"]
    before: Json | None
    after: Json | None
    actor: str
    reason: str | None
    batch_id: UUID | None
    undone_by: UUID | None
    at: Moment


class ExportedProposal(Row):
    id: UUID
    batch_id: UUID | None
    kind: MemoryKind
    operation: Json
    reason: str
    state: Literal["open", "accepted", "rejected"]
    created_at: Moment


class HarmlessValue(Row):
    """A value that the user has unsealed. Only its keyed digest is known: it counts where key and user are the same."""

    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", description="hexadecimal")]
    created_at: Moment


class Use(Row):
    record_id: UUID
    use_count: int
    last_used_at: Moment


def _memory_model(kind: MemoryKind) -> type[Row]:
    """The columns of a record that move, as a model; of a vault entry also its value."""
    record_type = RECORDS[kind]
    hints = get_type_hints(record_type)
    columns: dict[str, Any] = {}
    for item in fields(record_type):
        if item.name not in NOT_MOVED:
            columns[item.name] = (_with_moments(hints[item.name]), ...)
    if kind is MemoryKind.VAULT:
        columns["value"] = (Blob, None)
    return create_model(f"{kind.capitalize()}Memory", __base__=Row, **columns)


def _with_moments(hint: Any) -> Any:
    if hint is datetime:
        return Moment
    return Moment | None if hint == datetime | None else hint


MEMORY_MODELS: Mapping[MemoryKind, type[Row]] = {kind: _memory_model(kind) for kind in MemoryKind}
_lists: dict[str, Any] = {kind.value: (list[model], ...) for kind, model in MEMORY_MODELS.items()}  # type: ignore[valid-type]
Memories = create_model("Memories", __base__=Row, **_lists)


class Export(Row):
    """A whole export. `memories` has one list for each kind."""

    format: Literal["mirix-export"] = FORMAT
    version: Literal[1] = VERSION
    user: ExportedUser
    sealing: Sealing | None
    conversations: list[Conversation]
    batches: list[Batch]
    messages: list[ExportedMessage]
    frames: list[Frame]
    memories: Memories  # type: ignore[valid-type]
    sources: list[Source]
    links: list[Link]
    history: list[HistoryRow]
    proposals: list[ExportedProposal]
    uses: list[Use]
    harmless_values: list[HarmlessValue] = []

    def of_kind(self, kind: MemoryKind) -> list[Row]:
        found: list[Row] = getattr(self.memories, kind.value)
        return found


def write_document(export: Export) -> bytes:
    """The file as UTF-8."""
    text = json.dumps(export.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False)
    return (text + "\n").encode()


def read_document(content: bytes, name: str) -> Export:
    """Check a file as a whole. Raises InputError that says what is wrong and where."""
    try:
        value = json.loads(content)
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no JSON: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{name} is damaged or cut off: {error.msg} in line {error.lineno}") from None
    except (RecursionError, ValueError):
        raise InputError(f"{name} is no export: it is nested too deep, or holds a number without end") from None
    _check_head(value, name)
    if (place := next(_unstorable(value), None)) is not None:
        raise InputError(f"{name}: {place} holds what no database can keep (NUL, half a character or no number)")
    try:
        export = Export.model_validate(value)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise InputError(f"{name} is no export that can be read: {'; '.join(problems[:3])}{more}") from None
    _check_references(export, name)
    return export


def _check_head(value: Any, name: str) -> None:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        chats = {"mapping": "chatgpt", "chat_messages": "claude"}
        first = value[0] if isinstance(value, list) and value else value
        kind = next((chats[key] for key in chats if isinstance(first, dict) and key in first), None)
        hint = f"it looks like chats: mirix import {kind} {name}" if kind else "see `mirix import --help`"
        raise InputError(f"{name} is no export of Mirix; {hint}")
    if value.get("version") != VERSION:
        raise InputError(
            f"{name} is in version {value.get('version')!r} of the format, this Mirix reads {VERSION}: upgrade "
            "mirix-memory"
        )


def _unstorable(value: Any, place: str = "the file") -> Iterator[str]:
    """Where texts or numbers stand that Postgres cannot hold."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if storable(name) != name:
                yield place
            yield from _unstorable(inner, name if place == "the file" else f"{place}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unstorable(inner, f"{place}.{number}")
    elif isinstance(value, str | float) and storable(value) != value:
        yield place


def _check_references(export: Export, name: str) -> None:
    """Every id that a row names is in the file, and none is there twice."""
    memories = [row.id for kind in MemoryKind for row in export.of_kind(kind)]  # type: ignore[attr-defined]
    known = {
        "conversation": _unique([row.id for row in export.conversations], "conversation", name),
        "batch": _unique([row.id for row in export.batches], "batch", name),
        "message": _unique([row.id for row in export.messages], "message", name),
        "memory": _unique(memories, "memory", name),
    }
    named: list[tuple[str, str, UUID]] = [
        *(("batch", "conversation", row.conversation_id) for row in export.batches),
        *(("message", "conversation", row.conversation_id) for row in export.messages),
        *(("message", "batch", row.batch_id) for row in export.messages),
        *(("frame", "message", row.message_id) for row in export.frames),
        *(("source", "memory", row.memory_id) for row in export.sources),
        *(("source", "message", row.message_id) for row in export.sources),
        *(("link", "memory", end) for row in export.links for end in (row.from_id, row.to_id)),
    ]
    for kind, other, wanted in named:
        if wanted not in known[other]:
            raise InputError(f"{name} contradicts itself: a {kind} names {other} {wanted}, which is not in it")


def _unique(ids: list[UUID], what: str, name: str) -> set[UUID]:
    found: set[UUID] = set()
    for one in ids:
        if one in found:
            raise InputError(f"{name} contradicts itself: {what} {one} is in it twice")
        found.add(one)
    return found
