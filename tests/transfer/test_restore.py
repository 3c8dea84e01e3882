"""An import is whole or not at all; what is wrong is told, and where."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from mirix.errors import ConflictError, InputError, MirixError, SealError
from mirix.system import AsyncMirix
from tests.transfer.conftest import PASSPHRASE, Home, live
from tests.transfer.test_roundtrip import content, export, plain, read

TABLES = (
    "conversation batch message frame document posting memory_source memory_link memory_history memory_use proposal"
)
MEMORIES = "core_memory episodic_memory semantic_memory procedural_memory resource_memory knowledge_vault"


def rows_of(owner_url: str, user: str) -> int:
    """How many rows a user has, the user's own aside."""
    with psycopg.connect(owner_url) as conn:
        total = 0
        for table in f"{TABLES} {MEMORIES}".split():
            query = sql.SQL("SELECT count(*) FROM {} JOIN app_user AS u USING (user_id) WHERE u.name = %s")
            row = conn.execute(query.format(sql.Identifier(table)), [user]).fetchone()
            total += row[0] if row else 0
        return total


def files_of(folder: Path, pattern: str = "frames/*/*") -> list[Path]:
    return list(folder.glob(pattern))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture
async def file(old: AsyncMirix, tmp_path: Path) -> Path:
    await export(old, tmp_path / "life.json")
    return tmp_path / "life.json"


async def refused(new: AsyncMirix, file: Path, error: type[MirixError], words: str, **options: Any) -> None:
    with pytest.raises(error, match=words):
        await new.restore(file, **({"passphrase": PASSPHRASE} | options))


def changed(file: Path, change: Callable[[Any], object], right: bytes) -> Path:
    """The file with a document that was right, changed."""
    document = json.loads(right)
    change(document)
    file.write_text(json.dumps(document))
    return file


def put(value: object, *path: str | int) -> Callable[[Any], None]:
    """Sets a place of the document."""

    def change(document: Any) -> None:
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return change


WRONG: list[tuple[Callable[[Any], object], str]] = [
    (put("a diary", "format"), "no export of Mirix"),
    (put(2, "version"), "version 2 of the format.*upgrade"),
    (put(None, "version"), "version None"),
    (put("x" * 10_000_001, "messages", 0, "text"), r"messages\.0\.text.*10 MB"),
    (put("a\x00b", "messages", 0, "text"), r"messages\.0\.text.*NUL"),
    (put("a\ud800b", "conversations", 0, "name"), r"conversations\.0\.name.*half a character"),
    (put("9999-12-31T23:59:59Z", "messages", 0, "at"), r"messages\.0\.at.*not a time of a life"),
    (
        put("9999-12-31T23:59:59-12:00", "memories", "semantic", 0, "valid_from"),
        r"memories\.semantic\.0\.valid_from.*calendar",
    ),
    (put("2026-05-04T10:00:00", "messages", 0, "at"), r"messages\.0\.at.*timezone"),
    (put("Mars/Olympus", "messages", 0, "timezone"), r"messages\.0\.timezone.*unknown time zone"),
    (put("king", "messages", 0, "role"), r"messages\.0\.role"),
    (put(7, "messages", 0, "surprise"), r"messages\.0\.surprise.*Extra"),
    (put(9, "messages", 0, "trust"), "cannot be stored.*nothing was changed"),
    (put("", "memories", "semantic", 0, "summary"), "cannot be stored"),
    (put(None, "memories", "episodic", 0, "occurred_at"), "needs occurred_at"),
    (put(str(uuid4()), "messages", 0, "batch_id"), "a message names batch .* not in it"),
    (put(str(uuid4()), "sources", 0, "message_id"), "a source names message"),
    (lambda d: d["messages"].append(d["messages"][0]), "message .* is in it twice"),
    (lambda d: d.pop("links"), "links: Field required"),
    (put("xx", "batches", 0, "key", "digest"), r"key\.digest"),
    (put({"records": "none"}, "proposals", 0, "operation"), "proposal .* does not hold an operation"),
    (put(99_999_999, "sealing", "memory_kib"), r"sealing\.memory_kib"),
]


async def test_a_wrong_document_is_refused_and_nothing_is_written(
    new: AsyncMirix, file: Path, owner_url: str, tmp_path: Path
) -> None:
    right = content(file)
    for change, words in WRONG:
        await refused(new, changed(file, change, right), InputError, words)
        assert rows_of(owner_url, "new") == 0, words
    assert files_of(tmp_path / "new") == []


