"""A recorded folder in place of a screen, for replay and tests; and the lines in which a recording tells its windows.

    YYYYMMDD_HHMMSS.png …   what a whole monitor showed, at local times
    shots.jsonl             one line a picture: when, which monitor, which windows (optional)

Without `shots.jsonl` it is a folder of pictures as ScreenshotVQA has them: the name tells the time, and of windows
nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from tzlocal import get_localzone

from mirix.errors import CaptureError, ImageError
from mirix.ingest.images import load_image
from mirix_desktop.shots import Box, Glance, Shot, Window

SHOTS = "shots.jsonl"
_NAME = "%Y%m%d_%H%M%S"
_MONITOR = "screen"  # where nothing tells it


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowLine(_Wire):
    """A window in `shots.jsonl`. The fields of `Window`; what is missing has its default."""

    application: str
    title: str
    box: Box
    is_active: bool = False
    inner: Box | None = None
    id: int = 0
    owner: int = 0
    program: int = 0
    is_popup: bool = False
    role: str = ""
    is_fullscreen: bool = False
    is_see_through: bool = False


class ShotLine(_Wire):
    """A line of `shots.jsonl`."""

    file: str = Field(pattern=r"^[^/\\]+$")  # beside the line, never elsewhere
    at: AwareDatetime
    monitor: str = _MONITOR
    windows: tuple[WindowLine, ...] | None = None  # the topmost first
    idle_s: float | None = None
    is_locked: bool = False


def tell(shot: Shot, file: str) -> str:
    """The line of `shots.jsonl` for a shot whose picture stands in `file`, with all that is known of its windows."""
    known: dict[str, Any] = {"file": file, "at": shot.at, "monitor": shot.monitor, "idle_s": shot.idle_s}
    if shot.windows is not None:
        known["windows"] = tuple(WindowLine(**vars(window)) for window in shot.windows)
    return ShotLine(**known, is_locked=shot.is_locked).model_dump_json(exclude_defaults=True)


class FolderSource:
    """Replays a recorded folder in the order of time, one shot a grab.

    Names without an offset are local times of `zone` (default: the machine's). Raises CaptureError when the folder has
    no pictures, or a line of `shots.jsonl` is wrong; `grab` raises it for a picture that cannot be read, and goes on
    with the next one when it is asked again.
    """

    is_live = False

    def __init__(self, folder: Path, *, zone: tzinfo | None = None) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise CaptureError(f"{folder} is not a folder: name one with pictures")
        told = folder / SHOTS
        lines = _read_lines(told) if told.exists() else _from_names(folder, zone or get_localzone())
        if not lines:
            raise CaptureError(f"{folder} holds no pictures: they are named like 20261121_093000.png")
        self._lines = sorted(lines, key=lambda line: line.at)
        self._left = iter(self._lines)

    @property
    def name(self) -> str:
        return f"folder {self._folder}"

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def files(self) -> list[str]:
        """The names of the pictures, in the order in which they come."""
        return [line.file for line in self._lines]

    def glance(self) -> Glance:
        return Glance()

    def grab(self) -> list[Shot]:
        line = next(self._left, None)
        if line is None:
            return []
        path = self._folder / line.file
        try:
            image = load_image(path).image
        except (ImageError, OSError) as error:
            raise CaptureError(f"{path} cannot be replayed: {error}") from error
        windows = None if line.windows is None else tuple(Window(**dict(each)) for each in line.windows)
        return [
            Shot(
                image=image,
                at=line.at,
                monitor=line.monitor,
                windows=windows,
                idle_s=line.idle_s,
                is_locked=line.is_locked,
            )
        ]

    def close(self) -> None:
        self._left = iter(())


def _read_lines(path: Path) -> list[ShotLine]:
    lines = []
    for number, text in _numbered(path):
        try:
            lines.append(ShotLine.model_validate_json(text))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors()[:3])
            raise CaptureError(f"{path} line {number} is wrong ({faults}): mend or remove it") from None
    return lines


def _numbered(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaptureError(f"{path} cannot be read: {error}") from error
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _from_names(folder: Path, zone: tzinfo) -> list[ShotLine]:
    pictures = (path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
    return [ShotLine(file=path.name, at=_time_of(path, zone)) for path in pictures]


def _time_of(path: Path, zone: tzinfo) -> datetime:
    try:
        return datetime.strptime(path.stem, _NAME).replace(tzinfo=zone)
    except ValueError:
        raise CaptureError(f"{path} tells no time: rename it like 20261121_093000.png") from None
