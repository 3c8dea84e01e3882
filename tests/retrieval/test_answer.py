from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from mirix.definitions import load_definitions
from mirix.errors import ModelReplyError
from mirix.memory.core import CoreRecord
from mirix.memory.record import MemoryKind
from mirix.memory.semantic import SemanticRecord
from mirix.models.fake import Reply, ScriptedChatModel, replies_by_tool
from mirix.retrieval.active import Filters, Retriever
from mirix.retrieval.answer import Answer, Answerer, resolve_citations
from mirix.retrieval.context import Context, pack
from tests.retrieval.conftest import START, Notebook
from tests.retrieval.test_context import said

ASKED = datetime(2026, 11, 13, 9, tzinfo=UTC)
DEFINITIONS = load_definitions()


def called(name: str, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "args": arguments}]}


def answerer(retriever: Retriever, *replies: Reply, topics: Sequence[str] = ()) -> tuple[Answerer, ScriptedChatModel]:
    """An answerer whose chat model gives these replies, and whose topic maker names these topics."""
    chat = ScriptedChatModel(script=list(replies))
    topic_maker = ScriptedChatModel(
        script=replies_by_tool({"set_topics": [called("set_topics", topics=list(topics))] * 5})
    )
    models = {"topic_maker": topic_maker, "chat_agent": chat}
    return Answerer(retriever, definitions=DEFINITIONS, models=models), chat


async def test_an_answer_names_the_memory_its_messages_and_the_words(notebook: Notebook, retriever: Retriever) -> None:
    said = await notebook.say("We moved to Bergen.")
    kept = await notebook.keep(SemanticRecord, said, name="home", summary="A flat. Lives in Bergen since spring.")
    answers, chat = answerer(retriever, "You live in Bergen [1].", topics=["home", "Bergen"])
    answer = await answers.ask(notebook.user, "Where do I live?", asked_at=ASKED)
    assert (answer.text, answer.known, answer.topics) == ("You live in Bergen [1].", True, ("home", "Bergen"))
    [citation] = answer.citations
    assert (citation.n, citation.kind, citation.id) == (1, MemoryKind.SEMANTIC, kept.id)
    assert citation.source_ids == (said.id,)
    assert citation.quote == "Lives in Bergen since spring."
    assert answer.usage.model_calls == 2
    assert answer.usage.input_tokens > 100
    assert answer.usage.ms > 0
    [request] = chat.requests
    assert request.tools == ("search_memory",)
    assert "<now>2026-11-13T10:00:00+01:00 Friday</now>\n<core_memory>" in request.messages[1].text
    assert request.messages[1].text.endswith(
        '</context>\n<question asked_at="2026-11-13T10:00:00+01:00">Where do I live?</question>'
    )


