"""What all evaluations share: a memory that is thrown away, items read from a file, and many of them at once.

The user's own memory is never touched: whatever the settings say, an evaluation has an embedded database, a key and a
folder of its own, all gone when it ends.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from langchain_core.language_models import BaseChatModel
from pydantic import AfterValidator, BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from mirix.config import Settings
from mirix.errors import InputError, MirixError
from mirix.system import AsyncMirix

AT_ONCE = 4  # items in the making; a model over the network is mostly waited for

Item = TypeVar("Item", bound=BaseModel)
T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[str, int, int], None]  # what is done, how many of it, of how many


def silent(what: str, done: int, total: int) -> None:
    """No progress."""


@asynccontextmanager
async def throwaway_memory(settings: Settings, *, model: BaseChatModel | None = None) -> AsyncIterator[AsyncMirix]:
    """An open Mirix with the models of `settings` and nothing else of it. Raises ConfigError, DatabaseError."""
    with _terminated_as_interrupted():
        async with _throwaway_memory(settings, model) as memory:
            yield memory


@asynccontextmanager
async def _throwaway_memory(settings: Settings, model: BaseChatModel | None) -> AsyncIterator[AsyncMirix]:
    folder = await asyncio.to_thread(_make_folder)
    own = {
        "data_dir": folder,
        "database_url": None,
        "database_admin_url": None,
        "keyring": "file",
        "user": "evaluation",
        "idle_timeout_s": 1.0,
        "ocr": "none",
    }
    try:
        async with AsyncMirix(settings.model_copy(update=own), model=model) as memory:
            yield memory
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends what runs as Ctrl-C does, so that the folder with its key goes. Other handlers are left alone."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    interrupt = signal.getsignal(signal.SIGINT)  # ignored in what a shell's script runs in the background
    signal.signal(signal.SIGTERM, interrupt if callable(interrupt) else signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mirix-evaluation-"))
    folder.chmod(0o711)  # as root the server runs as another account, which has to get in
    return folder


async def for_each(
    items: Sequence[T], work: Callable[[T], Awaitable[R]], *, what: str, progress: Progress = silent
) -> list[R]:
    """The results of `work`, in the order of the items, a few in the making at a time. A MirixError comes out bare."""
    places = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(item: T) -> R:
        nonlocal done
        async with places:
            result = await work(item)
        done += 1
        progress(what, done, len(items))
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as errors:
        raise next((error for error in errors.exceptions if isinstance(error, MirixError)), errors) from None
    return [task.result() for task in tasks]


def read_items(path: Path, item_type: type[Item], *, limit: int | None = None) -> list[Item]:
    """The items of a file: JSON lines, or one JSON list. Raises InputError that names the place."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    items = []
    for place, value in islice(_values(path, text), limit):
        try:
            items.append(item_type.model_validate(value))
        except ValidationError as error:
            raise InputError(f"{path} {place}: {faults(error)}") from None
    if not items:
        raise InputError(f"{path} holds no items")
    return items


def faults(error: ValidationError) -> str:
    """What is wrong with a value, and where in it."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors()[:3])


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is blank")
    return text


NotBlank = Annotated[str, AfterValidator(_not_blank)]


def _values(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    """The values of a file, each with its place."""
    is_list = text.lstrip().startswith("[")
    for number, part in enumerate([text] if is_list else text.split("\n"), 1):
        if not part.strip():
            continue
        try:
            value = json.loads(part)
        except ValueError as error:
            place = "" if is_list else f" line {number}"
            hint = " (an object over several lines has to stand in a list: [{…}])" if part.strip() == "{" else ""
            raise InputError(f"{path}{place} is neither a JSON list nor JSON lines: {error}{hint}") from None
        yield from ((f"item {n}", item) for n, item in enumerate(value, 1)) if is_list else [(f"line {number}", value)]


def zone_at(moment: datetime) -> str:
    """The name of some zone whose clocks show the offset of `moment` then, for files that tell no more."""
    offset = moment.utcoffset()
    if offset is None:
        raise InputError(f"{moment.isoformat()} has no offset")
    return _zone_of(moment.date().isoformat(), offset.total_seconds())


@lru_cache(maxsize=1024)
def _zone_of(day: str, offset_s: float) -> str:
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    for name in ("UTC", *sorted(available_timezones())):
        offset = noon.astimezone(ZoneInfo(name)).utcoffset()
        if offset is not None and offset.total_seconds() == offset_s:
            return name
    return "UTC"
