"""Brings a database to the present: numbered migrations under an advisory lock, then a check of what is there.

`schemas/*.sql` with `system.sql` and `security.sql` say what is; `migrations/NNNN_what.sql` say how we got here. A test
builds both ways and finds no difference. Each migration runs in one transaction with its row in `schema_version`.
"""

from __future__ import annotations

import logging
import re
from importlib.resources import files

import psycopg
from psycopg import sql

from mirix.errors import SchemaError

logger = logging.getLogger(__name__)

MIN_POSTGRES = 150000
MIN_VECTOR = (0, 8)
MEMORY_SCHEMAS = (
    "record",
    "core_memory",
    "episodic_memory",
    "semantic_memory",
    "procedural_memory",
    "resource_memory",
    "knowledge_vault",
)
_LOCK = 7_234_011_902  # any number: one for all processes that migrate


def script(text: str) -> sql.SQL:
    """A whole file of ours as one statement list."""
    return sql.SQL(text)


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, text) of each migration, in order."""
    found = []
    for entry in files("mirix.db").joinpath("migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name)
        if match:
            found.append((int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return sorted(found)


def migrate(conninfo: str) -> int:
    """Apply what is missing, as the owner. Returns how many migrations ran.

    Raises SchemaError when the server is too old, pgvector is missing or too old, a right is missing, or the database
    is newer than this Mirix.
    """
    with psycopg.connect(conninfo, autocommit=True) as conn:
        _check_server(conn)
        known = migrations()
        if _version(conn) == known[-1][0] and _has_jobs(conn):
            return 0
        conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            return _apply(conn, known)
        except psycopg.errors.InsufficientPrivilege as error:
            raise SchemaError(
                f"the database role lacks a right: {error.diag.message_primary}. Name an owner's URL in "
                "MIRIX_DATABASE_ADMIN_URL, or let an administrator run: CREATE EXTENSION vector; "
                "CREATE ROLE mirix_app; GRANT mirix_app TO <your role> WITH ADMIN OPTION"
            ) from error
        finally:
            conn.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _apply(conn: psycopg.Connection, known: list[tuple[int, str, str]]) -> int:
    current = _version(conn)
    if current > known[-1][0]:
        raise SchemaError(
            f"the database is at version {current}, this Mirix knows {known[-1][0]}: upgrade mirix-memory "
            "(nothing was changed)"
        )
    todo = [item for item in known if item[0] > current]
    for number, name, text in todo:
        with conn.transaction():
            conn.execute(script(text))
            conn.execute("INSERT INTO schema_version (version, name) VALUES (%s, %s)", [number, name])
        logger.info("migrated", extra={"action": "migrated", "version": number, "migration": name})
    _install_jobs(conn)
    return len(todo)


def _has_jobs(conn: psycopg.Connection) -> bool:
    return conn.execute("SELECT to_regclass('public.procrastinate_jobs') IS NOT NULL").fetchone() == (True,)


def _install_jobs(conn: psycopg.Connection) -> None:
    """The tables of the job queue, from its own package; the application role may use them."""
    if _has_jobs(conn):
        return
    from procrastinate.schema import SchemaManager

    with conn.transaction():
        conn.execute(script(SchemaManager.get_schema()))
        conn.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events, procrastinate_workers,"
            " procrastinate_periodic_defers TO mirix_app"
        )
        conn.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mirix_app")


def _version(conn: psycopg.Connection) -> int:
    if conn.execute("SELECT to_regclass('public.schema_version') IS NOT NULL").fetchone() != (True,):
        return 0
    row = conn.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    assert row is not None
    return int(row[0])


def _check_server(conn: psycopg.Connection) -> None:
    if conn.info.server_version < MIN_POSTGRES:
        raise SchemaError(f"this Postgres is version {conn.info.server_version // 10000}: Mirix needs 15 or newer")
    row = conn.execute(
        "SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'),"
        " (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'))"
    ).fetchone()
    version = row[0] if row else None
    if version is None:
        raise SchemaError("this Postgres has no pgvector: install pgvector 0.8 or newer on the server")
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_VECTOR:
        raise SchemaError(
            f"pgvector {version} is too old: Mirix needs 0.8 or newer; then run ALTER EXTENSION vector UPDATE"
        )
