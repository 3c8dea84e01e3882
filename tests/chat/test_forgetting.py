"""Forgetting as it is said: what goes at once, what is asked first, and what a yes does."""

from __future__ import annotations

import pytest

from mirix.models.fake import Reply, ScriptedRequest
from tests.chat.conftest import conversational, heard, say, talk
from tests.scripts import META, OpenMirix, Rows, call, knowledge, routed, says, stored_text, texts

ODA = "My sister Oda lives in Tromsø."
HOME = "I live at 12 Birch Lane in Bergen."
CAT = "My cat Miso only eats salmon."


@pytest.mark.parametrize("wish", ["Forget that.", "忘掉刚才说的"])
async def test_the_last_turn_goes_with_what_came_of_it(open_mirix: OpenMirix, rows: Rows, wish: str) -> None:
    memory = await open_mirix()
    reply = await talk(memory, CAT, ODA, wish)
    assert reply.done.action == "forgotten" and reply.done.forgotten and reply.done.forgotten.memories
    assert "Tromsø" in reply.text, "the reply tells what went"
    assert "Tromsø" not in stored_text(rows), "the rows do not"
    assert any("Miso" in text for text in await texts(memory))


async def test_a_turn_that_only_added_to_a_memory_is_asked_about_first(open_mirix: OpenMirix) -> None:
    """The memory knows more than the turn said: it would all go."""
    adds = call("semantic_memory_update", memory="m1", changes={"details": "Plays the cello. Is allergic to walnuts."})
    filed = iter([says(knowledge("Oda", "Plays the cello")), says(adds)])

    def writes(request: ScriptedRequest) -> Reply:
        return routed(semantic=["e1"]) if META in request.tools else next(filed)

    hears = [heard("set_topics", topics=[])] * 2 + [heard("forget", what="last_turn")]
    memory = await open_mirix(conversational(hears, ["Noted."] * 2, writes=writes))
    reply = await talk(memory, "Oda plays the cello.", "Oda is allergic to walnuts.", "Forget that.")
    assert reply.done.action == "asked" and [trace.summary for trace in reply.done.listed] == ["Plays the cello"]
    assert await texts(memory) == ["Plays the cello"]


async def test_saying_it_twice_does_not_take_the_turn_before(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    reply = await talk(memory, CAT, ODA, "Forget that.", "Forget that.")
    assert reply.done.forgotten is None
    assert any("Miso" in text for text in await texts(memory))


async def test_after_an_answer_goes_what_it_cited_with_its_sources(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    reply = await talk(memory, CAT, ODA, "Where does Oda live?", "forget that")
    assert reply.done.action == "forgotten"
    assert "Tromsø" not in stored_text(rows) and "Miso" in stored_text(rows)


async def test_an_answer_that_rests_on_much_is_asked_about_first(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    reply = await talk(memory, CAT, ODA, HOME, "What do you know about me?", "forget that")
    assert reply.done.action == "asked" and len(reply.done.listed) > 3
    assert "Tromsø" in str(await texts(memory))
    done = await say(memory, "yes")
    assert done.done.action == "forgotten" and await texts(memory) == []


@pytest.mark.parametrize(
    ("wish", "yes"),
    [("Forget everything about Oda.", "Yes, do it"), ("忘掉关于Oda的一切", "是的"), ("忘掉关于Oda的一切", "好。")],
)
async def test_what_is_about_something_goes_after_a_yes(open_mirix: OpenMirix, rows: Rows, wish: str, yes: str) -> None:
    memory = await open_mirix()
    question = await talk(memory, CAT, ODA, "Where does Oda live?", wish)
    assert question.done.action == "asked" and question.done.listed and question.done.messages
    assert "Tromsø" in question.text and "Miso" not in question.text
    before = rows("SELECT count(*) AS n FROM document")
    done = await say(memory, yes)
    assert done.done.forgotten and len(done.done.forgotten.memories) == len(question.done.listed)
    assert done.done.forgotten.messages == question.done.messages, "what was listed is what went"
    assert before != rows("SELECT count(*) AS n FROM document")
    assert "Oda" not in stored_text(rows) and "Miso" in stored_text(rows)


@pytest.mark.parametrize(
    "between", ["no", "不要", "Wait, what is it?", "I bought bread.", "Don't remember this: I resign."]
)
async def test_anything_but_a_yes_keeps_it_and_a_later_yes_does_nothing(open_mirix: OpenMirix, between: str) -> None:
    memory = await open_mirix()
    await talk(memory, ODA, "Forget everything about Oda.", between)
    late = await say(memory, "yes")
    assert late.done.forgotten is None
    assert any("Tromsø" in text for text in await texts(memory))


async def test_a_yes_to_an_ordinary_answer_forgets_nothing(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    reply = await talk(memory, ODA, "Where does Oda live?", "Yes")
    assert reply.done.action == "none"
    assert any("Tromsø" in text for text in await texts(memory))


async def test_a_question_is_answered_once(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    await talk(memory, ODA, "Forget everything about Oda.")
    first, second = await say(memory, "yes"), await say(memory, "yes")
    assert (first.done.action, second.done.action) == ("forgotten", "none")


async def test_superseded_values_and_hidden_messages_go_as_well(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await talk(memory, "I live in Bergen.", "I moved to Drammen.", "Forget everything about Bergen", "yes")
    assert "Bergen" not in stored_text(rows)


async def test_everything_is_listed_and_goes_after_a_yes(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    question = await talk(memory, CAT, ODA, "Forget everything.")
    assert question.done.action == "asked" and "Miso" in question.text and "Tromsø" in question.text
    await say(memory, "yes")
    assert await texts(memory) == [] and "Miso" not in stored_text(rows)


async def test_what_is_nowhere_is_said_to_be_nowhere(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    assert "“Henrik”" in (await talk(memory, ODA, "Forget everything about Henrik.")).text
    assert "“海伦”" in (await say(memory, "忘掉关于海伦的一切")).text


async def test_an_answer_without_citations_is_not_forgotten_by_guess(open_mirix: OpenMirix) -> None:
    hears = [heard("set_topics", topics=["x"]), heard("forget", what="last_answer")]
    memory = await open_mirix(conversational(hears, ["I don't know."]))
    await memory.add(ODA, infer=False)
    reply = await talk(memory, "Where is it?", "forget that")
    assert reply.done.forgotten is None and "names no memory" in reply.text
