"""The database as the rest of Mirix sees it: one pool, one way to open a transaction.

Every pooled connection gives up the owner's rights for those of `mirix_app` (no superuser, no BYPASSRLS, owner of
nothing), and `Database.transaction(user)` is the only place that hands out a connection: it names the user for row
level security, so a query that forgets its WHERE still sees that user's rows only, and without a user none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from mirix.config import Settings
from mirix.db.embedded import EmbeddedServer, open_embedded
from mirix.db.schema import migrate
from mirix.errors import ConfigError, DatabaseError, DatabaseUnavailable, InputError, NotFoundError, SchemaError

logger = logging.getLogger(__name__)

POOL_SIZE = 10
_BEGIN = sql.SQL("BEGIN; SELECT set_config('mirix.user_id', {user_id}, true)")
BEGIN_ATTEMPTS = POOL_SIZE + 2  # every connection of the pool may be a dead one
CONNECT_TIMEOUT_S = 10  # of one attempt to reach a server; a host that swallows packets would hold it for minutes


@dataclass(frozen=True, kw_only=True)
class User:
    """A user as the database knows them."""

    user_id: int  # short key that leads every other key
    name: str  # what the caller says, e.g. default
    timezone: str  # IANA name


class Database:
    """A pool over the embedded server or the one that MIRIX_DATABASE_URL names."""

    def __init__(self, conninfo: str, server: EmbeddedServer | None) -> None:
        self.conninfo = conninfo
        self._server = server
        self._pool: AsyncConnectionPool[AsyncConnection[dict[str, Any]]] = AsyncConnectionPool(
            conninfo,
            kwargs={"row_factory": dict_row, "autocommit": True},
            min_size=1,
            max_size=POOL_SIZE,
            timeout=30,
            open=False,
            configure=give_up_rights,
        )

    @classmethod
    async def open(cls, settings: Settings) -> Database:
        """Start or reach the server, bring the tables to the present, open the pool.

        Raises DatabaseUnavailable when there is no server to reach, SchemaError when it cannot be used.
        """
        server: EmbeddedServer | None = None
        if settings.database_url is None:
            server = await asyncio.to_thread(
                open_embedded, Path(settings.data_dir) / "postgres", idle_timeout_s=settings.idle_timeout_s
            )
            conninfo = owner = server.address.conninfo()
        else:
            conninfo = with_timeout(settings.database_url.get_secret_value(), "MIRIX_DATABASE_URL")
            admin = settings.database_admin_url
            owner = with_timeout(admin.get_secret_value(), "MIRIX_DATABASE_ADMIN_URL") if admin else conninfo
        try:
            database = cls(conninfo, server)
            try:
                await asyncio.to_thread(migrate, owner)
                await database._pool.open(wait=True, timeout=30)
            except BaseException:
                await database.close()
                raise
        except (psycopg.Error, PoolTimeout) as error:
            raise _not_opened(error, "embedded" if server else "MIRIX_DATABASE_URL") from None
        return database

    async def close(self) -> None:
        await self._pool.close()
        if self._server:
            await asyncio.to_thread(self._server.close)

    @asynccontextmanager
    async def transaction(self, user_id: int | None) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
        """A connection inside a transaction that sees the rows of `user_id`; None sees no row at all.

        Raises DatabaseUnavailable when the connection is lost or the disk is full, InputError for a value that the
        tables cannot hold; nothing of the transaction is then applied.
        """
        try:
            async with AsyncExitStack() as stack:
                conn = await self._begin(user_id)
                stack.push_async_callback(self._pool.putconn, conn)
                async with _ended(conn):
                    yield conn
        except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
            raise DatabaseUnavailable(
                f"the database has no room left: {_reason(error)}; free some space and try again"
            ) from error
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise DatabaseUnavailable(f"the database cannot be reached: {_reason(error)}; try again") from error
        except (psycopg.DataError, psycopg.errors.CheckViolation) as error:
            raise InputError(f"this cannot be stored: {_reason(error)}; nothing was changed") from error
        except UnicodeEncodeError as error:
            raise InputError("a text with half of a surrogate pair cannot be stored or looked for") from error

    async def _begin(self, user_id: int | None) -> AsyncConnection[dict[str, Any]]:
        """A connection in a transaction of a user, by one round trip. One that turns out to be dead is replaced: when a
        server is killed, some of its connections live on for a moment."""
        for attempt in range(BEGIN_ATTEMPTS):
            conn = await self._connection()
            try:
                await conn.execute(_BEGIN.format(user_id=sql.Literal(str(user_id or ""))))
            except BaseException as error:
                await conn.close()
                await self._pool.putconn(conn)
                if attempt == BEGIN_ATTEMPTS - 1 or not isinstance(error, psycopg.OperationalError):
                    raise
                if self._server is not None:
                    await asyncio.to_thread(self._server.heal)
            else:
                return conn
        raise AssertionError("unreachable")

    async def _connection(self) -> AsyncConnection[dict[str, Any]]:
        """A living connection; an embedded server that died is started again."""
        if self._server is None:
            return await self._pool.getconn()
        try:
            return await self._pool.getconn(timeout=2)
        except (psycopg.OperationalError, PoolTimeout):
            await asyncio.to_thread(self._server.heal)
            return await self._pool.getconn()

    async def find_user(self, name: str) -> User | None:
        async with self.transaction(None) as conn:
            row = await (await conn.execute("SELECT * FROM find_user(%s)", [name])).fetchone()
        return User(name=name, **row) if row else None

    async def get_user(self, user_id: int) -> User:
        """The user with a key. Raises NotFoundError."""
        async with self.transaction(user_id) as conn:
            cursor = await conn.execute("SELECT user_id, name, timezone FROM app_user WHERE user_id = %s", [user_id])
            row = await cursor.fetchone()
        if row is None:
            raise NotFoundError(f"no user has the key {user_id}")
        return User(**row)

    async def ensure_user(self, name: str, timezone: str) -> User:
        """The user of that name, made at first use; `timezone` counts only then."""
        found = await self.find_user(name)
        if found:
            return found
        async with self.transaction(None) as conn:
            row = await (await conn.execute("SELECT * FROM ensure_user(%s, %s)", [name, timezone])).fetchone()
        assert row is not None
        return User(name=name, **row)


@asynccontextmanager
async def _ended(conn: AsyncConnection[dict[str, Any]]) -> AsyncIterator[None]:
    """Commits what was begun, or takes it back."""
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):  # of a connection that is lost nothing stays
            await conn.rollback()
        raise
    await conn.commit()


async def give_up_rights(conn: AsyncConnection[dict[str, Any]]) -> None:
    await conn.execute("SET ROLE mirix_app")
    row = await (
        await conn.execute("SELECT rolsuper OR rolbypassrls AS mighty FROM pg_roles WHERE rolname = current_user")
    ).fetchone()
    if row is None or row["mighty"]:
        raise SchemaError(
            "the role mirix_app is a superuser or may bypass row level security: alter it, Mirix will not run so"
        )
    await conn.execute("SET hnsw.iterative_scan = relaxed_order")
    await register_vector_async(conn)


def with_timeout(url: str, setting: str) -> str:
    """The connection string with a limit of time for each attempt. Raises ConfigError when it is none."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:  # its words would repeat the URL, which may hold a password
        raise ConfigError(
            f"{setting} is no connection string: write postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        ) from None
    return make_conninfo(url, connect_timeout=given.get("connect_timeout", CONNECT_TIMEOUT_S))


def _not_opened(error: Exception, which: str) -> DatabaseError:
    """What to tell of a database that cannot be opened."""
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        if which == "embedded":
            return DatabaseUnavailable(f"the embedded database cannot be reached: {_reason(error)}; try again")
        return DatabaseUnavailable(f"the database cannot be reached: {_reason(error)}. Check {which}")
    return SchemaError(f"the database of {which} cannot be used: {_reason(error)}")


def _reason(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
