"""What programs hand over, checked before anything is done with it: each wrong kind of value gets one clear error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from mirix.errors import InputError
from mirix.ingest.files import check_text_size
from mirix.ingest.inputs import storable
from mirix.memory.record import MemoryKind
from mirix.text.secrets import find_references

_MOST = 2**31 - 1  # as Postgres counts
_DEEPEST = 50  # levels of lists and objects in metadata


def check_count(value: int | None, what: str, *, least: int = 1) -> None:
    """Raises InputError unless it is a whole number from `least` on, or None."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise InputError(f"{what} is a whole number from {least} to {_MOST}, not {str(value)[:40]!r}")


def check_text(value: str, what: str) -> str:
    """A text that is not empty, as Postgres can hold it. Raises InputError."""
    if not isinstance(value, str):
        raise InputError(f"{what} is a text, not {type(value).__name__}")
    text = storable(value)
    if not text.strip():
        raise InputError(f"{what} is empty")
    check_text_size(what, len(text.encode()))
    return str(text)


def check_user(name: str) -> str:
    """The name of a user. Raises InputError."""
    if not isinstance(name, str) or not name.strip() or len(name) > 200 or storable(name) != name:
        raise InputError("a user_id is a name of 1 to 200 characters")
    return name


def check_kind(value: MemoryKind | str) -> MemoryKind:
    try:
        return MemoryKind(value)
    except ValueError:
        raise InputError(f"no memory kind {str(value)[:40]!r}: there are {', '.join(MemoryKind)}") from None


def check_kinds(values: Iterable[MemoryKind | str] | None) -> list[MemoryKind] | None:
    """None: all of them. Raises InputError."""
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"kinds is a list of memory kinds, not {type(values).__name__}: e.g. ['core']")
    return [check_kind(value) for value in values]


def check_id(value: UUID | str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"{str(value)[:80]!r} is no id of a memory or message: see `mirix memory list`") from None


def check_entry(entry: UUID | str) -> UUID | str:
    """The id or the reference of a vault entry. Raises InputError."""
    if isinstance(entry, UUID):
        return entry
    text = check_text(entry, "the reference of a vault entry")
    if text != entry:
        raise InputError(f"{text!r} is no reference of a vault entry: see `mirix vault list`")
    named = find_references(text)
    if named:
        return named[0]
    return check_id(text) if len(text) in (32, 36) else text


def check_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """New values of fields, as Postgres can hold them. Raises InputError for what is too large, too deep or no JSON."""
    if _depth(changes) > _DEEPEST:
        raise InputError(f"the new values are nested deeper than {_DEEPEST} levels")
    try:
        json.dumps(changes.get("metadata"))
        size = len(json.dumps(changes, default=str))
    except (ValueError, TypeError) as error:
        raise InputError(f"the new values cannot be kept as JSON: {error}") from None
    check_text_size("the new value", size)
    return dict(storable(changes))


def _depth(value: Any) -> int:
    """Levels of lists and objects, counted without recursion and no further than asked for."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        below: list[Any] = []
        for each in level:
            if isinstance(each, Mapping):
                below += each.values()
            elif isinstance(each, list | tuple):
                below += each
        level, depth = below, depth + 1
    return depth
