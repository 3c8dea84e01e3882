"""Runs the command line in this process, against the test database and a folder of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mirix.cli import app

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def environment(owner_url: str, tmp_path: Path) -> dict[str, str | None]:
    return {
        "MIRIX_DATABASE_URL": owner_url,
        "MIRIX_DATA_DIR": str(tmp_path),
        "MIRIX_EMBEDDING_MODEL": "hash",
        "MIRIX_KEYRING": "file",
        "MIRIX_OCR": "none",
        "MIRIX_TIMEZONE": "Europe/Oslo",
        "MIRIX_USER": None,
        "MIRIX_CHAT_MODEL": None,
        "MIRIX_MEMORY_MODEL": None,
        "BROWSER": "true",  # opens nothing
    }


@pytest.fixture
def run(environment: dict[str, str | None], empty: None) -> Run:
    """`run("add", "…", code=0)`: what the command wrote; it must end with that exit code."""

    def invoke(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, input=stdin, env=environment)
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """The one document that a command prints with --json."""

    def invoke(*arguments: str, code: int = 0, stdin: str | None = None) -> Any:
        return json.loads(run(*arguments, "--json", code=code, stdin=stdin).stdout)

    return invoke
