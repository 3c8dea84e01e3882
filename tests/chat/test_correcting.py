"""Corrections as they are said: replaced in place where it is clear, and kept as a new statement where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from mirix.chat.correcting import replaced
from mirix.models.builtin.corrections import find_correction
from mirix.models.builtin.prompt import parse_call
from mirix.models.fake import Reply, ScriptedRequest
from tests.chat.conftest import conversational, heard, say, talk
from tests.scripts import META, OpenMirix, Rows, call, event, knowledge, routed, says, stored_text, texts

HOME = "I live at 12 Birch Lane in Bergen."


async def test_the_cited_memory_is_corrected_and_undo_takes_it_back(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    reply = await talk(memory, HOME, "Where do I live?", "That is wrong, it is 14 Birch Lane.")
    assert reply.done.action == "corrected"
    assert "12 Birch Lane" in reply.text and "14 Birch Lane" in reply.text and "undo" in reply.text
    assert all("12 Birch" not in text for text in await texts(memory))
    assert "14 Birch Lane" in (await say(memory, "Where do I live?")).text
    told = [message.text for message in await memory.sources(reply.done.corrections[0].id)]
    assert told == ["That is wrong, it is 14 Birch Lane."]
    for record in await memory.undo(reply.done.corrections[0].id):
        assert "14 Birch" not in record.summary


async def test_the_old_words_are_found_no_more(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    await talk(memory, HOME, "Where do I live?", "That is wrong, it is 14 Birch Lane.")
    assert all("12 Birch" not in hit.text for hit in (await memory.search("12 Birch Lane", limit=50)).hits)


async def test_what_the_vault_keeps_of_the_words_is_corrected_with_them(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    await talk(memory, HOME, "Where do I live?", "That is wrong, it is 14 Birch Lane.")
    values = [await memory.reveal(entry.id) for entry in await memory.get_all(kinds=["vault"])]
    assert values and all("14 Birch Lane" in value for value in values)


async def test_a_statement_is_corrected_right_after_it(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    reply = await talk(memory, "My sister Oda lives in Tromsø.", "No, that's wrong, it's Bodø.")
    assert reply.done.action == "corrected"
    assert await texts(memory) and all("Bodø" in text for text in await texts(memory))


async def test_a_correction_in_chinese(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    reply = await talk(memory, "我妹妹住在成都。", "不对,是重庆。")
    assert reply.done.action == "corrected" and "已更正" in reply.text
    assert "重庆" in str(await texts(memory)) and "成都" not in str(await texts(memory))


async def test_what_is_not_clear_changes_nothing_and_is_kept_as_said(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await say(memory, "My sister Oda is allergic to walnuts.")
    before = await texts(memory)
    reply = await say(memory, "That is wrong, it is pistachios.")
    assert reply.done.action == "restated" and reply.added and "No memory was changed" in reply.text
    assert set(before) <= set(await texts(memory))
    assert "pistachios" in stored_text(rows)


async def test_a_restated_correction_tells_what_it_replaced(open_mirix: OpenMirix) -> None:
    def writes(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed(semantic=["e1"])
        if "Tunes" not in request.text.split("<memories>")[-1]:
            return says(knowledge("Oda", "Tunes harpsichords"))
        item = {"name": "Oda", "kind": "person", "summary": "Builds harpsichords", "details": "Builds harpsichords"}
        return says(call("semantic_memory_supersede", memory="m1", item=item))

    hears = [heard("set_topics", topics=[], reply="Good."), heard("correct", right="she builds them")]
    memory = await open_mirix(conversational(hears, corrects=["Not clear."], writes=writes))
    reply = await talk(memory, "Oda tunes harpsichords.", "That's wrong, she builds them")
    assert reply.done.action == "restated"
    assert "Tunes harpsichords" in reply.text and "Builds harpsichords" in reply.text


async def test_wrong_without_right_asks_and_the_next_turn_may_tell(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    asked = await talk(memory, HOME, "Where do I live?", "That's wrong.")
    assert asked.done.action == "none" and "what is right" in asked.text
    reply = await say(memory, "It is 14 Birch Lane.")
    assert reply.done.action == "corrected"


BAD_CORRECTIONS: list[Any] = [
    call("correct_memory", memory="m9", wrong="Tromsø", right="Bodø"),
    call("correct_memory", memory="m1", wrong="Hammerfest", right="Bodø"),
    call("correct_memory", memory="m1", wrong="", right="Bodø"),
    call("correct_memory", memory="m1", wrong="Tromsø"),
    call("drop_table", memory="m1"),
]


@pytest.mark.parametrize("bad", BAD_CORRECTIONS, ids=str)
async def test_a_model_that_points_nowhere_changes_nothing(open_mirix: OpenMirix, bad: Any) -> None:
    def writes(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed(semantic=["e1"]) if "sister" in request.text else routed()
        return says(knowledge("Oda", "Lives in Tromsø"))

    hears = [heard("set_topics", topics=[], reply="Good."), heard("correct", right="Bodø")]
    memory = await open_mirix(conversational(hears, corrects=[says(bad)], writes=writes))
    reply = await talk(memory, "My sister Oda lives in Tromsø.", "Wrong, Bodø")
    assert reply.done.action == "restated"
    assert await texts(memory) == ["Lives in Tromsø"]


async def test_the_day_of_an_event_moves_with_its_words(open_mirix: OpenMirix) -> None:
    def writes(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed(episodic=["e1"])
        return says(event("Dentist on 2026-11-20", occurred_at="2026-11-20"))

    right = call("correct_memory", memory="m1", wrong="2026-11-20", right="2026-11-27")
    hears = [heard("set_topics", topics=[], reply="Good."), heard("correct", right="the 27th")]
    memory = await open_mirix(conversational(hears, corrects=[says(right)], writes=writes))
    await talk(memory, "Dentist on 20 November.", "Wrong, the 27th")
    [kept] = await memory.get_all(kinds=["episodic"])
    assert kept.summary == "Dentist on 2026-11-27" and kept.occurred_at
    assert kept.occurred_at.date().isoformat() in ("2026-11-26", "2026-11-27")


async def test_what_was_on_a_screen_is_not_shown_beside_what_the_user_told(open_mirix: OpenMirix) -> None:
    def writes(request: ScriptedRequest) -> Reply:
        name = "Screen" if 'source="screen"' in request.text else "Oda"
        if META in request.tools:
            return routed(semantic=["e1"])
        return says(knowledge(name, f"{name} lives in Tromsø"))

    hears = [heard("set_topics", topics=["Tromsø"]), heard("correct", right="Bodø")]
    model = conversational(hears, ["Both [1][2][3][4]."], ["Not clear.", "Not clear."], writes)
    memory = await open_mirix(model)
    await memory.add("Oda lives in Tromsø")
    await memory.add("Screen lives in Tromsø", source="screen")
    await talk(memory, "Who lives in Tromsø?", "Wrong, Bodø")
    shown = [request.text for request in model.requests if "correct_memory" in request.tools]
    assert len(shown) == 2
    assert "Oda lives" in shown[0] and "Screen lives" not in shown[0] and "Screen lives" in shown[1]


@pytest.mark.parametrize(
    ("text", "wrong", "right", "new"),
    [
        ("May said so in May", "May", "June", "June said so in June"),
        ("Dismay in May", "May", "June", "Dismay in June"),
        ("Dismay in May", "may", "June", "Dismay in May"),
        ("住在成都", "成都", "重庆", "住在重庆"),
        ("a.b costs 5 (five)", "(five)", r"\1", r"a.b costs 5 \1"),
    ],
)
def test_words_are_replaced_whole(text: str, wrong: str, right: str, new: str) -> None:
    assert replaced(text, wrong, right) == new


@pytest.mark.parametrize(
    ("memory", "asked", "said", "wrong"),
    [
        ("Oda lives in Tromsø", "Where does Oda live?", "That is wrong, it is Bodø.", "Tromsø"),
        ("Oda was born on 3 May 1990", "When was Oda born?", "No, that's wrong, it is 13 May 1990", "3 May 1990"),
        ("Choir on Tuesday at 18:30", "When is choir?", "That's wrong, it's 17:30", "18:30"),
        ("Choir on Tuesday at 18:30", "When is choir?", "It's not Tuesday, it's Thursday.", "Tuesday"),
        ("The room costs 400 euros", "What does the room cost?", "Wrong, it is 450 euros", "400 euros"),
        ("小雨的生日是5月3日", "小雨哪天生日?", "不对,应该是5月13日", "5月3日"),
        ("合唱在周二晚上", "合唱哪天?", "不是周二,是周四", "周二"),
        ("Oda and Per live in Tromsø", "Who lives in Tromsø?", "That is wrong, it is Liv.", None),
        ("Oda likes walnuts", "What does Oda like?", "That is wrong, it is pistachios.", None),
        ("Oda lives in Tromsø", "Where does Oda live?", "That is wrong, it is Tromsø.", None),
    ],
)
def test_the_builtin_model_finds_the_wrong_words_or_none(memory: str, asked: str, said: str, wrong: str | None) -> None:
    text = (
        f'<conversation>\n<turn role="user">{asked}</turn>\n<turn role="assistant" kind="answer"/>\n</conversation>\n'
        f'<memories>\n<memory id="m1" type="semantic" at="2026-11-01">{memory}</memory>\n</memories>\n'
        f"<turn>{said}</turn>"
    )
    found = find_correction(parse_call([HumanMessage(text)]))
    assert (found.arguments["wrong"] if found else None) == wrong
