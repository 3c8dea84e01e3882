"""The windows of an X11 screen by python-xlib: what stands where, on top of what, and how long the user is idle.

    root's children (the true order on the screen, menus included) ─┐
    _NET_CLIENT_LIST (which frame holds which program's window) ────┴─> Desk ─> Window in pixels of a monitor's picture

The window manager's list alone would miss menus and tooltips, which may show what an excluded window shows. So the
children of the root are read, and each that is the frame of a listed window takes that window's name. Requests are sent
together and answered together: a round trip for each would take several times as long.

Not seen: thumbnails that a compositor draws by itself, as in an overview of all windows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from Xlib import X, Xatom, display, error
from Xlib.ext import shape
from Xlib.protocol import request

from mirix.errors import CaptureError
from mirix_desktop.shots import Box, Glance, Window

_ALL_DESKTOPS = 0xFFFFFFFF
_OPAQUE = 0xFFFFFFFF
_SAVER_ON = 1
_MAX_WORDS = 1024  # of a property, in units of 4 bytes: longer titles are cut

_NUMBERS = (
    "_NET_WM_STATE",
    "_NET_WM_DESKTOP",
    "_NET_WM_WINDOW_OPACITY",
    "_NET_WM_OPAQUE_REGION",
    "_GTK_FRAME_EXTENTS",
)


class WindowGone(Exception):
    """A window closed while it was read: what was read is no moment of the screen. Read again."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """All visible windows of a screen, in pixels of the root window."""

    windows: tuple[Window, ...]  # the topmost first
    monitors: tuple[tuple[str, Box], ...]  # identity and place of each

    def on(self, place: Box) -> tuple[Window, ...]:
        """The windows on one monitor, in pixels of its picture."""
        return tuple(
            replace(window, box=_moved(box, place), inner=window.inner and _moved(window.inner, place))
            for window in self.windows
            if (box := _common(window.box, place)) is not None
        )


def _common(one: Box, other: Box) -> Box | None:
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _moved(box: Box, place: Box) -> Box:
    """From pixels of the root to those of a monitor's picture."""
    return box[0] - place[0], box[1] - place[1], box[2] - place[0], box[3] - place[1]


