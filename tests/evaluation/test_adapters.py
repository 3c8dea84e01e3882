from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirix.errors import ConfigError
from mirix.evaluation.adapters import load_factory
from mirix.evaluation.adapters.langgraph_store import make
from mirix.evaluation.retrieval import evaluate_retrieval
from mirix.models.embed import make_embedder
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
