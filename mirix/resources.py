"""Finds `agents/` and `schemas/`: data that is read at start, and no import packages.

A wheel carries both folders in `mirix/_data`. In a checkout they stand at the top of the tree, and that place is taken
only when a pyproject.toml of this distribution stands beside it: a folder called `agents` next to an installed package
may be anybody's.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from mirix.errors import ConfigError

DISTRIBUTION = "mirix-memory"

_PACKAGE = Path(__file__).resolve().parent


def agents_dir() -> Path:
    """The folder of the agent files that come with Mirix. Raises ConfigError if the installation lacks it."""
    return _data_dir("agents")


def schemas_dir() -> Path:
    """The folder of the table definitions, one .sql file per memory. Raises ConfigError if it is missing."""
    return _data_dir("schemas")


@cache
def _data_dir(name: str) -> Path:
    return find_data_dir(name, package=_PACKAGE)


def find_data_dir(name: str, *, package: Path) -> Path:
    """The data folder `name` of the package at `package`: its checkout's, else the one inside the package.

    Raises ConfigError if there is neither.
    """
    checkout = package.parent
    candidates = [package / "_data" / name]
    if _is_our_checkout(checkout):
        candidates.insert(0, checkout / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise ConfigError(f"the folder {name!r} is missing from this installation of {DISTRIBUTION}: install it again")


def _is_our_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
    return isinstance(project, dict) and project.get("name") == DISTRIBUTION
