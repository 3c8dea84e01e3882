"""Files: what becomes of encodings and PDFs, and what is refused with a word on what to do."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from mirix.errors import InputError
from mirix.ingest.files import read_file


def _pdf(*pages: str, password: str | None = None, dated: str | None = None) -> bytes:
    """A PDF whose pages hold the given lines of text; an empty page holds none."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for lines in pages:
        page = writer.add_blank_page(300, 400)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        shown = "".join(f"({line}) Tj 0 -20 Td " for line in lines.splitlines())
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 360 Td {shown} ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
    if dated:
        writer.add_metadata({"/ModDate": dated})
    if password is not None:
        writer.encrypt(password, algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_text_file_is_read_with_its_name_type_and_time(tmp_path: Path) -> None:
    path = tmp_path / "Packing list.md"
    path.write_text("# Packing\n\n- passport\n", encoding="utf-8")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    document = read_file(path)
    assert (document.title, document.mime, document.resource_type) == ("Packing list.md", "text/markdown", "document")
    assert document.text == "# Packing\n\n- passport\n"
    assert document.modified_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert document.modified_at.utcoffset() is not None
    assert read_file(str(path)) == document


@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [
        ("notes.txt", "text/plain", "document"),
        ("a.markdown", "text/markdown", "document"),
        ("table.csv", "text/csv", "data"),
        ("data.JSON", "application/json", "data"),
        ("compose.yaml", "application/yaml", "config"),
        ("run.py", "text/x-python", "code"),
        ("Makefile", "text/plain", "document"),
    ],
)
def test_type_follows_from_the_name(name: str, mime: str, kind: str) -> None:
    document = read_file((name, b"x = 1"))
    assert (document.mime, document.resource_type, document.modified_at) == (mime, kind, None)


CHINESE = "会议改到周四下午两点,地点是二楼会议室。请安娜带上护照和合同。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_chinese_is_read_in_its_usual_encodings(encoding: str) -> None:
    assert read_file(("笔记.txt", CHINESE.encode(encoding))).text == CHINESE


@pytest.mark.parametrize("text", ["Größe: naïve café", "Café", "Überraschung für Åse", "“Smart” quotes – and €5"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_western_text_is_not_taken_for_chinese(text: str, encoding: str) -> None:
    assert read_file(("note.txt", text.encode(encoding))).text == text


def test_short_chinese_note_in_the_national_encoding_is_read() -> None:
    assert read_file(("n.txt", "牛奶 2 盒".encode("gb18030"))).text == "牛奶 2 盒"


def test_line_ends_are_made_equal_and_control_characters_taken_out() -> None:
    content = b"one\r\ntwo\rthree\x0cfour\tfive\x07\x00\x1b[0m" + b" and so on" * 9
    assert read_file(("n.txt", content)).text == "one\ntwo\nthree\nfour\tfive[0m" + " and so on" * 9


def test_name_that_is_a_path_keeps_its_last_part() -> None:
    assert read_file(("../../etc/passwd.txt", b"x")).title == "passwd.txt"
    assert read_file(("C:\\Users\\anna\\note\x00.txt", b"x")).title == "note.txt"
    assert read_file(("", b"x")).title == "untitled"


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "empty"),
        (b" \r\n\0\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x89PNG\r\n\x1a\n....", "add it as an image"),
        (b"\xff\xd8\xff\xe0....", "add it as an image"),
        (b"PK\x03\x04....", "export it as PDF or plain text"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "not a text file"),
        (bytes(range(256)) * 20, "not a text file"),
        (b"a" * 10_000_001, "split it"),
    ],
)
def test_what_is_no_text_is_refused_with_advice(content: bytes, advice: str) -> None:
    with pytest.raises(InputError, match=advice):
        read_file(("thing.txt", content))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_file(tmp_path / "none.txt")
    with pytest.raises(InputError, match="is not a file"):
        read_file(tmp_path)


def test_pdf_is_read_page_by_page() -> None:
    document = read_file(("report.pdf", _pdf("The first page\nhas two lines", "", "The third page")))
    assert (document.mime, document.resource_type) == ("application/pdf", "document")
    assert document.text.split() == "The first page has two lines The third page".split()  # noqa: SIM905
    assert len(document.pages) == 3
    assert document.text[document.pages[2] :].startswith("The third page")
    assert document.text[: document.pages[1]].strip().endswith("lines")


def test_pdf_is_known_by_its_content() -> None:
    assert read_file(("download", _pdf("Hello"))).mime == "application/pdf"


def test_pdf_time_is_aware_or_absent() -> None:
    dated = read_file(("a.pdf", _pdf("x", dated="D:20261113093000+01'00'"))).modified_at
    assert dated == datetime(2026, 11, 13, 8, 30, tzinfo=UTC)
    for nonsense in ("D:20261113093000", "yesterday"):
        assert read_file(("a.pdf", _pdf("x", dated=nonsense))).modified_at is None


def test_locked_pdf_is_refused_and_one_that_opens_without_password_is_read() -> None:
    with pytest.raises(InputError, match="password: save a copy without one"):
        read_file(("a.pdf", _pdf("secret", password="sesame")))
    assert read_file(("a.pdf", _pdf("open to read", password=""))).text.strip() == "open to read"


def test_pdf_of_pictures_only_is_refused() -> None:
    with pytest.raises(InputError, match="add them as images"):
        read_file(("scan.pdf", _pdf("", "")))


def test_damaged_pdf_is_read_or_refused_and_nothing_else() -> None:
    content = _pdf("The first page\nhas two lines", "The second page")
    assert len(PdfReader(io.BytesIO(content)).pages) == 2
    for end in range(8, len(content), 37):
        for damaged in (content[:end], content[:end] + b"\xff<<[" + content[end + 4 :]):
            try:
                assert read_file(("a.pdf", damaged)).text
            except InputError as error:
                assert "a.pdf" in str(error)
