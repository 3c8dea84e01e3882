"""`mirix evaluate locomo|longmemeval|lifelog --answer|judge`: on conversations, what is found and what is answered.

without --answer   retrieval: every system ranks, no model is called     --out DIR writes a report
with --answer      every arm shows, one reader answers, a judge judges   DIR keeps all of it, and a run goes on
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mirix.cli.command import Invocation
from mirix.cli.evaluate_answers import RUNS, AnswerPlan, AuditFile, JudgePlan, answers, arm_names
from mirix.cli.evaluate_run import Plan, further_systems, loop, own_settings, progress_bars, run_facts
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.evaluation.systems import MemorySystem

_ANSWERS = "With --answer"
ARMS = "evidence,typed,both,bm25,vector,full,none,oracle"
BUDGET = 1_000
FULL_TOKENS = 16_000
DATASETS = {"locomo": "locomo", "longmemeval": "longmemeval", "arms": "lifelog"}  # command: data set
_HELP = {
    "locomo": "Are the turns that answer LoCoMo's questions found, how early and at what cost? With --answer: is the "
    "answer right, from which arm?",
    "longmemeval": "The same on LongMemEval, where each question has a history of its own.",
    "lifelog": "The same on life logs, by type of question: what do the six memories add to raw messages?",
}


class IngestMode(StrEnum):
    EVIDENCE = "evidence"
    GRAPH = "graph"


File = Annotated[Path, typer.Argument(help="The conversations and questions.", show_default=False)]
Ingests = Annotated[
    list[IngestMode] | None,
    typer.Option(help="evidence: turns alone; graph: read by the managers too. May be repeated: all are reported."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first conversations.", show_default=False)]
Questions = Annotated[
    int | None, typer.Option("--questions", min=1, help="So many of each conversation.", show_default=False)
]
Items = Annotated[bool, typer.Option("--items", help="With --json: what came of each item as well.")]
Systems = Annotated[
    list[str] | None,
    typer.Option("--system", help="A further memory system, module:function. May be repeated.", show_default=False),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the report; with --answer of the whole run.", show_default=False),
]
Answers = Annotated[bool, typer.Option("--answer", help="Let a model answer (--model), from every arm.")]
ArmNames = Annotated[str, typer.Option("--arms", help="Which, by commas.", rich_help_panel=_ANSWERS)]
Budget = Annotated[int, typer.Option("--budget", min=1, help="Tokens of context of an arm.", rich_help_panel=_ANSWERS)]
FullTokens = Annotated[
    int, typer.Option("--full-tokens", min=1, help="Tokens of the arm full.", rich_help_panel=_ANSWERS)
]
JudgeModel = Annotated[
    str | None,
    typer.Option("--judge-model", help="Judges the answers.", show_default=False, rich_help_panel=_ANSWERS),
]
Runs = Annotated[int, typer.Option("--runs", min=1, help="How often each is judged.", rich_help_panel=_ANSWERS)]
SameJudge = Annotated[
    bool, typer.Option("--same-judge", help="Let the model that answered judge.", rich_help_panel=_ANSWERS)
]


def on(dataset: str) -> Callable[..., None]:
    """The command that evaluates on a data set."""

    def run(
        call: Invocation,
        file: File,
        ingest: Ingests = None,
        limit: Limit = None,
        questions: Questions = None,
        system: Systems = None,
        out: Out = None,
        audit: AuditFile = None,
        items: Items = False,
        answer: Answers = False,
        arms: ArmNames = ARMS,
        budget: Budget = BUDGET,
        full_tokens: FullTokens = FULL_TOKENS,
        judge_model: JudgeModel = None,
        runs: Runs = RUNS,
        same_judge: SameJudge = False,
    ) -> None:
        plan = Plan(
            dataset=dataset, file=file, limit=limit, questions=questions, systems=system or (), out=out, audit=audit
        )
        if not answer:
            _retrieval(call, plan, list(dict.fromkeys(ingest or [IngestMode.EVIDENCE])), with_items=items)
            return
        if ingest:
            raise InputError("with --answer the arms say what is ingested: leave --ingest out")
        answers(
            call,
            plan,
            AnswerPlan(arms=arm_names(arms), budget=budget, full_tokens=full_tokens),
            JudgePlan(model=judge_model, runs=runs, same_judge=same_judge),
        )

    run.__doc__ = _HELP[dataset]
    return run


def _retrieval(call: Invocation, plan: Plan, ingest: Sequence[IngestMode], *, with_items: bool) -> None:
    from mirix.evaluation.html_report import write_retrieval_report
    from mirix.evaluation.plots import require_matplotlib
    from mirix.evaluation.retrieval import RetrievalReport, check_scorable, evaluate_retrieval
    from mirix.evaluation.runner import throwaway_memory
    from mirix.evaluation.systems import Bm25System, Ingest, MirixSystem, VectorSystem

    if plan.out:
        require_matplotlib()
    conversations, audit = plan.read()
    check_scorable(conversations)
    settings = own_settings(call)
    started = time.monotonic()

    async def measured() -> RetrievalReport:
        with progress_bars(call) as progress:
            async with throwaway_memory(settings) as memory:
                systems: list[MemorySystem] = [MirixSystem(memory=memory, mode=Ingest(mode.value)) for mode in ingest]
                systems.append(Bm25System())
                if memory.parts.indexer.embedder is not None:
                    systems.append(VectorSystem.of(memory))
                systems += further_systems(plan.systems, memory)
                return await evaluate_retrieval(plan.dataset, conversations, systems, progress=progress, audit=audit)

    with loop() as runner:
        report = runner.run(measured())
    report = replace(report, facts=run_facts(call, settings, started))
    if plan.out:
        write_retrieval_report(report, plan.out)
        call.note(f"report: {plan.out / 'report.html'}")
    call.document(report.to_json(with_items=with_items))
    for table in report.tables():
        call.show(table, "")
    if report.failed:
        raise report.failed[0]
