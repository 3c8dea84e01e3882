"""`python -m mirix_desktop.days DIR --seed 1 --shots 400 --questions 40`: render an invented day into a folder."""

from __future__ import annotations

import typer

from mirix_desktop.days.command import make_day

if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(make_day)
    app()
