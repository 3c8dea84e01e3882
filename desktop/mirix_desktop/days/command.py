"""The command that renders an invented day: `python -m mirix_desktop.days DIR`, and a verb of `mirix-desktop`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mirix.errors import MirixError


def make_day(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder for the day.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
    shots: Annotated[int, typer.Option(min=1, help="Pictures of the day.")] = 400,
    questions: Annotated[int, typer.Option(min=0, help="Questions about the day.")] = 40,
) -> None:
    """Render an invented working day, with real programs on a virtual screen, and the truth beside it."""
    from mirix_desktop.days.render import render_day
    from mirix_desktop.days.story import write_story

    console = Console(stderr=True)
    try:
        done = render_day(write_story(seed, shots), folder, questions=questions)
    except MirixError as error:
        console.print(f"[red]{error}[/red]")
        sys.exit(1)
    console.print(
        f"{done.shots} shots, {done.questions} questions, {done.facts} facts in {folder} ({done.seconds:.0f} s)"
    )
