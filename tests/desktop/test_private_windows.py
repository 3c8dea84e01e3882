"""A real browser with a private window on a real screen: nothing of it is left on a picture that passes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from mirix_desktop.mss_source import MssSource
from mirix_desktop.privacy import Passed, PrivacyGate
from mirix_desktop.rules import make_rules
from mirix_desktop.settings import DesktopSettings
from mirix_desktop.shots import Shot
from tests.desktop.conftest import Screen, named, until

ORDINARY, PRIVATE, VAULT = (255, 200, 0), (200, 0, 255), (0, 255, 0)  # of pages, and of a terminal

pytestmark = pytest.mark.slow


@pytest.fixture
def source(screen: Screen) -> Iterator[MssSource]:
    source = MssSource(screen.display)
    yield source
    source.close()


def browse(screen: Screen, profile: Path, page: str, *more: str) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("needs chromium")
    screen.start(
        "chromium", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", *more, page,
    )  # fmt: skip


def a_page(title: str, colour: tuple[int, int, int]) -> str:
    return f"data:text/html,<title>{title}</title><body style='background:rgb{colour}'>"


@contextmanager
def a_bank(goes_on: threading.Event) -> Iterator[str]:
    """A site whose pages lead to the next one by a click: the bank, then one that comes slowly."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {"/": ("Start", ORDINARY, "/bank"), "/bank": ("Online Banking", VAULT, "/slow")}
            title, colour, following = pages.get(self.path, ("Forecast", PRIVATE, ""))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<title>{title}</title>".encode() + b" " * 4096)
            if not following:
                goes_on.wait()
            style = f"background:rgb{colour};height:100vh;margin:0"
            words = "<p>An account and what it holds" * 8
            self.wfile.write(f"<body style='{style}' onclick='location=\"{following}\"'>{words}".encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            goes_on.set()
            server.shutdown()
            serving.join()


def share(shot: Shot, colour: tuple[int, int, int]) -> float:
    """How much of a picture has this colour, from 0 to 1."""
    return float((np.asarray(shot.image) == colour).all(axis=2).mean())


def test_a_private_chromium_window_is_painted_out_and_an_ordinary_one_is_not(
    screen: Screen, source: MssSource, tmp_path: Path
) -> None:
    gate = PrivacyGate(make_rules(DesktopSettings()))

    def looks(colour: tuple[int, int, int]) -> tuple[float, Shot]:
        found: list[tuple[float, Shot]] = []

        def does_pass() -> bool:
            (raw,) = source.grab()
            (done,) = gate.check([raw])
            if isinstance(done, Passed):  # else windows moved at that very moment
                found.append((share(raw, colour), done.shot))
            return bool(found)

        until(does_pass)
        return found[0]

    browse(screen, tmp_path, a_page("Orders", ORDINARY))
    until(lambda: share(looks(ORDINARY)[1], ORDINARY) > 0.2)
    browse(screen, tmp_path, a_page("Doctor", PRIVATE), "--incognito")
    until(lambda: looks(PRIVATE)[0] > 0.2)
    title = "Doctor - Chromium"
    (raw,) = source.grab()
    window = named(raw, title)
    assert window is not None, "the title of a private window says nothing"
    for _ in range(5):
        assert share(looks(PRIVATE)[1], PRIVATE) == 0
    screen.run("xdotool", "mousemove", *(str((window.box[i] + window.box[i + 2]) // 2) for i in (0, 1)), "click", "3")
    until(lambda: any(each.is_popup and each.box[3] - each.box[1] > 50 for each in source.grab()[0].windows or ()))
    _, passed = looks(PRIVATE)
    assert not any(each.is_popup for each in passed.windows or ()), "its menu goes with it"
    assert passed.active is None
    assert all(each.title != title for each in passed.windows or ())


def test_a_bank_is_left_out_while_chromium_shows_it_under_the_title_of_the_next_page(
    screen: Screen, source: MssSource, tmp_path: Path
) -> None:
    gate, goes_on = PrivacyGate(make_rules(DesktopSettings())), threading.Event()
    late = 0

    def looks(colour: tuple[int, int, int]) -> tuple[float, float]:
        """How much of this colour the screen shows, and how much of it passes. The bank never does."""
        nonlocal late
        (raw,) = source.grab()
        (done,) = gate.check([raw])
        late += share(raw, VAULT) > 0.2 and named(raw, "Forecast - Chromium") is not None
        assert not isinstance(done, Passed) or share(done.shot, VAULT) == 0
        return share(raw, colour), share(done.shot, colour) if isinstance(done, Passed) else 0

    def click() -> None:
        screen.run("xdotool", "mousemove", "600", "500", "click", "1")

    with a_bank(goes_on) as address:
        browse(screen, tmp_path, address)
        until(lambda: looks(ORDINARY)[1] > 0.2)
        click()
        until(lambda: looks(VAULT)[0] > 0.2)
        click()
        until(lambda: looks(VAULT)[0] > 0 and late >= 5)
        goes_on.set()
        until(lambda: looks(PRIVATE)[1] > 0.2)


def test_what_covers_an_excluded_window_stays_and_it_stays_out_while_it_moves(
    screen: Screen, source: MssSource
) -> None:
    screen.xterm("Passwords", "60x20+200+200", application="KeePassXC", colour="green1")
    until(lambda: share(source.grab()[0], VAULT) > 0.05)
    screen.xterm("notes", "30x10+300+300", colour="blue")
    until(lambda: share(source.grab()[0], (0, 0, 255)) > 0.02)
    gate = PrivacyGate(make_rules(DesktopSettings()))
    for left in range(200, 500, 50):
        screen.run("xdotool", "search", "--name", "^Passwords$", "windowmove", str(left), "150")
        for shot in source.grab():
            (done,) = gate.check([shot])
            if isinstance(done, Passed):  # else it moved at that very moment, and nothing was taken
                assert share(done.shot, VAULT) == 0
                assert share(done.shot, (0, 0, 255)) == share(shot, (0, 0, 255)) > 0.02
