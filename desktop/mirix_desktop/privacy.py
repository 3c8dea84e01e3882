"""The privacy gate: what of a shot may be looked at, decided before anything else sees its pixels.

    shot ─> guard(shot, rules) ─┬─> Passed: excluded windows painted out where they can be seen, and not named
                                └─> Refused: and why

What is not known counts as private. A window is excluded

    by name       its program or its title is on a list: password managers, banks, lock screens, Mirix, the user's own
    as private    a browser's title says so
    as unknown    a browser without a title, or of a kind whose private windows nobody can tell
    with others   a dialog of an excluded window, or a menu of a program that has one
    as late       a browser whose title was excluded a moment ago: it may go on showing the page of that title

Chromium on X11 marks its private windows nowhere: title, class, role and process are those of any other window
(Chromium 156; only a new tab's title says it). But their tab strip is always dark. So a window of such a browser passes
while its strip is seen to be light. Where the strip cannot be seen, in full screen or below another window, it counts
that it was: no window ever changes its profile. One look is not enough, as a new window shows what was there before
until it is painted. Who likes dark browsers says so (`dark_browsers`), and then titles alone decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from mirix_desktop.rules import PrivacyRules
from mirix_desktop.shots import Box, Shot, Window

PAINT = (32, 32, 32)
SETTLES = timedelta(seconds=1)  # a new window is painted
# Chromium shows the title of a page that loads slowly at once, and the page before it for up to 4 s more (3.8 s
# measured); after that only the background of that page.
LINGERS = timedelta(seconds=5)

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_STRIP_SKIPS = 2  # pixels at the upper edge: a border
_STRIP = 28  # pixels below: in the tab strip, which is 33 or more high
_STRIP_WITH_TITLE_BAR = 60  # where nobody tells what the window manager drew above
_STRIP_SEEN = 0.3  # of its area, at least, to tell
_LIGHT = 150  # of 255; strips of light windows are above 200, of private ones below 60
_LIGHT_PIXELS = 0.6  # of a row
_LIGHT_ROWS = 0.85


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of browser windows from earlier shots, by their ids."""

    light_since: Mapping[int, datetime] = field(default_factory=dict)  # whose strips were light, and never dark since
    dark: frozenset[int] = frozenset()  # whose strips are dark now
    private: frozenset[int] = frozenset()  # whose titles said so
    excluded_until: Mapping[int, datetime] = field(default_factory=dict)  # by their titles, of now or a moment ago


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A shot that may be looked at: excluded windows are neither on it nor in its list of windows."""

    shot: Shot
    reasons: tuple[str, ...]  # why windows that could be seen were painted out, one each
    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Nothing of a shot may be looked at."""

    reason: str
    seen: Seen


class PrivacyGate:
    """`guard` with a memory of browser windows. One thread uses it."""

    def __init__(self, rules: PrivacyRules) -> None:
        self.rules = rules
        self._seen = Seen()

    def check(self, shots: Sequence[Shot]) -> list[Passed | Refused]:
        """What of the shots of one moment (all monitors) may be looked at."""
        done = [guard(shot, self.rules, self._seen) for shot in shots]
        if any(shot.windows is None for shot in shots):
            return done  # which windows are gone cannot be told
        alive = {window.id for shot in shots for window in shot.windows or () if window.id}
        light = dict(self._seen.light_since)
        for each in done:
            light |= each.seen.light_since
        for gone in light.keys() - (alive - frozenset().union(*(each.seen.dark for each in done))):
            del light[gone]
        private = self._seen.private.union(*(each.seen.private for each in done)) & alive
        # A window that cannot be seen now may come back, and be late then.
        excluded = {one: until for one, until in self._seen.excluded_until.items() if one not in alive}
        for each in done:
            excluded |= each.seen.excluded_until
        self._seen = Seen(light_since=light, private=private, excluded_until=excluded)
        return done


