"""Where `mirix demo` puts its page, and what of the memory goes on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mirix.cli.command import Invocation
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.cli.page import Asked, Week


def page_place(wanted: Path | None, folder: Path) -> Path:
    """Where demo.html goes: as asked for, else here, else beside the demo's memories.

    Only a page of an earlier demo is written over. Raises InputError for a place that was asked for and cannot be had.
    """
    if wanted is not None:
        place = wanted / "demo.html" if wanted.is_dir() else wanted
        if not place.parent.is_dir():
            raise InputError(f"there is no folder {place.parent} for the page: make it, or name another with --page")
        if not _is_ours(place):
            raise InputError(f"{place} is there, and no page of an earlier demo: name another with --page")
        return place
    here = Path("demo.html").resolve()
    return here if os.access(here.parent, os.W_OK) and _is_ours(here) else folder / "demo.html"


def _is_ours(path: Path) -> bool:
    """Whether a file is missing or a page of an earlier demo."""
    from mirix.cli.page import MARKER

    if not path.exists():
        return True
    with path.open(encoding="utf-8", errors="replace") as file:
        return MARKER in file.read(1_000)


def write_page(call: Invocation, memory: Mirix, asked: Sequence[Asked], zone: ZoneInfo, place: Path) -> Path | None:
    """The page, written; None where that failed, which is no reason to lose the demo."""
    from mirix.cli.page import week_page

    with call.working("drawing the page"):
        page = week_page(gather(memory, asked, zone))
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(page, encoding="utf-8")
        except OSError as error:
            call.warn(f"the page was not written to {place}: {error.strerror}; name another place with --page")
            return None
    return place.resolve()


def gather(memory: Mirix, asked: Sequence[Asked], zone: ZoneInfo) -> Week:
    """All that the page shows of a memory."""
    from mirix.cli.page import Week

    records = memory.get_all(statuses=("active", "superseded"), limit=1_000)
    messages = memory.messages(limit=1_000)
    return Week(
        zone=zone,
        model=memory.status().chat_model,
        records=records,
        sources={record.id: [source.id for source in memory.sources(record.id)] for record in records},
        messages=messages,
        frames={message.id: memory.frame(message.id) for message in messages if message.source_kind == "screen"},
        asked=asked,
    )