class X11Desktop:
    """One connection to an X server; for one thread. Raises CaptureError where it cannot be reached."""

    def __init__(self, name: str | None = None) -> None:
        try:
            self._display = display.Display(name)
        except (error.DisplayError, error.XError, error.ConnectionClosedError, OSError) as problem:
            shown = name or "the screen"
            raise CaptureError(f"{shown} cannot be reached ({problem}): start in the session you work in") from problem
        self._root = self._display.screen().root
        self._atoms: dict[str, int] = {}
        self._names: dict[int, str] = {}

    @property
    def name(self) -> str:
        return str(self._display.get_display_name())

    def close(self) -> None:
        with suppress(error.ConnectionClosedError, OSError):  # the screen is gone
            self._display.close()

    def read(self) -> Desk:
        """The windows now. Raises WindowGone when one went meanwhile, CaptureError when the screen did."""
        try:
            return Desk(windows=self._windows(), monitors=self._monitors())
        except error.ConnectionClosedError as problem:
            raise CaptureError(f"the screen {self.name} is gone ({problem})") from problem
        except error.XError as problem:
            raise WindowGone from problem

    def glance(self) -> Glance:
        """The focus, how long the user is idle, and whether the screen saver is on. Raises CaptureError."""
        try:
            idle_s, is_locked = self._idle()
            return Glance(focus=self._focus(), idle_s=idle_s, is_locked=is_locked)
        except error.ConnectionClosedError as problem:
            raise CaptureError(f"the screen {self.name} is gone ({problem})") from problem

    def _idle(self) -> tuple[float | None, bool]:
        if not self._display.has_extension("MIT-SCREEN-SAVER"):
            return None, False
        info = self._root.screensaver_query_info()
        return info.idle / 1000, info.state == _SAVER_ON

    def _focus(self) -> tuple[int, str]:
        """The active window and its title."""
        try:
            active = next(iter(_numbers(_answer(self._get(self._root.id, "_NET_ACTIVE_WINDOW")))), 0)
            if not active:
                return 0, ""
            return active, self._title(*(self._get(active, kind) for kind in ("_NET_WM_NAME", "WM_NAME")))
        except error.XError:  # it closed meanwhile
            return 0, ""

    # ---- what is asked ----

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            self._atoms[name] = self._display.get_atom(name)
        return self._atoms[name]

    def _get(self, window: int, name: str) -> Any:
        """A property, asked for but not waited for."""
        return request.GetProperty(
            display=self._display.display,
            defer=True,
            delete=False,
            window=window,
            property=self._atom(name),
            type=X.AnyPropertyType,
            long_offset=0,
            long_length=_MAX_WORDS,
        )

    def _ask(self, kind: Any, window: int, field: str = "window") -> Any:
        return kind(display=self._display.display, defer=True, **{field: window})

    def _monitors(self) -> tuple[tuple[str, Box], ...]:
        if self._display.has_extension("RANDR"):
            found = self._root.xrandr_get_monitors().monitors
            monitors = [
                (self._atom_name(each.name), each.x, each.y, each.width_in_pixels, each.height_in_pixels)
                for each in found
            ]
        else:
            whole = self._root.get_geometry()
            monitors = [("screen", 0, 0, whole.width, whole.height)]
        return tuple(
            (f"{name} {width}x{height}+{x}+{y}", (x, y, x + width, y + height))
            for name, x, y, width, height in monitors
        )

    def _atom_name(self, atom: int) -> str:
        if atom not in self._names:
            self._names[atom] = str(self._display.get_atom_name(atom))
        return self._names[atom]

    def _windows(self) -> tuple[Window, ...]:
        root = self._root.id
        tree = self._ask(request.QueryTree, root)
        asked = {
            name: self._get(root, name) for name in ("_NET_CLIENT_LIST", "_NET_ACTIVE_WINDOW", "_NET_CURRENT_DESKTOP")
        }
        composited = request.GetSelectionOwner(
            display=self._display.display, defer=True, selection=self._atom("_NET_WM_CM_S0")
        )
        children = [child.id for child in reversed(_answer(tree).children)]
        told = {name: _numbers(_answer(reply)) for name, reply in asked.items()}
        programs = self._by_frame(told["_NET_CLIENT_LIST"], set(children))
        readings = [_Reading(self, child, programs.get(child, child)) for child in self._visible(children)]
        current = next(iter(told["_NET_CURRENT_DESKTOP"]), None)
        active = next(iter(told["_NET_ACTIVE_WINDOW"]), 0)
        is_composited = _answer(composited).owner != X.NONE
        found = (reading.window(current, active, is_composited) for reading in readings)
        return tuple(window for window in found if window is not None)

    def _visible(self, children: Sequence[int]) -> list[int]:
        asked = [(child, self._ask(request.GetWindowAttributes, child)) for child in children]
        replies = ((child, _answer(reply)) for child, reply in asked)
        return [
            child
            for child, attributes in replies
            if attributes.map_state == X.IsViewable and attributes.win_class == X.InputOutput
        ]

    def _by_frame(self, programs: Iterable[int], frames: set[int]) -> dict[int, int]:
        """The program's window of each frame: its ancestor right below the root. None where a frame holds several."""
        found: list[tuple[int, int]] = []
        climbing = [(program, program) for program in programs]
        while climbing:
            found += [(at, program) for program, at in climbing if at in frames]
            asked = [(program, self._ask(request.QueryTree, at)) for program, at in climbing if at not in frames]
            climbing = [(program, parent) for program, reply in asked if (parent := self._parent(reply))]
        holds = Counter(frame for frame, _ in found)  # tabs of the window manager: nobody tells which is in front
        return {frame: program for frame, program in found if holds[frame] == 1}

    def _parent(self, asked: Any) -> int:
        """0 for the root, and for a window that is gone though the list still names it."""
        try:
            parent = _answer(asked).parent
        except error.XError:
            return 0
        return 0 if parent == X.NONE or parent.id == self._root.id else int(parent.id)

    def _title(self, *asked: Any) -> str:
        """The first title that is set. Raises XError."""
        texts = [self._text(_answer(reply)) for reply in asked]
        return next((text for text in texts if text), "")

    def _text(self, reply: Any) -> str:
        if reply.property_type == X.NONE or reply.value[0] != 8:
            return ""
        coding = "latin-1" if reply.property_type == Xatom.STRING else "utf-8"
        return bytes(reply.value[1]).decode(coding, errors="replace").rstrip("\0").strip()


def _answer(asked: Any) -> Any:
    """What was asked, with its answer in it. Raises XError, e.g. when the window is gone."""
    asked.reply()
    return asked


def _numbers(reply: Any) -> list[int]:
    if reply.property_type == X.NONE or reply.value[0] != 32:
        return []
    return [int(value) for value in reply.value[1]]