def guard(shot: Shot, rules: PrivacyRules, seen: Seen = Seen()) -> Passed | Refused:
    """What of a shot may be looked at. The picture of the shot itself is never changed."""
    if rules.is_paused:
        return Refused(reason="paused", seen=seen)
    if shot.is_locked:
        return Refused(reason="the screen is locked", seen=seen)
    if shot.windows is None:
        if not rules.takes_unknown:
            return Refused(reason="nobody can tell which windows are on it", seen=seen)
        return Passed(shot=shot, reasons=(), seen=seen)
    judge = _Judge(shot, shot.windows, rules, seen)
    reasons = judge.reasons()
    now_seen = Seen(
        light_since=judge.light,
        dark=frozenset(judge.dark),
        private=frozenset(judge.private),
        excluded_until=judge.excluded_until,
    )
    if not any(reasons):
        return Passed(shot=shot, reasons=(), seen=now_seen)
    seen_parts = {place: visible_parts(shot.windows, place) for place, reason in enumerate(reasons) if reason}
    to_paint = [part for parts in seen_parts.values() for part in parts]
    if not _remainder((0, 0, *shot.image.size), to_paint):
        return Refused(reason="nothing but excluded windows is on it", seen=now_seen)
    image = shot.image.copy()
    for part in to_paint:
        image.paste(PAINT, part)
    left = tuple(window for window, reason in zip(shot.windows, reasons, strict=True) if reason is None)
    painted = replace(shot, image=image, windows=left)
    why = tuple(str(reasons[place]) for place, parts in seen_parts.items() if parts)
    return Passed(shot=painted, reasons=why, seen=now_seen)


def visible_parts(windows: Sequence[Window], place: int) -> list[Box]:
    """Where a window can be seen, as boxes beside each other. `windows` has the topmost first."""
    return _remainder(windows[place].box, (above.box for above in windows[:place] if not above.is_see_through))


def _remainder(box: Box, covers: Iterable[Box]) -> list[Box]:
    """What is left of a box under covers."""
    left = [box] if box[0] < box[2] and box[1] < box[3] else []
    for cover in covers:
        left = [part for whole in left for part in _cut_out(whole, cover)]
    return left


def _cut_out(whole: Box, cover: Box) -> Iterator[Box]:
    """The up to four boxes of `whole` that stand around `cover`."""
    left, top = max(whole[0], cover[0]), max(whole[1], cover[1])
    right, bottom = min(whole[2], cover[2]), min(whole[3], cover[3])
    if left >= right or top >= bottom:
        yield whole
        return
    parts = (
        (whole[0], whole[1], whole[2], top),
        (whole[0], bottom, whole[2], whole[3]),
        (whole[0], top, left, bottom),
        (right, top, whole[2], bottom),
    )
    yield from (part for part in parts if part[0] < part[2] and part[1] < part[3])


