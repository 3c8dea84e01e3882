"""The command `mirix-desktop`: turn recording on, pause it, end it, see how it is, and delete what it saw.

start ─> Recorder (this process, or one behind it with --background)
pause, resume, stop, status ─> Control: the folder that the recorder watches
delete ─> the memory itself
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from mirix.cli.command import Invocation, command
from mirix.cli.forget import count
from mirix.errors import CaptureError, ConflictError, InputError
from mirix_desktop.control import FOREVER, Control, Report
from mirix_desktop.days.command import make_day
from mirix_desktop.demo import demo
from mirix_desktop.settings import DesktopSettings, load_desktop_settings, state_dir
from mirix_desktop.spans import parse_end, parse_span

if TYPE_CHECKING:
    from mirix_desktop.shots import ScreenSource

STOP_S = 60.0  # what is read at the end may take a while
BEGIN_S = 60.0  # the database starts
BEHIND_S = 30.0  # older things than this cannot be found yet: something is wrong, or too slow

app = typer.Typer(
    name="mirix-desktop",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Remember what was on the screen. Nothing is recorded until you say so.

    Pictures stay on this machine, encrypted. Password managers, banks and private browser windows are painted out
    before anything else looks at them; more can be named with MIRIX_DESKTOP_EXCLUDED_APPLICATIONS and _TITLES.
    """


def main() -> None:
    app()


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def _control(call: Invocation) -> Control:
    return Control(state_dir(load_desktop_settings(), call.settings.data_dir))


# ---- start ----


def start(
    call: Invocation,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Replay the pictures of a folder instead of looking at the screen.")
    ] = None,
    background: Annotated[bool, typer.Option("--background", "-b", help="Go on without this terminal.")] = False,
    interval: Annotated[
        float | None,
        typer.Option("--interval", help="Seconds between two looks (MIRIX_DESKTOP_INTERVAL_S).", show_default=False),
    ] = None,
    yes: Yes = False,
) -> None:
    """Record the screen until Ctrl-C, or until `mirix-desktop stop`."""
    settings = load_desktop_settings(interval_s=interval)
    control = _control(call)
    if control.is_recording():
        raise ConflictError("something records already: `mirix-desktop status` tells what, `stop` ends it")
    open_source = _source_of(folder)
    if folder is None:
        _agree(state_dir(settings, call.settings.data_dir), yes=yes)
        call.note(_looks(settings))
    if background:
        _start_behind(call, control, settings, folder, interval)
    else:
        _record(call, control, settings, open_source)


def _agree(folder: Path, *, yes: bool) -> None:
    """Go on only when the user has turned recording on, once."""
    agreed = folder / "agreed"
    if agreed.exists():
        return
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise InputError("recording is off until you turn it on: --yes turns it on")
        typer.confirm(
            "Mirix will look at this screen about once a second and keep what is new, encrypted, on this machine.\n"
            "Password managers, banks and private browser windows are left out. Turn recording on?",
            abort=True,
            err=True,
        )
    agreed.touch(0o600)
    agreed.write_text(datetime.now().astimezone().isoformat() + "\n", encoding="utf-8")


def _record(
    call: Invocation, control: Control, settings: DesktopSettings, open_source: Callable[[], ScreenSource]
) -> None:
    report = asyncio.run(_run(call, control, settings, open_source))
    call.document(report.model_dump(mode="json"))
    call.show(_counts(report))
    _show_left(call, report)


def _source_of(folder: Path | None) -> Callable[[], ScreenSource]:
    def open_source() -> ScreenSource:
        if folder is not None:
            from mirix_desktop.folder import FolderSource

            return FolderSource(folder)
        from mirix_desktop.mss_source import make_source

        return make_source()

    if folder is None:  # whoever cannot record should know before agreeing to it, and before the database is started
        open_source().close()
    return open_source


async def _run(
    call: Invocation, control: Control, settings: DesktopSettings, open_source: Callable[[], ScreenSource]
) -> Report:
    from mirix import AsyncMirix
    from mirix_desktop.recorder import Recorder
    from mirix_desktop.rules import make_rules

    async with AsyncMirix(call.settings) as memory:
        user = call.overrides.get("user")
        recorder = Recorder(
            memory,
            open_source,
            rules=make_rules(settings),
            control=control,
            settings=settings,
            user_id=str(user) if user is not None else None,
        )
        with suppress(NotImplementedError):  # Windows has no signal handlers on a loop
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, recorder.stop)
        until = control.paused_until(datetime.now().astimezone())
        call.note("recording; Ctrl-C ends it" if until is None else "paused: `mirix-desktop resume` begins to record")
        return await recorder.run()


