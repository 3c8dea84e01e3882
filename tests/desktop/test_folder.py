"""A recorded folder is replayed as it was recorded; what is wrong in it is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from mirix.errors import CaptureError
from mirix_desktop.folder import SHOTS, FolderSource, tell
from mirix_desktop.shots import Shot, Window


def put(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        Image.new("RGB", (40, 30), (number * 20, 0, 0)).save(folder / name)


def line(file: str, at: str, **more: object) -> str:
    return json.dumps({"file": file, "at": at, **more})


def test_plain_pictures_are_replayed_in_the_order_of_time_without_windows(tmp_path: Path) -> None:
    put(tmp_path, "20261121_093005.png", "20261121_093000.png")
    source = FolderSource(tmp_path, zone=ZoneInfo("Asia/Shanghai"))
    shots = [shot for _ in range(len(source)) for shot in source.grab()]
    assert [shot.at for shot in shots] == [datetime(2026, 11, 21, 1, 30, second, tzinfo=UTC) for second in (0, 5)]
    assert {shot.windows for shot in shots} == {None}
    assert shots[0].image.getpixel((0, 0)) == (20, 0, 0)
    assert source.grab() == []


def test_what_is_told_of_a_shot_comes_back_whole(tmp_path: Path) -> None:
    put(tmp_path, "20261121_093000.png")
    window = Window(
        application="Chromium",
        title="订单 4711 - Chromium",
        box=(0, 0, 30, 20),
        is_active=True,
        inner=(1, 2, 29, 19),
        id=7,
        owner=3,
        program=2,
        is_popup=True,
        role="browser",
        is_fullscreen=True,
        is_see_through=True,
    )
    shot = Shot(
        image=Image.new("RGB", (40, 30)),
        at=datetime(2026, 11, 21, 9, 30, tzinfo=ZoneInfo("Europe/Oslo")),
        monitor="HDMI-1 40x30+0+0",
        windows=(window,),
        idle_s=1.5,
        is_locked=True,
    )
    (tmp_path / SHOTS).write_text(tell(shot, "20261121_093000.png"), encoding="utf-8")
    (again,) = FolderSource(tmp_path).grab()
    assert (again.windows, again.at, again.monitor) == (shot.windows, shot.at, shot.monitor)
    assert (again.idle_s, again.is_locked) == (1.5, True)


def test_lines_are_replayed_in_the_order_of_time(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.png")
    lines = [line("b.png", "2026-11-21T09:30:05Z"), line("a.png", "2026-11-21T10:30:04+01:00")]
    (tmp_path / SHOTS).write_text("\n".join(lines))
    source = FolderSource(tmp_path)
    assert [source.grab()[0].at.second for _ in range(2)] == [4, 5]


def test_an_empty_desk_is_not_an_unknown_one(tmp_path: Path) -> None:
    put(tmp_path, "20261121_093000.png")
    (tmp_path / SHOTS).write_text(line("20261121_093000.png", "2026-11-21T09:30:00+01:00", windows=[]))
    assert FolderSource(tmp_path).grab()[0].windows == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (line("a.png", "2026-11-21T09:30:00"), "line 1 is wrong.*at:"),
        ("\n" + line("../a.png", "2026-11-21T09:30:00Z"), "line 2 is wrong.*file:"),
        (line("a.png", "2026-11-21T09:30:00Z", colour=1), "line 1 is wrong.*colour:"),
        ("nothing", "line 1 is wrong"),
        ("", "holds no pictures"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / SHOTS).write_text(text)
    with pytest.raises(CaptureError, match=complaint):
        FolderSource(tmp_path)


def test_a_picture_without_a_time_is_named(tmp_path: Path) -> None:
    put(tmp_path, "holiday.png")
    with pytest.raises(CaptureError, match=r"holiday\.png tells no time"):
        FolderSource(tmp_path)


def test_a_broken_picture_is_named_and_the_next_one_comes(tmp_path: Path) -> None:
    put(tmp_path, "20261121_093001.png")
    (tmp_path / "20261121_093000.png").write_bytes(b"no picture")
    source = FolderSource(tmp_path)
    with pytest.raises(CaptureError, match=r"20261121_093000\.png cannot be replayed"):
        source.grab()
    assert len(source.grab()) == 1


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="not a folder"):
        FolderSource(tmp_path / "nowhere")
