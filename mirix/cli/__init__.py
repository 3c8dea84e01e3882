"""The command line: `mirix VERB …`, thin over `Mirix`.

One module per group of verbs; `command.py` holds what they share, `show.py` what people see, `documents.py` what
`--json` prints. Heavy imports happen inside the verbs, so that `mirix --help` answers at once.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

import mirix
from mirix.cli import (
    add,
    ask,
    bench,
    chat,
    conversation,
    demo,
    doctor,
    evaluate,
    forget,
    memory,
    reembed,
    review,
    status,
    transfer,
    vault,
)
from mirix.cli.command import INTERRUPTED

EXIT_CODES = {
    0: "done",
    1: "it failed, or a check did not pass",
    2: "wrong usage or settings",
    3: "the input cannot be taken",
    4: "no such user, memory or entry",
    5: "conflict, or not allowed",
    6: "the database cannot be used",
    7: "a model failed",
    8: "a sealed value cannot be opened",
    9: "the screen cannot be seen",
    130: "interrupted",
}

app = typer.Typer(
    name="mirix",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mirix {mirix.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """A personal memory: tell it things, show it screens, and ask.

    It runs as it is: no key, no server, no network. Settings are options or MIRIX_* variables.
    """


for _verbs in (
    add,
    ask,
    chat,
    memory,
    conversation,
    forget,
    review,
    vault,
    transfer,
    reembed,
    status,
    doctor,
    demo,
    evaluate,
    bench,
):
    _verbs.register(app)


def main() -> None:
    """The program `mirix`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8")  # memories are in any language, a console may be in one
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:  # one line, as every other error; help was printed where it was all there is
        words = " ".join(getattr(error, "format_message", error.__str__)().split())
        if words:
            path = getattr(getattr(error, "ctx", None), "command_path", "mirix")
            typer.echo(f"error: {words} (see `{path} --help`)", err=True)
        sys.exit(getattr(error, "exit_code", 2))
    except typer.Abort:
        sys.exit(INTERRUPTED)