async def test_a_file_that_is_cut_off_is_refused(new: AsyncMirix, file: Path, owner_url: str) -> None:
    right = content(file)
    for rest, words in (
        (right[: len(right) // 2], "damaged or cut off"),
        (b"", "damaged or cut off"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 200_000, "nested too deep"),
        (b'[{"mapping": {}}]', "mirix import chatgpt"),
    ):
        await refused(new, written(file, rest), InputError, words)
    await refused(new, file.with_name("gone.json"), InputError, "no file")
    await refused(new, file.parent, InputError, "cannot read")
    assert rows_of(owner_url, "new") == 0


async def test_wrong_missing_and_blank_passphrases_are_refused(new: AsyncMirix, file: Path, owner_url: str) -> None:
    await refused(new, file, SealError, "does not open", passphrase="seven herons")
    await refused(new, file, SealError, "give its passphrase", passphrase=None)
    with pytest.raises(InputError, match="blank"):
        await new.export(file.with_name("b.json"), passphrase=" ")
    assert rows_of(owner_url, "new") == 0


async def test_values_that_were_swapped_or_changed_do_not_open(new: AsyncMirix, file: Path, owner_url: str) -> None:
    right = content(file)
    swapped = put(json.loads(right)["frames"][0]["picture"], "memories", "vault", 0, "value")
    await refused(new, changed(file, swapped, right), SealError, "changed or moved")
    assert rows_of(owner_url, "new") == 0


async def test_a_user_with_memories_is_refused_unless_merged(new: AsyncMirix, file: Path, owner_url: str) -> None:
    await new.add("The kiosk at the pier opens at nine.")
    before = rows_of(owner_url, "new")
    await refused(new, file, ConflictError, "has memories already.*--merge")
    assert rows_of(owner_url, "new") == before
    merged = await new.restore(file, passphrase=PASSPHRASE, merge=True)
    assert merged.skipped == 0 and merged.messages == 9
    assert (await new.search("kiosk")).hits and (await new.search("old mill")).hits
    again = await new.restore(file, passphrase=PASSPHRASE, merge=True)
    assert (again.messages, again.conversations, sum(again.memories.values()), again.pictures) == (0, 0, 0, 0)
    assert again.skipped == 9 + sum(merged.memories.values())


async def test_merging_the_same_life_lived_twice_keeps_both(homes: Home, file: Path, tmp_path: Path) -> None:
    twin = await homes("twin").open()
    await live(twin)
    merged = await twin.restore(file, passphrase=PASSPHRASE, merge=True)
    assert merged.messages == 9 and merged.conversations == 0, "conversations of one name become one"
    both = await export(twin, tmp_path / "both.json")
    assert len(both.messages) == 18 and len({batch.id for batch in both.batches}) == len(both.batches)


async def test_merging_leaves_what_is_there_as_it_is(new: AsyncMirix, file: Path, tmp_path: Path) -> None:
    await new.restore(file, passphrase=PASSPHRASE)
    (home,) = await new.get_all(kinds=["semantic"])
    await new.update(home.id, summary="The mill, corrected")
    before = plain(await export(new, tmp_path / "b.json"))
    await new.restore(file, passphrase=PASSPHRASE, merge=True)
    assert plain(await export(new, tmp_path / "c.json")) == before


async def test_two_imports_at_once_leave_one(new: AsyncMirix, file: Path, tmp_path: Path) -> None:
    tried = await asyncio.gather(*(new.restore(file, passphrase=PASSPHRASE) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(one, ConflictError) for one in tried) == 1, tried
    assert plain(await export(new, tmp_path / "b.json")) == plain(read(file))
    assert len(files_of(tmp_path / "new")) == 1, "the pictures of the one that came first are still there"


async def test_an_export_never_replaces_a_file_unasked(old: AsyncMirix, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("precious")
    for path, words in (
        (there, "exists already"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x.json", "no folder"),
    ):
        with pytest.raises(InputError, match=words):
            await old.export(path)
    assert there.read_text() == "precious"
    await old.export(there, overwrite=True)
    assert "mirix-export" in there.read_text()
    assert files_of(tmp_path, "*.part") == []
