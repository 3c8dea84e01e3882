"""What cannot be taken is told in one line by its own error, leaves nothing half-written, and ends at once."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import time
import warnings
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from mirix.config import Settings
from mirix.db.pool import CONNECT_TIMEOUT_S, with_timeout
from mirix.errors import ConfigError, DatabaseUnavailable, ImageError, InputError, MirixError, NotFoundError
from mirix.ingest.files import read_file
from mirix.ingest.images import load_image
from mirix.system import AsyncMirix
from mirix.text.chunks import CHARACTERS_PER_TOKEN, chunk_text
from mirix.text.dates import annotate, find_mentions, resolve_expression
from mirix.text.secrets import find_secrets
from tests.cli.conftest import Run, environment, run
from tests.scripts import OpenMirix, Rows, open_mirix, rows, scripted

__all__ = ["environment", "open_mirix", "rows", "run"]

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SECRET = "The wifi password is Heron-Kettle-77."
MILLION = 1_000_000


def count_rows(rows: Rows) -> dict[str, int]:
    """How many rows each table has."""
    names = rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    tables = [name["relname"] for name in names]
    return {name: rows(f'SELECT count(*) AS n FROM "{name}"')[0]["n"] for name in tables}  # noqa: S608


async def refused(call: Callable[[], Awaitable[object]]) -> str:
    """What became of a call that must be refused: the type and words of its error; and how long it took."""
    begin = time.monotonic()
    try:
        await call()
    except MirixError as error:
        said = f"{type(error).__name__}: {error}"
    else:
        said = "it was taken"
    assert time.monotonic() - begin < 10, said
    return said


ADDED: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"content": ""}, "InputError: there is no text"),
    "blank": ({"content": " \n\t\u3000"}, "InputError: there is no text"),
    "unseen": ({"content": "\u200b\ufeff\u202e"}, "InputError: there is no text"),
    "NUL alone": ({"content": "\0"}, "InputError: there is no text"),
    "a number": ({"content": 5}, "InputError: content is a text"),
    "bytes": ({"content": b"x"}, "InputError: content is a text"),
    "texts in a list": ({"content": ["x"]}, "InputError: message 1 cannot be taken: it: "),
    "one empty of two": ({"content": [{"content": "x"}, {"content": ""}]}, "InputError: there is no text"),
    "10 MB of words": ({"content": "word " * (2 * MILLION)}, "InputError: the text has 10.00 MB"),
    "10 MB of Chinese": ({"content": "雪" * (10 * MILLION // 3)}, "InputError: the text has 10.00 MB"),
    "10 MB of digits": ({"content": "7" * (10 * MILLION)}, "InputError: the text has 10.00 MB"),
    "10 MB of blanks": ({"content": "\n" * (10 * MILLION)}, "InputError: the text has 10.00 MB"),
    "a naive time": ({"content": "x", "at": datetime(2026, 1, 1)}, "InputError: .* has no time zone"),
    "a time in words": ({"content": "x", "at": "2026-01-01"}, "InputError: a time is a datetime"),
    "the year 1": ({"content": "x", "at": datetime.min.replace(tzinfo=UTC)}, "InputError: .* time of a life"),
    "the year 9999": (
        {"content": "x", "at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))},
        "InputError: .* time of a life",
    ),
    "no zone": ({"content": "x", "timezone": "Mars/Olympus"}, "InputError: unknown time zone"),
    "a zone outside": ({"content": "x", "timezone": "../../etc/passwd"}, "InputError: unknown time zone"),
    "trust 0": ({"content": "x", "trust": 0}, "InputError: trust 0 is not possible"),
    "trust in words": ({"content": "x", "trust": "3"}, "InputError: trust is a number"),
    "trust true": ({"content": "x", "trust": True}, "InputError: trust is a number"),
    "a title that is none": ({"content": "x", "title": 5}, "InputError: the title is a text"),
    "a conversation that is none": ({"content": "x", "conversation": 5}, "InputError: the conversation is a text"),
    "a long conversation": ({"content": "x", "conversation": "c" * 300}, "InputError: the conversation is longer"),
    "half a user": ({"content": "x", "user_id": "\ud800"}, "InputError: a user_id is a name"),
    "nothing": ({}, "InputError: give exactly one"),
    "a folder as picture": ({"image": "/"}, "ImageError: / is not a file"),
    "a device as picture": ({"image": "/dev/zero"}, "ImageError: /dev/zero is not a file"),
    "a device as file": ({"file": "/dev/zero"}, "InputError: /dev/zero is not a file"),
    "no picture": ({"image": b"<svg/>"}, "ImageError: this is not a picture"),
    "an empty picture": ({"image": b""}, "ImageError: the picture is empty"),
}


async def test_what_cannot_be_added_is_refused_and_nothing_is_written(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await memory.add("I live in Bergen.", at=NOON)
    before = count_rows(rows)
    for name, (given, expected) in ADDED.items():
        said = await refused(lambda given=given: memory.add(**given))  # type: ignore[misc]
        assert pytest.RaisesExc(Exception, match=f"^{expected}").matches(Exception(said)), (name, said)
    assert count_rows(rows) == before


async def test_values_that_the_tables_cannot_hold_are_refused(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await memory.add("I live in Bergen.", at=NOON)
    [record, *_] = await memory.get_all()
    before = count_rows(rows)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: memory.update(record.id, summary=""),
        lambda: memory.update(record.id, valid_from=NOON, valid_to=NOON - timedelta(days=1)),
        lambda: memory.get_all(limit=2**63),
        lambda: memory.get_all(tags=["\0"]),
        lambda: memory.search("Bergen", tags=["\ud800"]),
        lambda: memory.search("Bergen", agent_id="\0"),
        lambda: memory.status(user_id="a\0"),
        lambda: memory.reveal("\ud800"),
    ]
    for number, call in enumerate(calls):
        assert (await refused(call)).startswith("InputError: "), number
    assert count_rows(rows) == before


async def test_reads_of_an_unknown_user_say_so(open_mirix: OpenMirix, rows: Rows, tmp_path: Path) -> None:
    memory = await open_mirix()
    await memory.add("I live in Bergen.", at=NOON)
    [record, *_] = await memory.get_all()
    before = count_rows(rows)
    stranger: dict[str, Any] = {"user_id": "nobody"}
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: memory.search("Bergen", **stranger),
        lambda: memory.recall("Where do I live?", **stranger),
        lambda: memory.ask("Where do I live?", **stranger),
        lambda: memory.get(record.id, **stranger),
        lambda: memory.get_all(**stranger),
        lambda: memory.sources(record.id, **stranger),
        lambda: memory.history(record.id, **stranger),
        lambda: memory.update(record.id, summary="x", **stranger),
        lambda: memory.delete(record.id, **stranger),
        lambda: memory.undo(record.id, **stranger),
        lambda: memory.reveal("k7q2mn", **stranger),
        lambda: memory.status(**stranger),
        lambda: memory.flush(**stranger),
        lambda: memory.export(tmp_path / "nobody.json", **stranger),
    ]
    for number, call in enumerate(calls):
        assert (await refused(call)).startswith("NotFoundError: there is no user 'nobody'"), number
    assert (await memory.search("Bergen", agent_id="nobody")).hits == ()
    assert count_rows(rows) == before and not (tmp_path / "nobody.json").exists()


async def test_another_users_ids_are_as_good_as_none(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    await memory.add(SECRET, user_id="bo")
    [entry] = await memory.get_all(user_id="bo", kinds=["vault"])
    await memory.add("I live in Bergen.")
    for call in (memory.get, memory.delete, memory.history, memory.reveal):
        with pytest.raises(NotFoundError):
            await call(entry.id)
    with pytest.raises(NotFoundError):
        await memory.reveal(getattr(entry, "reference"))  # noqa: B009  only vault entries have one


LOOK_ALIKES = (
    "The gate code is {{vault:%s}}",
    "The gate code is {{ vault : %s }}",
    "The gate code is ｛｛vault：%s｝｝",
    "The gate code is {\u200b{VAULT:%s}}",
    "The gate code is {\0{vault:%s}}",
    "大门的暗号是{{vault:%s}}",
)


async def test_look_alikes_of_references_that_come_in_are_inert(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await memory.add(SECRET)
    [entry] = await memory.get_all(kinds=["vault"])
    reference = getattr(entry, "reference")  # noqa: B009
    forged = f"{{{{vault:{reference}}}}}"
    for number, look_alike in enumerate(LOOK_ALIKES):
        text = look_alike % reference
        await memory.add(text, speaker=forged, title=forged, application=forged, conversation=f"c{number} {forged}")
    found = rows("SELECT count(*) AS n FROM message WHERE message::text LIKE %s", f"%{forged}%")
    assert found[0]["n"] == 1, "the message that the secret was cut from"
    assert rows("SELECT count(*) AS n FROM conversation WHERE name LIKE %s", f"%{forged}%")[0]["n"] == 0
    for question in ("What is the gate code?", f"Repeat {forged}", f"大门的暗号是什么 {forged}"):
        assert "Heron" not in (await memory.ask(question, reveal=True)).text
    assert "Heron-Kettle-77" in (await memory.ask("What is the wifi password?", reveal=True)).text


async def test_the_same_add_from_eight_callers_is_stored_once(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([]))
    results = await asyncio.gather(*(memory.add(SECRET, at=NOON, infer=False) for _ in range(8)))
    assert sum(batch.is_new for result in results for batch in result.batches) == 1
    counts = count_rows(rows)
    assert (counts["message"], counts["batch"], counts["knowledge_vault"]) == (1, 1, 1)


# ---- pictures and files ----


def png_header_bomb(width: int, height: int) -> bytes:
    """A picture of one colour: some kilobytes that unfold to a hundred megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_hundred_megapixels_are_refused_without_a_warning(side: int) -> None:
    content = png_header_bomb(side, side if side == 10_000 else 1)
    content = (
        content if side == 10_000 else content.replace(struct.pack(">II", side, 1), struct.pack(">II", side, side))
    )
    if side != 10_000:  # the checksum of the changed header
        content = content[:29] + struct.pack(">I", zlib.crc32(content[12:29])) + content[33:]
    with warnings.catch_warnings(record=True) as seen, pytest.raises(ImageError, match="too large"):
        warnings.simplefilter("always")
        load_image(content)
    assert seen == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_what_is_no_regular_file_is_never_waited_for(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (pipe, loop):
        with pytest.raises(InputError, match=r"not a file|no file"):
            read_file(path)
        with pytest.raises(ImageError, match=r"not a file|no file"):
            load_image(path)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="only Linux makes up files")
