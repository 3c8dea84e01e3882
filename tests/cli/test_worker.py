from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import RunJson


@pytest.mark.skipif(sys.platform == "win32", reason="a child process cannot be sent Ctrl-C alone there")
def test_worker_works_off_what_waits_and_ends_with_ctrl_c(
    run_json: RunJson, environment: dict[str, str | None]
) -> None:
    run_json("add", "I moved to Bergen last Friday.", "--no-wait")
    variables = os.environ | {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, "-m", "mirix.cli", "worker"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as worker:
        try:
            deadline = time.monotonic() + 60
            while run_json("status")["waiting"] and time.monotonic() < deadline:
                assert worker.poll() is None
            worker.send_signal(signal.SIGINT)
            _, words = worker.communicate(timeout=30)
        finally:
            worker.kill()
    assert worker.returncode == 0, words
    assert run_json("status")["memories"]["core"] == 1
