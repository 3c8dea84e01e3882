"""Export → import → export: the same document, and a memory that behaves the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mirix.memory.kinds import RECORDS
from mirix.memory.record import MemoryKind
from mirix.system import AsyncMirix
from mirix.transfer.document import NOT_MOVED, Export, read_document
from mirix.transfer.export import _TABLES
from mirix.transfer.passphrase import open_sealing
from tests.transfer.conftest import NOON, PASSPHRASE, Home, picture, say_it_all

SEALED = ("value", "sealed_value", "picture")


async def export(memory: AsyncMirix, path: Path, passphrase: str | None = PASSPHRASE, **options: Any) -> Export:
    told = await memory.export(path, passphrase=passphrase, **options)
    return read(told.path)


def read(path: Path) -> Export:
    return read_document(path.read_bytes(), path.name)


def bare(value: Any) -> Any:
    """The document without its blobs, salt and user's name: whether there is a blob stays to be seen."""
    if isinstance(value, dict):
        return {
            name: (inner is not None) if name in SEALED else bare(inner)
            for name, inner in value.items()
            if name not in ("salt", "check")
        }
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def plain(export: Export) -> Any:
    document = export.model_dump(mode="json")
    document["user"].pop("name")
    return bare(document)


def opened(export: Export, passphrase: str = PASSPHRASE) -> dict[str, bytes]:
    """Every blob in clear, by what it belongs to."""
    assert export.sealing
    key = open_sealing(export.sealing, passphrase)
    found = {}
    for row in export.of_kind(MemoryKind.VAULT):
        found[f"value {row.id}"] = key.open(row.value, "value", row.id, row.value_version)  # type: ignore[attr-defined]
    for number, change in enumerate(export.history):
        for side in (change.before, change.after):
            if side and "sealed_value" in side:
                assert isinstance(side["sealed_value"], str) and isinstance(side["value_version"], int)
                found[f"history {number} {side is change.after}"] = key.open(
                    side["sealed_value"], "value", change.record_id, side["value_version"]
                )
    for frame in export.frames:
        assert frame.picture
        found[f"picture {frame.message_id}"] = key.open(frame.picture, "picture", frame.message_id)
    return found


async def test_export_import_export_is_identical(old: AsyncMirix, new: AsyncMirix, tmp_path: Path) -> None:
    first = await export(old, tmp_path / "a.json")
    brought = await new.restore(tmp_path / "a.json", passphrase=PASSPHRASE)
    second = await export(new, tmp_path / "b.json")
    assert plain(second) == plain(first)
    assert opened(second) == opened(first)
    assert {b"Kestrel-77-drum"} <= set(opened(first).values())
    assert brought.messages == len(first.messages) == 9
    assert brought.pictures == 1 and brought.values_left_out == 0 and brought.waiting == 1
    kinds = {kind: len(first.of_kind(kind)) for kind in MemoryKind}
    assert brought.memories == kinds and kinds[MemoryKind.SEMANTIC] == 2 and kinds[MemoryKind.VAULT] == 1
    assert first.links and first.sources and first.history and first.proposals and first.uses
    assert {batch.state for batch in first.batches} == {"applied", "pending"}


def content(path: Path) -> bytes:
    assert path.stat().st_mode & 0o077 == 0, "only its owner may read it"
    return path.read_bytes()


async def test_equal_exports_are_equal_bytes_but_for_salt_and_nonces(old: AsyncMirix, tmp_path: Path) -> None:
    await export(old, tmp_path / "a.json", passphrase=None)
    await export(old, tmp_path / "b.json", passphrase=None)
    assert content(tmp_path / "a.json") == content(tmp_path / "b.json")


async def test_nothing_secret_stands_in_the_file(old: AsyncMirix, tmp_path: Path) -> None:
    (entry,) = await old.get_all(kinds=["vault"])
    await old.update(entry.id, value="Osprey-21-flute")
    await export(old, tmp_path / "a.json")
    written = content(tmp_path / "a.json").decode()
    for secret in ("Kestrel-77-drum", "Osprey-21-flute", "ciphertext", "wrapped_key", "content_hmac"):
        assert secret not in written
    assert "old mill at Hallow Weir" in written, "the search would have found it"


async def test_the_restored_memory_works(old: AsyncMirix, new: AsyncMirix, tmp_path: Path) -> None:
    (entry,) = await old.get_all(kinds=["vault"])
    await old.update(entry.id, value="Osprey-21-flute")
    await export(old, tmp_path / "a.json")
    await new.restore(tmp_path / "a.json", passphrase=PASSPHRASE)
    assert await new.reveal(entry.id) == "Osprey-21-flute"
    await new.undo(entry.id)
    assert await new.reveal(entry.id) == "Kestrel-77-drum", "former values are sealed anew, too"
    hit = (await new.search("where is the old mill")).hits[0]
    assert "Hallow Weir" in hit.text
    dense = await new.search("Hallow Weir mill", explain=True)
    assert any("dense" in {arm.value for arm in hit.arms} for hit in dense.hits), "vectors were made anew"
    (home,) = await new.get_all(kinds=["semantic"])
    assert [entry.operation for entry in await new.history(home.id)] == [
        entry.operation for entry in await old.history(home.id)
    ]
    assert [m.id for m in await new.sources(home.id)] == [m.id for m in await old.sources(home.id)]
    before = {m.text: m.standing for m in (await export(old, tmp_path / "c.json")).messages}
    assert "outdated" in before.values()
    frame = (await export(new, tmp_path / "d.json")).frames[0]
    status = await new.status()
    user = (await new.parts.database.find_user("new")) or pytest.fail("no user")
    assert new.parts.frames.read_bytes(user.user_id, frame.message_id)[:4] == b"RIFF"
    assert status.waiting == 1 and await new.flush() == 1


