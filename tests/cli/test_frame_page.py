"""The page of `--open`: what is on it, and where it goes."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from mirix.cli.frame_page import FILE, NO_PICTURE, NOTHING, Entry, frames_page, write_private
from mirix.curation.frames import KeptFrame
from mirix.errors import InputError
from mirix.memory.record import new_id
from mirix.retrieval.places import Box, FramePlace
from tests.cli.conftest import Run
from tests.cli.test_page import HOSTILE, Reader

LISBON = ZoneInfo("Europe/Lisbon")
SEEN = new_id()
FRAME = KeptFrame(message_id=SEEN, webp=b"RIFF-picture", width=400, height=200, lines=())


def place(*boxes: Box) -> FramePlace:
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return FramePlace(
        message_id=SEEN, application="Browser", title="Harbour Pool", at=at, width=400, height=200, boxes=boxes
    )


def entry(n: int, text: str, frame: FramePlace | None = None) -> Entry:
    return Entry(n=n, kind="message", text=text, source="Browser, 2026-03-02 09:00", outdated=False, frame=frame)


def page(answer: str | None, *entries: Entry) -> str:
    return frames_page("Which locker?", answer, entries, {SEEN: FRAME}, LISBON)


def test_words_that_answer_are_marked_on_the_picture() -> None:
    read = Reader(page("47B [2]", entry(2, "Your locker is 47B", place((40, 60, 200, 80)))))
    [mark] = read.with_class("frame-mark")
    assert mark["style"] == "left:10.0%;top:30.0%;width:40.0%;height:10.0%"
    [picture] = read.attributes("img")
    assert picture["src"].startswith("data:image/webp;base64,")
    assert picture["alt"] == "Screenshot of Browser · Harbour Pool. Marked: Your locker is 47B"
    assert [link["href"] for link in read.with_class("cite")] == ["#n2", "#n2"]
    assert NO_PICTURE not in read.text


def test_one_picture_stands_once_with_the_places_of_all_that_rests_on_it() -> None:
    boxes = [(40, 60, 200, 80), (40, 100, 200, 120)]
    read = Reader(page("47B [1], upper row [2]", entry(1, "47B", place(boxes[0])), entry(2, "upper", place(boxes[1]))))
    assert len(list(read.attributes("img"))) == 1
    assert len(read.with_class("frame-mark")) == 2


def test_page_without_a_picture_says_so() -> None:
    assert NO_PICTURE in " ".join(Reader(page("47B [1]", entry(1, "My locker is 47B"))).text)
    assert NOTHING in " ".join(Reader(page("I don't know.")).text)


def test_page_is_whole_in_itself_and_nothing_on_it_is_taken_for_markup() -> None:
    hostile = replace(place((0, 0, 10, 10)), title=HOSTILE, application=HOSTILE)
    source = frames_page(HOSTILE, HOSTILE + " [1]", [entry(1, HOSTILE, hostile)], {SEEN: FRAME}, LISBON)
    read = Reader(source)
    assert list(read.attributes("script")) == []
    assert all(each["src"].startswith("data:") for each in read.attributes("img"))
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)
    assert not re.search(r"@import|url\(", source)
    [policy] = (each["content"] for each in read.attributes("meta") if "http-equiv" in each)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert source.lstrip().startswith("<!DOCTYPE html>")


def test_every_link_leads_somewhere() -> None:
    read = Reader(page(None, entry(1, "47B", place((0, 0, 9, 9))), entry(2, "said"), entry(3, "上排", place())))
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in read.attributes("a")} <= ids


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_user_may_read_the_page(tmp_path: Path) -> None:
    old = tmp_path / "page.html"
    old.write_text("old", encoding="utf-8")
    old.chmod(0o644)
    path = write_private(old, "新")
    assert path.read_text(encoding="utf-8") == "新"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_private(tmp_path / "file" / "page.html", "…")


def test_ask_and_search_open_the_page(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "screen.png"
    Image.new("RGB", (200, 100), "white").save(picture)
    run("add", "--image", str(picture), "--application", "Paint", "--title", "Blue heron")
    run("add", "The heron stands at the weir.")
    found = run("search", "heron", "--open", "--json")
    document = json.loads(found.stdout)
    frames = [hit["frame"] for hit in document["results"] if hit["frame"]]
    assert [(frame["title"], frame["width"], frame["boxes"]) for frame in frames] == [("Blue heron", 200, [])]
    assert FILE in found.stderr
    assert "Paint · Blue heron" in (tmp_path / FILE).read_text(encoding="utf-8")
    asked = run("ask", "Where does the heron stand?", "--open")
    assert "weir" in asked.stdout
    assert "weir" in (tmp_path / FILE).read_text(encoding="utf-8")
