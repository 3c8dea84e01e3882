"""What callers hand in, turned into one shape: text, chat messages, pictures and files become `Incoming`.

Nothing is stored or sealed here. Trust follows from the source (design, section 8): the user's own words and their
conversation 3, files the user gave 2, what was seen on a screen 1; a caller may say less, never more.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from mirix.errors import InputError
from mirix.ingest.boxes import Box
from mirix.ingest.files import Document, check_text_size, read_file
from mirix.ingest.images import LoadedImage, load_image
from mirix.memory.message import Role
from mirix.memory.record import SourceKind, Trust
from mirix.models.ocr import Line, TextRecogniser, render_text
from mirix.text.chunks import chunk_text
from mirix.text.markup import without_blocks
from mirix.text.secrets import escape_references

TRUST_OF: Mapping[SourceKind, Trust] = {
    "chat": Trust.OWN,
    "file": Trust.GIVEN,
    "screen": Trust.SEEN,
    "web": Trust.SEEN,
    "tool": Trust.SEEN,
}
MAX_TEXT_BYTES = 10_000_000  # of any text that is stored; what is added at once has a limit of its own
LONG_MESSAGE_TOKENS = 1_200  # a longer turn is stored in parts
FILE_CHUNK_TOKENS = 300


class ChatMessage(BaseModel):
    """A turn as callers write it: OpenAI's `role` and `content`, and what else is known of it."""

    model_config = ConfigDict(extra="forbid")

    role: Role = "user"
    text: str = Field(validation_alias=AliasChoices("text", "content"))
    name: str | None = Field(default=None, validation_alias=AliasChoices("name", "speaker"))
    at: datetime | None = None
    id: Annotated[str | None, Field(max_length=200)] = None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where and when an input comes from, as the caller told it; None: not told."""

    at: datetime | None = None  # aware
    timezone: str  # IANA name
    source: SourceKind | None = None
    trust: int | None = None  # no higher than the source allows
    application: str | None = None
    title: str | None = None
    uri: str | None = None
    speaker: str | None = None
    conversation: str = "default"


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """What makes a turn of the assistant no evidence: it repeats what is in memory, or what was done to it."""

    cited: tuple[UUID, ...] = ()  # the memories and messages it rests on
    asks: bool = False  # whether to forget them
    references: frozenset[str] = frozenset()  # vault references that may stand in its text


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One piece of evidence before it is sealed and stored."""

    role: Role
    speaker: str
    text: str
    at: datetime  # aware
    has_time: bool  # the caller told the time; otherwise it is that of arrival
    timezone: str
    source_kind: SourceKind
    trust: int
    application: str | None = None
    title: str | None = None
    uri: str | None = None
    mime: str = "text/plain"
    external_id: str | None = None
    picture: LoadedImage | None = field(default=None, repr=False)
    lines: tuple[Line, ...] = field(default=(), repr=False)  # what was recognised in the picture, and where
    recogniser: str | None = None  # by whom
    illegible: tuple[Box, ...] = ()  # places in the picture whose letters may be anything, and are hidden
    monitor: str | None = None  # of a screen that was recorded
    message_id: UUID | None = None  # where it was durable before it came here, under this id
    recalled: Recalled | None = None  # only kept as a part of the conversation: not embedded, not read, not found


def storable(value: Any) -> Any:
    """A JSON value as Postgres can hold it: without NUL, lone surrogates as U+FFFD, NaN and infinity as null."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value


def clean_text(text: str) -> str:
    """Text that Postgres can hold: NUL is dropped, lone surrogates become U+FFFD.

    Raises InputError for text that shows nothing and for more than 1 MB.
    """
    check_text_size("the text", len(text.encode("utf-8", "surrogatepass")))
    cleaned: str = storable(text)
    if not is_visible(cleaned):
        raise InputError("there is no text to add: it is empty or blank")
    return cleaned


def is_visible(text: str) -> bool:
    """Whether there is anything to be seen: white space, joiners and direction marks alone are nothing."""
    return any(unicodedata.category(character) not in _UNSEEN for character in text)


_UNSEEN = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf"))


def clean_name(text: str | None, what: str, limit: int = 200) -> str | None:
    """A short text on one line, e.g. a title, without vault references; None where nothing was told.

    Raises InputError for what is no text or too long.
    """
    if text is not None and not isinstance(text, str):
        raise InputError(f"the {what} is a text, not {type(text).__name__}")
    cleaned = escape_references(" ".join(storable(text).split())) if text else ""
    if len(cleaned) > limit:
        raise InputError(f"the {what} is longer than {limit} characters")
    return cleaned or None


def check_time(moment: datetime | None) -> datetime | None:
    """The time, if it is aware and Postgres and calendars can hold it. Raises InputError."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise InputError(f"a time is a datetime with a time zone, not {type(moment).__name__}")
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InputError(f"{moment.isoformat()} has no time zone: give an offset, e.g. {moment.isoformat()}+01:00")
    if not 1900 <= moment.year <= 2200:
        raise InputError(f"{moment.isoformat()} is not a time of a life: years from 1900 to 2200 are taken")
    return moment


