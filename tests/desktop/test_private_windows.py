"""A real browser with a private window on a real screen: nothing of it is left on a picture that passes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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


def browse(screen: Screen, profile: Path, title: str, colour: tuple[int, int, int], *more: str) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("needs chromium")
    page = f"data:text/html,<title>{title}</title><body style='background:rgb{colour}'>"
    screen.start(
        "chromium", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", *more, page,
    )  # fmt: skip


def share(shot: Shot, colour: tuple[int, int, int]) -> float:
    """How much of a picture has this colour, from 0 to 1."""
    return float((np.asarray(shot.image) == colour).all(axis=2).mean())


def test_a_private_chromium_window_is_painted_out_and_an_ordinary_one_is_not(
    screen: Screen, source: MssSource, tmp_path: Path
) -> None:
    gate = PrivacyGate(make_rules(DesktopSettings()))

    def looks(colour: tuple[int, int, int]) -> tuple[float, Shot]:
        (raw,) = source.grab()
        (done,) = gate.check([raw])
        assert isinstance(done, Passed)
        return share(raw, colour), done.shot

    browse(screen, tmp_path, "Orders", ORDINARY)
    until(lambda: share(looks(ORDINARY)[1], ORDINARY) > 0.2)
    browse(screen, tmp_path, "Doctor", PRIVATE, "--incognito")
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
