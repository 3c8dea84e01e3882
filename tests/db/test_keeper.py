from __future__ import annotations

import ast
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

import mirix
from mirix.db import keeper, placement
from mirix.db.embedded import EmbeddedServer, open_embedded
from mirix.db.keeper import FileLock, KeeperError, Plan, Pulse, feel_pulse
from mirix.db.placement import Place, own_folder, plan_server, prepare_data_dir
from mirix.errors import ConfigError, DatabaseUnavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks at Unix sockets, signals and modes")

IS_ROOT = sys.platform != "win32" and os.geteuid() == 0
IDLE_S = 0.25
SETTINGS = {"fsync": "off"}
SOURCE = Path(mirix.__file__).parents[1]
CLIENT = """
import sys
from pathlib import Path
from mirix.db.embedded import open_embedded
server = open_embedded(Path(sys.argv[1]), idle_timeout_s=float(sys.argv[2]), settings={"fsync": "off"})
print(server.address.host, flush=True)
sys.stdin.read()
server.close()
"""


FACTS = """
SELECT concat_ws(' ', current_database(), current_user, pg_encoding_to_char(encoding),
    (SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings
     WHERE name IN ('data_checksums', 'jit')),
    '[' || current_setting('listen_addresses') || ']')
FROM pg_database WHERE datname = current_database()
"""


def eventually(claim: Callable[[], bool], within_s: float = 30.0) -> bool:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def use(data_dir: Path, *, idle_timeout_s: float = IDLE_S, **more: Any) -> EmbeddedServer:
    return open_embedded(data_dir, idle_timeout_s=idle_timeout_s, settings=SETTINGS | more.pop("settings", {}), **more)


def home(data_dir: Path) -> Path:
    place = Place.read(data_dir)
    assert place is not None
    return place.home


def postmaster(data_dir: Path) -> int:
    """Its pid; 0 while its file is not there or not written yet."""
    with suppress(OSError, IndexError):
        return int((home(data_dir) / "cluster" / "postmaster.pid").read_text().split()[0])
    return 0


def keeper_pid(data_dir: Path) -> int:
    return int((data_dir / "locks" / "keeper").read_text())


def is_gone(data_dir: Path) -> bool:
    """Whether neither a keeper nor any process of Postgres is left."""
    locks = (data_dir / "locks" / "keeper", home(data_dir) / "server.lock")
    return all(FileLock(path).is_free() for path in locks)


def query(server: EmbeddedServer, sql: str) -> Any:
    with psycopg.connect(server.address.conninfo()) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


def run_sql(server: EmbeddedServer, sql: str) -> None:
    with psycopg.connect(server.address.conninfo(), autocommit=True) as connection:
        connection.execute(sql.encode())


def reachable_folder() -> Path:
    """A folder that another account can enter; pytest's own are closed, and root's server would live elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="mirix-test-")).resolve()
    folder.chmod(0o711)
    return folder


def stop(data_dir: Path) -> None:
    locks = data_dir / "locks"
    if locks.exists() and not FileLock(locks / "keeper").is_free():
        os.kill(keeper_pid(data_dir), signal.SIGTERM)
        assert eventually(partial(is_gone, data_dir))


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    base = reachable_folder()
    use(base / "data").close()
    yield base / "data"
    stop(base / "data")
    shutil.rmtree(base)


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    """A data folder with a database that was made before, an empty log and no server."""
    stop(made)
    os.truncate(made / "server.log", 0)
    yield made
    stop(made)


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder for data folders of a test's own."""
    folder = reachable_folder()
    yield folder
    for locks in list(folder.rglob("locks")):
        stop(locks.parent)
    shutil.rmtree(folder)