class _Judge:
    """Judges the windows of one shot."""

    def __init__(self, shot: Shot, windows: tuple[Window, ...], rules: PrivacyRules, seen: Seen) -> None:
        self._image, self._at, self._windows, self._rules, self._seen = shot.image, shot.at, windows, rules, seen
        self.light: dict[int, datetime] = {}  # as in Seen
        self.dark: set[int] = set()
        self.private: set[int] = set()
        self.excluded_until: dict[int, datetime] = {}

    def reasons(self) -> list[str | None]:
        """Why each window is excluded; None: it is not."""
        reasons = [self._own_reason(place) for place in range(len(self._windows))]
        while True:  # a menu of a dialog of an excluded window …
            excluded = [window for window, reason in zip(self._windows, reasons, strict=True) if reason is not None]
            also = [
                reason or self._reason_by_others(window, excluded)
                for window, reason in zip(self._windows, reasons, strict=True)
            ]
            if also == reasons:
                return reasons
            reasons = also

    def _own_reason(self, place: int) -> str | None:
        window, rules = self._windows[place], self._rules
        if rules.applications.match(window.application):
            return "an excluded program"
        if rules.titles.match(window.title):
            self.excluded_until[window.id] = _ALWAYS
            return "an excluded title"
        if not window.application and not window.is_popup:
            return "a window of an unknown program"
        if rules.chromium_like.match(window.application):
            late = self._late_reason(window)  # asked in any case: it counts the time
            return self._browser_reason(place) or self._chromium_reason(place) or late
        if rules.firefox_like.match(window.application):
            late = self._late_reason(window)
            return self._browser_reason(place) or late
        if rules.other_browsers.match(window.application):
            return "a browser whose private windows cannot be told"
        return None

    def _browser_reason(self, place: int) -> str | None:
        window = self._windows[place]
        if window.is_popup:
            return None  # belongs to others
        if not window.title:
            return "a browser window without a title"
        if self._rules.private_titles.match(window.title):
            self.private.add(window.id)
            self.excluded_until[window.id] = _ALWAYS
            return "a private window"
        if window.owner and all(other.id != window.owner for other in self._windows):
            return "a dialog of a browser window that cannot be seen"
        return None

    def _late_reason(self, window: Window) -> str | None:
        """Counts from the first look at another title, as the one before may have been long ago."""
        until = min(self._seen.excluded_until.get(window.id, self._at), self._at + LINGERS)
        if not window.id or until <= self._at:
            return None
        self.excluded_until[window.id] = until
        return "a title that was excluded a moment ago"

    def _chromium_reason(self, place: int) -> str | None:
        window = self._windows[place]
        if window.is_popup or window.owner:
            return None  # belongs to others
        if self._rules.dark_browsers:
            return "a private window" if window.id and window.id in self._seen.private else None
        has_strip = not window.is_fullscreen and window.role in {"", "browser"}  # an app's window has none
        is_light = self._has_light_strip(place) if has_strip else None
        if is_light and not window.id:
            return None  # a recording that tells no ids
        since = self._seen.light_since.get(window.id) if window.id else None
        if is_light:
            self.light[window.id] = since = since or self._at
        elif is_light is not None:
            self.dark.add(window.id)
            since = None
        is_ordinary = since is not None and self._at - since >= SETTLES
        return None if is_ordinary else "a browser window that may be private"

    def _has_light_strip(self, place: int) -> bool | None:
        """Whether the tab strip is light; None where it cannot be seen."""
        window = self._windows[place]
        left, top, right, bottom = window.inner or window.box
        height = _STRIP if window.inner else _STRIP_WITH_TITLE_BAR
        strip = (left, top + _STRIP_SKIPS, right, top + _STRIP_SKIPS + height)
        if strip[3] > bottom:
            return None
        is_seen = np.zeros((height, right - left), np.bool_)
        shown = (max(left, 0), max(strip[1], 0), min(right, self._image.width), min(strip[3], self._image.height))
        for part in _remainder(shown, (above.box for above in self._windows[:place])):
            is_seen[part[1] - strip[1] : part[3] - strip[1], part[0] - left : part[2] - left] = True
        if is_seen.any(axis=1).mean() < _LIGHT_ROWS or is_seen.mean() < _STRIP_SEEN:
            return None
        is_light = (np.asarray(self._image.crop(strip).convert("L")) > _LIGHT) & is_seen
        seen_in_row = is_seen.sum(axis=1)
        light_in_row = is_light.sum(axis=1) >= _LIGHT_PIXELS * np.maximum(seen_in_row, 1)
        return bool(light_in_row.mean() >= _LIGHT_ROWS)

    def _reason_by_others(self, window: Window, excluded: Sequence[Window]) -> str | None:
        if window.owner and any(other.id == window.owner for other in excluded):
            return "belongs to an excluded window"
        if not window.is_popup:
            return None
        if any(other.program == window.program for other in excluded if not other.is_popup):
            return "a menu of a program with an excluded window"
        if window.program == 0 and excluded:
            return "a menu of an unknown program"
        is_known = any(other.program == window.program for other in self._windows if not other.is_popup)
        is_browser = self._rules.chromium_like.match(window.application) or self._rules.firefox_like.match(
            window.application
        )
        if not is_known and (is_browser or not window.application):
            return "a menu of a program that cannot be seen"
        return None