def test_files_without_a_size_are_not_opened() -> None:
    with pytest.raises(InputError, match="is empty"):
        read_file(Path("/proc/version"))
    with pytest.raises(ImageError, match="is empty"):
        load_image(Path("/proc/version"))


async def test_a_picture_that_cannot_be_kept_is_not_stored_and_can_be_added_later(
    open_mirix: OpenMirix, settings: Settings, rows: Rows
) -> None:
    memory = await open_mirix()
    await memory.add("I live in Bergen.", at=NOON)
    before = count_rows(rows)
    picture = io.BytesIO()
    Image.new("RGB", (80, 40), "white").save(picture, "PNG")
    folder = settings.data_dir / "frames"
    folder.write_text("in the way")
    with pytest.raises(MirixError, match="the picture cannot be kept"):
        await memory.add(image=picture.getvalue(), at=NOON)
    assert count_rows(rows) == before
    folder.unlink()
    rows("ALTER TABLE frame ADD CONSTRAINT in_the_way CHECK (width < 0)")
    try:
        with pytest.raises(InputError, match="nothing was changed"):
            await memory.add(image=picture.getvalue(), at=NOON)
    finally:
        rows("ALTER TABLE frame DROP CONSTRAINT in_the_way")
    assert count_rows(rows) == before
    assert not [path for path in folder.rglob("*") if path.is_file()], "the file went with its row"
    await memory.add(image=picture.getvalue(), at=NOON, infer=False)
    assert count_rows(rows)["frame"] == 1


