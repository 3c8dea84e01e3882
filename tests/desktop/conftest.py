"""A screen of its own for tests that need one: Xvfb with a window manager, and programs on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from mirix_desktop.shots import Shot, Window

_WAIT_S = 30.0


@dataclass(kw_only=True)
class Screen:
    """A running X server with openbox, 1280x800, 24 bit."""

    display: str
    server: subprocess.Popen[bytes]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DISPLAY": self.display}
        environment.pop("WAYLAND_DISPLAY", None)
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        self.started.append(process)
        return process

    def run(self, *command: str) -> str:
        environment = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def xterm(self, title: str, place: str, *, application: str = "XTerm", colour: str = "white") -> None:
        """A terminal that shows nothing but its colour, e.g. at "40x10+100+50"."""
        self.start(
            "xterm", "-T", title, "-class", application, "-geometry", place, "-bg", colour, "-fg", colour,
            "-cr", colour, "-xrm", "*allowTitleOps: false", "-e", "sleep", "600",
        )  # fmt: skip


def until(found: Callable[[], bool]) -> None:
    """Waits for other programs, asking again and again. Fails after a while."""
    deadline = time.monotonic() + _WAIT_S
    while not found():
        assert time.monotonic() < deadline, "the programs on the screen did not get there"
        time.sleep(0.02)


@pytest.fixture
def screen() -> Iterator[Screen]:
    missing = [name for name in ("Xvfb", "openbox", "xterm", "xdotool", "xprop") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} to have a screen")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        screen = Screen(display=f":{told.readline().strip()}", server=server)
    manager = screen.start("openbox", "--sm-disable")

    def is_managed() -> bool:
        nonlocal manager
        if manager.poll() is not None:  # it gives up where it comes before the server is ready
            manager = screen.start("openbox", "--sm-disable")
        return "_NET_SUPPORTING_WM_CHECK(WINDOW)" in screen.run("xprop", "-root")

    try:
        until(is_managed)
        yield screen
    finally:
        for process in (*reversed(screen.started), server):
            process.kill()
        for process in (*screen.started, server):
            process.wait()


def named(shot: Shot, title: str) -> Window | None:
    return next((window for window in shot.windows or () if window.title == title), None)
