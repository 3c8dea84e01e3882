"""A virtual screen: Xvfb with openbox, and windows that we paint ourselves (panel, popup, password manager).

Painted windows have a pixmap as their background, so that the server itself repaints what was covered.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from mirix.errors import CaptureError
from mirix_desktop.days.shapes import MARK, plain
from mirix_desktop.shots import Box

WIDTH, HEIGHT = 1920, 1080
PANEL_HEIGHT = 32
_PATIENCE_S = 15.0
NEEDED = ("Xvfb", "openbox", "chromium", "xterm", "mousepad", "xdotool", "fc-match")

Placed = tuple[str, str, Box, float]  # id of a mark, its words, its box, the height of its letters in pixels


def need_programs() -> None:
    """Raises CaptureError that names the programs which are not installed."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise CaptureError(f"to render a day, install: {', '.join(missing)}")


def wait_until(claim: Callable[[], bool], what: str, patience_s: float = _PATIENCE_S) -> None:
    """Raises CaptureError when it does not come true in time."""
    until = time.monotonic() + patience_s
    while not claim():
        if time.monotonic() > until:
            raise CaptureError(f"{what} did not come within {patience_s:.0f} s")
        time.sleep(0.02)


@contextmanager
def virtual_screen() -> Iterator[dict[str, str]]:
    """The environment of a fresh screen with a window manager; both end with it. Raises CaptureError."""
    reader, writer = os.pipe()
    quiet = subprocess.DEVNULL
    size = f"{WIDTH}x{HEIGHT}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writer],
        stderr=quiet,
    )
    os.close(writer)
    manager: subprocess.Popen[bytes] | None = None
    try:
        number = os.read(reader, 16).decode().strip()
        if not number:
            raise CaptureError("Xvfb gave no screen: start it by hand to see why")
        told = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
        environment = {**told, "DISPLAY": f":{number}", "LC_ALL": "C.UTF-8"}
        manager = subprocess.Popen(["openbox"], env=environment, stdout=quiet, stderr=quiet)
        yield environment
    finally:
        os.close(reader)
        for process in (manager, server):
            if process is not None:
                process.terminate()
                process.wait()


@cache
def font(size: int, family: str = "DejaVu Sans") -> ImageFont.FreeTypeFont:
    found = subprocess.run(["fc-match", "-f", "%{file}|%{index}", family], capture_output=True, text=True, check=True)
    file, _, index = found.stdout.partition("|")
    return ImageFont.truetype(Path(file), size, index=int(index or 0))


def write_marked(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, ink: str) -> list[Placed]:
    """Draw a line of text with marks; give where each mark stands on the image."""
    letters = font(size) if plain(text).isascii() else font(size, "Noto Sans CJK SC")
    left, top = float(at[0]), at[1]
    placed: list[Placed] = []
    end = 0
    pieces: list[tuple[str, str]] = []
    for found in MARK.finditer(text):
        pieces += [("", text[end : found.start()]), (found["id"], found["text"])]
        end = found.end()
    for identity, piece in [*pieces, ("", text[end:])]:
        draw.text((left, top), piece, font=letters, fill=ink)
        width = draw.textlength(piece, font=letters)
        if identity:
            box = int(left), top, int(left + width) + 1, top + round(size * 1.3)
            placed.append((identity, piece, box, float(size)))
        left += width
    return placed


class Desktop:
    """Our own connection to the screen: paints windows, brings windows to the front."""

    def __init__(self, name: str) -> None:
        from Xlib import display

        self._display = display.Display(name)
        self._root = self._display.screen().root

    def close(self) -> None:
        self._display.close()

    def has_manager(self) -> bool:
        atom = self._display.get_atom("_NET_SUPPORTING_WM_CHECK")
        return self._root.get_full_property(atom, 0) is not None

    def paint_root(self, colour: int) -> None:
        self._root.change_attributes(background_pixel=colour)
        self._root.clear_area()
        self._display.sync()

    def activate(self, window: int) -> None:
        """Bring a window to the front and give it the keyboard."""
        from Xlib import X
        from Xlib.protocol import event

        message = event.ClientMessage(
            window=self._display.create_resource_object("window", window),
            client_type=self._display.get_atom("_NET_ACTIVE_WINDOW"),
            data=(32, [2, X.CurrentTime, 0, 0, 0]),
        )
        self._root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()
        wait_until(lambda: self.active() == window, "the window in front")

    def active(self) -> int:
        told = self._root.get_full_property(self._display.get_atom("_NET_ACTIVE_WINDOW"), 0)
        return int(told.value[0]) if told is not None and len(told.value) else 0

    def cells(self, window: int) -> tuple[int, int, int]:
        """Of a terminal: border, width and height of a character cell, in pixels."""
        hints = self._display.create_resource_object("window", window).get_wm_normal_hints()
        return hints.base_width // 2, hints.width_inc, hints.height_inc

    def place(self, window: int, place: Box) -> None:
        """Put a window where it belongs; the window manager does it."""
        resource = self._display.create_resource_object("window", window)
        resource.configure(x=place[0], y=place[1], width=place[2] - place[0], height=place[3] - place[1])
        self._display.sync()

    def paint(self, place: Box, name: str, title: str, *, kind: str = "NORMAL") -> PaintedWindow:
        return PaintedWindow(self._display, place, name, title, kind)


class PaintedWindow:
    """A window that shows a picture."""

    def __init__(self, display: Any, place: Box, name: str, title: str, kind: str) -> None:
        from Xlib import X, Xatom

        self._display = display
        screen = display.screen()
        self.place = place
        self._window = screen.root.create_window(
            place[0],
            place[1],
            place[2] - place[0],
            place[3] - place[1],
            0,
            screen.root_depth,
            X.InputOutput,
            X.CopyFromParent,
            background_pixel=screen.white_pixel,
            override_redirect=kind == "NOTIFICATION",
        )
        self.id = int(self._window.id)
        self._window.set_wm_class(name.lower(), name)
        self._window.set_wm_name(title)
        utf8 = display.get_atom("UTF8_STRING")
        self._window.change_property(display.get_atom("_NET_WM_NAME"), utf8, 8, title.encode())
        window_type = [display.get_atom(f"_NET_WM_WINDOW_TYPE_{kind}")]
        self._window.change_property(display.get_atom("_NET_WM_WINDOW_TYPE"), Xatom.ATOM, 32, window_type)
        # Placed by us (USPosition): else the window manager puts it where it finds room.
        self._window.set_wm_normal_hints(flags=1, x=place[0], y=place[1])

    def show(self, image: Image.Image) -> None:
        pixmap = self._window.create_pixmap(image.width, image.height, self._display.screen().root_depth)
        context = pixmap.create_gc()
        pixmap.put_pil_image(context, 0, 0, image)
        self._window.change_attributes(background_pixmap=pixmap)
        self._window.map()
        self._window.clear_area()
        context.free()
        pixmap.free()
        self._display.sync()

    def close(self) -> None:
        self._window.destroy()
        self._display.sync()
