"""A recorder is found, paused and stopped through its folder, and a dead one claims nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirix.errors import ConflictError, InputError
from mirix_desktop.control import FOREVER, Control, Report
from mirix_desktop.spans import parse_end, parse_span

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
REPORT = Report(pid=1, source="X11 :0", user=None, started_at=NOW, told_at=NOW, doing="recording", seen=3)

HOLDER = """
import sys, time
from pathlib import Path
from datetime import UTC, datetime
from mirix_desktop.control import Control, Report
control = Control(Path(sys.argv[1]))
with control.recording():
    now = datetime.now(UTC)
    control.tell(Report(pid=1, source="x", user=None, started_at=now, told_at=now, doing="recording"))
    print("recording", flush=True)
    time.sleep(600)
"""


def test_nothing_records_where_nobody_started(tmp_path: Path) -> None:
    control = Control(tmp_path / "state")
    assert not control.is_recording()
    assert control.report() is None


def test_a_recorder_is_seen_with_its_report_until_it_ends(tmp_path: Path) -> None:
    control = Control(tmp_path)
    with control.recording():
        control.tell(REPORT)
        assert Control(tmp_path).is_recording()
        assert Control(tmp_path).report() == REPORT
    assert Control(tmp_path).report() is None
    assert Control(tmp_path).last_report() == REPORT
    with control.recording():
        assert Control(tmp_path).report() is None, "it is another's"


def test_there_is_one_recorder_at_a_time(tmp_path: Path) -> None:
    with (
        Control(tmp_path).recording(),
        pytest.raises(ConflictError, match="records already"),
        Control(tmp_path).recording(),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_a_killed_recorder_leaves_nothing_that_claims_to_record(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "recording\n"
        assert Control(tmp_path).report() is not None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert (tmp_path / "report.json").exists()
    assert not Control(tmp_path).is_recording()
    assert Control(tmp_path).report() is None
    with Control(tmp_path).recording():
        pass


def test_a_pause_ends_at_its_time_and_by_resuming(tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert control.paused_until(NOW) is None
    control.pause(NOW + timedelta(minutes=15))
    assert Control(tmp_path).paused_until(NOW + timedelta(minutes=14)) == NOW + timedelta(minutes=15)
    assert control.paused_until(NOW + timedelta(minutes=15)) is None
    control.pause()
    assert control.paused_until(NOW) == FOREVER
    control.resume()
    assert control.paused_until(NOW) is None


@pytest.mark.parametrize("broken", [b"", b"soon", b"\xff", b"2026-11-21T15:00:00"])
def test_a_pause_that_cannot_be_read_is_a_pause(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "paused").write_bytes(broken)
    assert Control(tmp_path).paused_until(NOW) == FOREVER


def test_an_old_wish_to_stop_does_not_stop_the_next_recorder(tmp_path: Path) -> None:
    control = Control(tmp_path)
    control.ask_to_stop()
    with control.recording():
        assert not control.is_to_stop()
        Control(tmp_path).ask_to_stop()
        assert control.is_to_stop()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs file modes")
def test_only_the_user_can_read_the_folder_and_what_stands_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    Control(folder).tell(REPORT)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "report.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h30m", 5_400), (" 2 d ", 172_800), ("1H", 3_600)]
)
def test_spans_are_read(text: str, seconds: int) -> None:
    assert parse_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "0m", "5 minutes ago", "1.5h"])
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(InputError, match="no span of time"):
        parse_span(text)


@pytest.mark.parametrize("text", ["9999d", "999999d"])
def test_a_span_that_is_too_long_is_told(text: str) -> None:
    with pytest.raises(InputError, match="at most 3660d"):
        parse_span(text)


def test_a_time_of_the_day_is_the_next_one() -> None:
    assert parse_end("14:30", NOW) == NOW + timedelta(minutes=30)
    assert parse_end("until 13:59", NOW) == NOW + timedelta(hours=23, minutes=59)
    assert parse_end("15m", NOW) == NOW + timedelta(minutes=15)
    with pytest.raises(InputError, match="no time of the day"):
        parse_end("25:00", NOW)
