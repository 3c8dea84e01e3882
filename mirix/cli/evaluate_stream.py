"""`mirix evaluate stream`: the measures of `mirix evaluate lifelog` on long lives that are made by seed."""

from __future__ import annotations

import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mirix.cli.command import Invocation
from mirix.cli.evaluate_conversations import IngestMode
from mirix.cli.evaluate_run import loop, own_settings, progress_bars, run_facts
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.evaluation.report import Report


class Lang(StrEnum):
    ENGLISH = "en"
    CHINESE = "zh"
    BOTH = "both"


def stream(
    call: Invocation,
    seed: Annotated[int, typer.Option(help="The same seed gives the same lives, to the byte.")] = 1,
    messages: Annotated[
        int,
        typer.Option(
            min=100,
            help="Of each life. From 2,000 on over 300 questions with evidence and 60 without; of fewer, fewer.",
        ),
    ] = 5_000,
    lang: Annotated[Lang, typer.Option(help="One life in this language, or one in each.")] = Lang.BOTH,
    ingest: Annotated[
        IngestMode, typer.Option(help="evidence: messages alone; graph: read by the managers too.")
    ] = IngestMode.GRAPH,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the lives to this file, for `mirix evaluate lifelog`.", show_default=False),
    ] = None,
    measure: Annotated[bool, typer.Option(help="--no-measure: only write the file of --out.")] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each life.", show_default=False)] = None,
    items: Annotated[bool, typer.Option("--items", help="With --json: what came of each item as well.")] = False,
) -> None:
    """Live long invented lives, English and Chinese, then ask: evidence recall and answers, beside plain BM25."""
    from mirix.evaluation.lifelog import evaluate_lifelog
    from mirix.evaluation.runner import throwaway_memory
    from mirix.evaluation.stream.language import LANGUAGES
    from mirix.evaluation.stream.life import make_lives, to_bytes

    if out is None and not measure:
        raise InputError("--no-measure leaves nothing to do: name a file with --out")
    lives = make_lives(seed, messages, LANGUAGES if lang is Lang.BOTH else [lang.value])
    if out is not None:
        try:
            out.write_bytes(to_bytes(lives))
        except OSError as error:
            raise InputError(f"{out} cannot be written: {error.strerror}") from error
        counts = ", ".join(f"{life.lang} {len(life.messages)} and {len(life.questions)}" for life in lives)
        call.note(f"messages and questions written to {out}: {counts}")
    if not measure:
        call.document({"out": str(out), "seed": seed, "messages": messages, "lang": lang.value})
        return
    settings = own_settings(call)
    started = time.monotonic()
    infer = ingest is IngestMode.GRAPH

    async def measured() -> Report:
        with progress_bars(call) as progress:
            async with throwaway_memory(settings) as memory:
                return await evaluate_lifelog(memory, lives, limit=limit, infer=infer, progress=progress)

    with loop() as asyncio_runner:
        report = asyncio_runner.run(measured())
    made = {"seed": seed, "messages": messages, "ingest": ingest.value}
    facts = {**run_facts(call, settings, started), **made, **report.facts}
    report = replace(report, evaluation="stream", facts=facts)
    call.document(report.to_json(with_items=items))
    for table in report.tables():
        call.show(table, "")
