from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirix.errors import ConfigError, InputError
from mirix.evaluation.adapters import load_factory
from mirix.evaluation.adapters.langgraph_store import make
from mirix.evaluation.corpus import Conversation, Question
from mirix.evaluation.html_report import write_retrieval_report
from mirix.evaluation.retrieval import evaluate_retrieval
from mirix.evaluation.systems import Bm25System, Ranked, SystemFailed
from mirix.models.embed import Embedder, make_embedder
from tests.evaluation.ten_questions import conversations

NAME = "mirix.evaluation.adapters.langgraph_store:make"


async def test_langgraphs_store_runs_in_the_harness(tmp_path: Path) -> None:
    system = load_factory(NAME)(make_embedder("hash", cache_dir=tmp_path))
    report = (await evaluate_retrieval("locomo", conversations(), [system])).to_json()
    assert report["system"] == "langgraph store"
    assert report["recall@10"] > 0.8
    assert report["ingest"]["messages"] == 12


async def test_what_is_said_twice_is_two_turns(tmp_path: Path) -> None:
    (one,) = conversations()
    first, *others = one.sessions
    again = tuple(replace(turn, id=f"{turn.id}-again") for turn in first)
    system = make(make_embedder("hash", cache_dir=tmp_path))
    twice = replace(one, sessions=(first, *others, again))
    await system.ingest(twice)
    asked = replace(one.questions[0], text=first[0].text)
    found = await system.search(twice, asked)
    assert {first[0].id, f"{first[0].id}-again"} <= set(found.ids)


async def test_conversations_are_kept_apart(tmp_path: Path) -> None:
    (one,) = conversations()
    system = make(make_embedder("hash", cache_dir=tmp_path))
    await system.ingest(one)
    nobody = replace(one, name="no.body")
    assert (await system.search(nobody, one.questions[0])).entries == []
    assert (await system.search(one, one.questions[0])).ids


def test_a_store_that_ranks_by_embeddings_needs_an_embedder() -> None:
    with pytest.raises(ConfigError, match="by embeddings"):
        make(None)


@pytest.mark.parametrize("name", ["nothing", "no_such_module:make", f"{NAME}_more"])
def test_a_system_that_cannot_be_loaded_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name.partition(":")[0]):
        load_factory(name)


class Breaks:
    """A system from elsewhere that raises what it likes."""

    name = "breaks"

    async def ingest(self, conversation: Conversation) -> None:
        pass

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        raise RuntimeError("the server said 500")


def breaks(embedder: Embedder | None) -> Breaks:
    return Breaks()


def nothing(embedder: Embedder | None) -> None:
    return None


def refuses() -> Breaks:
    return Breaks()


NO_FUNCTION = 3


@pytest.mark.parametrize(
    ("function", "words"),
    [("NO_FUNCTION", "is no function, but int"), ("nothing", "makes no memory system .* NoneType")],
)
def test_what_makes_no_system_is_named(function: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"{function} {words}"):
        load_factory(f"{__name__}:{function}")(None)


def test_a_factory_that_raises_is_named() -> None:
    with pytest.raises(SystemFailed, match="refuses failed: TypeError"):
        load_factory(f"{__name__}:refuses")(None)


async def test_a_further_system_that_fails_is_named_and_the_others_are_reported(tmp_path: Path) -> None:
    foreign = load_factory(f"{__name__}:breaks")(None)
    report = await evaluate_retrieval("locomo", conversations(), [Bm25System(), foreign, Bm25System(name="again")])
    assert [each.name for each in report.systems] == ["bm25", "again"]
    assert [str(each) for each in report.failed] == report.to_json()["failed"]
    assert "breaks failed: RuntimeError: the server said 500" in str(report.failed[0])
    write_retrieval_report(report, tmp_path)
    assert "Left out: the memory system" in (tmp_path / "report.md").read_text(encoding="utf-8")
    with pytest.raises(SystemFailed):
        await evaluate_retrieval("locomo", conversations(), [foreign])


async def test_a_system_may_not_take_the_name_of_another() -> None:
    foreign = load_factory(f"{__name__}:breaks")(None)
    with pytest.raises(InputError, match="breaks is there twice"):
        await evaluate_retrieval("locomo", conversations(), [Bm25System(name="breaks"), foreign])
