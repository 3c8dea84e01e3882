"""A folder of files and screenshots becomes evidence, oldest first.

What is taken: pictures (PNG, JPEG, WebP) and documents (text, PDF and the like), in the folder and below. Hidden files,
links and anything else are passed over. The time of a file is the one in its name, as programs that take screenshots
write it (on the clock of the user), else that of the camera, else when it was changed.

Adding the same folder again changes nothing: a picture is known by its place, size and time of change before it is
read at all, which also lets an interrupted run go on where it stopped; a document by its words.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import InputError, ModelError
from mirix.ingest.inputs import Incoming, Origin, check_time, clean_name, from_file, from_image
from mirix.memory.record import Scope, now
from mirix.models.ocr import TextRecogniser
from mirix.transfer.chats import Problem
from mirix.transfer.inbox import Brought, Inbox, Tally, Tell

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
TEXTS = frozenset({".txt", ".md", ".markdown", ".rst", ".org", ".tex", ".pdf", ".html", ".htm", ".log"})
DATA = frozenset({".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".xml"})
CONVERSATION = "default"  # that of single files, so that a file added before stays known
_TRANSFER = statements("transfer")
# 20261113_091233, also with milliseconds; and 2026-11-13 with a time behind it: at 09.12.33, 091233, 上午9.12.33
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)[_-](\d\d)(\d\d)(\d\d)(?:\d{3})?(?!\d)")
_DASHED = re.compile(
    r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?:[\s_T-]+|(?=[上下]午))(?:at\s+)?(?P<zh>上午|下午)?(\d{1,2})[.:_-]?(\d\d)[.:_-]?(\d\d)(?!\d)"
    r"\s*(?P<en>[AP]M)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class _File:
    path: Path
    at: datetime  # aware
    is_named: bool  # the name tells the time
    mark: str  # changes when the file does

    @property
    def is_picture(self) -> bool:
        return self.path.suffix.lower() in PICTURES


def time_in_name(name: str, zone: ZoneInfo) -> datetime | None:
    """The time that the name of a screenshot tells, on the clock of `zone`; None where it tells none."""
    match = _COMPACT.search(name) or _DASHED.search(name)
    if match is None:
        return None
    found = match.groupdict()
    year, month, day, hour, minute, second = (int(part) for part in match.groups() if part and part.isdigit())
    half = (found.get("zh") or found.get("en") or "").upper()
    if half in ("PM", "下午") and hour < 12:
        hour += 12
    elif half in ("AM", "上午") and hour == 12:
        hour = 0
    try:
        return check_time(datetime(year, month, day, hour, minute, second, tzinfo=zone))
    except ValueError:
        return None  # digits that are no time


async def add_folder(
    inbox: Inbox,
    recogniser: TextRecogniser | None,
    user: User,
    scope: Scope,
    folder: Path,
    *,
    wait: bool,
    tell: Tell | None,
) -> Brought:
    """Add what is in a folder; a file that cannot be read is told as a problem, and the others are added.

    Raises InputError when there is no such folder, nothing in it of a known type, or nothing that can be read.
    """
    zone = ZoneInfo(user.timezone)
    files = sorted(await asyncio.to_thread(lambda: list(_files(folder, zone))), key=lambda f: (f.at, str(f.path)))
    if not files:
        raise InputError(f"{folder} holds no pictures (PNG, JPEG, WebP) and no documents (text, Markdown, PDF …)")
    known = await _known(inbox.database, user, files)
    tally = Tally()
    for number, file in enumerate(files):
        if tell:
            tell(number, len(files), file.path.name)
        if (file.path.resolve().as_uri(), file.mark) in known:
            tally.known += 1
            continue
        where = str(file.path.relative_to(folder))
        try:
            incoming = await asyncio.to_thread(_read, file, recogniser, user.timezone)
        except (InputError, ModelError) as error:
            tally.problems.append(Problem(where=where, reason=str(error)))
        else:
            await inbox.take(user, scope, incoming, tally, conversation=CONVERSATION, where=where, wait=wait)
    if tell:
        tell(len(files), len(files), "")
    if wait and tally.known:  # what an interrupted run left is read now
        await inbox.drainer.drain(user)
    return tally.result(waiting=not wait)


def _files(folder: Path, zone: ZoneInfo) -> Iterator[_File]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in PICTURES | TEXTS | DATA or path.is_symlink():
                continue
            try:
                status = path.stat()
            except OSError:
                continue  # gone since
            named = time_in_name(name, zone)
            yield _File(
                path=path,
                at=named or datetime.fromtimestamp(status.st_mtime, UTC),
                is_named=named is not None,
                mark=f"file {status.st_size} {status.st_mtime_ns}",
            )


def _read(file: _File, recogniser: TextRecogniser | None, timezone: str) -> list[Incoming]:
    arrival = now()
    origin = Origin(timezone=timezone, at=file.at if file.is_named else None)
    if not file.is_picture:
        return from_file(file.path, origin, arrival)
    title = clean_name(file.path.name, "title", 1_000)
    picture = from_image(file.path, recogniser, replace(origin, title=title), arrival)
    if not picture.has_time:
        picture = replace(picture, at=file.at, has_time=True)
    return [replace(picture, external_id=file.mark)]


async def _known(database: Database, user: User, files: Sequence[_File]) -> set[tuple[str, str]]:
    """Place and mark of the pictures that were added before."""
    uris = [file.path.resolve().as_uri() for file in files if file.is_picture]
    async with database.transaction(user.user_id) as conn:
        rows = await (await conn.execute(_TRANSFER["files_known"], {"user_id": user.user_id, "uris": uris})).fetchall()
    return {(row["uri"], row["external_id"]) for row in rows}
