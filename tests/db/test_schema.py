"""The database: built alike from files and migrations, closed to whoever names no user, and told plainly when unfit."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from mirix.db.embedded import EmbeddedServer
from mirix.db.pool import Database, User
from mirix.db.schema import MEMORY_SCHEMAS, migrate, migrations, script
from mirix.errors import DatabaseUnavailable, SchemaError
from mirix.resources import schemas_dir

# Everything that makes a schema, in words: columns, constraints, indexes, policies, rights, functions, comments.
_PICTURE = """
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
       || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text
       || ' ' || coalesce(col_description(c.oid, a.attnum), '')
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || ' ' || roles::text || coalesce(qual, '')
       || coalesce(with_check, '')
FROM pg_policies
UNION ALL SELECT 'table ' || relname || ' ' || relrowsecurity || ' ' || coalesce(relacl::text, '')
       || coalesce(reloptions::text, '')
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
UNION ALL SELECT 'function ' || proname || ' ' || prosrc || prosecdef || coalesce(proacl::text, '') FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')
ORDER BY 1
"""


@pytest.fixture
def fresh_urls(server: EmbeddedServer) -> Iterator[list[str]]:
    """Two empty databases."""
    base = server.address.conninfo()
    names = ["built_from_files", "built_by_migrations"]
    with psycopg.connect(base, autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield [make_conninfo(base, dbname=name) for name in names]
    with psycopg.connect(base, autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def picture(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute(script(_PICTURE)).fetchall() if "procrastinate" not in row[0]]


def test_schema_files_and_migrations_build_the_same_database(fresh_urls: list[str]) -> None:
    from_files, by_migrations = fresh_urls
    with psycopg.connect(from_files) as conn:
        conn.execute("CREATE EXTENSION vector")
        conn.execute(script(files("mirix.db").joinpath("system.sql").read_text()))
        for name in MEMORY_SCHEMAS:
            conn.execute(script((schemas_dir() / f"{name}.sql").read_text()))
        conn.execute(script(files("mirix.db").joinpath("security.sql").read_text()))
    migrate(by_migrations)
    expected = [line for line in picture(by_migrations) if "wake_worker" not in line]
    assert [line for line in picture(from_files) if "wake_worker" not in line] == expected
    assert len(expected) > 300


def test_migrating_again_changes_nothing(owner_url: str) -> None:
    assert migrate(owner_url) == 0


def test_a_newer_database_is_left_alone(fresh_urls: list[str]) -> None:
    url = fresh_urls[0]
    migrate(url)
    newest = migrations()[-1][0]
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO schema_version VALUES (%s, 'from the future')", [newest + 1])
    with pytest.raises(SchemaError, match="upgrade mirix-memory"):
        migrate(url)


def test_every_column_of_every_table_has_a_comment_on_the_memories(owner_url: str) -> None:
    with psycopg.connect(owner_url) as conn:
        rows = conn.execute(
            "SELECT c.relname || '.' || a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid"
            " WHERE a.attnum > 0 AND c.relname = ANY (%s) AND col_description(c.oid, a.attnum) IS NULL",
            [["memory_record", *MEMORY_SCHEMAS[1:]]],
        ).fetchall()
    assert rows == []


async def test_a_query_without_the_user_set_sees_nothing(database: Database, user: User, owner_url: str) -> None:
    with psycopg.connect(owner_url) as conn:
        tables = [
            name
            for (name,) in conn.execute(
                "SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid"
                " WHERE a.attname = 'user_id' AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
                " AND c.relname <> 'memory_record'"
            ).fetchall()
        ]
        conn.execute(
            "INSERT INTO conversation SELECT user_id, gen_random_uuid(), 'chat' FROM app_user WHERE name = %s",
            [user.name],
        )
    assert {"message", "posting", "knowledge_vault", "app_user", "memory_history"} <= set(tables)
    everything = {name: sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(name)) for name in tables}
    async with database.transaction(None) as conn_without:
        for name, query in everything.items():
            assert await (await conn_without.execute(query)).fetchone() == {"n": 0}, name
    async with database.transaction(user.user_id) as conn_with:
        assert await (await conn_with.execute(everything["conversation"])).fetchone() == {"n": 1}
    async with database.transaction(user.user_id + 1) as conn_other:
        assert await (await conn_other.execute(everything["conversation"])).fetchone() == {"n": 0}


async def test_nobody_writes_rows_of_somebody_else(database: Database, user: User) -> None:
    stranger = await database.ensure_user("boris", "UTC")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(user.user_id) as conn:
            await conn.execute("INSERT INTO conversation VALUES (%s, gen_random_uuid(), 'planted')", [stranger.user_id])


async def test_the_pool_runs_without_the_owners_rights(database: Database, user: User) -> None:
    async with database.transaction(user.user_id) as conn:
        row = await (await conn.execute("SELECT current_user AS who")).fetchone()
        assert row == {"who": "mirix_app"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(user.user_id) as conn:
            await conn.execute("ALTER TABLE message DISABLE ROW LEVEL SECURITY")


async def test_the_user_does_not_leak_into_the_next_transaction(database: Database, user: User) -> None:
    async with database.transaction(user.user_id):
        pass
    async with database.transaction(None) as conn:
        row = await (await conn.execute("SELECT count(*) AS n FROM app_user")).fetchone()
    assert row == {"n": 0}


async def test_an_unreachable_database_is_told_plainly(database: Database) -> None:
    from mirix.config import load_settings

    with pytest.raises(DatabaseUnavailable, match="MIRIX_DATABASE_URL"):
        await Database.open(load_settings(database_url="postgresql://nobody@127.0.0.1:1/none"))
