"""The screen of a day with all its programs: shows one step after another, and tells where every mark stands.

step ─> the window shows its view ─> comes to the front ─> the screen stands still ─> one shot, and where marks are
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from mirix.errors import CaptureError
from mirix_desktop.days.html import START_HTML, marker_html, page_html
from mirix_desktop.days.programs import Browser, Notes, PageServer, Terminal, show_page
from mirix_desktop.days.screen import (
    HEIGHT,
    PANEL_HEIGHT,
    WIDTH,
    Desktop,
    PaintedWindow,
    Placed,
    virtual_screen,
    wait_until,
    write_marked,
)
from mirix_desktop.days.shapes import Step, Story, View, plain
from mirix_desktop.mss_source import MssSource
from mirix_desktop.shots import Box, Shot, Window

if TYPE_CHECKING:
    from playwright.sync_api import Page

logger = logging.getLogger(__name__)

_PLACES: dict[str, Box] = {
    "main": (30, 16, 1390, 1000),
    "side": (1010, 70, 1900, 1010),
    "private": (330, 50, 1560, 980),
    "terminal": (960, 500, 0, 0),  # as large as its letters make it
    "notes": (90, 600, 790, 1000),
    "vault": (560, 240, 1300, 640),
    "popup": (1540, 40, 1890, 124),
    "panel": (0, HEIGHT - PANEL_HEIGHT, WIDTH, HEIGHT),
}
_WEB = ("main", "side", "private")
_GROUND = 0x3B4A54
_STILL_TRIES = 25
_MAGENTA = (255, 0, 255)
_START = "http://start.test/"


def _moved(placed: Iterable[Placed], by: tuple[int, int]) -> list[Placed]:
    """From a window's own pixels to those of the screen."""
    x, y = by
    return [
        (identity, words, (box[0] + x, box[1] + y, box[2] + x, box[3] + y), size)
        for identity, words, box, size in placed
    ]


