"""The shape of the code: imports go one way, the pure files stay pure, and nothing is too long."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mirix"

# From the bottom up; a part may import those of its own layer's name and of the layers before it.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "config", "resources", "text"}),
    frozenset({"definitions", "db", "models"}),
    frozenset({"memory"}),
    frozenset({"retrieval", "ingest"}),
    frozenset({"managers"}),
    frozenset({"jobs"}),
    frozenset({"transfer", "curation"}),
    frozenset({"chat"}),
    frozenset({"checks", "results", "parts", "verbs", "system", "blocking"}),
    frozenset({"client", "server", "cli", "evaluation"}),
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
# Siblings of one layer that know each other; all others of a layer do not.
KNOWN_SIBLINGS = {
    ("resources", "errors"),
    ("config", "errors"),
    ("text", "errors"),
    ("parts", "results"),
    ("verbs", "parts"),
    ("verbs", "results"),
    ("system", "checks"),
    ("verbs", "checks"),
    ("system", "parts"),
    ("system", "verbs"),
    ("blocking", "parts"),
    ("blocking", "system"),
    ("system", "results"),
    ("cli", "evaluation"),
}
PURE = ("text", "retrieval/fusion.py", "evaluation/metrics.py")
IMPURE_PACKAGES = frozenset({"psycopg", "langgraph", "langchain_core", "langchain_openai", "httpx", "asyncio"})


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.append(node.module or "")
    return found


def part_of(dotted: str) -> str | None:
    pieces = dotted.split(".")
    return pieces[1] if pieces[0] == "mirix" and len(pieces) > 1 else None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    assert own in LEVEL, f"{own} has no place in the layers"
    for dotted in imports_of(path):
        other = part_of(dotted)
        if other is None or other == own:
            continue
        allowed = LEVEL[other] < LEVEL[own] or (own, other) in KNOWN_SIBLINGS
        assert allowed, f"mirix.{own} may not import {dotted}"


def test_only_config_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(
            isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]
    assert readers == ["config.py"]


@pytest.mark.parametrize("place", PURE)
def test_pure_code_reaches_for_no_database_or_model(place: str) -> None:
    target = PACKAGE / place
    for path in [target] if target.suffix else sorted(target.rglob("*.py")):
        if path.exists():
            assert not {dotted.split(".")[0] for dotted in imports_of(path)} & IMPURE_PACKAGES, path


# What a recorder of screens needs beside the verbs: the change gate, pictures as they are taken in, and how a command
# and a setting look here.
PUBLIC = {"mirix.client", "mirix.errors", "mirix.ingest.tiles", "mirix.ingest.images"} | {
    *("mirix.config", "mirix.db.keeper", "mirix.cli.command", "mirix.cli.forget"),
}


def test_the_desktop_uses_only_public_names() -> None:
    for path in sorted((ROOT / "desktop").rglob("*.py")):
        inside = [dotted for dotted in imports_of(path) if dotted.startswith("mirix.")]
        assert set(inside) <= PUBLIC, path


def test_no_file_is_longer_than_600_lines() -> None:
    long = [path for path in [*modules(), *(ROOT / "tests").rglob("*.py")] if len(path.read_text().splitlines()) > 600]
    assert long == []
