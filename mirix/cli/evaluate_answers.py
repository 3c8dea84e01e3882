"""`mirix evaluate … --answer`, and `mirix evaluate judge`: a run that is kept in a folder, and its report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mirix.cli.command import Invocation
from mirix.cli.evaluate_run import Plan, further_systems, loop, own_settings, progress_bars
from mirix.errors import InputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from mirix.config import Settings
    from mirix.evaluation.answering import Outcome
    from mirix.evaluation.arms import Arm
    from mirix.evaluation.controls import Audit
    from mirix.evaluation.corpus import Conversation
    from mirix.evaluation.runner import Progress
    from mirix.evaluation.runs import Asked, RunFolder
    from mirix.models.embed import Embedder

RUNS = 3
AuditFile = Annotated[
    Path | None,
    typer.Option(
        "--audit", help="Corrected labels: JSON, conversation/question to answers, evidence.", show_default=False
    ),
]


@dataclass(frozen=True, kw_only=True)
class AnswerPlan:
    arms: Sequence[Arm]
    budget: int
    full_tokens: int


@dataclass(frozen=True, kw_only=True)
class JudgePlan:
    model: str | None  # None: nothing is judged
    runs: int
    same_judge: bool

    def check(self, reader: str) -> None:
        """Raises ConfigError for a judge that would judge itself."""
        from mirix.evaluation.judging import check_judge

        if self.model is not None:
            check_judge(reader, self.model, same_judge=self.same_judge)


def judge(
    call: Invocation,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Of a run with --answer.", show_default=False)],
    judge_model: Annotated[str, typer.Option("--judge-model", help="Judges the answers.", show_default=False)],
    runs: Annotated[int, typer.Option("--runs", min=1, help="How often each is judged.")] = RUNS,
    audit: AuditFile = None,
    same_judge: Annotated[bool, typer.Option("--same-judge", help="Let the model that answered judge.")] = False,
) -> None:
    """Judge the answers of a run (again), and write its report anew. Nothing is answered again."""
    from mirix.evaluation.controls import Audit
    from mirix.evaluation.plots import require_matplotlib
    from mirix.evaluation.runs import RunFolder

    require_matplotlib()
    settings = own_settings(call)
    existing = RunFolder.existing(folder)
    plan = JudgePlan(model=judge_model, runs=runs, same_judge=same_judge)
    plan.check(existing.settings["reader"])
    corrected = Audit.read(audit) if audit else None
    if corrected is not None:
        corrected.check_asked(existing.questions.read())
    started = time.monotonic()
    with progress_bars(call) as progress, loop() as runner:
        outcome = runner.run(_judged(existing, plan, settings, corrected, progress))
    _tell_failures(call, outcome, "verdicts")
    _report(call, existing, plan.model, corrected, {"seconds": round(time.monotonic() - started, 1)})


def arm_names(given: str) -> list[Arm]:
    from mirix.evaluation.arms import Arm

    names = [name.strip() for name in given.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Arm)]
    if unknown or not names:
        raise InputError(f"--arms: there is no arm {', '.join(unknown) or 'named'}; choose of {', '.join(Arm)}")
    return [Arm(name) for name in names]


def answers(call: Invocation, plan: Plan, answer_plan: AnswerPlan, judge_plan: JudgePlan) -> None:
    from mirix.evaluation.plots import require_matplotlib
    from mirix.evaluation.runs import RunFolder, asked_of

    require_matplotlib()
    settings = own_settings(call)
    judge_plan.check(settings.chat_model)
    conversations, audit = plan.read()
    asked = asked_of(conversations)
    if not asked:
        raise InputError(f"{plan.file} holds no question")
    out = plan.out or Path(f"evaluation-{plan.dataset}")
    folder = RunFolder.open(out, _run_settings(plan, answer_plan, settings), asked)
    call.note(f"the run is kept in {out}: run the same command again to go on with it")
    started = time.monotonic()

    async def done() -> None:
        with progress_bars(call) as progress:
            outcome = await _answered(folder, conversations, asked, plan, answer_plan, settings, progress)
            _tell_failures(call, outcome, "answers")
            if judge_plan.model is not None:
                judged = await _judged(folder, judge_plan, settings, audit, progress)
                _tell_failures(call, judged, "verdicts")

    with loop() as runner:
        runner.run(done())
    _report(call, folder, judge_plan.model, audit, {"seconds": round(time.monotonic() - started, 1)})


def _run_settings(plan: Plan, answer_plan: AnswerPlan, settings: Settings) -> dict[str, Any]:
    """What has to be the same for answers to belong to one run."""
    from mirix.evaluation.answering import READER
    from mirix.evaluation.runs import prompt_version

    return {
        "dataset": plan.dataset,
        "reader": settings.chat_model,
        "reader_prompt": prompt_version(READER),
        "memory_model": settings.memory_model or settings.chat_model,
        "embedding_model": settings.embedding_model,
        "budget": answer_plan.budget,
        "full_tokens": answer_plan.full_tokens,
    }


async def _answered(
    folder: RunFolder,
    conversations: Sequence[Conversation],
    asked: Sequence[Asked],
    plan: Plan,
    answer_plan: AnswerPlan,
    settings: Settings,
    progress: Progress,
) -> Outcome:
    from mirix.evaluation.answering import Reader, run_answers
    from mirix.evaluation.arms import Arm, ContextArm, SystemArm, make_arms
    from mirix.evaluation.corpus import once
    from mirix.evaluation.runner import throwaway_memory
    from mirix.models.chat import close_chat_model

    async with throwaway_memory(settings) as memory:
        arms: list[ContextArm] = make_arms(
            answer_plan.arms, memory, budget=answer_plan.budget, full_tokens=answer_plan.full_tokens
        )
        further = further_systems(plan.systems, memory)
        once(f"the arm {name}" for name in (*Arm, *(each.name for each in further)))
        arms += [SystemArm(system=each, budget=answer_plan.budget) for each in further]
        model = _model(settings, settings.chat_model, embedder=memory.parts.indexer.embedder)
        reader = Reader(model=model, deadline_s=settings.model_timeout_s)
        try:
            return await run_answers(folder, conversations, asked, arms, reader, progress=progress)
        finally:
            await close_chat_model(model)


async def _judged(
    folder: RunFolder, plan: JudgePlan, settings: Settings, audit: Audit | None, progress: Progress
) -> Outcome:
    from mirix.evaluation.judging import Judge, run_judge
    from mirix.models.chat import close_chat_model

    assert plan.model is not None
    model = _model(settings, plan.model)
    judge = Judge(model=model, name=plan.model, deadline_s=settings.model_timeout_s)
    try:
        return await run_judge(folder, judge, runs=plan.runs, audit=audit, progress=progress)
    finally:
        await close_chat_model(model)


def _model(settings: Settings, name: str, *, embedder: Embedder | None = None) -> BaseChatModel:
    from mirix.models.chat import make_chat_model

    key = settings.model_api_key
    return make_chat_model(
        name,
        base_url=settings.model_base_url,
        api_key=key.get_secret_value() if key else None,
        timeout_s=settings.model_timeout_s,
        embedder=embedder if embedder is not None and embedder.is_local else None,
    )


def _tell_failures(call: Invocation, outcome: Outcome, what: str) -> None:
    if outcome.failed:
        call.warn(f"{outcome.failed} {what} are missing (the first: {outcome.first_failure}): run it again for them")


def _report(
    call: Invocation, folder: RunFolder, judge_model: str | None, audit: Audit | None, facts: Mapping[str, Any]
) -> None:
    from mirix.evaluation.answer_report import report_answers
    from mirix.evaluation.html_report import write_answer_report

    report = report_answers(folder, judge=judge_model, audit=audit, facts=facts)
    write_answer_report(report, folder.path)
    call.document(report.to_json())
    for table in report.tables():
        call.show(table, "")
    call.note(f"report: {folder.path / 'report.html'}")
