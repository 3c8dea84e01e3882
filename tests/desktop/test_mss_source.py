"""A real screen: what stands where, in which order, and what its pixels are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from Xlib import X, display
from Xlib.protocol import event

from mirix.errors import CaptureError
from mirix_desktop.mss_source import MssSource, make_source
from mirix_desktop.settings import Session
from mirix_desktop.shots import Box, Shot, Window
from mirix_desktop.x11 import Desk
from tests.desktop.conftest import Screen, named, until

GREEN, BLUE = (0, 255, 0), (0, 0, 255)


@pytest.fixture
def source(screen: Screen) -> Iterator[MssSource]:
    source = MssSource(screen.display)
    yield source
    source.close()


def grab(source: MssSource) -> Shot:
    shots = source.grab()
    assert len(shots) == 1
    return shots[0]


def grab_with(source: MssSource, *titles: str) -> Shot:
    """A shot on which windows of these titles stand, painted."""
    shot = grab(source)

    def all_there() -> bool:
        nonlocal shot
        shot = grab(source)
        return all(named(shot, title) is not None for title in titles)

    until(all_there)
    return shot


def middle(box: tuple[int, int, int, int]) -> tuple[int, int]:
    return (box[0] + box[2]) // 2, (box[1] + box[3]) // 2


def test_an_empty_screen_has_one_monitor_named_by_what_it_is(source: MssSource) -> None:
    shot = grab(source)
    assert shot.image.size == (1280, 800)
    assert shot.image.mode == "RGB"
    assert shot.monitor.endswith(" 1280x800+0+0")
    assert shot.windows == ()
    assert shot.at.tzinfo is not None
    assert shot.idle_s is not None
    assert not shot.is_locked


def test_windows_are_told_with_title_program_and_place(screen: Screen, source: MssSource) -> None:
    screen.xterm("Invoices 2026", "40x10+100+150", colour="green1")
    shot = grab_with(source, "Invoices 2026")
    window = named(shot, "Invoices 2026")
    assert window is not None
    assert window.application == "XTerm"
    assert window.inner is not None
    assert window.box[1] < window.inner[1], "the frame has a title bar"
    assert abs(window.box[0] - 100) < 4
    assert abs(window.box[1] - 150) < 4
    until(lambda: grab(source).image.getpixel(middle(window.inner or window.box)) == GREEN)


def test_the_topmost_window_comes_first_and_is_active(screen: Screen, source: MssSource) -> None:
    screen.xterm("below", "40x10+100+100")
    grab_with(source, "below")
    screen.xterm("above", "40x10+150+150")
    grab_with(source, "below", "above")
    until(lambda: (active := grab(source).active) is not None and active.title == "above")
    assert [window.title for window in grab(source).windows or ()] == ["above", "below"]
    screen.run("xdotool", "search", "--name", "^below$", "windowactivate")
    until(lambda: [window.title for window in grab(source).windows or ()] == ["below", "above"])
    until(lambda: (active := grab(source).active) is not None and active.title == "below")


def test_a_moved_window_is_where_it_was_moved_to(screen: Screen, source: MssSource) -> None:
    screen.xterm("moving", "30x8+50+50", colour="blue")
    grab_with(source, "moving")
    screen.run("xdotool", "search", "--name", "^moving$", "windowmove", "700", "400")

    def is_there() -> bool:
        window = named(shot := grab(source), "moving")
        return window is not None and window.box[0] > 600 and shot.image.getpixel(middle(window.box)) == BLUE

    until(is_there)


def test_a_minimised_window_is_not_there(screen: Screen, source: MssSource) -> None:
    screen.xterm("hiding", "30x8+50+50")
    grab_with(source, "hiding")
    screen.run("xdotool", "search", "--name", "^hiding$", "windowminimize")
    until(lambda: named(grab(source), "hiding") is None)


def test_a_window_on_another_desktop_is_not_there(screen: Screen, source: MssSource) -> None:
    screen.xterm("elsewhere", "30x8+50+50")
    grab_with(source, "elsewhere")
    screen.run("xdotool", "set_num_desktops", "2")
    screen.run("xdotool", "search", "--name", "^elsewhere$", "set_desktop_for_window", "%1", "1")
    until(lambda: named(grab(source), "elsewhere") is None)


def test_a_menu_is_found_and_belongs_to_its_program(screen: Screen, source: MssSource) -> None:
    screen.xterm("with a menu", "40x12+200+200")
    owner = named(grab_with(source, "with a menu"), "with a menu")
    assert owner is not None
    screen.run("xdotool", "mousemove", *map(str, middle(owner.box)), "keydown", "Control_L", "mousedown", "1")

    def menu_is_there() -> bool:
        popups = [window for window in grab(source).windows or () if window.is_popup]
        return any(window.program == owner.program and window.box[3] - window.box[1] > 50 for window in popups)

    until(menu_is_there)


def test_a_window_half_off_the_screen_is_cut_at_its_edge(screen: Screen, source: MssSource) -> None:
    screen.xterm("at the edge", "60x10+200+200")
    grab_with(source, "at the edge")
    screen.run("xdotool", "search", "--name", "^at the edge$", "windowmove", "--", "-100", "300")
    until(lambda: (window := named(grab(source), "at the edge")) is not None and window.box[0] == 0)


def test_a_rolled_up_window_shows_nothing_of_its_program(screen: Screen, source: MssSource) -> None:
    screen.xterm("rolled up", "40x10+200+200")
    window = named(grab_with(source, "rolled up"), "rolled up")
    assert window is not None
    with closing(display.Display(screen.display)) as connection:
        message = event.ClientMessage(
            window=connection.create_resource_object("window", window.id),
            client_type=connection.get_atom("_NET_WM_STATE"),
            data=(32, [1, connection.get_atom("_NET_WM_STATE_SHADED"), 0, 1, 0]),
        )
        mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
        connection.screen().root.send_event(message, event_mask=mask)
        connection.sync()
    until(lambda: (now := named(grab(source), "rolled up")) is not None and now.inner is None)


def test_a_window_across_two_monitors_is_on_both_and_its_inner_part_is_not_cut() -> None:
    across = Window(application="XTerm", title="across", box=(500, 200, 900, 500), inner=(502, 220, 898, 498), id=1)
    left = Window(application="XTerm", title="left", box=(0, 0, 100, 100), id=2)
    places: tuple[Box, Box] = (0, 0, 640, 800), (640, 100, 1280, 800)
    desk = Desk(windows=(across, left), monitors=(("left", places[0]), ("right", places[1])))
    first, second = (desk.on(place) for place in places)
    assert [(window.id, window.box) for window in first] == [(1, (500, 200, 640, 500)), (2, (0, 0, 100, 100))]
    assert [(window.id, window.box) for window in second] == [(1, (0, 100, 260, 400))]
    assert second[0].inner == (-138, 120, 258, 398)


def test_a_glance_tells_another_title(screen: Screen, source: MssSource) -> None:
    screen.xterm("first", "30x8+50+50")
    grab_with(source, "first")
    until(lambda: "first" in str(source.glance().focus))
    before = source.glance().focus
    assert source.glance().focus == before
    screen.run("xdotool", "search", "--name", "^first$", "set_window", "--name", "second")
    until(lambda: source.glance().focus != before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib leaves its sockets open
def test_a_screen_that_cannot_be_reached_is_told() -> None:
    with pytest.raises(CaptureError, match="cannot be reached"):
        MssSource(":6543")


def test_a_screen_that_goes_is_told_and_let_go(screen: Screen) -> None:
    source = MssSource(screen.display)
    monitors = tuple((shot.monitor, (0, 0, *shot.image.size)) for shot in source.grab())
    screen.server.kill()
    screen.server.wait()
    with pytest.raises(CaptureError, match="cannot be read"):
        source._pictures(monitors)
    with pytest.raises(CaptureError, match="is gone"):
        source.glance()
    source.close()


def test_wayland_is_told_with_what_to_do() -> None:
    with pytest.raises(CaptureError, match=r"Wayland.*X11 \(Xorg\)"):
        make_source(Session(display=":0", is_wayland=True), platform="linux")


def test_no_screen_is_told_with_what_to_do() -> None:
    with pytest.raises(CaptureError, match="DISPLAY is not set"):
        make_source(Session(display=None, is_wayland=False), platform="linux")
