"""Exit codes, one-line errors, shared options."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

import mirix
from mirix import errors
from mirix.cli import EXIT_CODES, app
from mirix.cli.command import Invocation, command
from mirix.errors import MirixError, NotFoundError
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add"], 3),
        (["add", "x", "--at", "whenever"], 3),
        (["add", "x", "--source", "rumour"], 2),
        (["add", "--file", "/no/such/file.txt"], 3),
        (["ask", "Where?", "--model", "nonsense"], 2),
        (["search", "x", "--limit", "0"], 2),
        (["memory", "show", "ff"], 3),
        (["memory", "show", "fffffff"], 4),
        (["memory", "edit", "ffffffff", "--set", "nothing"], 3),
        (["vault", "reveal", "k7q2mn"], 3),
        (["no-such-verb"], 2),
    ],
)
def test_errors_end_with_their_code_and_no_traceback(run: Run, arguments: list[str], code: int) -> None:
    result = run(*arguments, code=code)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_unreachable_database_is_one_line_that_names_the_setting(environment: dict[str, str | None]) -> None:
    environment["MIRIX_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    result = CliRunner().invoke(app, ["status"], env=environment)
    assert result.exit_code == 6
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "MIRIX_DATABASE_URL" in result.stderr


def test_wrong_setting_is_named_without_its_value(environment: dict[str, str | None]) -> None:
    environment["MIRIX_MAX_ATTEMPTS"] = "s3cret"
    result = CliRunner().invoke(app, ["status"], env=environment)
    assert result.exit_code == 2
    assert "MIRIX_MAX_ATTEMPTS" in result.stderr
    assert "s3cret" not in result.stderr


def _raising(error: BaseException) -> typer.Typer:
    trial = typer.Typer()

    def fail(call: Invocation) -> None:
        raise error

    command(trial, "fail")(fail)
    return trial


@pytest.mark.parametrize(
    ("error", "code"),
    [(NotFoundError("no such\nthing"), 4), (KeyboardInterrupt(), 130), (typer.Abort(), 130), (ValueError("odd"), 1)],
)
def test_every_end_has_its_code(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(_raising(error), [])
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_debug_shows_the_traceback() -> None:
    result = CliRunner().invoke(_raising(ValueError("odd")), ["--debug"])
    assert "Traceback" in result.stderr
    assert "error: unexpected ValueError: odd" in result.stderr


def test_documented_exit_codes_cover_every_error() -> None:
    raised = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and issubclass(value, MirixError)
    }
    assert raised | {0, 130} == set(EXIT_CODES)


def test_version_and_help() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"mirix {mirix.__version__}\n"
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert all(
        verb in shown for verb in ("add", "ask", "chat", "search", "memory", "vault", "status", "worker", "demo")
    )
    assert "Exit codes" in shown
