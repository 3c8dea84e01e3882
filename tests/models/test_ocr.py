"""Reading order on invented layouts, the two engines behind the protocol, and the scripted one."""

from __future__ import annotations

import random
import stat
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from mirix.errors import ConfigError, ModelError
from mirix.models.ocr import (
    FakeRecogniser,
    Line,
    RapidOcr,
    Tesseract,
    TextRecogniser,
    make_recogniser,
    reading_order,
    render_text,
)


def _at(left: int, top: int, text: str, *, size: int = 14, confidence: float = 0.9) -> Line:
    """A fragment as wide as its text: half its height for a Latin character, the whole for others."""
    width = sum(size // 2 if character < "\u2e80" else size for character in text)
    return Line(text=text, box=(left, top, left + width, top + size), confidence=confidence)


def _texts(fragments: list[Line]) -> list[str]:
    shuffled = fragments.copy()
    random.Random(3).shuffle(shuffled)
    return [line.text for line in reading_order(shuffled)]


def test_fragments_of_one_row_become_one_line() -> None:
    fragments = [_at(10, 10, "Meeting moved"), _at(110, 11, "to Thursday"), _at(10, 40, "Bring the folder")]
    assert _texts(fragments) == ["Meeting moved to Thursday", "Bring the folder"]
    line = reading_order(fragments)[0]
    assert line.box == (10, 10, 187, 25)


def test_chinese_fragments_are_joined_without_a_space() -> None:
    assert _texts([_at(10, 10, "会议改到"), _at(68, 10, "周四下午"), _at(130, 10, "14:30")]) == [
        "会议改到周四下午 14:30"
    ]


def test_confidence_is_the_mean_over_the_characters() -> None:
    line = reading_order([_at(10, 10, "aaaa", confidence=1.0), _at(45, 10, "bbbbbbbbbbbb", confidence=0.6)])[0]
    assert line.confidence == pytest.approx(0.7)


def test_empty_fragments_are_dropped_and_unsure_ones_are_no_text() -> None:
    fragments = [_at(10, 10, "|~^", confidence=0.2), _at(10, 40, "  "), _at(10, 70, "sure")]
    assert _texts(fragments) == ["sure", "|~^"]
    assert render_text(reading_order(fragments)) == "sure"
    assert reading_order([]) == []


def _prose(column: str, left: int, rows: int = 8, top: int = 60, pitch: int = 20) -> list[Line]:
    return [_at(left, top + pitch * row, f"{column}{row} some words of a column") for row in range(rows)]


@pytest.mark.parametrize("shift", [0, 9])
def test_columns_are_read_one_after_the_other(shift: int) -> None:
    left, right = _prose("a", 10), _prose("b", 300, top=60 + shift)
    assert _texts(left + right) == [line.text for line in left + right]


def test_headings_across_the_columns_stay_where_they_are() -> None:
    left, right = _prose("a", 10), _prose("b", 300)
    below = _prose("c", 10, top=300), _prose("d", 300, top=300)
    title = _at(60, 20, "A title that stands across both of the columns")
    second = _at(60, 260, "Another title that stands across both columns")
    expected = [title, *left, *right, second, *below[0], *below[1]]
    assert _texts(expected) == [line.text for line in expected]


def test_three_columns_are_read_in_order() -> None:
    columns = [line for name, left in (("a", 10), ("b", 300), ("c", 590)) for line in _prose(name, left)]
    assert _texts(columns) == [line.text for line in columns]


def test_side_bar_is_kept_apart_from_the_page() -> None:
    bar = [_at(10, 20 + 34 * row, name) for row, name in enumerate(("Inbox", "Drafts", "Sent", "Archive", "Spam"))]
    page = [_at(150, 25 + 20 * row, f"line {row} of the message, as long as such lines are") for row in range(9)]
    assert _texts(bar + page) == [line.text for line in bar + page]


def test_table_is_read_row_by_row() -> None:
    rows = [("Name", "Anna Berg"), ("City", "Bergen"), ("Flight", "SK 4471"), ("Seat", "14C"), ("Total", "1,249.50")]
    fragments = [_at(left, 20 + 24 * i, row[j]) for i, row in enumerate(rows) for j, left in ((0, 10), (1, 200))]
    assert _texts(fragments) == [f"{name}  {value}" for name, value in rows]


def test_messages_of_a_chat_are_read_in_turn() -> None:
    said = ["Are you coming?", "Yes, at six", "Bring the blue folder", "Will do", "And the tickets", "Of course"]
    turns = [_at(10 if i % 2 == 0 else 400, 20 + 40 * i, text) for i, text in enumerate(said)]
    assert _texts(turns) == [turn.text for turn in turns]


def test_dense_screen_is_ordered_quickly_and_completely() -> None:
    fragments = [line for column in range(4) for line in _prose(f"{'abcd'[column]}", 10 + 300 * column, rows=90)]
    assert _texts(fragments) == [line.text for line in fragments]


def test_text_has_an_empty_line_where_the_page_has_room() -> None:
    lines = [_at(10, 10, "one"), _at(10, 30, "two"), _at(10, 80, "three"), _at(300, 10, "four")]
    assert render_text(lines) == "one\ntwo\n\nthree\n\nfour"
    assert render_text([]) == ""


def _page(*texts: str) -> Image.Image:
    image = Image.new("RGB", (560, 60 + 40 * len(texts)), "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(texts):
        draw.text((30, 30 + 40 * row), text, font=ImageFont.load_default(18), fill="black")
    return image


@pytest.fixture(scope="module")
def rapid() -> TextRecogniser:
    return RapidOcr()


def test_rapidocr_reads_a_rendered_page(rapid: TextRecogniser, capfd: pytest.CaptureFixture[str]) -> None:
    texts = ["Meeting moved to Thursday at 14:30", "Flight SK 4471 leaves Bergen at 07:05"]
    lines = rapid.read(_page(*texts))
    assert [line.text for line in lines] == texts
    assert all(0.8 < line.confidence <= 1 for line in lines)
    left, top, right, bottom = lines[0].box
    assert 20 <= left <= 40 and 20 <= top <= 40 and 250 < right < 400 and 40 < bottom < 65
    assert capfd.readouterr().err == ""


def test_rapidocr_finds_nothing_on_an_empty_page_and_takes_any_colour_model(rapid: TextRecogniser) -> None:
    assert rapid.read(Image.new("RGB", (300, 200), "white")) == []
    assert rapid.read(Image.new("L", (5, 5))) == []
    assert [line.text for line in rapid.read(_page("Bring the folder").convert("P"))] == ["Bring the folder"]


TSV = """level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext
1\t1\t0\t0\t0\t0\t0\t0\t400\t200\t-1\t
5\t1\t1\t1\t1\t1\t10\t10\t60\t14\t96.5\tMeeting
5\t1\t1\t1\t1\t2\t75\t10\t50\t14\t91.0\tmoved
5\t1\t2\t1\t1\t1\t10\t40\t28\t14\t88\t周四
5\t1\t2\t1\t1\t2\t39\t40\t28\t14\t90\t下午
5\t1\t3\t1\t1\t1\t10\t70\t20\t14\t12.5\t~|
5\t1\t4\t1\t1\t1\t10\t90\t20\t14\t-1\t
"""


def _program(folder: Path, languages: str, read: str) -> Path:
    """A stand-in for the program: lists its languages, and answers a picture with a table or fails."""
    path = folder / "tesseract"
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"if '--list-langs' in sys.argv: print({languages!r}); sys.exit()\n"
        "assert sys.stdin.buffer.read(4) == b'\\x89PNG'\n"
        f"{read}\n",
        encoding="utf-8",
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_tesseract_is_asked_in_both_languages_and_its_table_understood(tmp_path: Path) -> None:
    answer = f"assert 'eng+chi_sim' in sys.argv and 'tsv' in sys.argv; sys.stdout.buffer.write({TSV.encode()!r})"
    tesseract = Tesseract(_program(tmp_path, "List of available languages (3):\neng\nosd\nchi_sim", answer))
    assert tesseract.languages == {"en", "zh"}
    lines = tesseract.read(Image.new("RGB", (400, 200)))
    assert [line.text for line in lines] == ["Meeting moved", "周四下午", "~|"]
    assert [line.is_sure for line in lines] == [True, True, False]
    assert lines[0].box == (5, 5, 63, 12)  # it was shown twice as large
    assert lines[0].confidence == pytest.approx(0.942, abs=0.001)


def test_tesseract_is_shown_dark_letters_twice_as_large(tmp_path: Path) -> None:
    """A picture that is light on the left and dark on the right comes as one ground, letters dark on it."""
    save = "open(sys.argv[0] + '.png', 'wb').write(b'\\x89PNG' + sys.stdin.buffer.read())"
    screen = Image.new("RGB", (200, 100), "white")
    screen.paste((20, 20, 24), (100, 0, 200, 100))
    screen.paste((230, 230, 230), (140, 40, 143, 60))  # a stroke of a light letter
    Tesseract(_program(tmp_path, "eng\nchi_sim", save)).read(screen)
    with Image.open(tmp_path / "tesseract.png") as shown:
        assert shown.size == (400, 200)
        levels = shown.convert("L")
        assert [levels.getpixel(place) for place in ((50, 100), (340, 20))] == [255, pytest.approx(235, abs=3)]
        assert levels.getpixel((283, 100)) < 60  # type: ignore[operator]


def test_large_picture_is_not_enlarged(tmp_path: Path) -> None:
    assert Tesseract.ENLARGED_UP_TO < 3840 * 2160
    answer = f"sys.stdout.buffer.write({TSV.encode()!r})"
    tesseract = Tesseract(_program(tmp_path, "eng\nchi_sim", answer))
    assert tesseract.read(Image.new("RGB", (2400, 1400)))[0].box == (10, 10, 125, 24)


def test_failing_tesseract_is_a_model_error(tmp_path: Path) -> None:
    program = _program(tmp_path, "eng", "print('Image too small', file=sys.stderr); sys.exit(1)")
    with pytest.raises(ModelError, match="tesseract failed: Image too small"):
        Tesseract(program).read(Image.new("RGB", (40, 20)))


def test_tesseract_without_languages_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tesseract-ocr-eng"):
        Tesseract(_program(tmp_path, "osd", ""))
    with pytest.raises(ConfigError, match="cannot be run"):
        Tesseract(tmp_path / "nothing")


def test_auto_takes_tesseract_only_when_it_reads_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _program(tmp_path, "eng\nchi_sim", "")
    assert isinstance(make_recogniser("auto"), Tesseract)
    for languages in ("eng", "osd"):
        _program(tmp_path, languages, "")
        assert isinstance(make_recogniser("auto"), RapidOcr)


def test_setting_names_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert make_recogniser("none") is None
    assert isinstance(make_recogniser("rapidocr"), RapidOcr)
    with pytest.raises(ConfigError, match="apt install"):
        make_recogniser("tesseract")
    with pytest.raises(ConfigError, match='choose "auto"'):
        make_recogniser("eyes")


def test_scripted_recogniser_reads_its_pages_in_order() -> None:
    line = _at(5, 5, "exactly here")
    fake = FakeRecogniser(["会议改到周四\n\n带上护照", [line]])
    first = fake.read(Image.new("RGB", (30, 20)))
    assert render_text(first) == "会议改到周四\n\n带上护照"
    assert fake.read(Image.new("RGB", (40, 20))) == fake.read(Image.new("RGB", (50, 20))) == [line]
    assert fake.sizes == [(30, 20), (40, 20), (50, 20)]
