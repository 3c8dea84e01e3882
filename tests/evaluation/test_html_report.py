from __future__ import annotations

import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from mirix.evaluation.answer_report import report_answers
from mirix.evaluation.arms import SystemArm
from mirix.evaluation.corpus import Conversation, Question
from mirix.evaluation.grids import Grid
from mirix.evaluation.html_report import write_answer_report, write_retrieval_report
from mirix.evaluation.plots import legend_columns, retrieval_plots
from mirix.evaluation.retrieval import evaluate_retrieval
from mirix.evaluation.systems import Bm25System, Ranked
from tests.evaluation.ten_questions import answer_all, conversations, judge_all, own_arms


class Elements(HTMLParser):
    """Counts tags, and keeps whatever would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        given = dict(attrs)
        self.loaded += [given.get(name) or "" for name in ("src", "href") if name in given]
        self.loaded += [tag] if tag in ("script", "link", "iframe") else []


def parse(path: Path) -> Elements:
    elements = Elements()
    elements.feed(path.read_text(encoding="utf-8"))
    return elements


async def test_a_page_of_answers_is_whole_in_itself(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path, arms=[*own_arms(), SystemArm(system=Bm25System(), budget=60)])
    await judge_all(folder)
    write_answer_report(report_answers(folder, judge="scripted:judge"), tmp_path)
    page = parse(tmp_path / "report.html")
    assert page.counts["svg"] == 4
    assert page.counts["table"] >= 7
    assert all(each.startswith("#") for each in page.loaded)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "url(http" not in text and "@import" not in text


async def test_the_same_figures_stand_in_markdown(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path)
    write_answer_report(report_answers(folder), tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert re.search(r"^\| full \| 0\.500 \(0\.\d{3}–0\.\d{3}\) \| 0\.500 \| 0\.564 \| 0\.501 \|", text, re.MULTILINE)
    assert "| 4 single-hop |" in text
    assert "No model judged" in text


async def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    report = report_answers(await answer_all(tmp_path))
    for name in ("one", "two"):
        write_answer_report(report, tmp_path / name)
    assert (tmp_path / "one" / "report.html").read_bytes() == (tmp_path / "two" / "report.html").read_bytes()


async def test_retrieval_has_a_page_too(tmp_path: Path) -> None:
    other = Bm25System(name="bm25 <again>")
    report = await evaluate_retrieval("locomo", conversations(), [Bm25System(), other])
    write_retrieval_report(report, tmp_path)
    assert parse(tmp_path / "report.html").counts["svg"] == 3
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "bm25 &lt;again&gt;" in text and "<again>" not in text
    assert "bm25 against bm25 &lt;again&gt;: +0.000" in text
    assert "question by question. No difference is shown." in text


async def test_a_run_of_one_arm_has_a_page_without_comparisons(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path)
    report = report_answers(folder)
    document = dict(report.to_json())
    document["arms"] = {"full": document["arms"]["full"]}
    document["pairs"] = []
    write_answer_report(replace(report, document=document), tmp_path)
    assert parse(tmp_path / "report.html").counts["svg"] == 3


def test_long_names_of_columns_are_told_apart_on_a_terminal() -> None:
    names = [f"single-session-{each}" for each in ("user", "assistant", "preference")]
    grid = Grid(title="", columns=["multi-session", *names], rows=[["mirix", *["1.000 (100)"] * 4]])
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(grid.table())
    shown = console.export_text()
    assert all(each in shown for each in ("user", "assistant", "preference")) and "…" not in shown


@pytest.mark.parametrize("cell", ["a|b"])
def test_a_bar_in_a_cell_ends_no_column(cell: str) -> None:
    assert Grid(title="", columns=["x"], rows=[[cell, "1"]]).markdown().endswith("| a\\|b | 1 |")


LONG = [
    "bm25",
    "a memory that ranks the last turn first, version 1",
    "a memory that ranks the last turn first, version 2",
]


async def test_long_names_stay_inside_a_plot_and_apart(tmp_path: Path) -> None:
    report = await evaluate_retrieval("locomo", conversations(), [Bm25System(name=name) for name in LONG])
    by_depth, *_ = retrieval_plots(report.to_json())
    labels = re.findall(r"<text [^>]*>([^<]*(?:bm25|sion)[^<]*)</text>", by_depth.svg)
    assert len(set(labels)) == len(LONG)
    assert max(map(len, labels)) == 24


@pytest.mark.parametrize(
    ("labels", "width", "columns"), [(["mirix", "bm25", "vector"], 5.2, 3), (["x" * 24] * 4, 5.2, 2), (["x"], 5.2, 1)]
)
def test_a_legend_has_as_many_columns_as_fit(labels: list[str], width: float, columns: int) -> None:
    assert legend_columns(labels, width) == columns


async def test_a_difference_of_few_questions_is_said_to_tell_little(tmp_path: Path) -> None:
    class Blind(Bm25System):
        async def search(self, conversation: Conversation, question: Question) -> Ranked:
            return Ranked(entries=[], ms=0.0)

    report = await evaluate_retrieval("locomo", conversations(), [Bm25System(), Blind(name="blind")])
    write_retrieval_report(report, tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "bm25 against blind: +1.000 (+1.000 to +1.000) recall@10, question by question. Too few to tell." in text
