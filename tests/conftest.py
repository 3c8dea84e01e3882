"""A real PostgreSQL with pgvector for every test that touches data: one server for the run, emptied between tests.

No database means failure, never a skip.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from mirix.config import Settings
from mirix.db.embedded import EmbeddedServer, open_embedded
from mirix.db.pool import Database, User
from mirix.db.schema import migrate
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Indexer
from mirix.models.embed import make_embedder

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
hypothesis.settings.register_profile("mirix", deadline=None)  # other work on the machine is no error
hypothesis.settings.load_profile("mirix")


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """One embedded server, without the safety of fsync, in a folder that the server's account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="mirix-test-"))
    folder.chmod(0o711)
    try:
        unsafe = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        with open_embedded(folder, idle_timeout_s=1, settings=unsafe) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def owner_url(server: EmbeddedServer) -> str:
    """The URL of a migrated database, as its owner."""
    base = server.address.conninfo()
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("CREATE DATABASE test")
    url = make_conninfo(base, dbname="test")
    migrate(url)
    return url


# Deleting the few rows of a test takes a seventh of the time of TRUNCATE, which makes every table and index anew.
_EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no foreign key is checked
    FOR name IN
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname NOT IN ('schema_version', 'memory_record')
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(seqrelid::regclass, 1, false) FROM pg_sequence;
END $$
"""


@pytest.fixture
def empty(owner_url: str) -> None:
    """All tables without a row."""
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute(_EMPTY)


@pytest.fixture
def settings(owner_url: str, tmp_path: Path) -> Settings:
    """Settings that reach the test database and nothing outside the test's own folder."""
    return Settings(
        data_dir=tmp_path,
        database_url=SecretStr(owner_url),
        embedding_model="hash",
        keyring="file",
        timezone="Europe/Oslo",
    )


@pytest.fixture(scope="session")
async def shared_pool(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    database = await Database.open(
        Settings(data_dir=tmp_path_factory.mktemp("data"), database_url=SecretStr(owner_url), keyring="file")
    )
    yield database
    await database.close()


@pytest.fixture
async def database(shared_pool: Database, empty: None) -> Database:
    """A pool over the empty test database."""
    return shared_pool


@pytest.fixture
async def user(database: Database) -> User:
    return await database.ensure_user("anna", "Europe/Oslo")


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.from_config(tmp_path / "key", use_os_keyring=False)


@pytest.fixture
def indexer(tmp_path: Path, keyring: Keyring) -> Indexer:
    """An indexer whose vectors are hashed words: no weights to load."""
    return Indexer(make_embedder("hash", cache_dir=tmp_path), lambda user_id, text: keyring.digest(user_id, text))


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    """The environment of somebody who has just arrived: an empty data folder and no settings of ours."""
    folder = Path(tempfile.mkdtemp(prefix="mirix-home-"))
    folder.chmod(0o711)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIRIX_", "OPENAI_", "LANG"))}
    yield kept | {
        "MIRIX_DATA_DIR": str(folder / "data"),
        "MIRIX_IDLE_TIMEOUT_S": "1",
        "MIRIX_KEYRING": "file",
        "PYTHONWARNINGS": "default",
    }
    shutil.rmtree(folder, ignore_errors=True)