@pytest.fixture
def client() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Start processes that hold a server until their stdin is closed."""
    with ExitStack() as stack:

        def start(data_dir: Path) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", CLIENT, str(data_dir), str(IDLE_S)]
            process = subprocess.Popen(
                command, cwd=SOURCE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
            )
            stack.enter_context(process)
            return process

        yield start


def host_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def test_first_client_makes_the_database_and_the_second_finds_it(base: Path) -> None:
    # Spaces, quotes, other scripts, and a longer path than that of a socket may be.
    data_dir = base / "Erinnerungen von 'Zoë', 记忆 \"1\"" / ("a" * 120)
    with use(data_dir) as first, use(data_dir) as second:
        assert (first.cold, second.cold) == (True, False)
        assert first.address == second.address
        assert query(second, FACTS) == "mirix mirix UTF8 on off []"
        assert query(second, "SELECT lower('ÄÉ')") == "äé"
        run_sql(second, "CREATE EXTENSION vector")


def test_server_stops_after_the_last_client_left_and_leaves_no_socket_folder(data_dir: Path) -> None:
    with use(data_dir) as server:
        assert not server.cold
    assert eventually(lambda: is_gone(data_dir))
    assert not Path(server.address.host).exists()


def test_held_server_outlives_the_idle_time(data_dir: Path) -> None:
    with use(data_dir, idle_timeout_s=0.05):
        assert not eventually(lambda: is_gone(data_dir), within_s=0.6)
    assert eventually(lambda: is_gone(data_dir))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_processes_share_one_server_and_either_may_leave_first(
    data_dir: Path, client: Callable[[Path], subprocess.Popen[str]], order: tuple[int, int]
) -> None:
    both = [client(data_dir)]
    host = host_of(both[0])
    both.append(client(data_dir))
    assert host_of(both[1]) == host
    pid = postmaster(data_dir)
    leave(both[order[0]])
    assert not eventually(lambda: is_gone(data_dir), within_s=2 * IDLE_S)
    assert postmaster(data_dir) == pid
    leave(both[order[1]])
    assert eventually(lambda: is_gone(data_dir))


def test_killed_client_leaves_no_server_behind(data_dir: Path, client: Callable[[Path], subprocess.Popen[str]]) -> None:
    process = client(data_dir)
    assert feel_pulse(host_of(process), 5432) is Pulse.UP
    process.kill()
    assert eventually(lambda: is_gone(data_dir))


def test_many_first_clients_at_once_start_one_server(
    base: Path, client: Callable[[Path], subprocess.Popen[str]]
) -> None:
    processes = [client(base / "data") for _ in range(5)]
    assert len({host_of(process) for process in processes}) == 1
    assert (base / "data" / "server.log").read_text().count("starting PostgreSQL") == 1
    for process in processes:
        leave(process)


def test_keeper_does_not_stop_the_server_while_a_client_is_at_the_gate(data_dir: Path) -> None:
    gate = FileLock(data_dir / "locks" / "gate")
    server = use(data_dir, idle_timeout_s=0.05)
    assert gate.acquire()
    server.close()
    assert not eventually(lambda: is_gone(data_dir), within_s=0.5)
    gate.release()
    assert eventually(lambda: is_gone(data_dir))


def test_clients_that_arrive_at_the_moment_of_stopping_get_a_server(data_dir: Path) -> None:
    for pause in range(12):
        with use(data_dir, idle_timeout_s=0.02) as server:
            assert feel_pulse(server.address.host, server.address.port) is Pulse.UP
        eventually(lambda: False, within_s=pause * 0.01)


def test_killed_server_is_healed_by_the_next_call_and_keeps_what_was_committed(data_dir: Path) -> None:
    with use(data_dir) as server:
        run_sql(server, "CREATE TABLE kept AS SELECT 7 AS number")
        before = postmaster(data_dir)
        os.kill(before, signal.SIGKILL)
        assert server.heal() == server.address
        assert query(server, "SELECT number FROM kept") == 7
        assert postmaster(data_dir) != before


def test_killed_server_comes_back_by_itself_while_it_has_clients(data_dir: Path) -> None:
    with use(data_dir) as server:
        before = postmaster(data_dir)
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda: postmaster(data_dir) not in (0, before))
        assert eventually(lambda: feel_pulse(server.address.host, server.address.port) is Pulse.UP)


def test_killed_server_without_clients_is_not_started_again(data_dir: Path) -> None:
    use(data_dir, idle_timeout_s=30).close()
    os.kill(postmaster(data_dir), signal.SIGKILL)
    assert eventually(lambda: is_gone(data_dir))


def test_keeper_gives_up_on_a_server_that_keeps_dying_and_a_call_tries_again(data_dir: Path) -> None:
    with use(data_dir) as server:
        seen = {0}

        def has_given_up() -> bool:
            is_up = feel_pulse(server.address.host, server.address.port) is Pulse.UP
            if is_up and (pid := postmaster(data_dir)) not in seen:
                os.kill(pid, signal.SIGKILL)
                seen.add(pid)
            return FileLock(data_dir / "locks" / "keeper").is_free()

        assert eventually(has_given_up, within_s=55)  # four crash recoveries, on a machine that may be busy
        # A server that is killed before the keeper has seen it answer counts as one that does not start.
        told = (data_dir / "server.log").read_text()
        assert "gives up" in told or "did not start" in told
        server.heal()
        assert query(server, "SELECT 1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a process when its parent dies")
def test_killed_keeper_takes_the_server_with_it_and_the_next_call_heals(data_dir: Path) -> None:
    with use(data_dir) as server:
        os.kill(keeper_pid(data_dir), signal.SIGKILL)
        assert eventually(lambda: is_gone(data_dir))
        assert "fast shutdown" in (data_dir / "server.log").read_text()
        server.heal()
        assert query(server, "SELECT 1") == 1


def test_call_right_after_the_keeper_died_gets_a_server_that_lasts(data_dir: Path) -> None:
    with use(data_dir) as server:
        os.kill(keeper_pid(data_dir), signal.SIGKILL)
        assert eventually(FileLock(data_dir / "locks" / "keeper").is_free)
        with use(data_dir) as second:
            assert query(second, "SELECT 1") == 1
            assert server.heal() == second.address
            assert query(server, "SELECT 1") == 1


def test_server_without_keeper_is_adopted_and_stopped_in_the_end(data_dir: Path) -> None:
    prepare_data_dir(data_dir)
    plan = plan_server(data_dir, idle_timeout_s=IDLE_S, settings=SETTINGS)
    with adrift(plan) as orphan:
        pid = postmaster(data_dir)
        with use(data_dir) as server:
            assert query(server, "SELECT 1") == 1
            assert postmaster(data_dir) == pid == orphan.pid
        assert orphan.wait(15) == 0


def adrift(plan: Plan) -> subprocess.Popen[bytes]:
    """A server as a killed keeper leaves it where the system does not signal it: alive, and holding its lock."""
    lock = FileLock(Path(plan.home) / "server.lock")
    assert lock.acquire()
    assert lock.fd is not None
    options = [word for name, value in plan.settings.items() for word in ("-c", f"{name}={value}")]
    orphan = subprocess.Popen(
        [Path(plan.bin) / "postgres", "-D", plan.cluster, *options],
        stderr=subprocess.DEVNULL,
        pass_fds=(lock.fd,),
        **keeper._as_account(plan),
    )
    lock.release()
    assert eventually(lambda: feel_pulse(plan.host, plan.port) is Pulse.UP)
    return orphan


def test_pid_file_with_the_pid_of_a_living_stranger_is_not_believed(data_dir: Path) -> None:
    prepare_data_dir(data_dir)
    plan = plan_server(data_dir, idle_timeout_s=IDLE_S, settings=SETTINGS)
    stranger = subprocess.Popen(["sleep", "60"], **keeper._as_account(plan))
    with stranger, ExitStack() as stack:
        stack.callback(stranger.kill)
        words = f"{stranger.pid}\n{plan.cluster}\n1700000000\n5432\n{plan.host}\n\n  1  1\nready   \n"
        (plan.cluster / "postmaster.pid").write_text(words)
        (Path(plan.host) / ".s.PGSQL.5432.lock").write_text(words)
        with use(data_dir) as server:
            assert query(server, "SELECT 1") == 1
            assert postmaster(data_dir) != stranger.pid


def test_socket_that_only_takes_connections_is_no_server(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        assert feel_pulse(str(folder), 5432) is Pulse.DOWN
        with closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(keeper.socket_file(str(folder), 5432)))
            listener.listen()
            assert feel_pulse(str(folder), 5432, timeout_s=0.05) is Pulse.BUSY
    finally:
        shutil.rmtree(folder)


def test_start_that_fails_quotes_the_log_and_the_next_start_works(data_dir: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r'invalid value for parameter "work_mem": "much"'):
        use(data_dir, settings={"work_mem": "much"})
    assert is_gone(data_dir)
    with use(data_dir) as server:
        assert query(server, "SELECT 1") == 1


def test_initdb_that_fails_half_way_leaves_no_cluster(base: Path) -> None:
    data_dir = base / "data"
    prepare_data_dir(data_dir)
    plan = plan_server(data_dir, idle_timeout_s=IDLE_S, settings=SETTINGS)
    programs = base / "bin"
    programs.mkdir(mode=0o755)
    (programs / "initdb").write_text('#!/bin/sh\nmkdir -p "$2/base"; echo no space left on the disk >&2; exit 1\n')
    (programs / "initdb").chmod(0o755)
    broken = Plan(**{**vars(plan), "bin": str(programs)})
    with pytest.raises(KeeperError, match="no space left on the disk"):
        keeper.make_cluster(broken)
    assert list(Path(plan.home).iterdir()) == []
    with use(data_dir) as server:
        assert server.cold


def test_half_made_cluster_of_a_killed_start_is_made_anew(base: Path) -> None:
    data_dir = base / "data"
    prepare_data_dir(data_dir)
    plan = plan_server(data_dir, idle_timeout_s=IDLE_S, settings=SETTINGS)
    (Path(plan.home) / "cluster.new" / "base").mkdir(parents=True)
    with use(data_dir) as server:
        assert server.cold


def test_data_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write to the data folder"):
        use(tmp_path / "file" / "data")


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_data_folder_that_is_read_only_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot write to the data folder"):
        use(tmp_path)


def test_client_that_waits_too_long_at_the_gate_says_so(data_dir: Path) -> None:
    gate = FileLock(data_dir / "locks" / "gate")
    assert gate.acquire()
    with pytest.raises(DatabaseUnavailable, match=r"did not answer within 0\.1 s: another process"):
        use(data_dir, startup_timeout_s=0.1)
    gate.release()


def test_closed_hold_cannot_be_healed(data_dir: Path) -> None:
    with use(data_dir) as server:
        pass
    server.close()
    with pytest.raises(ValueError, match="closed"):
        server.heal()


def test_server_stops_when_its_data_folder_is_deleted(base: Path) -> None:
    data_dir = base / "data"
    with use(data_dir) as server:
        pid, keeper_id = postmaster(data_dir), keeper_pid(data_dir)
        shutil.rmtree(data_dir)
        assert eventually(lambda: not (is_running(pid) or is_running(keeper_id)))
        assert feel_pulse(server.address.host, server.address.port) is Pulse.DOWN


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip() != "" and not state.startswith("Z")


def test_keeper_told_to_end_stops_the_server(data_dir: Path) -> None:
    with use(data_dir):
        os.kill(keeper_pid(data_dir), signal.SIGTERM)
        assert eventually(lambda: is_gone(data_dir))
    assert "database system is shut down" in (data_dir / "server.log").read_text()


def test_large_log_is_put_aside_at_start(data_dir: Path) -> None:
    log = data_dir / "server.log"
    os.truncate(log, 11_000_000)
    with use(data_dir):
        assert log.stat().st_size < 10_000
        assert log.with_name("server.log.1").stat().st_size == 11_000_000


def test_log_does_not_quote_what_is_stored(data_dir: Path) -> None:
    with use(data_dir) as server:
        run_sql(server, "CREATE TABLE checked (words text CHECK (words <> 'my secret'))")
        with pytest.raises(psycopg.errors.CheckViolation):
            run_sql(server, "INSERT INTO checked VALUES ('my secret')")
    words = (data_dir / "server.log").read_text()
    assert "violates check constraint" in words
    assert "my secret" not in words


def test_folder_of_ours_is_refused_when_it_is_a_link_or_open(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    assert own_folder(tmp_path / "new") == own_folder(tmp_path / "new")
    for name in ("link", "open"):
        with pytest.raises(DatabaseUnavailable, match=name):
            own_folder(tmp_path / name)


def test_parents_keep_their_owner_and_mode(tmp_path: Path) -> None:
    data_dir = tmp_path / "closed" / "deeper" / "data"
    data_dir.parent.mkdir(parents=True)
    for folder, mode in ((tmp_path / "closed", 0o700), (data_dir.parent, 0o750)):
        folder.chmod(mode)

    def owners_and_modes() -> list[tuple[int, int, int]]:
        parents = [*data_dir.parents, *Path(sys.executable).resolve().parents, Path("/var/lib")]
        return [(found.st_uid, found.st_gid, found.st_mode) for found in map(Path.stat, parents)]

    before = owners_and_modes()
    with use(data_dir):
        assert owners_and_modes() == before
    assert eventually(lambda: is_gone(data_dir))
    if IS_ROOT:
        shutil.rmtree(home(data_dir))


def test_keeper_imports_nothing_but_the_standard_library() -> None:
    names = set()
    for node in ast.walk(ast.parse(Path(keeper.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names


needs_root = pytest.mark.skipif(not IS_ROOT, reason="changes accounts, so it needs root")


@needs_root
def test_root_runs_the_server_as_an_unprivileged_account_from_a_copy(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)  # the account cannot enter it, so the cluster must be somewhere else
    data_dir = tmp_path / "data"
    with use(data_dir):
        elsewhere = home(data_dir)
        assert elsewhere.parent == placement._ROOT_BASE
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
        process = Path("/proc") / str(postmaster(data_dir))
        assert process.stat().st_uid == elsewhere.stat().st_uid != 0
        if sys.platform == "linux":
            assert placement._ROOT_BASE in (process / "exe").readlink().parents
            assert b"PATH=" in (process / "environ").read_bytes()
            assert b"HOME=" not in (process / "environ").read_bytes()
    assert eventually(lambda: is_gone(data_dir))
    with use(data_dir) as server:
        assert not server.cold
    assert eventually(lambda: is_gone(data_dir))
    shutil.rmtree(elsewhere)
    with pytest.raises(ConfigError, match="is gone: restore it"):
        use(data_dir)


@needs_root
def test_root_leaves_the_cluster_in_a_data_folder_that_the_account_can_enter(data_dir: Path) -> None:
    with use(data_dir):
        assert home(data_dir) == data_dir / "postgres"
        assert data_dir.stat().st_uid == 0


@needs_root
def test_root_refuses_the_data_folder_of_another_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(ConfigError, match="belongs to the user with id 65534"):
        use(tmp_path)


@needs_root
def test_root_refuses_binaries_in_a_folder_that_others_may_write_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(DatabaseUnavailable, match="only root may write to"):
        placement.copy_binaries(placement._find_binaries(), tmp_path / "binaries")


@needs_root
def test_copy_of_the_binaries_is_whole_and_without_headers(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    twin = placement.copy_binaries(placement._find_binaries(), tmp_path / "binaries")
    said = subprocess.run([twin / "bin" / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
    assert "PostgreSQL" in said
    assert not (twin / "include").exists()
    assert [path for path in (tmp_path / "binaries").iterdir() if path not in twin.parents] == []


@needs_root
def test_normal_user_needs_nothing_of_all_this(base: Path) -> None:
    as_nobody: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    packages = Path(placement._find_binaries()).parents[1]
    environment = {"PYTHONPATH": os.pathsep.join([str(SOURCE), str(packages)])}
    python = next((path for path in (sys.executable, "/usr/bin/python3") if can_import(path, environment)), None)
    if python is None:
        pytest.skip("no Python that the account `nobody` can run")
    data_dir = base / "data"
    data_dir.mkdir()
    os.chown(data_dir, 65534, 65534)
    command = [python, "-c", CLIENT, str(data_dir), str(IDLE_S)]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **as_nobody
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert home(data_dir) == data_dir / "postgres"
    assert (data_dir / "postgres" / "cluster").stat().st_uid == 65534
    assert eventually(lambda: is_gone(data_dir))


def can_import(python: str, environment: dict[str, str]) -> bool:
    try:
        done = subprocess.run(
            [python, "-c", "import mirix.db.embedded"],
            env=environment,
            user=65534,
            group=65534,
            extra_groups=[],
            cwd="/",
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0