def _start_behind(
    call: Invocation, control: Control, settings: DesktopSettings, folder: Path | None, interval: float | None
) -> None:
    """A recorder of its own, in a session of its own; waits until it records."""
    command_line = [sys.executable, "-m", "mirix_desktop", "start", "--yes"]
    options = {name.replace("_", "-"): value for name, value in call.overrides.items()}
    options["model"] = options.pop("chat-model", None)
    options |= {
        "data-dir": call.settings.data_dir.resolve(),
        "folder": folder and folder.resolve(),
        "interval": interval,
    }
    for name, value in options.items():
        command_line += [f"--{name}", str(value)] if value is not None else []
    log = state_dir(settings, call.settings.data_dir) / "recorder.log"
    with log.open("wb") as written:
        log.chmod(0o600)
        process = subprocess.Popen(
            command_line, stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True
        )
    deadline = time.monotonic() + BEGIN_S
    with call.working("starting the recorder"):
        while not _has_begun(report := control.report()) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
    if process.poll():
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = words[-1].removeprefix("error: ") if words else "it said nothing"
        raise CaptureError(f"the recorder did not start: {last}")
    is_done = process.poll() == 0
    process.returncode = process.returncode or 0  # it goes on, and nobody waits for it
    call.document({"recording": not is_done, "pid": process.pid})
    source = f" ({report.source})" if report is not None and report.source else ""
    call.show("Done: the folder was replayed." if is_done else f"Recording{source}.")
    call.note("mirix-desktop status shows how it is, pause 15m pauses it, stop ends it")


def _has_begun(report: Report | None) -> bool:
    return report is not None and bool(report.source)


# ---- pause, resume, stop, status, delete ----


def pause(
    call: Invocation,
    span: Annotated[
        str | None, typer.Argument(metavar="[15m|1h30m|14:30]", help="How long, or until when; without: until resumed.")
    ] = None,
) -> None:
    """Record nothing for a while. It holds for a recorder that is started meanwhile, too."""
    now = datetime.now().astimezone()
    until = parse_end(span, now) if span is not None else FOREVER
    control = _control(call)
    control.pause(until)
    call.document({"paused_until": None if until == FOREVER else until.isoformat()})
    resumed = "`mirix-desktop resume` ends it" if until == FOREVER else f"until {_clock(until, now)}"
    call.show(f"Paused, {resumed}." if control.is_recording() else f"Nothing records now, and nothing will: {resumed}.")


def resume(call: Invocation) -> None:
    """End a pause."""
    control = _control(call)
    was_paused = control.paused_until(datetime.now().astimezone()) is not None
    control.resume()
    records = control.is_recording()
    call.document({"was_paused": was_paused, "recording": records})
    words = "Recording again." if records else "The pause is over, but nothing records: `mirix-desktop start`."
    call.show(words if was_paused else "There was no pause." + ("" if records else " Nothing records."))


def stop(call: Invocation) -> None:
    """End the recorder; what it has seen stays."""
    control = _control(call)
    was_recording = control.is_recording()
    if was_recording:
        control.ask_to_stop()
        with call.working("the recorder finishes what it has begun"):
            if not control.wait_until_stopped(STOP_S):
                raise ConflictError("the recorder has not ended yet: look again with `mirix-desktop status`")
    told = control.last_report()
    call.document({"was_recording": was_recording, "recording": False, "waiting": told.waiting if told else 0})
    call.show("Stopped." if was_recording else "Nothing records.")
    _show_left(call, told)


def status(call: Invocation) -> None:
    """Show whether the screen is recorded, and how that goes."""
    control, now = _control(call), datetime.now().astimezone()
    records, told, until = control.is_recording(), control.last_report(), control.paused_until(now)
    report = told if records else None
    call.document(
        {
            "recording": records,
            "paused_until": None if until is None else until.isoformat(),
            "paused": until is not None,
            "report": None if report is None else report.model_dump(mode="json"),
            "waiting": told.waiting if told else 0,
        }
    )
    call.show(_status_table(records, report, until, now))
    if not records:
        _show_left(call, told)


