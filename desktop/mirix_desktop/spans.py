"""Spans of time as people type them: `15m`, `1h30m`, `90s`, `2d`, `14:30`."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from mirix.errors import InputError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"(?:\d{1,6}[smhd])+")
_LONGEST = timedelta(days=3660)


def parse_span(text: str) -> timedelta:
    """The length of e.g. `1h30m`. Raises InputError when it is none, is nothing, or longer than ten years."""
    plain = text.strip().lower().replace(" ", "")
    if _SPAN.fullmatch(plain):
        parts = re.findall(r"(\d+)([smhd])", plain)
        span = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
        if span > _LONGEST:
            raise InputError(f"{text!r} is too long: at most {_LONGEST.days}d")
        if span:
            return span
    raise InputError(f"{text!r} is no span of time: write it like 90s, 15m, 1h30m or 2d")


def parse_end(text: str, now: datetime) -> datetime:
    """When a span from `now` (aware) ends, or the next time the clock shows e.g. `14:30`. Raises InputError."""
    clock = re.fullmatch(r"(?:until\s+)?(\d{1,2})[:：](\d{2})", text.strip().lower())
    if clock is None:
        return now + parse_span(text)
    try:
        end = datetime.combine(now.date(), time(int(clock[1]), int(clock[2])), now.tzinfo)
    except ValueError:
        raise InputError(f"{text!r} is no time of the day: write it like 14:30") from None
    return end if end > now else end + timedelta(days=1)
