"""report.md and report.html: what a run found, for people. The page is whole in itself, plots and all.

document of a report ─┬─ sentences, tables ─> templates/report.md.j2, report.html.j2
                      └─ plots as SVG      ─> report.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from mirix.evaluation.answer_report import LEAST_QUESTIONS, AnswerReport, findings
from mirix.evaluation.grids import Grid, signed
from mirix.evaluation.plots import Plot, answer_plots, retrieval_plots
from mirix.evaluation.retrieval import MAIN, RetrievalReport, retrieval_grids

_ANSWER_FACTS = (
    "reader",
    "judge",
    "judge_runs",
    "memory_model",
    "embedding_model",
    "budget",
    "full_tokens",
    "questions",
    "conversations",
)
_FACT_NAMES = {
    "budget": "tokens of an arm",
    "full_tokens": "at most of the arm full",
    "n": "questions",
    "context_tokens": f"tokens of the first {MAIN} turns",
    "peak_memory_mb": "peak memory, MB",
}
_NAMES = {"locomo": "LoCoMo", "longmemeval": "LongMemEval", "lifelog": "Life logs"}


@dataclass(frozen=True, kw_only=True)
class Page:
    """What stands in a report."""

    title: str
    facts: Mapping[str, str]  # how it was run
    findings: Sequence[str]
    plots: Sequence[Plot]
    grids: Sequence[Grid]
    method: Sequence[str]


def write_answer_report(report: AnswerReport, folder: Path) -> None:
    document = report.to_json()
    page = Page(
        title=f"{_name(document)}: answers",
        facts=_facts(document, _ANSWER_FACTS),
        findings=findings(document),
        plots=answer_plots(document),
        grids=report.grids(),
        method=_ANSWER_METHOD,
    )
    _write(page, document, folder)


def write_retrieval_report(report: RetrievalReport, folder: Path) -> None:
    document = report.to_json()
    page = Page(
        title=f"{_name(document)}: retrieval",
        facts=_facts(document, ("system", "embedding_model", "n", "context_tokens", "peak_memory_mb", "seconds")),
        findings=_retrieval_findings(report),
        plots=retrieval_plots(document),
        grids=retrieval_grids(document),
        method=_RETRIEVAL_METHOD,
    )
    _write(page, document, folder)


def _name(document: Mapping[str, Any]) -> str:
    return _NAMES.get(document["evaluation"], str(document["evaluation"]))


def _facts(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    given = {name: document.get(name) for name in names}
    return {
        _FACT_NAMES.get(name, name.replace("_", " ")): f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in given.items()
        if value is not None
    }


def _retrieval_findings(report: RetrievalReport) -> list[str]:
    is_few = len(report.systems[0].searched) < LEAST_QUESTIONS
    return [
        f"{report.systems[0].name} against {other}: {signed(difference.to_json())} recall@{MAIN}, question by question."
        + (" No difference is shown." if difference.low <= 0 <= difference.high else " Too few to tell." * is_few)
        for other, difference in report.differences().items()
    ] + [f"Left out: {error}." for error in report.failed]


def _write(page: Page, document: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(
        loader=PackageLoader("mirix.evaluation", "templates"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ("report.md", "report.html"):
        text = environment.get_template(f"{name}.j2").render(page=page)
        (folder / name).write_text(text, encoding="utf-8")
    written = json.dumps(document, ensure_ascii=False, indent=2)
    (folder / "report.json").write_text(written + "\n", encoding="utf-8")


_ANSWER_METHOD = (
    "One reader and one prompt for every arm. Each arm fills the same number of tokens with what it found, packed by "
    "the same code; only full (the end of the conversation, as much as fits the reader's limit) and none differ.",
    "evidence searches raw messages, typed the six memories, both all of them; bm25 and vector rank raw turns with the "
    "same analyser and embedder.",
    "Questions with an answer are scored by token F1 (as SQuAD, numbers and articles normalised), BLEU-1, whether an "
    "accepted answer stands in a short reply (contains), and by a lenient and a strict judge: the majority of runs.",
    "Questions without an answer are right when the reader says that it does not know. Trap answers are never a key; "
    "they are planted to test the judge.",
    "Intervals are 95 % by percentile bootstrap over questions (2,000 resamples, fixed seed); McNemar's test is exact.",
)
_RETRIEVAL_METHOD = (
    "Every system is told every turn, then asked every question; no model is called. A memory counts as the turns it "
    "rests on, in its place; every turn counts once.",
    "Questions without evidence are not scored. Categories whose questions have no answer are shown by themselves and "
    "stay out of the totals.",
    "Intervals are 95 % by percentile bootstrap over questions (2,000 resamples, fixed seed).",
)