def check_timezone(name: str) -> str:
    """The IANA name, if there is such a zone. Raises InputError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise InputError(f"unknown time zone {str(name)[:80]!r}: use an IANA name such as Europe/Oslo") from None
    return name


def from_messages(
    messages: Iterable[Mapping[str, Any] | ChatMessage], origin: Origin, arrival: datetime
) -> list[Incoming]:
    """Chat turns in order; each may carry its own time and speaker."""
    found: list[Incoming] = []
    for number, item in enumerate(messages, 1):
        try:
            turn = item if isinstance(item, ChatMessage) else ChatMessage.model_validate(storable(item))
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors())
            raise InputError(f"message {number} cannot be taken: {problems}") from None
        if is_visible(turn.text) and not is_visible(without_blocks(turn.text)):
            continue  # all of it came out of memory
        name = clean_name(turn.name, f"name in message {number}")
        speaker = name or (origin.speaker if turn.role == "user" else None) or turn.role.capitalize()
        source: SourceKind = "tool" if turn.role == "tool" else "chat"
        found.extend(_parts(turn.text, turn.role, speaker, origin, source, turn.at, arrival, external_id=turn.id))
    if not found:
        raise InputError("there is nothing to add: the list of messages is empty")
    return found


def from_text(text: str, origin: Origin, arrival: datetime) -> list[Incoming]:
    """One text, said by the user unless the origin tells otherwise."""
    return _parts(text, "user", origin.speaker or "User", origin, "chat", None, arrival)


def from_file(path: Path | tuple[str, bytes], origin: Origin, arrival: datetime) -> list[Incoming]:
    """A document cut at sentence borders. Raises InputError for what cannot be read."""
    document: Document = read_file(path)
    source = origin.source or "file"
    at = check_time(origin.at) or document.modified_at
    uri = origin.uri or (path.resolve().as_uri() if isinstance(path, Path) else None)
    text = _own_words(document.text)
    return [
        Incoming(
            role="user",
            speaker=origin.speaker or "User",
            text=chunk.text,
            at=at or arrival,
            has_time=at is not None,
            timezone=origin.timezone,
            source_kind=source,
            trust=_trust(origin, source),
            application=origin.application,
            title=origin.title or clean_name(document.title, "title", 1_000),
            uri=uri,
            mime=document.mime,
        )
        for chunk in chunk_text(text, max_tokens=FILE_CHUNK_TOKENS)
        if chunk.text.strip()
    ]


def from_image(data: bytes | Path, recogniser: TextRecogniser | None, origin: Origin, arrival: datetime) -> Incoming:
    """A picture with the text that is recognised in it (may be none). Raises ImageError, ModelError."""
    picture = load_image(data, zone=ZoneInfo(origin.timezone))
    lines = tuple(recogniser.read(picture.image)) if recogniser else ()
    at = check_time(origin.at) or picture.taken_at
    uri = origin.uri or (data.resolve().as_uri() if isinstance(data, Path) else None)
    told = replace(origin, at=at, uri=uri)
    return from_picture(picture, lines, recogniser.name if recogniser else None, told, arrival)


def from_picture(
    picture: LoadedImage, lines: Sequence[Line], recogniser: str | None, origin: Origin, arrival: datetime
) -> Incoming:
    """A picture that was read already, and by which recogniser."""
    text = render_text(lines)
    source = origin.source or "screen"
    words = text if text.strip() else f"[picture without readable text, {picture.width} x {picture.height}]"
    return Incoming(
        role="user",
        speaker=origin.speaker or "Screen",
        text=clean_text(words),
        at=origin.at or arrival,
        has_time=origin.at is not None,
        timezone=origin.timezone,
        source_kind=source,
        trust=_trust(origin, source),
        application=origin.application,
        title=origin.title,
        uri=origin.uri,
        mime=picture.mime,
        picture=picture,
        lines=tuple(line for line in lines if line.is_sure),
        recogniser=recogniser,
    )


def _parts(
    text: str,
    role: Role,
    speaker: str,
    origin: Origin,
    default_source: SourceKind,
    at: datetime | None,
    arrival: datetime,
    *,
    external_id: str | None = None,
) -> list[Incoming]:
    source = default_source if default_source == "tool" else origin.source or default_source
    moment = check_time(at) or check_time(origin.at)
    chunks: Sequence[str] = [
        chunk.text for chunk in chunk_text(_own_words(text), max_tokens=LONG_MESSAGE_TOKENS) if chunk.text.strip()
    ]
    return [
        Incoming(
            role=role,
            speaker=speaker,
            text=chunk.strip(),
            at=moment or arrival,
            has_time=moment is not None,
            timezone=origin.timezone,
            source_kind=source,
            trust=_trust(origin, source),
            application=origin.application,
            title=origin.title,
            uri=origin.uri,
            external_id=external_id,
        )
        for chunk in chunks
    ]


def _own_words(text: str) -> str:
    """The text, cleaned, without what a model was shown of memory. Raises InputError where that is all there is."""
    cleaned = clean_text(text)
    own = without_blocks(cleaned)
    if not is_visible(own):
        raise InputError("there is no text to add: all of it came out of memory")
    return own


def _trust(origin: Origin, source: SourceKind) -> int:
    allowed = TRUST_OF.get(source) if isinstance(source, str) else None
    if allowed is None:
        raise InputError(f"unknown source {source!r}: there are {', '.join(TRUST_OF)}")
    if origin.trust is None:
        return allowed
    if isinstance(origin.trust, bool) or not isinstance(origin.trust, int):
        raise InputError(f"trust is a number from 1 to {int(allowed)}, not {origin.trust!r}")
    if not Trust.SEEN <= origin.trust <= allowed:
        raise InputError(f"trust {origin.trust} is not possible for source {source!r}: 1 to {int(allowed)}")
    return origin.trust


Source = Literal["chat", "screen", "file", "web", "tool"]
