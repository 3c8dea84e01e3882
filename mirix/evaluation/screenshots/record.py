"""Records a folder as the desktop assistant records a screen: the same gates, the same spool, the same reader."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from mirix.db.pool import User
from mirix.errors import CaptureError
from mirix.evaluation.runner import Progress
from mirix.evaluation.screenshots.gates import FilterRun, filter_runs
from mirix.ingest.screens import ReadShot, ScreenReader
from mirix.ingest.tiles import ChangeGate
from mirix.models.ocr import TextRecogniser
from mirix.system import AsyncMirix
from mirix_desktop.folder import FolderSource
from mirix_desktop.privacy import Passed, PrivacyGate
from mirix_desktop.rules import make_rules
from mirix_desktop.settings import DesktopSettings
from mirix_desktop.shots import Shot

logger = logging.getLogger(__name__)

PAUSE_S = 0.05  # while no shot waits


@dataclass
class Recording:
    """What came of a folder."""

    files: list[str] = field(default_factory=list)  # one for each shot
    refused: list[str] = field(default_factory=list)  # files of which the privacy gate let nothing pass
    painted: list[str] = field(default_factory=list)  # files on which it painted something over
    taken: list[str] = field(default_factory=list)  # files that the change gate was shown
    kept: dict[UUID, str] = field(default_factory=dict)  # files by message
    read: list[ReadShot] = field(default_factory=list)
    last_at: datetime | None = None
    privacy_s: float = 0.0
    filters: dict[str, FilterRun] = field(default_factory=filter_runs)
    ours: FilterRun = field(default_factory=lambda: FilterRun(filter=ChangeGate(), kept=[]))
    seconds: float = 0.0  # until all of it was searchable

    @property
    def shots(self) -> int:
        return len(self.files)

    @property
    def gate_shots_per_s(self) -> float:
        """Through both gates."""
        return self.shots / (self.privacy_s + self.ours.seconds)


async def record(
    memory: AsyncMirix,
    user: User,
    folder: Path,
    recogniser: TextRecogniser,
    *,
    limit: int | None,
    rate: float | None,
    compare: bool,
    progress: Progress,
) -> Recording:
    """Record at most `limit` shots: `rate` a second as if they were taken now, or as fast as they can be read.

    With `compare` the filters of other products see the same pictures. A picture that cannot be read is left out, with
    a warning. Raises CaptureError, ModelError.
    """
    source = FolderSource(folder)
    rules = replace(make_rules(DesktopSettings()), takes_unknown=True)
    recording = Recording()
    privacy = PrivacyGate(rules)
    reader = ScreenReader(memory.parts.evidence, memory.parts.spool, recogniser)
    begin = time.monotonic()
    is_over = False

    async def read() -> None:
        while True:
            was_over = is_over
            recording.read += (done := await reader.read(user))
            progress("frames read", len(recording.read), max(len(recording.kept), 1))
            if was_over and not done:
                return
            await asyncio.sleep(0 if done else PAUSE_S)

    reading = asyncio.create_task(read())
    try:
        for number, file in enumerate(source.files[:limit], 1):
            if rate:
                await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            try:
                shot = await asyncio.to_thread(lambda: source.grab()[0])
            except CaptureError as error:
                logger.warning("%s: it is left out", error, extra={"action": "picture_left_out"})
                continue
            passed = await asyncio.to_thread(_through_gates, recording, privacy, file, shot, compare)
            if passed is not None:
                recording.kept[await _keep(memory, user, passed)] = file
            progress("shots", number, len(source.files[:limit]))
            if reading.done():
                break
        if not recording.files:
            raise CaptureError(f"no picture of {folder} can be read")
        is_over = True
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    recording.seconds = time.monotonic() - begin
    return recording


def _through_gates(recording: Recording, privacy: PrivacyGate, file: str, shot: Shot, compare: bool) -> Shot | None:
    """What is kept of a shot."""
    recording.files.append(file)
    recording.last_at = shot.at
    started = time.perf_counter()
    (verdict,) = privacy.check([shot])
    recording.privacy_s += time.perf_counter() - started
    if not isinstance(verdict, Passed):
        recording.refused.append(file)
        return None
    if verdict.reasons:
        recording.painted.append(file)
    recording.taken.append(file)
    if compare:
        for run in recording.filters.values():
            run.take(file, verdict.shot)
    return verdict.shot if recording.ours.take(file, verdict.shot) else None


async def _keep(memory: AsyncMirix, user: User, shot: Shot) -> UUID:
    active = shot.active
    return await memory.keep_shot(
        shot.image,
        at=shot.at,
        application=active.application if active else None,
        title=active.title if active else None,
        monitor=shot.monitor,
        windows=[window.box for window in shot.windows or ()],
        user_id=user.name,
    )
