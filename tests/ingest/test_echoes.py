"""What memory gave out is no evidence when it comes back; what people say is, however often."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mirix.errors import InputError
from mirix.ingest.echoes import Echoes
from mirix.ingest.inputs import Incoming, Origin, from_messages, from_text
from mirix.memory.message import Role
from mirix.models.fake import ScriptedChatModel
from mirix.system import AsyncMirix
from tests.scripts import OpenMirix, Rows, routed, scripted

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
FACT = {"en": "Oda repairs harpsichords in Tromsø.", "zh": "小林在昆明的老街上修古琴。"}
OTHER = {"en": "Her workshop opens at nine every morning.", "zh": "她的工作室每天早上九点开门。"}
QUESTION = {"en": "Where does Oda repair harpsichords?", "zh": "小林在哪里修古琴？"}
LANGUAGES = ("en", "zh")


def said(text: str, role: Role = "assistant", source: Any = "chat") -> Incoming:
    [item] = from_messages([{"role": role, "text": text}], Origin(timezone="UTC", source=source), NOON)
    return item


def is_echo(heard: Echoes, item: Incoming, user_id: int = 1) -> bool:
    return heard.heard(user_id, item).recalled is not None


def given(*texts: str) -> Echoes:
    noted = Echoes()
    for text in texts:
        noted.gave(1, text, [uuid4()])
    return noted


# ---- what is an echo ----


@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_that_were_given_are_an_echo_with_or_without_the_marks_of_a_list(language: str) -> None:
    noted = given(FACT[language], OTHER[language])
    heading = {"en": "What I remember:", "zh": "我记得："}[language]
    for shown in (
        FACT[language],
        f"{FACT[language]} [1]",
        f"1. {FACT[language]}\n2) {OTHER[language]}",
        f"{heading}\n- {FACT[language]}\n\n- {OTHER[language]} 【2】",
    ):
        assert is_echo(noted, said(shown)), shown
    assert is_echo(noted, said(f"- {FACT[language]}", "tool"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_says_anything_more_is_no_echo(language: str) -> None:
    more = {"en": "I booked it for Friday.", "zh": "我订好了星期五。"}[language]
    assert not is_echo(given(FACT[language]), said(f"{FACT[language]}\n{more}"))
    assert not is_echo(given(FACT[language]), said(f"{FACT[language]} {more}"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_user_says_is_evidence_however_often_it_was_said(language: str) -> None:
    assert not is_echo(given(FACT[language]), said(FACT[language], "user"))


def test_what_was_given_to_one_user_is_no_echo_of_another() -> None:
    assert not is_echo(given(FACT["en"]), said(FACT["en"]), user_id=2)


@pytest.mark.parametrize("words", ["Sounds good!", "好的！"])
def test_a_few_words_are_alike_by_chance(words: str) -> None:
    assert not is_echo(given(words), said(words))


@pytest.mark.parametrize("answer", ["Tromsø [1].", "昆明 [1]。"])
def test_a_short_answer_is_known_by_its_citation(answer: str) -> None:
    assert is_echo(given(answer), said(answer))
    assert not is_echo(given(answer), said(answer.replace(" [1]", "")))


def test_an_answer_that_rests_on_nothing_is_no_echo() -> None:
    noted = Echoes()
    noted.gave(1, FACT["en"], [])
    assert not is_echo(noted, said(FACT["en"]))


def test_an_echo_rests_on_all_that_it_repeats() -> None:
    noted, first, second = Echoes(), uuid4(), uuid4()
    noted.gave(1, FACT["en"], [first])
    noted.gave(1, "The key is {{vault:k7q2}} as ever.", [second])
    recalled = noted.heard(1, said(f"- {FACT['en']}\n- The key is {{{{vault:k7q2}}}} as ever.")).recalled
    assert recalled is not None
    assert recalled.cited == (first, second)
    assert recalled.references == {"k7q2"}


def test_a_heading_brings_no_reference_in() -> None:
    assert not is_echo(given(FACT["en"]), said(f"{{{{vault:k7q2}}}}:\n{FACT['en']}"))


def test_only_the_newest_lines_are_kept() -> None:
    noted = Echoes(kept_lines=4)
    for text in (FACT["en"], FACT["zh"], OTHER["en"]):  # each as a line and as a whole
        noted.gave(1, text, [uuid4()])
    assert not is_echo(noted, said(FACT["en"]))
    assert is_echo(noted, said(OTHER["en"]))


# ---- what a user quotes ----


def left(noted: Echoes, text: str) -> str | None:
    """What is heard of a user's turn; None: nothing."""
    heard = noted.heard(1, said(text, "user"))
    return None if heard.recalled else heard.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_that_a_user_quotes_are_cut_with_their_heading(language: str) -> None:
    noted = given(FACT[language], OTHER[language])
    heading, question = {"en": "Relevant memories:", "zh": "相关记忆："}[language], QUESTION[language]
    listed = f"{heading}\n- {FACT[language]}\n\n2. {OTHER[language]} [2]\n"
    assert left(noted, f"{listed}\n{question}") == question
    assert left(noted, f"{question}\n> {FACT[language]}") == question
    assert left(noted, listed) is None
    assert left(noted, f"{FACT[language]} [1]") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_memory_of_several_lines_is_quoted_whole(language: str) -> None:
    noted = given(f"{FACT[language]}\n{OTHER[language]}")
    assert left(noted, f"- {FACT[language]}\n{OTHER[language]}\n{QUESTION[language]}") == QUESTION[language]


