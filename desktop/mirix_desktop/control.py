"""How a running recorder is told what to do, and tells how it is: files in a folder that only the user can read.

    recorder.lock   held while something records; the system frees it however that ends, so nothing stale can claim to
    paused          until when nothing is recorded; it holds for the next recorder, too
    stop            the running recorder is to end
    report.json     what the recorder last told of itself: numbers and times, nothing that was seen; it stays

Whatever cannot be read counts as a pause.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from mirix.db.keeper import FileLock
from mirix.errors import ConfigError, ConflictError

FOREVER = datetime.max.replace(tzinfo=UTC)
_ASK_AGAIN_S = 0.05
_LOCK_WAIT_S = 0.5  # whoever asks whether something records holds the lock for a moment


class Report(BaseModel):
    """What a recorder tells of itself, in `report.json`."""

    model_config = ConfigDict(extra="ignore", frozen=True)  # another version may have written it

    pid: int
    source: str  # e.g. X11 :0; empty until it is open
    user: str | None  # whose memory; None: the one of the settings
    started_at: AwareDatetime
    told_at: AwareDatetime
    doing: str  # recording, away, locked, gone (the screen cannot be seen), paused, stopping
    every_s: float | None = None  # between two looks now; None: there are none yet, or a folder is replayed
    seen: int = 0  # shots taken
    refused: int = 0  # of them, by the privacy gate
    painted: int = 0  # on which windows were painted out
    unchanged: int = 0  # dropped by the change gate
    kept: int = 0
    dropped: int = 0  # because nothing took them in time
    searchable: int = 0  # of the kept ones, and of those that waited from before
    waiting: int = 0  # kept, not searchable yet, those from before as well
    errors: int = 0
    problem: str | None = None  # the last error, while it lasts
    reasons: dict[str, int] = Field(default_factory=dict)  # why windows and shots were left out, and how often
    behind_s: float = 0.0  # age of the oldest that was seen and cannot be found yet
    newest_at: AwareDatetime | None = None  # when the newest searchable shot was taken


class Control:
    """The folder through which recorders are controlled. Raises ConfigError where it cannot be made or is another's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            told = folder.stat()
            if hasattr(os, "getuid") and told.st_uid != os.getuid():
                raise ConfigError(f"{folder} belongs to another user: name a folder of your own")
            folder.chmod(0o700)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be used to control the recorder: {error.strerror or error}") from error
        self._lock = FileLock(folder / "recorder.lock")

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Hold the place of the one recorder. Raises ConflictError when there is one already."""
        if not self._lock.acquire(deadline=time.monotonic() + _LOCK_WAIT_S):
            raise ConflictError("something records already: `mirix-desktop status` tells what, `stop` ends it")
        try:
            for name in ("stop", "report.json"):
                self._file(name).unlink(missing_ok=True)
            yield
        finally:
            self._file("stop").unlink(missing_ok=True)
            self._lock.release()

    def is_recording(self) -> bool:
        """Whether a recorder is there now, paused or not."""
        return not FileLock(self._folder / "recorder.lock").is_free()

    def report(self) -> Report | None:
        """What the running recorder last told; None when there is none, or it has told nothing yet."""
        return self.last_report() if self.is_recording() else None

    def last_report(self) -> Report | None:
        """What the running recorder told last, or the one before it when it ended; None when there is nothing."""
        try:
            return Report.model_validate_json(self._file("report.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def tell(self, report: Report) -> None:
        self._write("report.json", report.model_dump_json())

    def pause(self, until: datetime = FOREVER) -> None:
        """Record nothing until then."""
        self._write("paused", until.isoformat())

    def resume(self) -> None:
        self._file("paused").unlink(missing_ok=True)

    def paused_until(self, now: datetime) -> datetime | None:
        """The end of the pause; None when there is none. What cannot be read is a pause without an end."""
        try:
            until = datetime.fromisoformat(self._file("paused").read_text(encoding="utf-8"))
            return until if until > now else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            return FOREVER

    def ask_to_stop(self) -> None:
        self._write("stop", "")

    def is_to_stop(self) -> bool:
        return self._file("stop").exists()

    def wait_until_stopped(self, timeout_s: float) -> bool:
        """Whether the recorder ended in time."""
        deadline = time.monotonic() + timeout_s
        while self.is_recording():
            if time.monotonic() > deadline:
                return False
            time.sleep(_ASK_AGAIN_S)
        return True

    def _file(self, name: str) -> Path:
        return self._folder / name

    def _write(self, name: str, text: str) -> None:
        """The whole text or nothing. Raises ConfigError."""
        part = self._file(f"{name}.{os.getpid()}.part")
        try:
            part.touch(0o600)
            part.write_text(text, encoding="utf-8")
            part.replace(self._file(name))
        except OSError as error:
            part.unlink(missing_ok=True)
            raise ConfigError(f"{self._file(name)} cannot be written: {error.strerror or error}") from error
