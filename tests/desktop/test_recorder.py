"""The recorder takes what is new, leaves out what it must, waits for nobody, and ends cleanly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image, ImageDraw

from mirix.errors import CaptureError, ConfigError, MirixError, ModelError, SpoolFull
from mirix_desktop.control import Control, Report
from mirix_desktop.folder import FolderSource
from mirix_desktop.mss_source import MssSource
from mirix_desktop.recorder import QUEUE_SHOTS, Recorder, Rhythm
from mirix_desktop.rules import make_rules
from mirix_desktop.settings import DesktopSettings
from mirix_desktop.shots import Box, Glance, ScreenSource, Shot, Window
from tests.desktop.conftest import Screen, until

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SETTINGS = DesktopSettings(interval_s=0.2)
WORDS = ["apple", "birch", "cloud", "dune", "ember", "frost", "grove", "heath", "inlet", "jetty", "knoll", "ledge"]


@dataclass(frozen=True)
class Kept:
    message_id: UUID
    at: datetime
    application: str | None
    title: str | None
    image: Image.Image


@dataclass(frozen=True)
class Health:
    waiting: int


@dataclass
class FakeMemory:
    """Keeps and reads at once; fails where it is told to."""

    room: int = 1_000
    keep_errors: list[MirixError] = field(default_factory=list)
    read_errors: list[MirixError] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    waiting: list[Kept] = field(default_factory=list)
    closed: int = 0
    flushed: int = 0
    blocked: threading.Event | None = None  # keeping takes until it is set

    async def keep_shot(
        self,
        image: Image.Image,
        *,
        at: datetime,
        application: str | None = None,
        title: str | None = None,
        monitor: str | None = None,
        windows: Sequence[Box] = (),
        user_id: str | None = None,
    ) -> UUID:
        if self.blocked is not None:
            await asyncio.to_thread(self.blocked.wait)
        if self.keep_errors:
            raise self.keep_errors.pop(0)
        if len(self.waiting) >= self.room:
            raise SpoolFull("no room")
        self.kept.append(Kept(uuid4(), at, application, title, image))
        self.waiting.append(self.kept[-1])
        return self.kept[-1].message_id

    async def read_shots(self, *, user_id: str | None = None, limit: int | None = None) -> Sequence[Kept]:
        if self.read_errors:
            raise self.read_errors.pop(0)
        done, self.waiting = self.waiting[:limit], self.waiting[limit or len(self.waiting) :]
        return done

    async def screen_health(self, *, user_id: str | None = None) -> Health:
        return Health(waiting=len(self.waiting))

    async def close_batches(self, *, user_id: str | None = None) -> None:
        self.closed += 1

    async def flush(self, *, user_id: str | None = None) -> int:
        self.flushed += 1
        return 0


@dataclass
class FakeSource:
    """Gives what it is told to, one moment a grab, and then says so."""

    moments: list[list[Shot] | CaptureError]
    at_end: Callable[[], None] = lambda: None
    is_live: bool = True
    name: str = "a fake"
    closed: int = 0

    def glance(self) -> Glance:
        return Glance()

    def grab(self) -> list[Shot]:
        if not self.moments:
            self.at_end()
            return []
        moment = self.moments.pop(0)
        if isinstance(moment, CaptureError):
            raise moment
        return moment

    def close(self) -> None:
        self.closed += 1


def shot(text: str, *windows: Window, second: int = 0) -> Shot:
    image = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(image).text((30, 10 + 15 * second), text, fill="black")
    shown = windows or (Window(application="XTerm", title="notes", box=(0, 0, 320, 240), is_active=True),)
    return Shot(image=image, at=AT + timedelta(seconds=second), monitor="screen", windows=shown)


async def record(
    memory: FakeMemory, source: ScreenSource, folder: Path, *, settings: DesktopSettings = SETTINGS
) -> Report:
    recorder = Recorder(memory, lambda: source, rules=make_rules(settings), control=Control(folder), settings=settings)
    if isinstance(source, FakeSource):
        source.at_end = recorder.stop
    return await recorder.run()


async def test_what_is_new_is_kept_with_its_program_and_read(tmp_path: Path) -> None:
    memory = FakeMemory()
    source = FakeSource(
        [[shot("first")], [replace(shot("first"), at=AT + timedelta(seconds=1))], [shot("second line", second=2)]]
    )
    report = await record(memory, source, tmp_path)
    assert [kept.at.second for kept in memory.kept] == [0, 2]
    assert {(kept.application, kept.title) for kept in memory.kept} == {("XTerm", "notes")}
    assert (report.seen, report.unchanged, report.kept, report.searchable, report.waiting) == (3, 1, 2, 2, 0)
    assert report.newest_at == AT + timedelta(seconds=2)
    assert (source.closed, memory.closed) == (1, 1)


async def test_nothing_private_reaches_the_memory(tmp_path: Path) -> None:
    memory = FakeMemory()
    vault = Window(application="KeePassXC", title="Passwords", box=(20, 90, 300, 120), is_active=True)
    behind = Window(application="XTerm", title="notes", box=(0, 0, 320, 240))
    unknown = replace(shot("x"), windows=None)
    report = await record(memory, FakeSource([[shot("hunter2", vault, behind)], [unknown]]), tmp_path)
    (kept,) = memory.kept
    assert kept.image.crop((20, 90, 300, 120)).getcolors() == [(280 * 30, (32, 32, 32))]
    assert (kept.application, kept.title) == (None, None)
    assert (report.painted, report.refused) == (1, 1)
    assert report.reasons == {"an excluded program": 1, "nobody can tell which windows are on it": 1}


async def test_a_pause_keeps_everything_out_until_it_is_over(tmp_path: Path) -> None:
    memory = FakeMemory()
    control = Control(tmp_path)
    control.pause()
    source = FakeSource([[shot("first")]])
    recorder = Recorder(memory, lambda: source, rules=make_rules(SETTINGS), control=control, settings=SETTINGS)
    asked = 0

    class Resuming(Control):
        def paused_until(self, now: datetime) -> datetime | None:
            nonlocal asked
            asked += 1
            if asked == 2:
                assert recorder.report().doing == "paused"
                assert source.moments, "it looked"
                self.resume()
            return super().paused_until(now)

    recorder._control = Resuming(tmp_path)
    source.at_end = recorder.stop
    await recorder.run()
    assert len(memory.kept) == 1


async def test_capture_does_not_wait_for_a_slow_memory(tmp_path: Path) -> None:
    memory = FakeMemory(blocked=threading.Event())
    many = [shot(f"line {number}", second=number) for number in range(QUEUE_SHOTS + 5)]
    source = FakeSource([many])  # as many monitors

    def done() -> None:
        assert memory.blocked is not None
        recorder.stop()
        memory.blocked.set()

    recorder = Recorder(
        memory, lambda: source, rules=make_rules(SETTINGS), control=Control(tmp_path), settings=SETTINGS
    )
    source.at_end = done
    report = await recorder.run()
    assert report.dropped > 0
    assert report.seen == report.kept + report.dropped + report.unchanged == len(many)


async def test_a_shot_that_could_not_be_kept_counts_as_new_again(tmp_path: Path) -> None:
    memory = FakeMemory(keep_errors=[MirixError("the disk is full")])
    report = await record(
        memory, FakeSource([[shot("first")], [replace(shot("first"), at=AT + timedelta(seconds=1))]]), tmp_path
    )
    assert (report.kept, report.dropped, report.errors) == (1, 1, 1)


async def test_a_reader_that_fails_is_asked_again_and_nothing_is_lost(tmp_path: Path) -> None:
    memory = FakeMemory()
    source = FakeSource([[shot("first")]])

    def fail_once() -> None:
        memory.read_errors.append(ModelError("it is busy"))
        recorder.stop()

    recorder = Recorder(
        memory, lambda: source, rules=make_rules(SETTINGS), control=Control(tmp_path), settings=SETTINGS
    )
    source.at_end = fail_once
    report = await recorder.run()
    assert report.kept == 1
    assert report.searchable + len(memory.waiting) == 1


async def test_without_a_recogniser_nothing_is_recorded(tmp_path: Path) -> None:
    memory = FakeMemory(read_errors=[ConfigError("no text is read")])
    source = FakeSource([[shot("first")]])
    with pytest.raises(ConfigError, match="no text is read"):
        await record(memory, source, tmp_path)
    assert memory.kept == []
    assert not Control(tmp_path).is_recording()


async def test_a_screen_that_cannot_be_seen_ends_it_at_once(tmp_path: Path) -> None:
    def nothing() -> ScreenSource:
        raise CaptureError("this is a Wayland session")

    recorder = Recorder(FakeMemory(), nothing, rules=make_rules(SETTINGS), control=Control(tmp_path), settings=SETTINGS)
    with pytest.raises(CaptureError, match="Wayland"):
        await recorder.run()
    assert not Control(tmp_path).is_recording()


async def test_a_folder_is_replayed_whole_even_where_there_is_little_room(tmp_path: Path) -> None:
    pictures = tmp_path / "day"
    pictures.mkdir()
    for second in range(12):
        lines = "\n".join(f"{word} of the day" for word in WORDS[: second + 1])
        shot(lines).image.save(pictures / f"20261121_0930{second:02}.png")
    (pictures / "20261121_093100.png").write_bytes(b"broken")
    memory = FakeMemory(room=1, keep_errors=[SpoolFull("no room")])
    report = await record(memory, FolderSource(pictures, zone=UTC), tmp_path / "state")
    assert [kept.at.second for kept in memory.kept] == list(range(12))
    assert (report.kept, report.searchable, report.dropped, report.errors) == (12, 12, 0, 1)
    assert memory.flushed == 1


async def test_what_is_left_to_be_read_is_told_last_with_what_waited_from_before(tmp_path: Path) -> None:
    class Stuck(FakeMemory):
        async def read_shots(self, *, user_id: str | None = None, limit: int | None = None) -> Sequence[Kept]:
            if len(self.waiting) == 2:
                raise ModelError("it is busy")
            return await super().read_shots(user_id=user_id, limit=limit)

    earlier = [Kept(uuid4(), AT, None, None, Image.new("RGB", (9, 9))) for _ in range(3)]
    recorder = Recorder(
        Stuck(waiting=earlier), lambda: source, rules=make_rules(SETTINGS), control=Control(tmp_path), settings=SETTINGS
    )
    meanwhile: list[int] = []

    def look_and_stop() -> None:
        meanwhile.append(recorder.report().waiting)
        recorder.stop()

    source = FakeSource([], look_and_stop)
    await recorder.run()
    told = Control(tmp_path).last_report()
    assert told is not None
    assert (told.searchable, meanwhile, told.waiting) == (1, [2], 2)


def not_there() -> ScreenSource:
    raise CaptureError("there is no screen")


async def test_a_screen_that_goes_is_told_and_waited_for_until_it_is_back(
    screen: Screen, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirix_desktop.recorder.RETRY_S", 0.1)
    answers: list[Callable[[], ScreenSource]] = [
        lambda: MssSource(screen.display),
        not_there,
        not_there,
        lambda: FakeSource([[shot("back")]], lambda: recorder.stop()),
    ]

    def open_source() -> ScreenSource:
        return answers.pop(0)()

    recorder = Recorder(
        FakeMemory(), open_source, rules=make_rules(SETTINGS), control=Control(tmp_path), settings=SETTINGS
    )
    async with asyncio.timeout(30):
        recording = asyncio.create_task(recorder.run())
        await asyncio.to_thread(until, lambda: recorder.report().seen > 0)
        screen.server.kill()
        report = await recording
    assert report.kept >= 1
    assert report.errors == 3
    gone, missing = (log.getMessage() for log in caplog.records)
    assert f"the screen {screen.display} is gone" in gone
    assert missing.endswith("there is no screen"), "and this is told once"


async def test_a_source_that_cannot_even_be_closed_ends_it(tmp_path: Path) -> None:
    class Broken(FakeSource):
        def close(self) -> None:
            raise OSError("it is gone")

    async with asyncio.timeout(30):
        with pytest.raises(ExceptionGroup):
            await record(FakeMemory(), Broken([]), tmp_path)
    assert not Control(tmp_path).is_recording()


async def test_a_wish_to_stop_is_heard_while_there_is_no_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirix_desktop.recorder.RETRY_S", 0.1)
    sources: list[ScreenSource] = [FakeSource([CaptureError("it is gone")])]

    def open_source() -> ScreenSource:
        if sources:
            return sources.pop()
        Control(tmp_path).ask_to_stop()
        raise CaptureError("no screen")

    recorder = Recorder(
        FakeMemory(), open_source, rules=make_rules(SETTINGS), control=Control(tmp_path), settings=SETTINGS
    )
    async with asyncio.timeout(30):
        report = await recorder.run()
    assert report.errors == 2


async def test_a_wish_to_stop_ends_it(tmp_path: Path) -> None:
    class Stopping(FakeSource):
        def grab(self) -> list[Shot]:
            Control(tmp_path).ask_to_stop()
            return [shot("endless")]

    source = Stopping([])
    report = await record(FakeMemory(), source, tmp_path)
    assert report.kept == 1
    assert not Control(tmp_path).is_recording()


def test_looks_are_rare_while_away_and_at_once_when_the_focus_changes() -> None:
    rhythm = Rhythm(DesktopSettings(interval_s=3, idle_interval_s=30, idle_after_s=60))
    here, away = Glance(focus="mail", idle_s=1), Glance(focus="mail", idle_s=61)
    assert rhythm.is_due(here, 100)
    rhythm.looked(here, 100)
    assert not rhythm.is_due(here, 102.9)
    assert rhythm.is_due(here, 103)
    assert not rhythm.is_due(away, 129)
    assert rhythm.is_due(away, 130)
    assert rhythm.is_due(Glance(focus="chat", idle_s=0), 100.6)
    assert not rhythm.is_due(Glance(focus="chat", idle_s=0), 100.2), "at most twice a second"
