from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mirix.evaluation.answering import Reader
from mirix.evaluation.arms import Arm, FullArm, SystemArm, make_arms
from mirix.evaluation.corpus import Conversation, Question, Turn
from mirix.evaluation.runs import Shown, asked_of
from mirix.evaluation.systems import Bm25System, Entry, Ranked
from mirix.models.fake import ScriptedChatModel
from mirix.system import AsyncMirix
from mirix.text.chunks import count_tokens
from tests.evaluation.ten_questions import conversations

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def told(*texts: str, question: str = "What is the wifi password?", answer: str = "Quartz-Lintel-58") -> Conversation:
    turns = [
        Turn(id=f"t{n}", at=START + timedelta(minutes=n), role="user", speaker="Ida", text=text)
        for n, text in enumerate(texts)
    ]
    asked = Question(
        id="q",
        text=question,
        asked_at=START + timedelta(days=2),
        answers=(answer,),
        evidence=frozenset({"t0"}),
        category="vault",
        is_verbatim=True,
    )
    return Conversation(name="ida", lang="en", timezone="UTC", sessions=(tuple(turns),), questions=(asked,))


async def show(arms: Sequence[Arm], memory: AsyncMirix, conversation: Conversation, budget: int = 1_000) -> list[Shown]:
    made = make_arms(arms, memory, budget=budget, full_tokens=budget)
    for system in {id(arm.system): arm.system for arm in made if arm.system is not None}.values():
        await system.ingest(conversation)
    return [await arm.show(conversation, conversation.questions[0]) for arm in made]


async def test_each_arm_shows_what_it_may_find(memory: AsyncMirix) -> None:
    said = told("My brother is the harbour pilot of Mandal.", "It rained.", question="What is my brother?")
    evidence, typed, both, none, oracle = await show(
        [Arm.EVIDENCE, Arm.TYPED, Arm.BOTH, Arm.NONE, Arm.ORACLE], memory, said
    )
    assert " Ida: " in evidence.text and 'type="semantic"' not in evidence.text
    assert 'type="semantic"' in typed.text and len(typed.text.splitlines()) == typed.text.count("type=")
    assert 'type="semantic"' in both.text and len(both.text.splitlines()) > both.text.count("type=")
    assert (none.text, none.ids, none.tokens) == ("", (), 0)
    assert oracle.ids == typed.ids == ("t0",)


async def test_no_arm_takes_more_tokens_than_the_budget(memory: AsyncMirix) -> None:
    said = told(
        *(f"The harbour pilot number {n} met the brother of Mandal at noon." for n in range(30)), question="Who met?"
    )
    every = [arm for arm in Arm if arm is not Arm.NONE]
    for shown in await show(every, memory, said, budget=150):
        assert 0 < shown.tokens <= 150, shown.arm
        assert count_tokens(shown.text) == shown.tokens


async def test_a_sealed_value_is_filled_in_after_the_reader(memory: AsyncMirix) -> None:
    said = told("The wifi password here is Quartz-Lintel-58.", "It rained.")
    (evidence,) = await show([Arm.EVIDENCE], memory, said)
    assert "Quartz" not in evidence.text
    assert 'type="vault"' not in evidence.text  # the entry that was made of it is a memory, and no message
    (reference,) = evidence.sealed
    model = ScriptedChatModel(script=[f"{{{{vault:{reference}}}}} [1]"])
    answer = await Reader(model=model).answer(asked_of([said])[0], evidence)
    assert (answer.raw, answer.text) == (f"{{{{vault:{reference}}}}} [1]", "Quartz-Lintel-58")
    assert "Quartz" not in model.requests[0].text


async def test_baselines_show_turns_as_mirix_does(memory: AsyncMirix) -> None:
    said = told("My brother pilots ships in Mandal.", question="Where does my brother pilot ships?", answer="Mandal")
    evidence, bm25 = await show([Arm.EVIDENCE, Arm.BM25], memory, said)
    assert evidence.text == bm25.text
    assert bm25.text.startswith("[1] 2026-03-02 09:00 Ida: ")


async def test_text_that_another_system_made_is_shown_as_it_is() -> None:
    class Summariser(Bm25System):
        async def search(self, conversation: Conversation, question: Question) -> Ranked:
            return Ranked(entries=[Entry(ids=("t0", "t1"), text="Ida's brother is a pilot.")], ms=1.0)

    said = told("My brother is a pilot.", "In Mandal.")
    shown = await SystemArm(system=Summariser(), budget=100).show(said, said.questions[0])
    assert "Ida's brother is a pilot." in shown.text
    assert shown.ids == ("t0", "t1")


async def test_a_conversation_that_is_too_long_is_shown_from_its_end() -> None:
    (conversation,) = conversations()
    whole = await FullArm(budget=10_000).show(conversation, conversation.questions[0])
    end = await FullArm(budget=whole.tokens // 2).show(conversation, conversation.questions[0])
    assert whole.ids == tuple(turn.id for turn in conversation.turns)
    assert end.ids == whole.ids[-len(end.ids) :]
    assert 0 < len(end.ids) < len(whole.ids)


async def test_the_oracle_shows_nothing_where_nothing_answers(memory: AsyncMirix) -> None:
    said = told("The railing is red.")
    trap = replace(said.questions[0], answers=())
    (shown,) = await show([Arm.ORACLE], memory, replace(said, questions=(trap,)))
    assert shown.text == ""


@pytest.mark.parametrize("text", ["Quartz-Lintel-58", "the quartz lintel 58"])
async def test_a_verbatim_answer_is_right_character_for_character(text: str) -> None:
    from mirix.evaluation.judging import Opinion
    from mirix.evaluation.scoring import Scored

    (asked,) = asked_of([told("The wifi password here is Quartz-Lintel-58.")])
    shown = Shown(conversation="ida", question="q", arm="none", ids=(), tokens=0, ms=0.0, text="")
    answer = await Reader(model=ScriptedChatModel(script=[text])).answer(asked, shown)
    approved = Opinion(is_right=True, is_unanimous=True, unreadable=0)
    scored = replace(Scored.of(asked, answer), opinions={"lenient": approved})
    assert scored.is_correct("contains") == scored.is_correct("lenient") == (text == "Quartz-Lintel-58")