async def test_adding_the_same_after_a_move_changes_nothing(old: AsyncMirix, new: AsyncMirix, tmp_path: Path) -> None:
    first = await export(old, tmp_path / "a.json")
    known = [batch.key.times for batch in first.batches]
    assert set(known) == {"untimed", "local", "UTC", "UTC+05:30", None}, "only the picture's key cannot be told"
    assert known.count(None) == 1
    await new.restore(tmp_path / "a.json", passphrase=PASSPHRASE)
    again = await say_it_all(new)
    assert [result.is_duplicate for result in again] == [True] * 6 + [False]


async def test_adding_the_same_after_a_move_into_the_same_database_knows_pictures(
    old: AsyncMirix, tmp_path: Path, owner_url: str
) -> None:
    """A backup read again where user and key are the same."""
    await export(old, tmp_path / "a.json")
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute("DELETE FROM conversation")
        for table in ("document", "memory_history", "proposal", *(kind.table for kind in MemoryKind)):
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    await old.restore(tmp_path / "a.json", passphrase=PASSPHRASE)
    assert (await old.add(image=picture("Tide table"), at=NOON, application="Charts", title="Tides")).is_duplicate


async def test_what_was_unsealed_stays_so_where_key_and_user_are_the_same(
    old: AsyncMirix, new: AsyncMirix, tmp_path: Path, owner_url: str
) -> None:
    (entry,) = await old.get_all(kinds=["vault"])
    await old.unseal(entry.id)
    (harmless,) = (await export(old, tmp_path / "a.json")).harmless_values
    assert "Kestrel" not in str(harmless)
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute("DELETE FROM harmless_value")
        conn.execute("DELETE FROM conversation")
        for table in ("document", "memory_history", "proposal", *(kind.table for kind in MemoryKind)):
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    for memory, sealed in ((old, 0), (new, 1)):
        await memory.restore(tmp_path / "a.json", passphrase=PASSPHRASE)
        assert (await export(memory, tmp_path / f"{sealed}.json")).harmless_values == [harmless]
        await memory.add("So the wifi password is Kestrel-77-drum?")
        assert len(await memory.get_all(kinds=["vault"])) == sealed


async def test_without_a_passphrase_values_and_pictures_are_left_out(
    old: AsyncMirix, new: AsyncMirix, tmp_path: Path
) -> None:
    first = await export(old, tmp_path / "a.json", passphrase=None)
    assert first.sealing is None and first.frames[0].picture is None
    brought = await new.restore(tmp_path / "a.json")
    assert brought.values_left_out == 1 and brought.pictures == 0
    (entry,) = await new.get_all(kinds=["vault"])
    with pytest.raises(Exception, match="left out of an export"):
        await new.reveal(entry.id)
    assert plain(await export(new, tmp_path / "b.json", passphrase=None)) == plain(first)
    sealed = await export(new, tmp_path / "c.json")
    assert sealed.of_kind(MemoryKind.VAULT)[0].value is None, "what is not there cannot be sealed"  # type: ignore[attr-defined]


async def test_pictures_can_be_left_out_alone(old: AsyncMirix, tmp_path: Path) -> None:
    first = await export(old, tmp_path / "a.json", pictures=False)
    assert first.frames[0].picture is None and first.sealing is not None
    assert first.of_kind(MemoryKind.VAULT)[0].value is not None  # type: ignore[attr-defined]


async def test_secrets_can_be_left_out_on_the_way_in(old: AsyncMirix, new: AsyncMirix, tmp_path: Path) -> None:
    await export(old, tmp_path / "a.json")
    brought = await new.restore(tmp_path / "a.json", secrets=False)
    assert brought.values_left_out == 1 and brought.messages == 9


async def test_every_export_is_written_to_the_audit(old: AsyncMirix, tmp_path: Path, owner_url: str) -> None:
    await export(old, tmp_path / "a.json")
    with psycopg.connect(owner_url) as conn:
        rows = conn.execute("SELECT actor, action, note FROM audit WHERE action = 'export'").fetchall()
    assert rows == [("user", "export", "with values")]


async def test_the_time_zone_moves_with_the_user(homes: Home, new: AsyncMirix, tmp_path: Path) -> None:
    memory = await homes("traveller").open()
    await memory.add("The kiosk opens at nine.", timezone="Asia/Shanghai")
    await export(memory, tmp_path / "a.json")
    await new.restore(tmp_path / "a.json", passphrase=PASSPHRASE)
    assert (await new.status()).timezone == "Asia/Shanghai"


def test_every_column_moves_or_is_made_anew(owner_url: str) -> None:
    """A column that is added to a table has to find its place in the format."""
    stay = {
        "user_id": "the user's key",
        "embedding": "made anew",
        "window_embedding": "made anew",
        "embedding_model": "made anew",
        "mentioned": "made anew",
        "mentioned_from": "made anew",
        "mentioned_until": "made anew",
        "file": "named after the message",
        "lease_until": "of this moment",
        "content_hmac": "made anew",
    }
    tables = {table: set(names) for table, names, _ in _TABLES.values()}
    with psycopg.connect(owner_url) as conn:
        rows = conn.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
    for table, names in tables.items():
        there = {column for name, column in rows if name == table}
        order = {"position", "seq"} if table in ("batch", "message", "memory_history") else set()
        assert there - names - stay.keys() - order == set(), table
        assert names <= there, table
    assert set(NOT_MOVED) >= {"user_id", "ciphertext"} and len(RECORDS) == 6
