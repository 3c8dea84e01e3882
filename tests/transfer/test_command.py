"""`mirix export`, `mirix import` and the folder of `mirix add`, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from mirix.cli import add, transfer
from mirix.cli.command import Invocation, command
from tests.transfer.conftest import picture
from tests.transfer.test_chats import chatgpt_chat, claude_chat, saved

app = typer.Typer()
for verbs in (add, transfer):
    verbs.register(app)


@command(app, "folder")
def folder(call: Invocation, path: Annotated[Path, typer.Argument()]) -> None:
    transfer.add_folder(call, path)


Run = Callable[..., Result]


@pytest.fixture
def run(owner_url: str, tmp_path: Path, empty: None) -> Run:
    environment = {
        "MIRIX_DATABASE_URL": owner_url,
        "MIRIX_DATA_DIR": str(tmp_path / "data"),
        "MIRIX_EMBEDDING_MODEL": "hash",
        "MIRIX_KEYRING": "file",
        "MIRIX_OCR": "none",
        "MIRIX_TIMEZONE": "Europe/Oslo",
        "MIRIX_USER": None,
    }

    def invoke(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, input=stdin, env=environment)
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_a_life_moves_with_a_passphrase_from_a_file(run: Run, tmp_path: Path) -> None:
    secret = saved(tmp_path / "secret", "seven herons\n")
    file = str(tmp_path / "life.json")
    run("add", "The wifi password at the mill is Kestrel-77-drum.")
    told = json.loads(run("export", file, "--passphrase-file", str(secret), "--json").stdout)
    assert told["messages"] == 1 and told["memories"]["vault"] == 1 and told["values_left_out"] == 0
    result = run("import", file, "--passphrase-file", str(secret), "--user", "moved", "--json")
    assert json.loads(result.stdout) == {
        "conversations": 1,
        "messages": 1,
        "memories": told["memories"],
        "pictures": 0,
        "waiting": 0,
        "skipped": 0,
        "values_left_out": 0,
    }
    assert "--merge" in run("import", file, "--passphrase", "seven herons", "--user", "moved", code=5).stderr
    run("import", file, "--passphrase-file", "-", "--user", "moved", "--merge", stdin="seven herons\r\n")
    assert "does not open" in run("import", file, "--passphrase", "x", "--user", "third", code=8).stderr
    assert "--no-secrets" in run("import", file, "--user", "third", code=8).stderr
    assert "cannot be opened" in run("import", file, "--no-secrets", "--user", "third").stderr
    assert "--force" in run("export", file, code=3).stderr
    assert "without 1 sealed value" in run("export", file, "--force").stderr


def test_chats_are_imported_by_the_name_of_their_format(run: Run, tmp_path: Path) -> None:
    chats = str(saved(tmp_path / "conversations.json", [chatgpt_chat(), claude_chat()]))
    told = json.loads(run("import", "chatgpt", chats, "--json").stdout)
    assert (told["added"], told["messages"], told["waiting"]) == (1, 3, False)
    assert [problem["where"] for problem in told["problems"]] == ["conversations.json, conversation 2 ('Huts')"]
    lines = str(saved(tmp_path / "talk.jsonl", '{"content": "The kiosk opens at nine."}\n'))
    assert "1 chat added: 1 message, 0 changes" in run("import", "jsonl", lines, "--no-wait").stdout
    assert "Added before: nothing changed." in run("import", "jsonl", lines).stdout


def test_wrong_words_are_told_in_one_line(run: Run, tmp_path: Path) -> None:
    chats = str(saved(tmp_path / "conversations.json", [chatgpt_chat()]))
    for arguments, words in (
        (("import", "chatgpt"), "name the file"),
        (("import", "gemini", chats), "unknown format"),
        (("import", chats), "mirix import chatgpt"),
        (("import", str(tmp_path / "gone.json")), "no file"),
        (("import", chats, "--passphrase-file", str(tmp_path / "gone")), "passphrase"),
        (("export", str(tmp_path)), "is a folder"),
    ):
        result = run(*arguments, code=3)
        assert result.stderr.startswith("error: ") and words in result.stderr and result.stderr.count("\n") == 1


def test_a_folder_tells_at_the_end_what_could_not_be_read(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "desk"
    place.mkdir()
    (place / "20261112_080000.png").write_bytes(picture("Ferry times"))
    (place / "broken.png").write_bytes(b"\x89PNG")
    result = run("folder", str(place))
    assert "1 file added: 1 message" in result.stdout and "warning: broken.png:" in result.stderr
    assert json.loads(run("folder", str(place), "--json").stdout)["known"] == 1
