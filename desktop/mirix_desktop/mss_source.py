"""The screen in front of the user: pixels by mss, windows by the window system where it tells.

    windows ─> pixels ─> windows again: only where both readings agree is it known what the pixels show

X11 is run and tested. On Windows and macOS mss gives the pixels and nothing tells the windows (not run here): the
privacy gate then lets nothing pass. mss cannot see Wayland, and says nothing: it is told before anything is recorded.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PIL import Image

from mirix.errors import CaptureError
from mirix_desktop.settings import Session, this_session
from mirix_desktop.shots import Box, Glance, Shot, Window

if TYPE_CHECKING:
    from mirix_desktop.x11 import Desk, X11Desktop

_TRIES = 3
_INSTALL = "install the extra [desktop] of mirix-memory"


def make_source(session: Session | None = None, *, platform: str = sys.platform) -> MssSource:
    """The source of this machine's screen. Raises CaptureError, with what to do, where none can be seen."""
    if platform in ("win32", "darwin"):
        return MssSource()
    session = session or this_session()
    if session.is_wayland:
        raise CaptureError(
            "this is a Wayland session, whose screen cannot be seen: choose an X11 (Xorg) session where you log in, "
            "or replay a folder of pictures with --folder"
        )
    if not session.display:
        raise CaptureError(
            "there is no screen here (DISPLAY is not set): start this in the session you work in, or replay a folder "
            "of pictures with --folder"
        )
    return MssSource(session.display)


class MssSource:
    """A real screen. Made and used in one thread. Raises CaptureError where the screen cannot be reached.

    `display` is the name of an X11 display, e.g. ":0"; None is the one of the session.
    """

    is_live = True

    def __init__(self, display: str | None = None) -> None:
        self._desktop: X11Desktop | None = None
        if sys.platform not in ("win32", "darwin"):
            try:
                from mirix_desktop.x11 import X11Desktop
            except ImportError as error:
                raise CaptureError(f"python-xlib is not installed ({error}): {_INSTALL}") from error
            self._desktop = X11Desktop(display)
        self._grabber: Any = None  # mss.MSS
        self._layout: object = None  # of the monitors when the grabber was made

    @property
    def name(self) -> str:
        return f"X11 {self._desktop.name}" if self._desktop else f"the screen of {sys.platform} (not tried out)"

    def close(self) -> None:
        if self._grabber is not None:
            self._grabber.close()
            self._grabber = None
        if self._desktop is not None:
            self._desktop.close()

    def glance(self) -> Glance:
        return self._desktop.glance() if self._desktop else Glance()

    def grab(self) -> list[Shot]:
        """One shot of each monitor. Where the windows did not stand still, nothing is told of them (None).

        Raises CaptureError when the screen is gone.
        """
        if self._desktop is None:
            return [_shot(image, name, None) for name, image in self._pictures(self._enumerate())]
        told = self._desktop.glance()
        before = _read(self._desktop)
        shots: list[Shot] = []
        for _ in range(_TRIES):
            if before is None:
                before = _read(self._desktop)
                continue
            pictures = self._pictures(before.monitors)
            after = _read(self._desktop)
            stood_still = after == before
            places = dict(before.monitors)
            shots = [
                _shot(image, name, before.on(places[name]) if stood_still else None, told=told)
                for name, image in pictures
            ]
            if stood_still:
                break
            before = after
        if not shots:
            raise CaptureError("windows close while they are read, again and again: nobody can tell what is shown")
        return shots

    def _enumerate(self) -> tuple[tuple[str, Box], ...]:
        """The monitors as mss tells them, which reads them anew only in a new object. Not run here."""
        mss = _need_mss()
        self._layout = None
        with mss.MSS() as fresh:
            return tuple(
                (
                    f"{each.get('unique_id') or each.get('name') or 'screen'} "
                    f"{each['width']}x{each['height']}+{each['left']}+{each['top']}",
                    (each["left"], each["top"], each["left"] + each["width"], each["top"] + each["height"]),
                )
                for each in fresh.monitors[1:]
            )

    def _pictures(self, monitors: tuple[tuple[str, Box], ...]) -> list[tuple[str, Image.Image]]:
        mss = _need_mss()
        try:
            if self._grabber is None or self._layout != monitors:
                if self._grabber is not None:
                    self._grabber.close()
                self._grabber = mss.MSS(**({"display": self._desktop.name} if self._desktop else {}))
                self._layout = monitors
            return [(name, _image(self._grabber.grab(place))) for name, place in monitors]
        except (mss.ScreenShotError, AssertionError) as error:  # mss asserts that an X server answers
            self._grabber = None
            raise CaptureError(
                f"the screen cannot be read ({error or 'no answer'}): is the session still there?"
            ) from error


def _read(desktop: X11Desktop) -> Desk | None:
    from mirix_desktop.x11 import WindowGone

    try:
        return desktop.read()
    except WindowGone:
        return None


def _shot(image: Image.Image, monitor: str, windows: tuple[Window, ...] | None, *, told: Glance = Glance()) -> Shot:
    at = datetime.now().astimezone()
    return Shot(image=image, at=at, monitor=monitor, windows=windows, idle_s=told.idle_s, is_locked=told.is_locked)


def _image(grabbed: Any) -> Image.Image:
    return Image.frombuffer("RGB", (grabbed.width, grabbed.height), grabbed.raw, "raw", "BGRX", 0, 1)


def _need_mss() -> Any:
    try:
        import mss
    except ImportError as error:
        raise CaptureError(f"mss is not installed ({error}): {_INSTALL}") from error
    return mss