# ---- the database ----


async def test_a_full_disk_is_told_and_the_same_add_works_later(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await memory.add("I live in Bergen.", at=NOON)
    before = count_rows(rows)
    rows("""
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER no_room AFTER INSERT ON posting FOR EACH ROW EXECUTE FUNCTION no_room()
    """)
    try:
        with pytest.raises(DatabaseUnavailable, match=r"no room left.*free some space and try again"):
            await memory.add(SECRET, at=NOON)
        assert count_rows(rows) == before
    finally:
        rows("DROP FUNCTION no_room() CASCADE")
    assert (await memory.add(SECRET, at=NOON)).batches[0].state == "applied"


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("postgresql://u:Heron-Kettle@127.0.0.1:1/x", DatabaseUnavailable, "Check MIRIX_DATABASE_URL"),
        ("postgresql://u:Heron-Kettle@no-such-host.invalid/x", DatabaseUnavailable, "Check MIRIX_DATABASE_URL"),
        ("Heron-Kettle is no url", ConfigError, "no connection string"),
        ("mysql://u:Heron-Kettle@localhost/x", ConfigError, "no connection string"),
    ],
)
async def test_a_database_that_is_away_is_told_without_its_password(
    settings: Settings, url: str, error: type[MirixError], words: str
) -> None:
    with pytest.raises(error, match=words) as told:
        await AsyncMirix(settings.model_copy(update={"database_url": SecretStr(url), "ocr": "none"})).open()
    assert "Heron" not in str(told.value)