async def test_core_memory_is_always_shown(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.keep(CoreRecord, label="persona", summary="Answers in one sentence")
    answers, chat = answerer(retriever, "I don't know.")
    answer = await answers.ask(notebook.user, "xyzzy?")
    assert '<block label="persona">\n- Answers in one sentence\n</block>' in chat.requests[0].messages[1].text
    assert not answer.known
    assert answer.citations == ()


@pytest.mark.parametrize(
    ("line", "question", "reply"),
    [
        (
            "Has a cat, Pixel, that is allergic to chicken",
            "What is Pixel allergic to?",
            "Pixel is allergic to chicken.",
        ),
        ("养了一只猫叫小豆,对鸡肉过敏", "小豆对什么过敏？", "小豆对鸡肉过敏。"),
    ],
)
async def test_an_answer_from_core_memory_alone_names_the_line_and_its_messages(
    line: str, question: str, reply: str, notebook: Notebook, retriever: Retriever
) -> None:
    said = await notebook.say(line)
    await notebook.keep(CoreRecord, label="human", summary="Lives in Bergen with a cat")
    kept = await notebook.keep(CoreRecord, said, label="human", summary=line)
    answers, chat = answerer(retriever, reply)
    answer = await answers.ask(notebook.user, question, max_tokens=5, filters=Filters(source_kinds=frozenset({"file"})))
    assert (answer.text, answer.known) == (f"{reply} [1]", True)
    [citation] = answer.citations
    assert (citation.kind, citation.id, citation.source_ids) == (MemoryKind.CORE, kept.id, (said.id,))
    assert "[1]" not in chat.requests[0].messages[1].text
    item = answer.context.item(1)
    assert item is not None and line in item.text


async def test_a_core_line_that_was_shown_as_an_item_keeps_its_number(notebook: Notebook, retriever: Retriever) -> None:
    kept = await notebook.keep(CoreRecord, label="human", summary="Has a cat, Pixel, allergic to chicken")
    answers, _ = answerer(retriever, "Chicken.")
    answer = await answers.ask(notebook.user, "What is Pixel allergic to?")
    assert [(item.n, item.hit.id) for item in answer.context.items] == [(1, kept.id)]
    assert answer.text == "Chicken. [1]"


@pytest.mark.parametrize("reply", ["I don't know.", "我不知道。", "Pixel is a fine name for a horse.", "Yes."])
async def test_what_no_core_line_says_rests_on_nothing(reply: str, notebook: Notebook, retriever: Retriever) -> None:
    for line in ("Has a cat, Pixel", "I don't know how to swim", "不知道怎么游泳"):
        await notebook.keep(CoreRecord, label="human", summary=line)
    answers, _ = answerer(retriever, reply)
    answer = await answers.ask(notebook.user, "How does Pixel swim? 游泳", max_tokens=5)
    assert (answer.text, answer.known) == (reply, False)


async def test_the_model_may_search_again_and_cite_what_it_found(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("The kiln cracked.")
    for number in range(25):
        await notebook.say(f"Where is the cat {number}?", at=START + timedelta(days=number + 1))
    answers, chat = answerer(
        retriever, called("search_memory", query="kiln", types=["message"]), "It cracked [{n}].".format(n="21")
    )
    answer = await answers.ask(notebook.user, "Where is the cat?", asked_at=ASKED, max_tokens=800)
    first, second = chat.requests
    [result] = [message for message in second.messages if isinstance(message, ToolMessage)]
    shown = len(re.findall(r"(?m)^\[\d+\] ", first.messages[1].text))
    assert result.text.startswith(f"[{shown + 1}] ")
    assert "The kiln cracked." in result.text
    assert second.messages[1].text == first.messages[1].text
    assert answer.context.items[shown].n == shown + 1
    assert answer.usage.model_calls == 3


async def test_after_three_searches_the_answer_has_to_come(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("The kiln cracked.")
    searches = [called("search_memory", query=query) for query in ("oven", "stove", "窑")]
    answers, chat = answerer(retriever, *searches, "The kiln cracked [1].")
    answer = await answers.ask(notebook.user, "What broke?")
    assert [request.tools for request in chat.requests] == [("search_memory",)] * 3 + [()]
    final = chat.requests[-1]
    assert len(final.messages) == 2
    assert final.messages[1].text.endswith("</question>\n<final/>")
    assert "The kiln cracked." in final.messages[1].text
    assert answer.known


async def test_a_bad_search_is_told_to_the_model(notebook: Notebook, retriever: Retriever) -> None:
    answers, chat = answerer(
        retriever,
        called("search_memory", query="kiln", types=["dreams"]),
        called("lookup", query="kiln"),
        called("search_memory", query="kiln", since="2026-01-01", until="2026-02-01T10:00:00+01:00"),
        "I don't know.",
    )
    answer = await answers.ask(notebook.user, "What broke?")
    told = [m.text for m in chat.requests[2].messages if isinstance(m, ToolMessage)]
    assert "search_memory was not run: types" in told[0]
    assert "there is no tool 'lookup'" in told[1]
    assert not answer.known


async def test_as_of_holds_for_every_search(notebook: Notebook, retriever: Retriever) -> None:
    old = await notebook.keep(SemanticRecord, name="home", summary="lives in Drammen")
    await notebook.supersede(old, summary="lives in Bergen", valid_from=START + timedelta(days=30))
    answers, chat = answerer(retriever, called("search_memory", query="Bergen"), "In Drammen [1].")
    filters = Filters(as_of=START + timedelta(days=1))
    answer = await answers.ask(notebook.user, "Where do I live?", filters=filters)
    assert answer.citations[0].id == old.id
    assert not any("lives in Bergen" in request.text for request in chat.requests)


async def test_an_empty_reply_is_asked_for_once_more(notebook: Notebook, retriever: Retriever) -> None:
    answers, _ = answerer(retriever, "", "Nowhere.")
    assert (await answers.ask(notebook.user, "Where?")).text == "Nowhere."


async def test_an_empty_reply_is_an_error(notebook: Notebook, retriever: Retriever) -> None:
    answers, _ = answerer(retriever, "", "")
    with pytest.raises(ModelReplyError):
        await answers.ask(notebook.user, "Where?")


async def test_the_answer_can_be_streamed(notebook: Notebook, retriever: Retriever) -> None:
    pieces: list[str] = []
    answers, _ = answerer(retriever, "One line\nand another.")
    answer: Answer = await answers.ask(notebook.user, "Well?", on_text=pieces.append)
    assert "".join(pieces) == answer.text == "One line\nand another."


def context() -> Context:
    hits = [said(number, f"Sentence {number}. The kiln cracked.") for number in (1, 2, 3)]
    return pack(hits, {}, question="kiln", timezone="UTC")


@pytest.mark.parametrize(
    ("text", "resolved", "numbers"),
    [
        ("It cracked [1][3].", "It cracked [1][3].", [1, 3]),
        ("It cracked [1, 3].", "It cracked [1][3].", [1, 3]),
        ("It cracked [9].", "It cracked.", []),
        ("It cracked [2][9], twice [0].", "It cracked [2], twice.", [2]),
        ("裂了【2】。", "裂了[2]。", [2]),
        ("裂了[1、2]。", "裂了[1][2]。", [1, 2]),
        ("On Friday [2026-11-06] it cracked", "On Friday [2026-11-06] it cracked", []),
        ("I don't know.", "I don't know.", []),
        ("[2] [2] [1]", "[2] [2] [1]", [1, 2]),
    ],
)
def test_citations_are_resolved_and_unknown_numbers_dropped(text: str, resolved: str, numbers: list[int]) -> None:
    clean, citations = resolve_citations(text, context())
    assert clean == resolved
    assert [citation.n for citation in citations] == numbers
    assert all(citation.quote == "The kiln cracked." for citation in citations if "cracked [" in text)
