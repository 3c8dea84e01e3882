"""The keeper: the small process that starts the embedded Postgres, watches over it and stops it when nobody is left.

`mirix.db.placement` decides where the server lives, `mirix.db.embedded` (the client) starts this file with a plan and
waits for its one-line answer. It imports the standard library alone and is run by path, isolated (`python -I -S`), so
that it starts in some 20 ms and does not depend on how or where Mirix is installed.

Who is alive is never read from a pid file but from locks of the operating system, which are freed even at kill -9:

    locks/gate     exclusive: a client while it attaches; the keeper while it decides to stop and stops
    locks/clients  shared: every client for as long as it uses the server
    locks/keeper   exclusive: the keeper for life (its pid is written inside, for people)
    server.lock    beside the cluster: inherited by the postmaster and all its children, so it is held exactly as
                   long as any process of the cluster lives. Whoever gets it knows that a `postmaster.pid` is stale.

Order: gate before clients. A client takes its share of `clients` behind the gate, and the keeper stops only if it gets
the gate and then `clients` for itself; so a client either arrives before the decision, and the keeper stays, or waits
at the gate until the server is down and starts a new one. Only a client behind the gate starts a keeper, so N
processes at once end in one server.

When the postmaster dies, the keeper starts it again while there are clients. When the keeper itself is killed, Linux
sends the postmaster SIGINT, a fast shutdown (PR_SET_PDEATHSIG); elsewhere it goes on serving, and the keeper that the
next client starts adopts it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

USER = DATABASE = "mirix"
_LOG_LIMIT_BYTES = 10_000_000
_STOP_TIMEOUT_S = 60.0
_ORPHAN_GRACE_S = 2.0  # so long may a server without a keeper still be on its way down before it is adopted
_ORPHAN_TIMEOUT_S = 30.0  # the longest wait for the processes of a killed postmaster to end


class KeeperError(Exception):
    """Why there is no server, in words for the user."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """All a keeper has to know; `mirix.db.placement` makes it."""

    locks: str  # folder of gate, clients and keeper
    log: str
    bin: str  # folder of initdb, postgres and pg_ctl
    home: str  # folder of the cluster; belongs to the account that runs the server
    host: str  # folder of the socket, or 127.0.0.1 where there are no Unix sockets
    port: int
    password_file: str | None  # only with TCP
    uid: int | None  # None: the server runs as whoever runs the keeper
    gid: int | None
    idle_timeout_s: float
    settings: dict[str, str]

    @property
    def cluster(self) -> Path:
        return Path(self.home) / "cluster"


class FileLock:
    """One lock on one file, freed by the system when its process ends. The file itself is never deleted by us."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fd: int | None = None

    def acquire(self, *, shared: bool = False, deadline: float | None = None) -> bool:
        """True once the lock is held; gives up at `deadline` (`time.monotonic()`; None: after one try)."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        while not _lock(fd, shared):
            if deadline is None or time.monotonic() >= deadline:
                os.close(fd)
                return False
            time.sleep(0.01)
        self.fd = fd
        return True

    def release(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def is_free(self) -> bool:
        """Whether nobody holds it at this moment, in either way."""
        taken = self.acquire()
        self.release()
        return taken


if sys.platform == "win32":
    import msvcrt

    _LOCK_AT, _PLACES = 1 << 30, 1024  # far behind what is written in the file: a locked region cannot be read

    def _lock(fd: int, shared: bool) -> bool:
        # There are only exclusive locks here: a share is any one of the places, all of them is the whole lock.
        places = [(_LOCK_AT + i, 1) for i in range(_PLACES)] if shared else [(_LOCK_AT, _PLACES)]
        for start, length in places:
            os.lseek(fd, start, os.SEEK_SET)
            with contextlib.suppress(OSError):
                msvcrt.locking(fd, msvcrt.LK_NBLCK, length)
                return True
        return False

else:
    import fcntl

    def _lock(fd: int, shared: bool) -> bool:
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Pulse(enum.Enum):
    UP = "up"
    BUSY = "busy"  # a postmaster is there, but starting, recovering or shutting down
    DOWN = "down"


def feel_pulse(host: str, port: int, timeout_s: float = 2.0) -> Pulse:
    """Ask the server itself: send the first packet of the protocol and look at the answer.

    That the socket takes a connection is not enough: it does so during recovery and shutdown as well.
    """
    words = b"\0\x03\0\0user\0%b\0database\0%b\0\0" % (USER.encode(), DATABASE.encode())
    try:
        with _connect(host, port, timeout_s) as connection:
            connection.sendall((len(words) + 4).to_bytes(4, "big") + words)
            reply = connection.recv(4096)
            if reply.startswith(b"R"):
                connection.sendall(b"X\0\0\0\4")
    except TimeoutError:
        return Pulse.BUSY
    except OSError:
        return Pulse.DOWN
    if not reply:
        return Pulse.DOWN
    return Pulse.BUSY if b"C57P03\0" in reply else Pulse.UP  # 57P03: cannot_connect_now


def _connect(host: str, port: int, timeout_s: float) -> socket.socket:
    if sys.platform == "win32" or not Path(host).is_absolute():
        return socket.create_connection((host, port), timeout_s)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout_s)
    try:
        connection.connect(str(socket_file(host, port)))
    except OSError:
        connection.close()
        raise
    return connection


def socket_file(host: str, port: int) -> Path:
    return Path(host) / f".s.PGSQL.{port}"


class Server:
    """The postmaster of one plan: our child, or adopted from a keeper that was killed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Return as soon as the server answers. Raises KeeperError when it will not."""
        while self._child is None:
            lock = self._await_orphan()
            if lock is not None:
                self._spawn(lock)
            elif self._answers():
                return
        if not self._answers():
            raise KeeperError(f"the embedded Postgres did not start: {self._last_words()}")

    def _answers(self) -> bool:
        """Wait until the server answers, for as long as it lives: recovery after a crash may take its time."""
        while (pulse := self.pulse()) is not Pulse.UP:
            if pulse is Pulse.DOWN and (self._child is None or self._child.poll() is not None):
                return False
            time.sleep(0.01)
        return True

    def pulse(self) -> Pulse:
        return feel_pulse(self._plan.host, self._plan.port)

    def is_alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self.pulse() is not Pulse.DOWN

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the server lives."""
        if self._child is None:
            time.sleep(seconds)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(seconds)

    def stop(self) -> None:
        """Fast shutdown: open connections are cut, committed work is written out. Harder when that takes too long."""
        if self._child is None or sys.platform == "win32":
            # pg_ctl believes postmaster.pid, which is safe here: the server was seen alive. It runs as the account
            # of the server, so that a forged pid could not make it signal more than that account may.
            _run(self._plan, "pg_ctl", "stop", "-m", "fast", "-t", str(int(_STOP_TIMEOUT_S)), "-D", self._plan.cluster)
        else:
            for sign, patience_s in ((signal.SIGINT, _STOP_TIMEOUT_S), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
                self._child.send_signal(sign)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.wait(patience_s)
                    break

    def _await_orphan(self) -> FileLock | None:
        """Take the lock of the server and return it, or find that one lives that no keeper owns (None: adopt it)."""
        lock = FileLock(Path(self._plan.home) / "server.lock")
        begin = up_since = time.monotonic()
        while not lock.acquire():
            now = time.monotonic()
            if self.pulse() is not Pulse.UP:
                up_since = now
            if now - up_since > _ORPHAN_GRACE_S:
                return None
            if now - begin > _ORPHAN_TIMEOUT_S:
                raise KeeperError(f"processes of an earlier server still use {self._plan.cluster} and do not answer")
            time.sleep(0.02)
        if sys.platform == "win32" and self.pulse() is Pulse.UP:  # children cannot inherit a lock there
            lock.release()
            return None
        return lock

    def _spawn(self, lock: FileLock) -> None:
        """Start the postmaster and leave the lock to it: our own hold on it ends here."""
        plan, fd = self._plan, lock.fd
        assert fd is not None
        if sys.platform != "win32":
            # We hold the lock, so nobody runs here; a living process by the number in these files is another one.
            own = socket_file(plan.host, plan.port)
            for stale in (plan.cluster / "postmaster.pid", own, own.with_name(own.name + ".lock")):
                stale.unlink(missing_ok=True)
        log = _open_log(plan)
        self._log_start = os.fstat(log).st_size
        options = [word for name, value in plan.settings.items() for word in ("-c", f"{name}={value}")]
        try:
            self._child = subprocess.Popen(
                [Path(plan.bin) / "postgres", "-D", plan.cluster, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if sys.platform == "win32" else (fd,),
                preexec_fn=_tie_to_keeper(),
                **_as_account(plan),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise KeeperError(f"cannot run {Path(plan.bin) / 'postgres'}: {error}") from error
        finally:
            os.close(log)
            lock.release()

    def _last_words(self) -> str:
        with Path(self._plan.log).open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").split("\n")
        tail = " | ".join(line for line in lines if line.strip())[-1500:]
        return f"{tail or 'it left no words'} (log: {self._plan.log})"


def _tie_to_keeper() -> Any:
    """What the child does before it becomes Postgres: ask for SIGINT when the keeper dies. None where there is no way.

    Popen calls it after the change of account, which would undo the request.
    """
    if sys.platform != "linux":
        return None
    import ctypes

    set_process_option = ctypes.CDLL(None).prctl
    keeper = os.getpid()

    def ask() -> None:
        set_process_option(1, int(signal.SIGINT), 0, 0, 0)  # 1: PR_SET_PDEATHSIG
        if os.getppid() != keeper:  # it died before we could ask
            os._exit(1)

    return ask


def _as_account(plan: Plan) -> dict[str, Any]:
    """Popen's arguments for a program of Postgres: its account, and nothing of our environment (which has API keys)."""
    if sys.platform == "win32":
        return {}
    common: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}}
    if plan.uid is None:
        return common
    return common | {"user": plan.uid, "group": plan.gid, "extra_groups": []}


def _run(plan: Plan, program: str, *arguments: str | Path, words: str = "") -> str:
    """Run a program of Postgres to its end; returns what it said on stderr, or raises KeeperError with it."""
    try:
        done = subprocess.run(
            [Path(plan.bin) / program, *arguments],
            input=words.encode(),
            capture_output=True,
            timeout=300,
            check=False,
            **_as_account(plan),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KeeperError(f"cannot run {program}: {error}") from error
    said: str = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0:
        raise KeeperError(f"{program} failed ({done.returncode}): {said[-1500:]}")
    return said


def make_cluster(plan: Plan) -> None:
    """initdb under another name, create the database, then rename: half a cluster is never taken for a whole one."""
    draft = Path(plan.home) / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    access = (
        ["--auth-local=trust", "--auth-host=reject"]  # the socket's folder lets nobody else in, and TCP is off
        if plan.password_file is None
        else ["--auth=scram-sha-256", f"--pwfile={plan.password_file}"]
    )
    common: list[str | Path] = [
        "-D",
        draft,
        "-U",
        USER,
        "--encoding=UTF8",
        "--data-checksums",
        "--no-sync",
        "--no-instructions",
        *access,
    ]
    try:
        try:
            _run(plan, "initdb", *common, "--locale=C.UTF-8")
        except KeeperError as error:
            if "locale" not in str(error):
                raise
            # A system without C.UTF-8: Postgres has one of its own.
            _run(plan, "initdb", *common, "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        said = _run(plan, "postgres", "--single", "-F", "-D", draft, "postgres", words=f"CREATE DATABASE {DATABASE}\n")
        if "ERROR:" in said:
            raise KeeperError(f"cannot create the database: {said[-1500:]}")
        draft.rename(plan.cluster)
    except KeeperError:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def keep(plan: Plan) -> None:
    """Live as a keeper: start, answer the client, watch, restart, stop. Raises KeeperError when there is no server."""
    lock = FileLock(Path(plan.locks) / "keeper")
    if not lock.acquire(deadline=time.monotonic() + 10):
        raise KeeperError(f"another keeper holds {plan.locks}")
    assert lock.fd is not None
    os.truncate(lock.fd, 0)
    os.write(lock.fd, str(os.getpid()).encode())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _rotate(Path(plan.log))
    try:
        cold = not plan.cluster.exists()
        if cold:
            make_cluster(plan)
        _serve(plan, lock.fd, cold)
    finally:
        # Leave nothing in the folder for temporary files. No client makes it again before our lock is free.
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                Path(plan.host).rmdir()


def _serve(plan: Plan, lock_fd: int, cold: bool) -> None:
    deaths: list[float] = []
    while True:
        server = Server(plan)
        try:
            server.start()
            _answer(plan, "cold" if cold else "warm")
            if cold and plan.settings.get("fsync") != "off":
                # initdb did not wait for the disk, so that the first start is quick; make up for it behind the answer.
                with contextlib.suppress(KeeperError):
                    _run(plan, "initdb", "--sync-only", *_sync_method(), "-D", plan.cluster)
            cold = False
            gate = _watch(plan, server, lock_fd)
        finally:
            if server.is_alive():
                server.stop()
        if gate is not None:
            return
        deaths.append(time.monotonic())
        if len(deaths) > 3 and deaths[-1] - deaths[-4] < 60:
            raise KeeperError("the server died four times within a minute: the keeper gives up")


def _watch(plan: Plan, server: Server, lock_fd: int) -> FileLock | None:
    """Wait until the server is to stop, or has died with clients left (None). Holds the gate on return otherwise."""
    gate, clients = FileLock(Path(plan.locks) / "gate"), FileLock(Path(plan.locks) / "clients")
    idle_since: float | None = None
    while True:
        server.wait(min(0.5, plan.idle_timeout_s / 5))
        if os.fstat(lock_fd).st_nlink == 0:  # the data folder was deleted under us
            return gate
        if not clients.is_free():
            idle_since = None
            if not server.is_alive():
                return None
            continue
        now = time.monotonic()
        idle_since = idle_since or now
        due = now - idle_since >= plan.idle_timeout_s or not server.is_alive()
        if due and gate.acquire():
            if clients.acquire():
                return gate
            gate.release()


def _rotate(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_name(log.name + ".1"))


def _sync_method() -> list[str]:
    return ["--sync-method=syncfs"] if sys.platform == "linux" else []


def _open_log(plan: Plan) -> int:
    return os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _answer(plan: Plan, words: str) -> None:
    """Tell the client that started us, once (it may be gone); what we have to say later goes to the log."""
    if sys.stdout.closed:
        return
    with contextlib.suppress(OSError):
        sys.stdout.write(words)
        sys.stdout.close()
    # The client reads to the end of the pipe, so it must not live on in us.
    log = _open_log(plan)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _detach() -> None:
    """Leave the client's process tree, so that neither Ctrl-C nor its end reaches us, and it has no child to reap."""
    if sys.platform == "win32":
        if sys.argv[-1] != "detached":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
            subprocess.Popen([sys.executable, "-I", "-S", __file__, *sys.argv[1:], "detached"], creationflags=flags)
            os._exit(0)
    else:
        if os.fork():
            os._exit(0)
        os.setsid()
        os.chdir("/")
        os.umask(0o077)


def main() -> None:
    plan = Plan(**json.loads(sys.argv[1]))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    _detach()
    try:
        keep(plan)
    except (KeeperError, OSError) as error:
        if not sys.stdout.closed:
            sys.stdout.write(f"error {error}")
        sys.exit(f"keeper: {error}")


if __name__ == "__main__":
    main()
