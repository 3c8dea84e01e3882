"""The README tells the truth: its commands run, its tables are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer.main

from mirix.cli import app
from mirix.config import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_RUN = re.compile(r"<!-- run -->\n```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)


def commands_of(command: Any, path: str) -> list[str]:
    children = getattr(command, "commands", None)
    if children is None:
        return [path]
    return [name for child in children for name in commands_of(children[child], f"{path} {child}")]


def settings_table() -> list[str]:
    """The configuration table as it has to stand in the README."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = (
            "" if field.default is None or field.default_factory else f"`{field.default}`".lower().replace("'", "")
        )
        rows.append(f"| `MIRIX_{name.upper()}` | {default} | {field.description} |")
    return rows


def test_every_setting_stands_in_the_configuration_table() -> None:
    assert "\n".join(settings_table()) in README


def test_every_command_stands_in_the_command_table() -> None:
    missing = [path for path in commands_of(typer.main.get_command(app), "mirix") if f"| `{path}" not in README]
    assert missing == []


def test_the_commands_of_the_readme_run_when_pasted(home: dict[str, str], tmp_path: Path) -> None:
    blocks = [(match["language"], match["code"]) for match in _RUN.finditer(README)]
    assert [language for language, _ in blocks] == ["sh", "python"]
    tools = str(Path(sys.executable).parent)
    environment = home | {"PATH": f"{tools}:{home['PATH']}", "MIRIX_OCR": "none"}
    for language, code in blocks:
        call = ["sh", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
        run = subprocess.run(call, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=180)
        assert run.returncode == 0, run.stderr[-2000:]
        if language == "sh":
            assert "Bergen" in run.stdout
            assert "Plover-Crank-4172" in run.stdout, "revealed when asked to"
            listed = run.stdout.split("Plover-Crank-4172")[-1]
            assert "wifi password" in listed, "the vault shows its caption"
        else:
            assert "harpsichords" in run.stdout
