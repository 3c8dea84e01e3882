"""`mirix doctor`: is everything there that Mirix needs, does it work, and what is to be done where it does not.

    doctor.py          the command, and what this machine has: Python, packages, database, disk, time zone
    doctor_models.py   models, each tried by a small call
    doctor_local.py    model servers that run here
    doctor_fix.py      --fix installs what a plain install lacks

Each check gives one finding; a problem ends with exit code 1.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import mirix
from mirix.cli.command import Invocation, command
from mirix.cli.findings import Finding, Level
from mirix.config import Settings
from mirix.errors import InputError, MirixError
from mirix.resources import DISTRIBUTION

_LEAST_FREE_GB = 1.0
_PYTHONS = ((3, 11), (3, 14))
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}
_ASKED_BY_NAME = frozenset({"chat_model", "memory_model", "embedding_model"})


def register(app: typer.Typer) -> None:
    command(app, "doctor", models=True)(doctor)


def doctor(
    call: Invocation,
    fix: Annotated[bool, typer.Option("--fix", help="Install what a plain install lacks.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before installing.")] = False,
    call_model: Annotated[
        bool, typer.Option("--call-model", help="Ask every model that is set something, once.")
    ] = False,
) -> None:
    """Check the installation, and say what to do about what is missing. A model named as an option is tried."""
    from mirix.cli import doctor_fix

    settings = call.settings
    named = {name for name, value in call.overrides.items() if value is not None}
    asks = _ASKED_BY_NAME if call_model else _ASKED_BY_NAME & named
    with call.working("checking"):
        findings = list(_findings(settings, asks))
    if fix:
        commands = doctor_fix.install_commands({finding.needs for finding in findings if finding.needs})
        if commands and doctor_fix.install(call, commands, yes=yes):
            with call.working("checking again"):
                findings = list(_findings(settings, asks))
    _report(call, findings)
    if any(finding.level is Level.PROBLEM for finding in findings):
        raise typer.Exit(1)


def _report(call: Invocation, findings: list[Finding]) -> None:
    from mirix.cli import show

    checks = [
        {"name": f.name, "level": f.level.value, "text": f.words} | ({"command": f.command} if f.command else {})
        for f in findings
    ]
    call.document({"ok": all(finding.level is not Level.PROBLEM for finding in findings), "checks": checks})
    table = show.grid("level", "name", "words*")
    for finding in findings:
        table.add_row(Text(finding.level.value, style=_STYLES[finding.level]), finding.name, finding.words)
    call.show(table)
    for finding in findings:
        if finding.command and not call.as_json:
            call.note(f"to use the {finding.name}:")
            call.out.print(Text(finding.command), soft_wrap=True)  # whole, to be copied


def _findings(settings: Settings, asks: frozenset[str]) -> Iterator[Finding]:
    from mirix.cli import doctor_local, doctor_models

    yield check_python(sys.version_info[:3])
    yield check_installation(_distributions())
    yield from _opened(settings)
    yield _check_disk(settings.data_dir)
    yield doctor_models.check_embedder(settings, asks="embedding_model" in asks)
    yield doctor_models.check_recogniser(settings)
    yield from doctor_models.check_chat_models(
        settings, asks_chat="chat_model" in asks, asks_memory="memory_model" in asks
    )
    yield doctor_local.check_local_servers(settings.chat_model)
    yield _check_timezone(settings)


def check_python(version: tuple[int, ...]) -> Finding:
    words = ".".join(map(str, version))
    if _PYTHONS[0] <= version < _PYTHONS[1]:
        return Finding(name="python", level=Level.OK, words=words)
    return Finding(name="python", level=Level.PROBLEM, words=f"{words}: Mirix needs 3.11, 3.12 or 3.13")


def _distributions() -> list[str]:
    """What brought the package mirix here. An editable install lists no packages, only itself."""
    try:
        own = [importlib.metadata.distribution(DISTRIBUTION).name]
    except importlib.metadata.PackageNotFoundError:
        own = []
    return [*importlib.metadata.packages_distributions().get("mirix", ()), *own]


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