class _Reading:
    """One window while it is read: everything is asked when it is made, and awaited by `window`."""

    def __init__(self, desktop: X11Desktop, frame: int, program: int) -> None:
        self._desktop, self._frame, self._program = desktop, frame, program
        ask, get = desktop._ask, desktop._get
        self._place = ask(request.GetGeometry, frame, "drawable")
        self._attributes = ask(request.GetWindowAttributes, frame)
        self._shape = shape.QueryExtents(
            display=desktop._display.display,
            defer=True,
            opcode=desktop._display.display.get_extension_major(shape.extname),
            destination_window=frame,
        )
        self._inner = None
        if frame != program:
            self._inner = ask(request.GetGeometry, program, "drawable")
            self._corner = request.TranslateCoords(
                display=desktop._display.display,
                defer=True,
                src_wid=program,
                dst_wid=desktop._root.id,
                src_x=0,
                src_y=0,
            )
        self._titles = [get(program, name) for name in ("_NET_WM_NAME", "WM_NAME")]
        self._class = get(program, "WM_CLASS")
        self._role = get(program, "WM_WINDOW_ROLE")
        self._owner = get(program, "WM_TRANSIENT_FOR")
        self._told = {name: get(program, name) for name in _NUMBERS}
        self._frame_opacity = get(frame, "_NET_WM_WINDOW_OPACITY")

    def window(self, current_desktop: int | None, active: int, is_composited: bool) -> Window | None:
        """The window; None when it is minimised or on another desktop. Raises XError when it is gone."""
        told = {name: _numbers(_answer(reply)) for name, reply in self._told.items()}
        box, inner, depths = self._boxes(told["_GTK_FRAME_EXTENTS"])
        titles, application = self._desktop._title(*self._titles), self._application()
        owner = next(iter(_numbers(_answer(self._owner))), 0)
        is_shaped = bool(_answer(self._shape).bounding_shaped)
        is_popup = bool(_answer(self._attributes).override_redirect) and self._frame == self._program
        opacities = [*told["_NET_WM_WINDOW_OPACITY"][:1], *_numbers(_answer(self._frame_opacity))[:1]]
        states = set(told["_NET_WM_STATE"])
        if self._desktop._atom("_NET_WM_STATE_HIDDEN") in states or not _on_desktop(
            told["_NET_WM_DESKTOP"], current_desktop
        ):
            return None
        is_glass = is_composited and (
            any(opacity < _OPAQUE for opacity in opacities)
            or (32 in depths and not _fills(told["_NET_WM_OPAQUE_REGION"], inner or box, box))
        )
        return Window(
            application=application,
            title=titles,
            box=box,
            is_active=self._program == active,
            inner=inner if self._inner else box,
            id=self._program,
            owner=owner if owner not in (self._desktop._root.id, self._program) else 0,
            program=self._program & ~self._desktop._display.display.info.resource_id_mask,
            is_popup=is_popup,
            role=self._desktop._text(_answer(self._role)),
            is_fullscreen=self._desktop._atom("_NET_WM_STATE_FULLSCREEN") in states,
            is_see_through=is_glass or is_shaped,
        )

    def _boxes(self, shadow: Sequence[int]) -> tuple[Box, Box | None, set[int]]:
        """Frame and inner part on the root, without the shadow that a program draws around itself, and depths."""
        place = _answer(self._place)
        box = _rectangle(place.x, place.y, place.width + 2 * place.border_width, place.height + 2 * place.border_width)
        if self._inner is None:
            return _without(box, shadow), None, {place.depth}
        inside, corner = _answer(self._inner), _answer(self._corner)
        whole = _rectangle(corner.x, corner.y, inside.width, inside.height)
        inner = _without(whole, shadow)
        # A rolled up window's program is not shown, and stands where others are.
        return (inner if whole == box else box), _common(inner, box), {place.depth, inside.depth}

    def _application(self) -> str:
        """The class of WM_CLASS, which is made of an instance and a class."""
        parts = self._desktop._text(_answer(self._class)).split("\0")
        return parts[-1] if parts[-1] else parts[0]


def _rectangle(left: int, top: int, width: int, height: int) -> Box:
    return left, top, left + width, top + height


def _without(box: Box, shadow: Sequence[int]) -> Box:
    """The box without its shadow (left, right, top, bottom in pixels)."""
    if len(shadow) != 4:
        return box
    left, right, top, bottom = shadow
    bare = box[0] + left, box[1] + top, box[2] - right, box[3] - bottom
    return bare if bare[0] < bare[2] and bare[1] < bare[3] else box


def _on_desktop(told: Sequence[int], current: int | None) -> bool:
    return current is None or not told or told[0] in (current, _ALL_DESKTOPS)


def _fills(region: Sequence[int], inner: Box, box: Box) -> bool:
    """Whether one rectangle (x, y, width, height, from the inner corner) of the opaque region fills the whole box."""
    rectangles = (region[start : start + 4] for start in range(0, len(region) - 3, 4))
    return any(
        inner[0] + x <= box[0]
        and inner[1] + y <= box[1]
        and inner[0] + x + width >= box[2]
        and inner[1] + y + height >= box[3]
        for x, y, width, height in rectangles
    )
