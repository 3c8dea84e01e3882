"""The client's side of the embedded Postgres: find the server of a data folder, or have one started.

    open_embedded(data_dir) -> EmbeddedServer (address)  -> the pool connects to it
         │ behind the gate
         ├─ a keeper is alive and the server answers: done (some ms)
         └─ else plan it (mirix.db.placement) and start a keeper (mirix.db.keeper, which tells how the locks work)

A client holds its share of one lock for as long as it uses the server; the server stops some time after the last one
let go or died. When connections fail, `heal()` looks after the server and returns when it answers again.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from mirix.db import keeper
from mirix.db.keeper import DATABASE, USER, FileLock, Pulse
from mirix.db.placement import Place, plan_server, prepare_data_dir, read_password
from mirix.errors import ConfigError, DatabaseUnavailable

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Address:
    """How to reach a server."""

    host: str  # folder of the Unix socket, or a host name
    port: int
    user: str = USER
    dbname: str = DATABASE
    password: str | None = dataclasses.field(default=None, repr=False)  # None: the folder's mode is the protection

    def conninfo(self) -> str:
        """A libpq connection string."""
        from psycopg.conninfo import make_conninfo

        return make_conninfo(host=self.host, port=self.port, user=self.user, dbname=self.dbname, password=self.password)


class EmbeddedServer:
    """One client's hold on the server of a data folder; a context manager, made by `open_embedded`."""

    address: Address
    cold: bool  # the database was made for this call
    start_seconds: float  # what `open_embedded` took

    def __init__(
        self, data_dir: Path, *, idle_timeout_s: float, startup_timeout_s: float, settings: Mapping[str, str]
    ) -> None:
        self._data_dir = data_dir
        self._idle_timeout_s = idle_timeout_s
        self._startup_timeout_s = startup_timeout_s
        self._settings = settings
        self._share = FileLock(data_dir / "locks" / "clients")
        begin = time.monotonic()
        try:
            self.cold = self._attach()
        except BaseException:
            self.close()
            raise
        self.start_seconds = time.monotonic() - begin

    def heal(self) -> Address:
        """Return as soon as the server answers, which is at once when nothing is wrong.

        A server that died is started again (after a kill -9 that includes crash recovery); all connections to it are
        gone. Raises DatabaseUnavailable, ConfigError; ValueError after `close`.
        """
        if self._share.fd is None:
            raise ValueError("this hold on the embedded server is closed")
        self._attach()
        return self.address

    def close(self) -> None:
        """Let go of the server; it stops when nobody uses it any more. May be called again."""
        self._share.release()

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attach(self) -> bool:
        """Behind the gate: take a share and see to it that the server answers. True: the database was made for us."""
        deadline = time.monotonic() + self._startup_timeout_s
        locks = self._data_dir / "locks"
        gate, keeper_lock = FileLock(locks / "gate"), FileLock(locks / "keeper")
        cold = False
        try:
            if not gate.acquire(deadline=deadline):
                raise self._too_slow("another process is still starting or stopping it")
            if self._share.fd is None:
                self._share.acquire(shared=True, deadline=deadline)
            while True:
                if keeper_lock.is_free():
                    cold = self._start_keeper(deadline) or cold
                if self._is_up():
                    return cold
                if time.monotonic() > deadline:
                    raise self._too_slow("its keeper is alive, but the server does not answer")
                time.sleep(0.02)
        except OSError as error:
            raise ConfigError(f"cannot use the locks in {locks}: {error}") from error
        finally:
            gate.release()

    def _is_up(self) -> bool:
        place = Place.read(self._data_dir)
        if place is None or keeper.feel_pulse(place.host, place.port) is not Pulse.UP:
            return False
        self.address = Address(host=place.host, port=place.port, password=read_password(self._data_dir))
        return True

    def _start_keeper(self, deadline: float) -> bool:
        """Start a keeper and wait for its answer. True: it had to make the database."""
        plan = plan_server(self._data_dir, idle_timeout_s=self._idle_timeout_s, settings=self._settings)
        command = [sys.executable, "-I", "-S", keeper.__file__, json.dumps(dataclasses.asdict(plan))]
        begin = time.monotonic()
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                answer, _ = process.communicate(timeout=max(0.1, deadline - begin))
            except subprocess.TimeoutExpired as error:
                raise self._too_slow("it may be recovering from a crash, and goes on doing so") from error
        if answer not in ("cold", "warm"):
            raise DatabaseUnavailable(
                f"the embedded Postgres of {self._data_dir} cannot be started: {answer.removeprefix('error ').strip()}"
            )
        seconds = round(time.monotonic() - begin, 3)
        logger.info("embedded server started", extra={"action": "server_started", "how": answer, "seconds": seconds})
        return answer == "cold"

    def _too_slow(self, why: str) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"the embedded Postgres of {self._data_dir} did not answer within {self._startup_timeout_s:g} s: {why}; "
            f"try again, and see {self._data_dir / 'server.log'}"
        )


def open_embedded(
    data_dir: Path,
    *,
    idle_timeout_s: float = 60.0,
    startup_timeout_s: float = 60.0,
    settings: Mapping[str, str] | None = None,
) -> EmbeddedServer:
    """Use the embedded Postgres of `data_dir`, starting it (and making its database) when that is needed.

    Processes with the same data folder share one server. `idle_timeout_s`: how long it stays after the last of them is
    gone; `settings`: Postgres settings over ours; of both, those of the client that starts the server count.

    Raises ConfigError (data folder, account or binaries cannot be used), DatabaseUnavailable (does not start; the log's
    last lines are quoted).
    """
    data_dir = data_dir.expanduser().resolve()
    prepare_data_dir(data_dir)
    return EmbeddedServer(
        data_dir, idle_timeout_s=idle_timeout_s, startup_timeout_s=startup_timeout_s, settings=settings or {}
    )
