"""One suite for all six memories: what any of them promises, every one of them keeps."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from mirix.db.pool import Database
from mirix.errors import ConflictError, InputError, NotFoundError
from mirix.memory import store
from mirix.memory.kinds import RECORDS
from mirix.memory.record import MemoryKind, Record, Scope, columns, new_id
from tests.memory.conftest import World
from tests.memory.samples import MAY, other_value

pytestmark = pytest.mark.parametrize("kind", list(MemoryKind))

_NOT_COMPARED = {"embedding_model", "content_hmac", "created_at", "updated_at", "version"}


def same(left: Record, right: Record) -> bool:
    """Equal in everything that somebody wrote."""
    return all(
        getattr(left, item.name) == getattr(right, item.name) for item in fields(left) if item.name not in _NOT_COMPARED
    )


def later(record: Record, days: int = 7) -> Record:
    """Another value for the same thing, since some days later."""
    is_vault = record.memory_kind is MemoryKind.VAULT
    changes: dict[str, Any] = {"reference": "zz99zz", "content_hmac": b"other"} if is_vault else {"content_hmac": b""}
    since = record.valid_from + timedelta(days=days)
    return replace(record, id=new_id(), summary=other_value(record), valid_from=since, **changes)


async def listed(world: World, kind: MemoryKind, scope: Scope | None = None, **chosen: Any) -> list[Record]:
    async with world.database.transaction(world.user.user_id) as conn:
        return await store.list_records(
            conn,
            scope or Scope(user_id=world.user.user_id),
            RECORDS[kind],
            store.ListFilter(**chosen),
        )


async def terms_found(world: World, record: Record) -> int:
    """How many postings the record has, on the shelf where it should stand."""
    async with world.database.transaction(world.user.user_id) as conn:
        shelf = store.shelf_number(record.memory_kind, record.status)
        row = await (
            await conn.execute(
                "SELECT count(*) AS n FROM posting JOIN document USING (user_id, doc)"
                " WHERE record_id = %s AND posting.shelf = %s AND document.shelf = %s",
                [record.id, shelf, shelf],
            )
        ).fetchone()
    assert row is not None
    return int(row["n"])


async def test_record_and_table_have_the_same_columns(world: World, kind: MemoryKind) -> None:
    async with world.database.transaction(None) as conn:
        rows = await (
            await conn.execute(
                "SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
                [kind.table],
            )
        ).fetchall()
    table = {row["attname"]: row["attnotnull"] for row in rows}
    assert set(columns(RECORDS[kind])) == table.keys() - {"embedding"}
    for item in fields(RECORDS[kind]):
        optional = "None" in str(item.type)
        assert table[item.name] is not optional or (kind is MemoryKind.EPISODIC and item.name == "occurred_at")


async def test_inserted_memory_is_read_back_as_it_was(world: World, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind, keywords=["seaside"], tags=["home"], tree_path=["home", "north"]))
    found = await world.get(record)
    assert same(found, record)
    assert found.version == 1
    assert await terms_found(world, found) > 0


async def test_the_same_content_is_one_memory_with_both_sources(world: World, kind: MemoryKind) -> None:
    first, second = await world.message(), await world.message("again")
    record = await world.insert(world.sample(kind), first)
    twin = await world.insert(world.sample(kind), second)
    assert twin.id == record.id
    assert await listed(world, kind) == [await world.get(record)]
    assert await world.sources(record) == [first, second]


async def test_list_shows_newest_first_and_pages(world: World, kind: MemoryKind) -> None:
    made = (
        [await world.insert(replace(world.sample(kind, value=str(n)), summary=f"line {n}")) for n in range(3)]
        if (kind is MemoryKind.VAULT)
        else [await world.insert(world.sample(kind, summary=f"line {n}")) for n in range(3)]
    )
    assert [record.id for record in await listed(world, kind)] == [record.id for record in reversed(made)]
    assert [record.id for record in await listed(world, kind, limit=1, offset=1)] == [made[1].id]


async def test_list_filters_by_tags(world: World, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind, tags=["boat", "home"]))
    assert [found.id for found in await listed(world, kind, tags=["boat"])] == [record.id]
    assert await listed(world, kind, tags=["boat", "car"]) == []


async def test_update_corrects_in_place_and_raises_the_version(world: World, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind))
    updated = await world.editor.update(world.user.user_id, record.id, {"summary": other_value(record)})
    assert (updated.id, updated.version, updated.summary) == (record.id, 2, other_value(record))
    assert await terms_found(world, updated) > 0


async def test_update_of_an_old_version_is_refused_and_changes_nothing(world: World, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind))
    await world.editor.update(world.user.user_id, record.id, {"pinned": True})
    with pytest.raises(ConflictError):
        await world.editor.update(world.user.user_id, record.id, {"summary": "late"}, version=1)
    derived = await world.derive(record)
    with pytest.raises(ConflictError):
        async with world.database.transaction(world.user.user_id) as conn:
            await world.changes(conn).update(record, replace(record, summary="late"), derived)
    assert (await world.get(record)).summary == record.summary


async def test_update_refuses_unknown_and_guarded_columns(world: World, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind))
    for column in ("colour", "trust", "status", "content_hmac"):
        with pytest.raises(InputError, match=column):
            await world.editor.update(world.user.user_id, record.id, {column: 1})


async def test_update_hides_the_message_that_said_otherwise(world: World, kind: MemoryKind) -> None:
    message = await world.message()
    record = await world.insert(world.sample(kind), message)
    await world.editor.update(world.user.user_id, record.id, {"summary": other_value(record)})
    assert await world.standing(message) == "hidden"
    assert await world.sources(record) == []


async def test_supersede_keeps_the_old_value_in_the_past(world: World, kind: MemoryKind) -> None:
    said, said_later = await world.message(), await world.message("later")
    old = await world.insert(world.sample(kind), said)
    new = await world.supersede(old, later(old), said_later)
    past = await world.get(old)
    assert (past.status, past.superseded_by, past.valid_to) == ("superseded", new.id, new.valid_from)
    assert [record.id for record in await listed(world, kind)] == [new.id]
    assert (await world.standing(said), await world.standing(said_later)) == ("outdated", "current")
    assert await terms_found(world, past) > 0


async def test_an_older_value_that_arrives_late_never_wins(world: World, kind: MemoryKind) -> None:
    current = await world.insert(world.sample(kind, valid_from=MAY))
    old_message = await world.message("an old log")
    late = await world.supersede(current, later(current, days=-30), old_message)
    assert (await world.get(current)).status == "active"
    assert ((await world.get(late)).status, (await world.get(late)).superseded_by) == ("superseded", current.id)
    assert await world.standing(old_message) == "outdated"


async def test_what_is_told_later_wins_over_what_held_already_when_it_was_told(world: World, kind: MemoryKind) -> None:
    said = await world.message(at=MAY)
    said_later = await world.message("it changed last week", at=MAY + timedelta(minutes=1))
    old = await world.insert(world.sample(kind, valid_from=MAY), said)
    new = await world.supersede(old, later(old, days=-7), said_later)
    assert ((await world.get(old)).status, (await world.get(new)).status) == ("superseded", "active")
    assert [r.id for r in await listed(world, kind, as_of=MAY - timedelta(days=8))] == [old.id]
    assert [r.id for r in await listed(world, kind, as_of=MAY - timedelta(days=6))] == [new.id]
    await world.editor.undo(world.user.user_id, new.id)
    assert (await world.get(old)).valid_from == MAY


async def test_a_start_that_was_told_is_not_moved(world: World, kind: MemoryKind) -> None:
    said = await world.message(at=MAY)
    old = await world.insert(world.sample(kind, valid_from=MAY - timedelta(days=3)), said)
    new = await world.supersede(old, later(old, days=-7), await world.message(at=MAY + timedelta(minutes=1)))
    assert ((await world.get(old)).status, (await world.get(new)).status) == ("active", "superseded")


async def test_as_of_shows_what_held_at_that_time(world: World, kind: MemoryKind) -> None:
    old = await world.insert(world.sample(kind))
    new = await world.supersede(old, later(old))
    assert [r.id for r in await listed(world, kind, as_of=MAY + timedelta(days=1))] == [old.id]
    assert [r.id for r in await listed(world, kind, as_of=MAY + timedelta(days=8))] == [new.id]
    assert await listed(world, kind, as_of=MAY - timedelta(days=1)) == []


async def test_merge_folds_memories_and_keeps_all_sources(world: World, kind: MemoryKind) -> None:
    first, second = await world.message(), await world.message("more")
    one = await world.insert(world.sample(kind), first)
    two = await world.insert(later(world.sample(kind), days=1), second)
    if kind is MemoryKind.EPISODIC:
        two = await world.editor.update(world.user.user_id, two.id, {"occurred_at": MAY - timedelta(days=3)})
    merged = await world.merge([one, two], replace(later(one, days=2), summary="both in one", **_fresh(kind)))
    assert [record.id for record in await listed(world, kind)] == [merged.id]
    assert await world.sources(merged) == [first, second]
    assert {(await world.get(old)).superseded_by for old in (one, two)} == {merged.id}
    if kind is MemoryKind.EPISODIC:
        assert (await world.get(merged)).occurred_at == MAY - timedelta(days=3)
    assert await world.standing(first) == "current"


async def test_delete_archives_and_hides_the_message(world: World, kind: MemoryKind) -> None:
    message = await world.message()
    record = await world.insert(world.sample(kind), message)
    await world.editor.delete(world.user.user_id, record.id)
    assert await listed(world, kind) == []
    assert (await world.get(record)).status == "archived"
    assert await world.standing(message) == "hidden"
    with pytest.raises(NotFoundError):
        await world.editor.delete(world.user.user_id, record.id)


async def test_a_message_that_carries_another_memory_stays(world: World, kind: MemoryKind) -> None:
    message = await world.message()
    record = await world.insert(world.sample(kind), message)
    other = MemoryKind.SEMANTIC if kind is not MemoryKind.SEMANTIC else MemoryKind.PROCEDURAL
    await world.insert(world.sample(other), message)
    await world.editor.delete(world.user.user_id, record.id)
    assert await world.standing(message) == "current"


@pytest.mark.parametrize("verb", ["insert", "update", "supersede", "merge", "delete"])
async def test_undo_restores_rows_links_and_messages(world: World, kind: MemoryKind, verb: str) -> None:
    message = await world.message()
    record = await world.insert(world.sample(kind), message)
    user_id = world.user.user_id
    if verb == "update":
        await world.editor.update(user_id, record.id, {"summary": other_value(record)})
    elif verb == "supersede":
        await world.supersede(record, later(record))
    elif verb == "merge":
        await world.merge([record], replace(later(record), **_fresh(kind)))
    elif verb == "delete":
        await world.editor.delete(user_id, record.id)
    restored = await world.editor.undo(user_id, record.id)
    if verb == "insert":
        assert (await world.get(record)).status == "archived"
        return
    assert record.id in {one.id for one in restored}
    assert same(await world.get(record), record)
    assert [found.id for found in await listed(world, kind)] == [record.id]
    assert await world.standing(message) == "current"
    assert await world.sources(record) == [message]
    async with world.database.transaction(user_id) as conn:
        assert (await (await conn.execute("SELECT count(*) AS n FROM memory_link")).fetchone() or {})["n"] == 0


async def test_undo_waits_for_what_was_built_on_it(world: World, kind: MemoryKind) -> None:
    old = await world.insert(world.sample(kind))
    new = await world.supersede(old, later(old))
    await world.editor.update(world.user.user_id, new.id, {"pinned": True})
    with pytest.raises(ConflictError, match=str(new.id)):
        await world.editor.undo(world.user.user_id, old.id)
    await world.editor.undo(world.user.user_id, new.id)
    await world.editor.undo(world.user.user_id, old.id)
    assert same(await world.get(old), old)


async def test_history_tells_every_change_with_before_and_after(world: World, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind), actor="semantic_memory_manager")
    await world.editor.update(world.user.user_id, record.id, {"summary": other_value(record)})
    await world.editor.delete(world.user.user_id, record.id)
    await world.editor.undo(world.user.user_id, record.id)
    rows = await world.editor.history(world.user.user_id, record.id)
    assert [row["operation"] for row in rows] == ["insert", "update", "delete", "undo"]
    assert [row["actor"] for row in rows] == ["semantic_memory_manager", "user", "user", "user"]
    assert rows[0]["before"] is None
    assert (rows[1]["before"]["summary"], rows[1]["after"]["summary"]) == (record.summary, other_value(record))
    assert [row["undone_by"] is None for row in rows] == [True, True, False, True]


async def test_scopes_keep_agents_and_runs_apart(world: World, kind: MemoryKind) -> None:
    await world.insert(world.sample(kind, agent_id="helper", run_id="r1"))
    user_id = world.user.user_id
    assert len(await listed(world, kind, Scope(user_id=user_id, agent_id="helper"))) == 1
    assert len(await listed(world, kind, Scope(user_id=user_id))) == 1
    assert await listed(world, kind, Scope(user_id=user_id, agent_id="other")) == []
    assert await listed(world, kind, Scope(user_id=user_id, agent_id="helper", run_id="r2")) == []


async def test_shared_memories_are_seen_by_every_agent(world: World, kind: MemoryKind) -> None:
    await world.insert(world.sample(kind, agent_id="helper", visibility="shared"))
    assert len(await listed(world, kind, Scope(user_id=world.user.user_id, agent_id="other"))) == 1


async def test_users_do_not_see_each_other(world: World, database: Database, kind: MemoryKind) -> None:
    record = await world.insert(world.sample(kind))
    stranger = await database.ensure_user("boris", "UTC")
    async with database.transaction(stranger.user_id) as conn:
        rows = await (await conn.execute(f"SELECT id FROM {kind.table}")).fetchall()  # noqa: S608
        assert rows == []
        with pytest.raises(NotFoundError):
            await store.get(conn, stranger.user_id, record.id)
    async with database.transaction(None) as conn:
        assert await (await conn.execute(f"SELECT id FROM {kind.table}")).fetchall() == []  # noqa: S608


async def test_expired_memories_are_not_listed(world: World, kind: MemoryKind) -> None:
    await world.insert(world.sample(kind, expires_at=MAY))
    assert await listed(world, kind) == []


def _fresh(kind: MemoryKind) -> dict[str, Any]:
    """What has to be unique in a row of its own."""
    return {"reference": "yy88yy", "content_hmac": b"third"} if kind is MemoryKind.VAULT else {}
