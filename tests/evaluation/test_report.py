from __future__ import annotations

import io

from rich.console import Console

from mirix.evaluation.metrics import Share, mean
from mirix.evaluation.report import Report

GROUPS = {"language": {"en": {"recall": mean([1.0])}, "zh": {"recall": mean([])}}}
BASELINE = Report(
    evaluation="active", metrics={"recall": mean([0.0])}, groups={"language": {"en": {"recall": mean([0])}}}
)
REPORT = Report(
    evaluation="active",
    metrics={"recall": Share(value=2 / 3, n=3)},
    groups=GROUPS,
    baselines={"bm25": BASELINE},
    facts={"chat_model": "builtin"},
    items=[{"id": "a"}],
)


def test_the_document_holds_fractions_with_their_counts() -> None:
    document = REPORT.to_json()
    assert document["chat_model"] == "builtin"
    assert document["recall"] == {"value": 0.6667, "n": 3}
    assert document["by_language"]["zh"]["recall"] == {"value": None, "n": 0}
    assert document["baselines"]["bm25"]["recall"] == {"value": 0.0, "n": 1}
    assert "items" not in document
    assert REPORT.to_json(with_items=True)["items"] == [{"id": "a"}]


def test_tables_set_baselines_beside_the_figures() -> None:
    console = Console(file=io.StringIO(), width=80)
    for table in REPORT.tables():
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert lines[1:3] == [["mirix", "bm25"], ["recall", "0.667", "(3)", "0.000", "(1)"]]
    assert ["bm25", "0.000", "(1)"] in lines
    assert lines[-1] == ["zh", "–"], "the baseline knows nothing of it"
