"""What people type, made exact: times, abbreviated memory ids, assignments."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from mirix.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.memory.record import Status

SHORT_ID = 8  # characters of an id that are shown; the last ones, since the first ones tell only when it was made
_LEAST_ID = 4  # fewer are taken for a slip
_PAGE = 1_000
ALL_STATUSES: tuple[Status, ...] = ("active", "superseded", "archived", "quarantined")


def parse_time(text: str, zone: str, *, bound: Literal["start", "end", "last"] = "start") -> datetime:
    """An ISO time, or words such as "last Friday" or 昨天, as an aware time; without an offset it is one of `zone`.

    Of a day or a longer time the start, the end (exclusive) or the last moment is taken. Raises InputError.
    """
    from mirix.text.dates import resolve_expression

    now = datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None:
        return moment
    found = resolve_expression(text, now, zone, prefer="past")
    if found is None:
        raise InputError(f"{text!r} is no time: write 2026-11-13, 2026-11-13T10:00+01:00, or e.g. 'last Friday'")
    if moment is not None and len(text) > len("2026-11-13"):
        return moment.replace(tzinfo=found.start.tzinfo)
    if bound == "last":
        return found.end - timedelta(microseconds=1)
    return found.end if bound == "end" else found.start


def short_id(memory_id: UUID | str) -> str:
    """The end of an id, enough to name a memory on the command line."""
    return str(memory_id).replace("-", "")[-SHORT_ID:]


def find_id(memory: Mirix, text: str) -> UUID:
    """The id of a memory that `text` abbreviates: its beginning or its end. Raises InputError, NotFoundError."""
    return pick_id(text, lambda: _all_ids(memory), one="memory", several="memories", see="mirix memory list --all")


def pick_id(text: str, known: Callable[[], Iterable[UUID]], *, one: str, several: str, see: str) -> UUID:
    """The id among the known ones that `text` abbreviates. Raises InputError, NotFoundError."""
    wanted = text.strip().lower().replace("-", "").lstrip("…")
    if len(wanted) < _LEAST_ID or wanted.strip("0123456789abcdef"):
        raise InputError(f"{text!r} is no {one} id: give at least {_LEAST_ID} characters of one, see `{see}`")
    if len(wanted) == 32:
        return UUID(wanted)
    found = [each for each in known() if _abbreviates(wanted, each)]
    if not found:
        raise NotFoundError(f"no {one} has an id like {text!r}: see `{see}`")
    if len(found) > 1:
        shown = ", ".join(short_id(each) for each in found[:5])
        raise InputError(
            f"{text!r} fits {len(found)} {several} ({shown}{' …' if len(found) > 5 else ''}): give more of it"
        )
    return found[0]


def _abbreviates(text: str, known: UUID) -> bool:
    """Its beginning, its end, or the beginning of the end that is shown."""
    return known.hex.startswith(text) or known.hex.endswith(text) or short_id(known).startswith(text)


def _all_ids(memory: Mirix) -> Sequence[UUID]:
    found: list[UUID] = []
    offset = 0
    while page := memory.get_all(statuses=ALL_STATUSES, limit=_PAGE, offset=offset):
        found += [record.id for record in page]
        offset += _PAGE
    return found


def parse_assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """`field=value` pairs; a value that is JSON (a list, a number, true, null) is taken as such, else as text."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip().isidentifier():
            raise InputError(f"{pair!r} is no assignment: write field=value, e.g. --set summary='Lives in Bergen'")
        try:
            changes[name.strip()] = json.loads(value)
        except ValueError:
            changes[name.strip()] = value
    return changes
