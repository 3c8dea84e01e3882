from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from mirix.errors import InputError
from mirix.evaluation.corpus import Conversation, Question, Turn
from mirix.evaluation.retrieval import evaluate_retrieval
from mirix.evaluation.systems import Bm25System, Entry, Ingest, MemorySystem, MirixSystem, Ranked
from mirix.system import AsyncMirix

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAID = (
    "I have taken up falconry.",
    "The kestrel is called Bramble.",
    "Bramble eats quail on Sundays.",
    "My cousin Wim restores organs in Ghent.",
    "Wim's workshop burnt down in January.",
    "He is moving to Bruges, by the harbour.",
)


def question(
    number: int, text: str, *evidence: str, category: str = "single", answers: Sequence[str] = ("x",)
) -> Question:
    asked_at = START + timedelta(days=3)
    return Question(
        id=str(number),
        text=text,
        asked_at=asked_at,
        answers=tuple(answers),
        evidence=frozenset(evidence),
        category=category,
    )


def talk() -> Conversation:
    turns = [
        Turn(id=f"t{n}", at=START + timedelta(days=n // 3), role="user", speaker="Ada", text=text)
        for n, text in enumerate(SAID)
    ]
    return Conversation(
        name="falcons",
        lang="en",
        timezone="UTC",
        sessions=(tuple(turns[:3]), tuple(turns[3:])),
        questions=(
            question(1, "What is the kestrel called?", "t1"),
            question(2, "What does Bramble eat?", "t2"),
            question(3, "Who restores organs, and where does he move?", "t3", "t5", category="multi"),
            question(4, "What burnt down?", "t4"),
            question(5, "What does the owl eat?", "t2", category="trap", answers=()),
            question(6, "What was never said?", answers=()),
        ),
    )


@dataclass(kw_only=True)
class Scripted:
    """Finds what it is told to find."""

    name: str = "scripted"
    found: Mapping[str, Sequence[str]]
    told: list[str] = field(default_factory=list)

    async def ingest(self, conversation: Conversation) -> None:
        self.told += [turn.id for turn in conversation.turns]

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        return Ranked(entries=[Entry(ids=(key,), text="one two three") for key in self.found[question.id]], ms=2.0)


FOUND = {"1": ["t1"], "2": ["t0", "t2"], "3": ["t3"], "4": [], "5": ["t2"]}


async def test_figures_are_those_of_the_ranking() -> None:
    report = (await evaluate_retrieval("talks", [talk()], [Scripted(found=FOUND)])).to_json()
    assert report["n"] == 4
    assert report["recall@5"] == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert report["all@10"] == pytest.approx(2 / 4)
    assert report["mrr"] == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert report["by_category"]["multi"]["recall@10"] == 0.5


async def test_questions_without_an_answer_stay_out_of_the_totals() -> None:
    report = (await evaluate_retrieval("talks", [talk()], [Scripted(found=FOUND)])).to_json()
    assert report["by_category"]["trap"] == report["by_category"]["trap"] | {"n": 1, "recall@10": 1.0}
    assert sum(group["n"] for group in report["by_category"].values()) == report["n"] + 1


async def test_recall_within_a_budget_counts_whole_entries() -> None:
    found = {**FOUND, "1": ["t0", "t1"]}
    report = (await evaluate_retrieval("talks", [talk()], [Scripted(found=found)])).to_json()
    assert report["recall_within_tokens"]["100"] == report["recall@10"]
    first = Ranked(entries=[Entry(ids=("a",), text="one two three"), Entry(ids=("b",), text="four")], ms=1.0)
    assert first.within(3) == ({"a"}, 3)
    assert first.within(2) == (set(), 0)


async def test_every_system_is_told_all_and_the_first_is_the_one_reported() -> None:
    one, other = Scripted(found=FOUND), Scripted(name="other", found=dict.fromkeys(FOUND, ()))
    report = (await evaluate_retrieval("talks", [talk()], [one, other])).to_json(with_items=True)
    assert one.told == other.told == [f"t{n}" for n in range(6)]
    assert (report["system"], list(report["baselines"])) == ("scripted", ["other"])
    assert report["baselines"]["other"]["recall@30"] == 0.0
    assert report["items"][0]["ranks"] == {"t1": 1}
    json.dumps(report)


async def test_mirix_finds_the_turns_of_a_conversation_and_keeps_conversations_apart(memory: AsyncMirix) -> None:
    said = Turn(id="t9", at=START, role="user", speaker="Bo", text="The kestrel is called Rust.")
    other = Conversation(name="other", lang="en", timezone="UTC", sessions=((said,),), questions=())
    systems: list[MemorySystem] = [MirixSystem(memory=memory, mode=Ingest.EVIDENCE), Bm25System()]
    report = (await evaluate_retrieval("talks", [talk(), other], systems)).to_json(with_items=True)
    assert report["recall@5"] >= 0.9
    assert report["items"][0]["ranks"] == {"t1": 1}
    assert report["context_tokens"] > 0
    assert report["ingest"]["messages"] == 7


async def test_a_whole_write_graph_counts_memories_as_their_sources(memory: AsyncMirix) -> None:
    systems = [MirixSystem(memory=memory, mode=Ingest.GRAPH)]
    report = (await evaluate_retrieval("talks", [talk()], systems)).to_json()
    assert report["recall@5"] >= 0.9
    assert sum((await memory.status(user_id="falcons graph")).memories.values()) > 0


async def test_nothing_is_told_where_nothing_can_be_scored() -> None:
    one = talk()
    system = Scripted(found=FOUND)
    for unscorable in (replace(one, questions=one.questions[4:]), replace(one, questions=())):
        with pytest.raises(InputError, match="nothing can be scored"):
            await evaluate_retrieval("talks", [unscorable], [system])
    assert system.told == []


async def test_two_systems_of_one_name_are_refused() -> None:
    system = Scripted(found=FOUND)
    with pytest.raises(InputError, match="system scripted is there twice"):
        await evaluate_retrieval("talks", [talk()], [system, Scripted(found=FOUND)])
    assert system.told == []