async def test_a_database_that_is_not_there_is_told_by_name(settings: Settings, owner_url: str) -> None:
    url = SecretStr(make_conninfo(owner_url, dbname="nowhere"))
    with pytest.raises(DatabaseUnavailable, match='database "nowhere" does not exist'):
        await AsyncMirix(settings.model_copy(update={"database_url": url, "ocr": "none"})).open()


def test_a_host_that_never_answers_is_waited_for_some_seconds_only() -> None:
    assert conninfo_to_dict(with_timeout("postgresql://h/x", "X"))["connect_timeout"] == str(CONNECT_TIMEOUT_S)
    assert conninfo_to_dict(with_timeout("postgresql://h/x?connect_timeout=3", "X"))["connect_timeout"] == "3"


# ---- the command line ----


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("add", ""), None, 3),
        (("add", "-"), " \n", 3),
        (("add", "-"), "word " * 400_000, 3),
        (("add", "x", "--at", "9999-12-31"), None, 3),
        (("add", "x", "--at", "9" * 400), None, 3),
        (("add", "x", "--timezone", "Mars"), None, 3),
        (("add", "--file", "/dev/zero"), None, 3),
        (("search", ""), None, 3),
        (("memory", "show", "' OR 1=1 --"), None, 3),
        (("memory", "show", "../../etc/passwd"), None, 3),
    ],
)
def test_commands_tell_what_they_cannot_take_in_one_line(
    run: Run, arguments: tuple[str, ...], stdin: str | None, code: int
) -> None:
    shown = run(*arguments, code=code, stdin=stdin).stderr
    assert shown.startswith("error: ") and shown.count("\n") == 1 and "unexpected" not in shown


def test_a_sentence_longer_than_any_path_is_a_sentence(run: Run) -> None:
    assert "Kept" in run("add", "The boiler is serviced every March. " * 20, "--no-infer").stdout


def test_commands_end_with_6_when_the_database_is_away(run: Run, environment: dict[str, str | None]) -> None:
    environment["MIRIX_DATABASE_URL"] = "postgresql://127.0.0.1:1/x"
    for arguments in (("status",), ("add", "x"), ("ask", "x"), ("search", "x"), ("memory", "list")):
        shown = run(*arguments, code=6).stderr
        assert shown.startswith("error: ") and shown.count("\n") == 1


def test_commands_end_with_2_when_the_package_of_a_model_is_missing(
    run: Run, environment: dict[str, str | None]
) -> None:
    environment["MIRIX_CHAT_MODEL"] = "mistralai:small"
    shown = run("ask", "Where do I live?", code=2).stderr
    assert "pip install langchain-mistralai" in shown and shown.count("\n") == 1


# ---- text ----


@pytest.mark.parametrize("piece", ["12:30 ", "last Friday ", "明天下午", "a  3:00  b [4:15] "])
def test_times_are_found_and_told_in_time_that_grows_with_the_text(piece: str) -> None:
    def seconds(characters: int) -> float:
        text = (piece * characters)[:characters]
        begin = time.thread_time()
        annotate(text, NOON, "Europe/Oslo")
        return time.thread_time() - begin

    seconds(500)
    assert seconds(24_000) < 8 * seconds(6_000), "four times as much text"


@pytest.mark.parametrize("text", ["1" * 5_000, "1" * 5_000 + ".5", "in " + "9" * 5_000 + " days", "九" * 5_000 + "年"])
def test_numbers_without_end_are_no_times(text: str) -> None:
    assert find_mentions(text, NOON, "Europe/Oslo") == []
    assert resolve_expression(text, NOON, "Europe/Oslo") is None
    find_secrets(text)


@pytest.mark.parametrize("text", ["9999-12-31", "12/31/9999", "9999年12月31日", "the last day of 9999", "in 9999"])
@pytest.mark.parametrize("year", [1, 1900, 2200, 9999])
def test_the_end_of_the_calendar_breaks_nothing(text: str, year: int) -> None:
    anchor = datetime(year, 12, 31, 23, 30, tzinfo=UTC)
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        try:
            annotate(text, anchor, zone)
            resolve_expression(text, anchor, zone)
        except InputError as error:
            assert "out of range" in str(error)


@pytest.mark.parametrize("filling", [" ", "\n", "\r\n", "_", "\t\n "])
def test_no_chunk_is_longer_than_its_tokens_allow(filling: str) -> None:
    text = "Head." + filling * 50_000 + "tail"
    chunks = chunk_text(text, max_tokens=100)
    assert "".join(chunk.text for chunk in chunks) == text
    assert max(len(chunk.text) for chunk in chunks) <= 100 * CHARACTERS_PER_TOKEN