def test_a_heading_stays_above_what_is_new() -> None:
    noted = given(FACT["en"])
    assert left(noted, f"About Oda:\n- {FACT['en']}\n- She is 44.") == "About Oda:\n- She is 44."


@pytest.mark.parametrize(
    ("answer", "turn", "heard"),
    [
        (
            "She is 44. It rains [1][2].",
            "Right: it rains [1][2]. It rains [1][2]. So?",
            "Right: it rains [1][2]. It rains. So?",
        ),
        (
            "She is 44. It rains [1, 2].",
            "I know that it rains. It rains [1, 2]. Ok?",
            "I know that it rains. It rains. Ok?",
        ),
        ("她四十四岁。今天下雨【1】。", "真的吗？今天下雨【1】。那好。", "真的吗？今天下雨。那好。"),
    ],
)
def test_a_citation_is_cut_behind_the_sentence_it_was_given_with(answer: str, turn: str, heard: str) -> None:
    assert left(given(answer), turn) == heard


@pytest.mark.parametrize(
    "turn",
    [
        FACT["en"],
        f"{FACT['en']}\nAs I said.",
        f"You told me that {FACT['en']}\r\n\r\n- She also sings [1].",
        f"- {FACT['en']} And she sings.",
        "- Oda sings.",
        "",
    ],
)
def test_what_a_user_says_in_a_turn_of_their_own_is_heard_to_the_letter(turn: str) -> None:
    assert left(given(FACT["en"], "Oda sings."), turn or FACT["zh"]) == (turn or FACT["zh"])


# ---- through the doors ----