class Stage:
    """The screen with all programs of a day on it. One thread uses it, as a context."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._stack = ExitStack()
        self.ids: dict[str, int] = {}  # of the windows that are open, by our names
        self._places: dict[str, list[Placed]] = {}
        self._pages: dict[str, Page] = {}
        self._corners: dict[str, tuple[int, int]] = {}  # of pages' viewports, on the screen
        self._shown: dict[str, tuple[str, int]] = {}  # what stands in pages' windows
        self._private: Browser | None = None
        self._vault: PaintedWindow | None = None
        self._popup: PaintedWindow | None = None
        self._cell = (0, 0, 0)

    def __enter__(self) -> Stage:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *told: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        from playwright.sync_api import sync_playwright

        self._environment = self._stack.enter_context(virtual_screen())
        display = self._environment["DISPLAY"]
        self._desktop = Desktop(display)
        self._stack.callback(self._desktop.close)
        self._other = Desktop(display)  # the password manager is a program of its own
        self._stack.callback(self._other.close)
        wait_until(self._desktop.has_manager, "the window manager")
        self._desktop.paint_root(_GROUND)
        self._source = MssSource(display)
        self._stack.callback(self._source.close)
        self._panel = self._desktop.paint(_PLACES["panel"], "Panel", "panel", kind="DOCK")
        self._server = PageServer()
        self._stack.callback(self._server.close)
        self._playwright = self._stack.enter_context(sync_playwright())
        self._browser = Browser(self._playwright, self._server.port, self._environment, is_private=False)
        self._stack.callback(self._browser.close)
        self._open_page("main", self._browser)
        self._open_page("side", self._browser)

    # ---- windows ----

    def _open_page(self, name: str, browser: Browser) -> None:
        page = browser.open(_PLACES[name])
        title = f"window {name}"
        self._server.pages[_START] = marker_html(title)
        show_page(page, _START, 0)
        self.ids[name] = self._find(lambda window: window.title.startswith(title))
        self._desktop.activate(self.ids[name])
        rows, columns = np.nonzero((np.asarray(self._still().image) == _MAGENTA).all(axis=2))
        if not rows.size:
            raise CaptureError(f"the page of the {name} window is not on the screen")
        self._corners[name] = int(columns.min()), int(rows.min())
        self._pages[name] = page
        page.mouse.click(200, 200)  # takes the focus out of the address
        self._server.pages[_START] = START_HTML
        show_page(page, _START, 0)

    def _find(self, fits: Callable[[Window], bool]) -> int:
        """The id of the window that has come, as soon as it has."""
        found: list[int] = []

        def has_come() -> bool:
            found[:] = [window.id for window in self._grab().windows or () if fits(window)]
            return bool(found)

        wait_until(has_come, "a window")
        return found[0]

    def _close(self, name: str) -> None:
        if name == "private" and self._private is not None:
            self._private.close()
            self._private = None
            del self._pages[name]
        elif name == "vault" and self._vault is not None:
            self._vault.close()
            self._vault = None
        self._places.pop(name, None)
        self._shown.pop(name, None)
        gone = self.ids.pop(name)
        wait_until(lambda: all(window.id != gone for window in self._grab().windows or ()), "the end of a window")

    # ---- one step ----

    def play(self, step: Step, *, blink: bool) -> tuple[Shot, dict[str, list[Placed]]]:
        """Show a step; give its shot, and where all marks are on the screen, covered or not."""
        if step.at is None:
            raise ValueError("a step needs its time: schedule the story")
        for name in step.closes:
            if name in self.ids:
                self._close(name)
        self._show_panel(step.at)
        self._show(step.view, step.at, blink=blink)
        self._notify(step.notification)
        shot = replace(self._still(), at=step.at, idle_s=0.0)
        if step.view.window == "notes":
            self._place_notes(step.view, shot)
        return shot, dict(self._places)

    def _show(self, view: View, now: datetime, *, blink: bool) -> None:
        name = view.window
        if name in _WEB:
            self._show_web(view, now, blink=blink)
        elif name == "vault":
            self._show_vault(view)
        elif name == "terminal":
            self._show_terminal(view)
        else:
            self._show_notes(view)
        if self._desktop.active() != self.ids[name]:
            self._desktop.activate(self.ids[name])

    def _show_web(self, view: View, now: datetime, *, blink: bool) -> None:
        name = view.window
        if name not in self.ids:
            self._private = Browser(self._playwright, self._server.port, self._environment, is_private=True)
            self._stack.callback(self._close_private)
            self._open_page(name, self._private)
        theme = self._story.themes[view.app]
        html = page_html(view, theme, me=self._story.student, now=now, blink=blink)
        if self._shown.get(name) == (html, view.scroll):
            return
        self._shown[name] = html, view.scroll
        self._server.pages[view.url] = html
        placed = show_page(self._pages[name], view.url, view.scroll)
        self._places[name] = _moved(placed, self._corners[name])

    def _close_private(self) -> None:
        if self._private is not None:
            self._private.close()
            self._private = None

    def _show_terminal(self, view: View) -> None:
        if "terminal" not in self.ids:
            left, top, _, _ = _PLACES["terminal"]
            self._terminal = Terminal((left, top), self._environment)
            self._stack.callback(self._terminal.close)
            self.ids["terminal"] = self._find(lambda window: window.application == "XTerm")
            self._cell = self._desktop.cells(self.ids["terminal"])
        self._desktop.activate(self.ids["terminal"])
        box = self._inner("terminal")
        before = self._still().image.crop(box).tobytes()
        placed, has_news = self._terminal.show(view, self._cell)
        if has_news:  # it comes by a pipe, a shell's program and the terminal: nobody tells when it is there
            wait_until(lambda: self._grab().image.crop(box).tobytes() != before, "what the terminal shows")
        self._places["terminal"] = _moved(placed, box[:2])

    def _show_notes(self, view: View) -> None:
        if "notes" not in self.ids:
            self._notes = Notes(self._environment)
            self._stack.callback(self._notes.close)
            self.ids["notes"] = self._find(lambda window: window.application == "Mousepad")
            self._desktop.place(self.ids["notes"], _PLACES["notes"])
        self._desktop.activate(self.ids["notes"])
        self._notes.show(view)

    def _place_notes(self, view: View, shot: Shot) -> None:
        box = self._inner("notes")
        self._places["notes"] = _moved(self._notes.places(view, shot.image.crop(box)), box[:2])

    def _inner(self, name: str) -> Box:
        """Where the program itself draws, on the screen."""
        for window in self._grab().windows or ():
            if window.id == self.ids[name]:
                return window.inner or window.box
        raise CaptureError(f"the {name} window is gone")

    # ---- painted windows ----

    def _show_panel(self, now: datetime) -> None:
        image = Image.new("RGB", (WIDTH, PANEL_HEIGHT), "#20252b")
        draw = ImageDraw.Draw(image)
        write_marked(draw, (14, 7), "Applications    Chromium    Terminal    Notes", 14, "#cfd4da")
        write_marked(draw, (WIDTH - 150, 7), f"{now:%a %d %b  %H:%M}", 14, "#ffffff")
        self._panel.show(image)

    def _show_vault(self, view: View) -> None:
        left, top, right, bottom = _PLACES["vault"]
        if self._vault is None:
            self._vault = self._other.paint(_PLACES["vault"], "KeePassXC", view.title)
        image = Image.new("RGB", (right - left, bottom - top), "#f2f3f5")
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, 0, right - left, 40), fill="#dfe3e8")
        write_marked(draw, (14, 11), "Database    Entries    Groups    Tools", 14, "#22262b")
        placed: list[Placed] = []
        entries = view.data["entries"]
        assert isinstance(entries, Sequence)
        for row, cells in enumerate([["Title", "User name", "Password"], *entries]):
            for column, text in zip((20, 200, 430), cells, strict=True):
                placed += write_marked(draw, (column, 56 + 34 * row), str(text), 15, "#22262b" if row else "#6a7178")
        self._vault.show(image)
        if "vault" not in self.ids:
            self.ids["vault"] = self._find(lambda window: window.application == "KeePassXC")
        self._places["vault"] = _moved(placed, self._inner("vault")[:2])

    def _notify(self, told: tuple[str, str] | None) -> None:
        if self._popup is not None:
            self._popup.close()
            self._popup = None
            self.ids.pop("popup")
            self._places.pop("popup", None)
        if told is None:
            return
        left, top, right, bottom = _PLACES["popup"]
        image = Image.new("RGB", (right - left, bottom - top), "#2b3038")
        draw = ImageDraw.Draw(image)
        write_marked(draw, (16, 12), told[0], 16, "#ffffff")
        placed = write_marked(draw, (16, 46), told[1], 14, "#d5d9de")
        self._popup = self._desktop.paint(_PLACES["popup"], "Notify", plain(told[0]), kind="NOTIFICATION")
        self._popup.show(image)
        self.ids["popup"] = self._popup.id
        self._places["popup"] = _moved(placed, (left, top))

    # ---- shots ----

    def _grab(self) -> Shot:
        (shot,) = self._source.grab()
        return shot

    def _still(self) -> Shot:
        """A shot of a screen that stands still: two in a row are the same. The last one, when it never does."""
        before = self._grab()
        for _ in range(_STILL_TRIES):
            time.sleep(0.04)
            shot = self._grab()
            is_told = shot.windows is not None and shot.windows == before.windows
            if is_told and shot.image.tobytes() == before.image.tobytes():
                return shot
            before = shot
        logger.warning("the screen did not stand still", extra={"action": "day_not_still"})
        return before
