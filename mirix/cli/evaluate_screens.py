"""`mirix evaluate screens`: what is remembered of a day of screens, from their texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mirix.cli.command import Invocation
from mirix.cli.evaluate_run import run_evaluation


def screens(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="SCREENS", help="JSON lines: id, at, app, title, text.")],
    questions_file: Annotated[
        Path,
        typer.Argument(metavar="QUESTIONS", help="JSON lines: id, asked_at, question, answers, evidence, type."),
    ],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first questions.")] = None,
    items: Annotated[bool, typer.Option("--items", help="With --json: what came of each item as well.")] = False,
) -> None:
    """Record the texts of screens as the desktop assistant does, then ask: recall and answers, beside plain BM25."""
    from mirix.evaluation.lifelog import Question
    from mirix.evaluation.runner import read_items
    from mirix.evaluation.screens import Screen, evaluate_screens

    shown = read_items(file, Screen)
    questions = read_items(questions_file, Question, limit=limit)
    run_evaluation(call, items, lambda memory, progress: evaluate_screens(memory, shown, questions, progress=progress))