async def _ask(memory: AsyncMirix, language: str) -> str:
    await memory.add(FACT[language], at=NOON)
    answer = await memory.ask(QUESTION[language])
    assert answer.known
    return answer.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_conversation_with_the_answer_in_it_teaches_only_what_the_user_said(
    language: str, open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix()
    answer = await _ask(memory, language)
    turns = [
        {"role": "user", "content": QUESTION[language]},
        {"role": "assistant", "content": answer},
        {"role": "user", "content": OTHER[language]},
    ]
    added = await memory.add(turns, conversation="later")
    kept = rows(
        "SELECT role, standing, embedding IS NULL AS bare, cited <> '{}' AS cites FROM message ORDER BY position"
    )
    assert [(row["role"], row["standing"]) for row in kept[1:]] == [
        ("user", "current"),
        ("assistant", "hidden"),
        ("user", "current"),
    ]
    assert kept[2]["bare"] and kept[2]["cites"]
    assert len(added.batches) == 1
    echo = added.message_ids[1]
    found = await memory.search(answer, limit=20)
    assert echo not in {hit.id for hit in found.hits}
    for record in await memory.get_all():
        assert echo not in {source.id for source in await memory.sources(record.id)}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_answer_that_a_user_hands_back_changes_no_memory(
    language: str, open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix()
    answer = await _ask(memory, language)
    before = {(record.id, record.body()) for record in await memory.get_all()}
    hits = (await memory.search(QUESTION[language])).hits
    quotes = "".join(f"- {hit.text}\n" for hit in hits)
    await memory.add(answer)
    await memory.add(f"Memories:\n{quotes}\n{QUESTION[language]}")
    assert {(record.id, record.body()) for record in await memory.get_all()} == before
    kept = rows("SELECT role, standing, text FROM message ORDER BY at")
    assert [row["standing"] for row in kept] == ["current", "hidden", "current"]
    assert kept[-1]["text"] == QUESTION[language]


async def test_the_managers_are_not_shown_an_echo(open_mirix: OpenMirix) -> None:
    model = scripted([routed()] * 2)
    memory = await open_mirix(model)
    await memory.add(FACT["en"], at=NOON)
    await memory.search(QUESTION["en"])
    await memory.add([{"text": OTHER["en"]}, {"role": "assistant", "text": FACT["en"]}])
    shown = model.requests[-1].text
    assert OTHER["en"] in shown and FACT["en"] not in shown


async def test_an_echo_alone_asks_no_model(open_mirix: OpenMirix) -> None:
    model = scripted([routed()])
    memory = await open_mirix(model)
    await memory.add(FACT["en"], at=NOON)
    await memory.search(QUESTION["en"])
    added = await memory.add([{"role": "assistant", "text": FACT["en"]}])
    assert [batch.state for batch in added.batches] == ["applied"]
    assert len(model.requests) == 1


async def test_the_same_conversation_again_changes_nothing(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    await memory.add(FACT["en"], at=NOON)
    turns = [{"text": OTHER["en"]}, {"role": "assistant", "text": FACT["en"]}]
    await memory.search(QUESTION["en"])
    await memory.add(turns)
    assert (await memory.add(turns)).is_duplicate
    memory.parts.evidence.echoes = Echoes()  # as in another process
    assert (await memory.add(turns)).is_duplicate
    assert len(rows("SELECT text FROM message")) == 3


async def test_an_echo_in_an_imported_chat_is_none_either(open_mirix: OpenMirix, rows: Rows, tmp_path: Path) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    await memory.add(FACT["zh"], at=NOON)
    await memory.search(QUESTION["zh"])
    turns = [{"role": "user", "content": OTHER["zh"]}, {"role": "assistant", "content": f"1、{FACT['zh']}"}]
    file = tmp_path / "chat.jsonl"
    file.write_text("".join(json.dumps(turn) + "\n" for turn in turns), encoding="utf-8")
    await memory.import_chats(file, "jsonl")
    kept = rows("SELECT role, standing FROM message ORDER BY position OFFSET 1")
    assert [tuple(row.values()) for row in kept] == [("user", "current"), ("assistant", "hidden")]


async def test_an_assistant_that_was_given_nothing_is_evidence(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    await memory.add(FACT["en"], at=NOON)
    await memory.add([{"role": "assistant", "text": FACT["en"]}])
    assert [row["standing"] for row in rows("SELECT standing FROM message")] == ["current", "current"]


# ---- blocks ----


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_context_that_was_put_before_the_question_is_cut_from_it(
    language: str, open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix()
    await memory.add(FACT[language], at=NOON)
    context = (await memory.ask(QUESTION[language])).context.text
    assert FACT[language] in context
    added = await memory.add(
        [{"role": "user", "content": f"{context}\n\n{OTHER[language]}"}, {"role": "user", "content": context}]
    )
    texts = [row["text"] for row in rows("SELECT text FROM message WHERE id = ANY (%s)", list(added.message_ids))]
    assert texts == [OTHER[language]]


async def test_a_note_that_is_nothing_but_a_context_is_not_taken(tmp_path: Path, open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel())
    block = "<context>\n[1] 2026-06-01 12:00 Oda: I moved.\n\n  Far away.\n</context>"
    note = tmp_path / "note.md"
    note.write_text(block)
    for given_as in ({"content": block}, {"file": note}):
        with pytest.raises(InputError, match="came out of memory"):
            await memory.add(**given_as)


@pytest.mark.parametrize(
    "text",
    [
        "In React a <context> is read by its consumers </context> below it.",
        "<context>\nI wrote this by hand.\n</context>",
        "<context>\n[1] an item that is never closed",
        "<memories>of the sea</memories>",
    ],
)
def test_text_that_only_looks_like_a_block_stays(text: str) -> None:
    [item] = from_text(text, Origin(timezone="UTC"), NOON)
    assert item.text == text