def _status_table(records: bool, report: Report | None, until: datetime | None, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")

    def row(name: str, value: str, style: str = "") -> None:
        table.add_row(Text(name, style="dim"), Text(value, style=style))

    row("recording", _state(records, report, until, now))
    if report is None or not _has_begun(report):
        return table
    row("of", report.source)
    row("since", f"{_clock(report.started_at, now)}")
    row("seen", _counts(report))
    row("left out", _reasons(report) or "nothing")
    if report.behind_s > BEHIND_S:
        row("behind", f"what was seen {_ago(report.behind_s)} cannot be found yet", "yellow")
    else:
        row("to be found", "all of it" if not report.waiting else f"all but {_shots(report.waiting)}")
    if report.newest_at is not None:
        row("newest", _ago((now - report.newest_at).total_seconds()))
    if report.dropped:
        row("lost", f"{_shots(report.dropped)}, as nothing took them in time", "yellow")
    if report.problem:
        row("problem", report.problem, "yellow")
    return table


def _state(records: bool, report: Report | None, until: datetime | None, now: datetime) -> str:
    pause_end = "" if until is None else " until resumed" if until == FOREVER else f" until {_clock(until, now)}"
    if not records:
        return f"no, and paused{pause_end}" if until else "no: `mirix-desktop start`"
    if until:
        return f"paused{pause_end}"
    if report is None or not _has_begun(report):
        return "it begins"
    every = "" if report.every_s is None else f" every {report.every_s:g} s"
    states = {
        "away": f"yes, but only{every}: you touched no key and no mouse for a while",
        "locked": "no, the screen is locked",
        "gone": "no, the screen cannot be seen: it begins again when it can",
    }
    return states.get(report.doing, f"yes,{every}" if every else "yes")


def delete(
    call: Invocation,
    last: Annotated[str, typer.Option("--last", metavar="10m|2h|1d", help="How far back from now.")],
    yes: Yes = False,
) -> None:
    """Take what was seen in the last minutes out for good, with all that was remembered of it. There is no undo."""
    span = parse_span(last)
    since = datetime.now().astimezone() - span
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise InputError(f"nobody is here to be asked: --yes deletes what was seen in the last {last}")
        typer.confirm(f"Delete what was seen since {_clock(since, since + span)} for good?", abort=True, err=True)
    with call.open() as memory:
        gone = memory.forget_screens(since=since)
    call.document({"since": since.isoformat(), "pictures": gone.pictures, "memories": len(gone.memories)})
    rested = f", and {count(len(gone.memories), 'memory')} that rested on them alone" if gone.memories else ""
    words = f"{_shots(gone.pictures)}{rested}" if gone.pictures else "nothing"
    call.show(f"Deleted what was seen since {_clock(since, since + span)}: {words}.")


# ---- words ----


def _shots(number: int) -> str:
    return "1 picture" if number == 1 else f"{number:,} pictures"


def _show_left(call: Invocation, report: Report | None) -> None:
    if report is not None and report.waiting:
        call.show(
            f"{_shots(report.waiting)} still had to be read when it ended: `mirix-desktop start` goes on with that."
        )


def _looks(settings: DesktopSettings) -> str:
    return (
        f"It looks every {settings.interval_s:g} s; when no key and no mouse was touched for "
        f"{settings.idle_after_s:g} s, every {settings.idle_interval_s:g} s."
    )


def _counts(report: Report) -> str:
    words = [f"{_shots(report.seen)}, {report.kept:,} of them with something new"]
    if report.painted:
        words.append(f"windows painted out on {report.painted:,}")
    if report.refused:
        words.append(f"{report.refused:,} not looked at")
    return ", ".join(words)


def _reasons(report: Report) -> str:
    often = sorted(report.reasons.items(), key=lambda reason: -reason[1])
    return "; ".join(f"{reason} ({number:,}×)" for reason, number in often)


def _clock(at: datetime, now: datetime) -> str:
    local = at.astimezone(now.tzinfo)
    return local.strftime("%H:%M") if local.date() == now.date() else local.strftime("%Y-%m-%d %H:%M")


def _ago(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{timedelta(seconds=round(seconds))} ago"


command(app, "start", models=True)(start)
for _verb in (pause, resume, stop, status, delete):
    command(app, _verb.__name__)(_verb)
app.command("make-day")(make_day)
app.command("demo")(demo)
