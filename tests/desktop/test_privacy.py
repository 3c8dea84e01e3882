"""What must not be seen is on no picture that passes, and what may be seen is whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mirix_desktop.privacy import PAINT, Passed, PrivacyGate, Refused, guard
from mirix_desktop.rules import PrivacyRules, make_rules
from mirix_desktop.settings import DesktopSettings
from mirix_desktop.shots import Box, Shot, Window

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
RULES = make_rules(DesktopSettings())
WHITE, DARK = (222, 225, 230), (32, 33, 36)
SECRET = "KeePassXC"


def window(application: str = "XTerm", title: str = "notes", box: Box = (20, 20, 220, 170), **more: object) -> Window:
    return Window(application=application, title=title, box=box, **more)  # type: ignore[arg-type]


def shot(*windows: Window, image: Image.Image | None = None, **more: object) -> Shot:
    picture = image or Image.new("RGB", (320, 240), (90, 140, 200))
    return Shot(image=picture, at=AT, monitor="screen", windows=windows, **more)  # type: ignore[arg-type]


def browser(title: str, strip: tuple[int, int, int], box: Box = (20, 20, 220, 170), **more: object) -> Shot:
    """A screen with one Chromium window, its tab strip and tool bar in a colour and its page white."""
    image = Image.new("RGB", (320, 240), (90, 140, 200))
    image.paste((255, 255, 255), box)
    image.paste(strip, (box[0], box[1], box[2], box[1] + 75))
    return shot(window("Chromium", title, box, **{"inner": box, "program": 1, **more}), image=image)


def passed(shot: Shot, rules: PrivacyRules = RULES) -> Passed:
    done = guard(shot, rules)
    assert isinstance(done, Passed)
    return done


def reasons(*windows: Window) -> tuple[str, ...]:
    return passed(shot(*windows)).reasons


def test_an_ordinary_window_passes_untouched() -> None:
    whole = shot(window())
    done = passed(whole)
    assert done.shot is whole
    assert done.reasons == ()


@pytest.mark.parametrize(
    "private",
    [
        window("KeePassXC", "Passwords.kdbx"),
        window("keepassxc", ""),
        window("1Password", "All items"),
        window("Gcr-prompter", "Unlock Keyring"),
        window("Firefox", "Nordbanken | Nettbank — Mozilla Firefox"),
        window("firefox", "中国工商银行网上银行 — Mozilla Firefox"),
        window("XTerm", "Bitwarden CLI"),
        window("i3lock", "i3lock"),
        window("Firefox", "A week, remembered – Mirix"),
        window("", "who knows"),
        window("firefox", "Example — Mozilla Firefox Private Browsing"),
        window("firefox", "Example — Mozilla Firefox 隐私浏览"),
        window("Microsoft-edge", "Example - [InPrivate] - Microsoft\u200b Edge"),
        window("Google-chrome", "新的无痕式标签页 - Google Chrome"),
        window("firefox", ""),
        window("Epiphany", "Example"),
    ],
)
def test_a_window_that_may_be_private_is_painted_out_and_not_named(private: Window) -> None:
    done = passed(shot(private, window(box=(0, 0, 10, 10))))
    assert len(done.reasons) == 1
    assert done.shot.image.getpixel((100, 100)) == PAINT
    assert done.shot.image.getpixel((300, 200)) == (90, 140, 200)
    assert [left.application for left in done.shot.windows or ()] == ["XTerm"]


@pytest.mark.parametrize(
    "harmless",
    [
        window("XTerm", "monzonite samples"),  # holds the name of a bank
        window("XTerm", "premonzo"),
        window("Thunderbird", "Private matters"),
        window("Code", "incognito.py - Visual Studio Code"),
        window("firefox", "Mozilla Firefox"),
        window("DB Browser for SQLite", "notes.db"),
        window("文本编辑器", "银行家舍入法.txt"),
    ],
)
def test_a_window_that_only_sounds_private_passes(harmless: Window) -> None:
    assert reasons(harmless) == ()


def test_what_the_user_excludes_is_excluded_whatever_its_case() -> None:
    settings = DesktopSettings(excluded_applications=("signal*",), excluded_titles=("Diary", "日记"))
    rules = make_rules(settings)
    for private in (window("Signal Beta", "x"), window(title="my diary.txt"), window(title="我的日记 - 编辑器")):
        assert passed(shot(private), rules).reasons, private
    assert passed(shot(window(title="diaryland")), rules).reasons == ()


def test_the_active_window_excluded_leaves_the_shot_without_a_program() -> None:
    assert passed(shot(window(SECRET, "x", is_active=True), window(box=(0, 0, 9, 9)))).shot.active is None


def test_a_locked_screen_and_a_pause_are_refused() -> None:
    assert guard(shot(window(), is_locked=True), RULES) == Refused(
        reason="the screen is locked", seen=guard(shot(), RULES).seen
    )
    paused = guard(shot(window()), PrivacyRules(**{**vars(RULES), "is_paused": True}))
    assert isinstance(paused, Refused)
    assert paused.reason == "paused"


def test_unknown_windows_refuse_a_live_screen_and_not_a_folder_that_was_named() -> None:
    unknown = Shot(image=Image.new("RGB", (9, 9)), at=AT, monitor="screen", windows=None)
    assert isinstance(guard(unknown, RULES), Refused)
    assert isinstance(guard(unknown, PrivacyRules(**{**vars(RULES), "takes_unknown": True})), Passed)


def test_a_screen_full_of_an_excluded_window_is_refused() -> None:
    assert isinstance(guard(shot(window(SECRET, "x", (0, 0, 320, 240)), window()), RULES), Refused)


# ---- browsers whose titles tell nothing ----


def test_a_chromium_window_passes_when_its_strip_is_light() -> None:
    assert passed(browser("Orders - Chromium", WHITE)).reasons == ()


def test_a_chromium_window_with_a_dark_strip_may_be_private() -> None:
    done = passed(browser("Orders - Chromium", DARK))
    assert done.reasons == ("a browser window that may be private",)
    assert done.shot.image.getpixel((100, 160)) == PAINT


def test_a_user_of_dark_browsers_is_asked_for_titles_alone() -> None:
    rules = make_rules(DesktopSettings(dark_browsers=True))
    gate = PrivacyGate(rules)

    def why(shot: Shot) -> tuple[str, ...]:
        (done,) = gate.check([shot])
        assert isinstance(done, Passed)
        return done.reasons

    assert why(browser("Orders - Chromium", DARK, id=5)) == ()
    assert why(browser("New Incognito Tab - Chromium", DARK, id=6)) == ("a private window",)
    assert why(browser("Orders - Chromium", DARK, id=6)) == ("a private window",), "once private, always private"


def looks(*shots: Shot) -> list[bool]:
    """Whether the Chromium window is shown at each of several looks, one a second."""
    gate = PrivacyGate(RULES)
    shown = []
    for second, each in enumerate(shots):
        (done,) = gate.check([replace(each, at=AT + timedelta(seconds=second))])
        assert isinstance(done, Passed)
        shown.append(any(left.application == "Chromium" for left in done.shot.windows or ()))
    return shown


LIGHT = browser("Film - Chromium", WHITE, id=5)
UNLIT = browser("Film - Chromium", DARK, id=5)
FULL = browser("Film - Chromium", WHITE, id=5, is_fullscreen=True)


def test_a_window_known_to_be_ordinary_is_shown_in_full_screen_until_it_is_gone() -> None:
    assert looks(FULL, FULL) == [False, False], "nothing is known of it"
    assert looks(LIGHT, LIGHT, FULL) == [False, True, True]
    gate = PrivacyGate(RULES)
    unknown = replace(LIGHT, windows=None)
    for second, each in enumerate((LIGHT, LIGHT, unknown)):
        gate.check([replace(each, at=AT + timedelta(seconds=second))])
    (done,) = gate.check([replace(FULL, at=AT + timedelta(seconds=3))])
    assert isinstance(done, Passed)
    assert done.reasons == (), "a look at which nobody could tell the windows changes nothing"
    assert looks(LIGHT, LIGHT, FULL, shot(window()), FULL)[-1] is False, "its number may be another window's by now"


def test_a_new_window_is_not_ordinary_for_what_it_shows_before_it_is_painted() -> None:
    assert looks(LIGHT, UNLIT, FULL) == [False, False, False]
    assert looks(LIGHT, LIGHT, UNLIT, UNLIT, FULL) == [False, True, False, False, False]
    assert looks(UNLIT, LIGHT, LIGHT) == [False, False, True]


def test_a_light_page_in_full_screen_tells_nothing() -> None:
    assert passed(browser("Page - Chromium", WHITE, is_fullscreen=True)).reasons


def test_a_browser_window_without_a_strip_tells_nothing() -> None:
    assert passed(browser("Page", WHITE, role="pop-up")).reasons
    assert passed(browser("Page - Chromium", WHITE, role="browser")).reasons == ()


def test_a_covered_strip_tells_nothing() -> None:
    behind = browser("Orders - Chromium", WHITE)
    cover = window(box=(0, 0, 320, 60))
    assert passed(shot(cover, *(behind.windows or ()), image=behind.image)).reasons
    sliver = window(box=(40, 0, 320, 60))
    assert passed(shot(sliver, *(behind.windows or ()), image=behind.image)).reasons
    aside = window(box=(120, 0, 320, 60))
    assert passed(shot(aside, *(behind.windows or ()), image=behind.image)).reasons == ()


def test_a_strip_beyond_the_edge_of_the_screen_tells_nothing() -> None:
    page = browser("Page - Chromium", WHITE, (20, 0, 220, 170), inner=(20, -60, 220, 170))
    assert passed(page).reasons
    aside = browser("Page - Chromium", WHITE, (0, 20, 200, 170), inner=(-100, 20, 200, 170))
    assert passed(aside).reasons == (), "most of it can be seen"


def test_a_rolled_up_window_tells_nothing() -> None:
    assert passed(browser("Page - Chromium", WHITE, (20, 20, 220, 42), inner=None)).reasons


def test_a_light_title_bar_above_a_dark_strip_tells_nothing() -> None:
    private = browser("Orders - Chromium", DARK, inner=None)
    private.image.paste((255, 255, 255), (20, 20, 220, 42))
    assert passed(private).reasons


# ---- titles that are excluded no more ----


def hidden(*seconds_and_titles: tuple[float, str | None], application: str = "firefox", id: int = 5) -> list[bool]:
    """Whether a window is left out at each of several looks; without a title it is not there."""
    gate = PrivacyGate(RULES)
    found = []
    for second, title in seconds_and_titles:
        shown = [window(application, title, id=id)] if title is not None else []
        look = replace(shot(*shown, window(box=(300, 0, 310, 10))), at=AT + timedelta(seconds=second))
        (done,) = gate.check([look])
        assert isinstance(done, Passed)
        found.append(len(done.shot.windows or ()) == 1)
    return found


BANK, FORECAST = "Online Banking - Accounts", "Forecast - Browser"


def test_a_browser_is_left_out_while_it_may_show_the_page_of_the_title_before() -> None:
    looks = (0, BANK), (1, FORECAST), (5, FORECAST), (5.9, FORECAST), (6, FORECAST), (7, FORECAST)
    assert hidden(*looks) == [True, True, True, True, False, False]
    private = "Example — Mozilla Firefox Private Browsing"
    assert hidden((0, private), (1, FORECAST), (6, FORECAST)) == [True, True, False]
    again = (0, BANK), (1, FORECAST), (2, BANK), (6, FORECAST), (10, FORECAST), (11, FORECAST)
    assert hidden(*again) == [True, True, True, True, True, False]


def test_a_title_that_leaves_after_a_long_time_without_a_look_is_not_forgotten() -> None:
    assert hidden((0, BANK), (30, FORECAST), (34, FORECAST), (35, FORECAST)) == [True, True, True, False]
    assert hidden((0, BANK), (1, None), (20, FORECAST), (25, FORECAST)) == [True, True, True, False]


def test_other_programs_and_other_windows_are_not_late() -> None:
    assert hidden((0, BANK), (1, FORECAST), application="XTerm") == [True, False]
    assert hidden((0, BANK), (1, FORECAST), id=0) == [True, False], "nobody can tell which window it was"
    gate = PrivacyGate(RULES)
    gate.check([shot(window("firefox", BANK, id=5))])
    (done,) = gate.check([shot(window("firefox", FORECAST, id=6))])
    assert isinstance(done, Passed)
    assert done.reasons == ()


def test_a_chromium_window_whose_strip_is_dark_for_a_moment_is_late_all_the_same() -> None:
    bank, dark, light = (browser(title, strip, id=5) for title, strip in ((BANK, WHITE), ("a", DARK), ("a", WHITE)))
    assert looks(light, light, bank, dark, light, light) == [False, True, False, False, False, False]
    assert looks(light, light, bank, *[light] * 6) == [False, True, *[False] * 6, True]


# ---- dialogs and menus ----


def test_dialogs_and_menus_go_with_the_window_they_belong_to() -> None:
    vault = window(SECRET, "x", id=1, program=7)
    dialog = window("Portal", "Open", (230, 0, 300, 50), id=2, owner=1, program=8)
    menu = window("", "", (230, 60, 300, 90), id=3, owner=2, program=8, is_popup=True)
    other = window("XTerm", "notes", (0, 200, 30, 230), id=4, program=9)
    assert len(reasons(menu, dialog, vault, other)) == 3


def test_a_menu_goes_with_its_program_when_nobody_tells_its_window() -> None:
    menu = window("", "", (230, 60, 300, 90), id=3, program=7, is_popup=True)
    assert len(reasons(menu, window(SECRET, "x", id=1, program=7))) == 2
    assert reasons(menu, window("XTerm", "notes", id=1, program=7)) == ()
    assert len(reasons(menu, window("XTerm", "notes", id=1, program=8))) == 1, "its program cannot be seen"
    nobodys = window("Tool", "", (230, 60, 300, 90), is_popup=True)
    assert len(reasons(nobodys, window(SECRET, "x", id=1, program=7))) == 2
    assert reasons(nobodys, window("XTerm", "notes", id=1, program=7)) == ()


def test_a_dialog_of_a_browser_window_that_is_hidden_is_excluded() -> None:
    assert len(reasons(window("firefox", "Save as", id=2, owner=1), window())) == 1


# ---- pixels ----

APPLICATIONS = ["XTerm", "Mousepad", SECRET, ""]


@st.composite
def stacks(draw: st.DrawFn) -> list[Window]:
    """Windows in any place and order, some of them excluded, some see-through."""

    def place() -> Window:
        left, top = draw(st.integers(0, 60)), draw(st.integers(0, 40))
        box = (left, top, draw(st.integers(left + 1, 64)), draw(st.integers(top + 1, 48)))
        return window(draw(st.sampled_from(APPLICATIONS)), "notes", box, is_see_through=draw(st.booleans()), program=1)

    return [place() for _ in range(draw(st.integers(0, 7)))]


@given(stacks())
def test_no_excluded_pixel_survives_and_no_other_is_changed(windows: list[Window]) -> None:
    pixels = np.random.default_rng(7).integers(60, 256, (48, 64, 3), dtype=np.uint8)  # none is of the paint's colour
    hidden = np.zeros((48, 64), np.bool_)
    for each in reversed(windows):
        left, top, right, bottom = each.box
        if each.application in {SECRET, ""}:
            hidden[top:bottom, left:right] = True
        elif not each.is_see_through:
            hidden[top:bottom, left:right] = False
    whole = shot(*windows, image=Image.fromarray(pixels))
    done = guard(whole, RULES)
    if isinstance(done, Refused):
        assert hidden.all()
        return
    left_over = np.asarray(done.shot.image)
    assert (left_over[hidden] == PAINT).all()
    assert (left_over[~hidden] == pixels[~hidden]).all()
    assert (np.asarray(whole.image) == pixels).all(), "the shot itself was changed"
    assert all(each.application in {"XTerm", "Mousepad"} for each in done.shot.windows or ())
