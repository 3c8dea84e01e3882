"""What a screen gives: shots, the windows on them, and the protocol of whatever gives them.

    source.grab() ─> one Shot a monitor ─> privacy gate ─> change gate ─> memory

Sources: `mss_source.py` (a real screen), `folder.py` (pictures of a folder, for replay and tests).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from PIL.Image import Image

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the shot, right and bottom exclusive


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window as the window system tells it. What is not known is empty: the privacy gate then thinks the worst."""

    application: str  # e.g. Chromium, XTerm; "" where unknown
    title: str
    box: Box  # where it stands on the shot with its frame, cut off at its edges
    is_active: bool = False
    inner: Box | None = None  # what the program draws, without the window manager's frame, not cut off; None: unknown
    id: int = 0  # the same number as long as the window lives; 0: unknown
    owner: int = 0  # id of the window it belongs to, as a dialog does; 0: none, or unknown
    program: int = 0  # windows that one running program made have one number; 0: unknown
    is_popup: bool = False  # a menu, a tooltip, a notice: no window manager knows it
    role: str = ""  # what the program says it is for, e.g. browser, pop-up; "" where unknown
    is_fullscreen: bool = False
    is_see_through: bool = False  # it does not surely hide what lies beneath: translucent, or no rectangle


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One monitor at one moment."""

    image: Image = field(repr=False)  # RGB
    at: datetime  # aware
    monitor: str  # the same monitor has the same name, whatever else is plugged in
    windows: tuple[Window, ...] | None  # the topmost first; None: nobody can tell (pictures from elsewhere)
    idle_s: float | None = None  # seconds since the last key or movement of the mouse; None: nobody can tell
    is_locked: bool = False  # the screen saver runs, or the screen is locked

    @property
    def active(self) -> Window | None:
        """The window the user works in, if it is on this monitor."""
        return next((window for window in self.windows or () if window.is_active), None)


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What can be told of a screen without looking at its pixels."""

    focus: object = (
        None  # another value as soon as another window or another title has the focus; None: nobody can tell
    )
    idle_s: float | None = None  # as in Shot
    is_locked: bool = False


class ScreenSource(Protocol):
    """Gives shots. One thread uses it."""

    @property
    def name(self) -> str:
        """For people, e.g. `X11 :99`."""

    @property
    def is_live(self) -> bool:
        """Whether this is the user's screen now, and no recording that the user named."""

    def glance(self) -> Glance:
        """What tells when to look: cheap, to be asked several times a second. Raises CaptureError."""

    def grab(self) -> list[Shot]:
        """One shot a monitor, now; empty when a source has no more (a folder that was replayed whole).

        Raises CaptureError where the screen cannot be seen.
        """

    def close(self) -> None:
        """Let the screen go."""
