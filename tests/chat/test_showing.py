"""What the memory shows of itself."""

from __future__ import annotations

from tests.chat.conftest import say, talk
from tests.scripts import OpenMirix


async def test_what_is_known_is_shown_by_type_and_citable(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    told = "The wifi password is Plover-Crank-4172."
    reply = await talk(memory, "I live in Bergen.", "I moved to Drammen.", told, "What do you know about me?")
    assert reply.done.action == "listed" and reply.added is None
    assert "Drammen" in reply.text and "I live in Bergen" not in reply.text, "what was superseded is left out"
    assert "Plover" not in reply.text and "wifi" in reply.text and "{{vault:" not in reply.text
    assert [citation.n for citation in reply.citations] == list(range(1, len(reply.citations) + 1))
    assert all(f"[{citation.n}]" in reply.text and citation.source_ids for citation in reply.citations)
    assert {trace.id for trace in reply.done.listed} == {citation.id for citation in reply.citations}
    for citation in reply.citations:
        assert await memory.get(citation.id)


async def test_of_one_thing_only_what_is_about_it(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    reply = await talk(
        memory, "My sister Oda lives in Tromsø.", "My cat Miso eats salmon.", "What do you know about Oda?"
    )
    assert "Tromsø" in reply.text and "Miso" not in reply.text
    assert "nothing about Henrik" in (await say(memory, "What do you know about Henrik?")).text


async def test_in_chinese(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    assert "还不知道" in (await say(memory, "你知道我什么?")).text
    reply = await talk(memory, "我妹妹小雨住在成都。", "我对花生过敏。", "你都记得我什么?")
    assert "成都" in reply.text and "花生" in reply.text and "始终记着的" in reply.text
    about = await say(memory, "关于小雨你知道什么?")
    assert "成都" in about.text and "花生" not in about.text


async def test_a_word_that_no_memory_was_made_of_is_shown_as_it_was_said(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    await memory.add("The harpsichord arrived.", infer=False)
    reply = await say(memory, "What do you know about the harpsichord?")
    assert "arrived" in reply.text and reply.citations[0].kind is None
