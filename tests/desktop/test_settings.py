"""Settings come from MIRIX_DESKTOP_* variables, and wrong ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirix.errors import ConfigError
from mirix_desktop.settings import DesktopSettings, load_desktop_settings, state_dir, this_session


def test_lists_have_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRIX_DESKTOP_EXCLUDED_TITLES", "Diary, 日记，Tax 2026,")
    assert load_desktop_settings().excluded_titles == ("Diary", "日记", "Tax 2026")


def test_what_is_given_wins_and_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRIX_DESKTOP_INTERVAL_S", "0")
    assert load_desktop_settings(interval_s=2.0).interval_s == 2.0
    with pytest.raises(ConfigError, match="MIRIX_DESKTOP_INTERVAL_S"):
        load_desktop_settings(interval_s=None)


def test_the_state_stands_beside_what_is_recorded_unless_set(tmp_path: Path) -> None:
    assert state_dir(DesktopSettings(), tmp_path) == tmp_path / "desktop"
    assert state_dir(DesktopSettings(state_dir=tmp_path / "x"), tmp_path) == tmp_path / "x"


@pytest.mark.parametrize(
    ("variables", "is_wayland"),
    [({"WAYLAND_DISPLAY": "wayland-0"}, True), ({"XDG_SESSION_TYPE": "Wayland"}, True), ({"DISPLAY": ":0"}, False)],
)
def test_a_wayland_session_is_known(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_wayland: bool
) -> None:
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert this_session().is_wayland == is_wayland
    assert this_session().display == variables.get("DISPLAY")
