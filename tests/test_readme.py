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
from mirix_desktop.cli import app as desktop

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
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
    programs = {"mirix": app, "mirix-desktop": desktop}
    paths = [path for name, each in programs.items() for path in commands_of(typer.main.get_command(each), name)]
    assert [path for path in paths if f"| `{path}" not in README] == []


def first_cells(text: str) -> list[str]:
    """What the rows of commands and settings are about, in order."""
    return re.findall(r"^\| (`(?:mirix(?:-desktop)? |MIRIX_)[^|]*?)(?<!\\) \|", text, re.MULTILINE)


def test_the_chinese_readme_has_the_same_commands_and_settings() -> None:
    assert first_cells(CHINESE) == first_cells(README)
    assert CHINESE.count("\n## ") == README.count("\n## ")


def test_the_chinese_commands_run_when_pasted(home: dict[str, str], tmp_path: Path) -> None:
    shell, program = run_blocks(CHINESE, home, tmp_path)
    assert "花生" in shell and "Yinhe.2207.zhu" in shell
    assert "Yinhe" not in shell.split("Yinhe.2207.zhu")[-1]
    assert "古琴" in program


def run_blocks(text: str, home: dict[str, str], folder: Path) -> list[str]:
    """What the blocks that are marked to be run print, in order."""
    blocks = [(match["language"], match["code"]) for match in _RUN.finditer(text)]
    assert [language for language, _ in blocks] == ["sh", "python"]
    environment = home | {"PATH": f"{Path(sys.executable).parent}:{home['PATH']}", "MIRIX_OCR": "none"}
    printed = []
    for language, code in blocks:
        call = ["sh", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
        run = subprocess.run(call, capture_output=True, text=True, env=environment, cwd=folder, timeout=180)
        assert run.returncode == 0, run.stderr[-2000:]
        printed.append(run.stdout)
    return printed


def test_the_commands_of_the_readme_run_when_pasted(home: dict[str, str], tmp_path: Path) -> None:
    shell, program = run_blocks(README, home, tmp_path)
    assert "Bergen" in shell
    assert "Plover-Crank-4172" in shell, "revealed when asked to"
    listed = shell.split("Plover-Crank-4172")[-1]
    assert "wifi password" in listed, "the vault shows its caption"
    assert "harpsichords" in program
