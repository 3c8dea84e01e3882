from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mirix.errors import InputError
from mirix.evaluation.datasets import READERS, locomo
from mirix.evaluation.lifelog import Person
from mirix.evaluation.runner import read_items


def write(folder: Path, document: object) -> Path:
    path = folder / "items.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def locomo_sample(**changes: Any) -> dict[str, Any]:
    said = {
        "speaker_a": "Ines",
        "speaker_b": "Ravi",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ines", "dia_id": "D1:1", "text": "I took up glass blowing."},
            {"speaker": "Ravi", "dia_id": "D1:2", "text": "Look!", "blip_caption": "a kiln in a shed"},
        ],
        "session_10_date_time": "9:05 am on 2 July, 2023",
        "session_10": [{"speaker": "Ines", "dia_id": "D10:1", "text": "The kiln is mine now."}],
    }
    asked = [
        {"question": "What did Ines take up?", "answer": "Glass blowing", "evidence": ["D1:1"], "category": 4},
        {"question": "Who owns the kiln?", "answer": "Ines", "evidence": ["D1:02; D:10:1", "D9:9"], "category": 1},
        {"question": "When was it?", "answer": 2023, "evidence": [], "category": 2},
        {"question": "Where is Ravi's forge?", "adversarial_answer": "A shed", "evidence": ["D1:2"], "category": 5},
    ]
    return {"sample_id": "pair-1", "conversation": said | changes, "qa": asked}


def test_locomo_sessions_come_in_their_order_with_their_times(tmp_path: Path) -> None:
    (conversation,) = READERS["locomo"](write(tmp_path, [locomo_sample()]))
    assert [turn.id for turn in conversation.turns] == ["D1:1", "D1:2", "D10:1"]
    assert conversation.sessions[1][0].at == datetime(2023, 7, 2, 9, 5, tzinfo=UTC)
    assert all(question.asked_at > conversation.sessions[-1][-1].at for question in conversation.questions)


def test_what_a_locomo_picture_shows_stands_behind_its_turn(tmp_path: Path) -> None:
    (conversation,) = READERS["locomo"](write(tmp_path, [locomo_sample()]))
    assert conversation.sessions[0][1].text == "Look! [image: a kiln in a shed]"


def test_odd_locomo_labels_are_cleaned_up_and_unknown_turns_dropped(tmp_path: Path) -> None:
    (conversation,) = READERS["locomo"](write(tmp_path, [locomo_sample()]))
    assert [question.evidence for question in conversation.questions] == [{"D1:1"}, {"D1:2", "D10:1"}, set(), {"D1:2"}]
    assert locomo.evidence_ids(["D30:05", "D", "D:11:26"]) == {"D30:5", "D11:26"}


def test_an_adversarial_locomo_answer_is_a_trap(tmp_path: Path) -> None:
    (conversation,) = READERS["locomo"](write(tmp_path, [locomo_sample()]))
    trap = conversation.questions[3]
    assert (trap.is_answerable, trap.answers, trap.trap) == (False, (), "A shed")
    assert conversation.questions[2].answers == ("2023",)


def test_a_locomo_date_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, [locomo_sample(session_1_date_time="yesterday")])
    with pytest.raises(InputError, match="pair-1: session_1_date_time is 'yesterday'"):
        READERS["locomo"](path)


@pytest.mark.parametrize(
    ("session", "place"),
    [
        ([{"speaker": "Ines", "dia_id": "D1:1", "text": "Hm."}, {"speaker": "Ravi", "dia_id": "D1:2"}], "turn 2: text"),
        ([{"speaker": "Ines", "text": "Hm."}], "turn 1: dia_id"),
        ("I took up glass blowing.", "is no list of turns"),
        (None, "is no list of turns"),
    ],
)
def test_a_malformed_locomo_turn_is_named_with_its_place(tmp_path: Path, session: object, place: str) -> None:
    path = write(tmp_path, [locomo_sample(session_1=session)])
    with pytest.raises(InputError, match=rf"pair-1: session_1,? {place}"):
        READERS["locomo"](path)


def test_blank_locomo_turns_are_left_out_but_not_their_pictures(tmp_path: Path) -> None:
    said = [
        {"speaker": "Ines", "dia_id": "D1:1", "text": " "},
        {"speaker": "Ravi", "dia_id": "D1:2", "text": "", "blip_caption": "a kiln in a shed"},
    ]
    (conversation,) = READERS["locomo"](write(tmp_path, [locomo_sample(session_1=said)]))
    assert [(turn.id, turn.text) for turn in conversation.sessions[0]] == [("D1:2", "[image: a kiln in a shed]")]
    assert conversation.questions[0].evidence == frozenset()


def test_a_blank_question_is_named(tmp_path: Path) -> None:
    sample = locomo_sample()
    sample["qa"][2]["question"] = " "
    with pytest.raises(InputError, match=r"item 1: qa\.2\.question: is blank"):
        READERS["locomo"](write(tmp_path, [sample]))


def test_what_results_are_kept_by_is_there_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="conversation pair-1 is there twice"):
        READERS["locomo"](write(tmp_path, [locomo_sample(), locomo_sample()]))
    with pytest.raises(InputError, match="conversation q7 is there twice"):
        READERS["longmemeval"](write(tmp_path, [longmemeval_item(), longmemeval_item()]))
    said = [{"speaker": "Ines", "dia_id": "D1:1", "text": "Hm."}] * 2
    with pytest.raises(InputError, match="turn D1:1 of pair-1 is there twice"):
        READERS["locomo"](write(tmp_path, [locomo_sample(session_1=said)]))
    person = lifelog_person()
    person["questions"].append(person["questions"][0])
    with pytest.raises(InputError, match="question q1 of person-0 is there twice"):
        READERS["lifelog"](write(tmp_path, [person]))


def longmemeval_item(**changes: Any) -> dict[str, Any]:
    item = {
        "question_id": "q7",
        "question_type": "single-session-user",
        "question": "Which boat did I buy?",
        "question_date": "2023/05/30 (Tue) 23:40",
        "answer": "A dinghy",
        "answer_session_ids": ["s2"],
        "haystack_session_ids": ["s2", "s1"],
        "haystack_dates": ["2023/05/21 (Sun) 10:00", "2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I bought a dinghy.", "has_answer": True},
                {"role": "assistant", "content": "Fine."},
            ],
            [{"role": "user", "content": "What is a sloop?"}],
        ],
    }
    return item | changes


def test_longmemeval_sessions_are_put_in_order_and_marked_turns_are_the_evidence(tmp_path: Path) -> None:
    (conversation,) = READERS["longmemeval"](write(tmp_path, [longmemeval_item()]))
    assert [turn.id for turn in conversation.turns] == ["s1:1", "s2:1", "s2:2"]
    (question,) = conversation.questions
    assert question.evidence == {"s2:1"}
    assert (question.answers, question.category) == (("A dinghy",), "single-session-user")


def test_longmemeval_without_marks_counts_the_whole_answer_session(tmp_path: Path) -> None:
    sessions = longmemeval_item()["haystack_sessions"]
    sessions[0][0].pop("has_answer")
    (conversation,) = READERS["longmemeval"](write(tmp_path, [longmemeval_item(haystack_sessions=sessions)]))
    assert conversation.questions[0].evidence == {"s2:1", "s2:2"}


def test_longmemeval_abstentions_have_no_answer_and_no_evidence(tmp_path: Path) -> None:
    (conversation,) = READERS["longmemeval"](write(tmp_path, [longmemeval_item(question_id="q7_abs")]))
    assert not conversation.questions[0].is_answerable
    assert conversation.questions[0].evidence == frozenset()


def test_longmemeval_sessions_without_their_dates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="q7: haystack sessions"):
        READERS["longmemeval"](write(tmp_path, [longmemeval_item(haystack_dates=[])]))


def test_longmemeval_sessions_in_which_nothing_is_said_are_refused(tmp_path: Path) -> None:
    silent = [[{"role": "user", "content": " "}], []]
    with pytest.raises(InputError, match="q7: nothing is said"):
        READERS["longmemeval"](write(tmp_path, [longmemeval_item(haystack_sessions=silent)]))


def lifelog_person(**changes: Any) -> dict[str, Any]:
    def said(name: str, at: str) -> dict[str, str]:
        return {"id": name, "at": f"2026-03-02T{at}:00+01:00", "role": "user", "name": "Ida", "text": f"said {name}"}

    def asked(name: str, kind: str) -> dict[str, Any]:
        given = {"id": name, "asked_at": "2026-04-01T10:00:00+02:00", "question": "?", "answers": ["x"]}
        return {**given, "evidence": ["m1"], "type": kind}

    return {
        "persona": "Ida, who rows",
        "lang": "en",
        "timezone": "Europe/Oslo",
        "messages": [said("m1", "09:00"), said("m2", "09:20"), said("m3", "11:00")],
        "questions": [asked("q1", "count"), asked("q2", "abstain"), asked("q3", "vault")],
    } | changes


def test_a_pause_ends_a_session_of_a_life_log(tmp_path: Path) -> None:
    (conversation,) = READERS["lifelog"](write(tmp_path, [lifelog_person()]))
    assert [[turn.id for turn in session] for session in conversation.sessions] == [["m1", "m2"], ["m3"]]
    assert (conversation.lang, conversation.timezone) == ("en", "Europe/Oslo")


def test_types_of_a_life_log_are_categories_whichever_there_are(tmp_path: Path) -> None:
    (conversation,) = READERS["lifelog"](write(tmp_path, [lifelog_person()]))
    count, abstain, vault = conversation.questions
    assert [question.category for question in conversation.questions] == ["count", "abstain", "vault"]
    assert (abstain.is_answerable, abstain.evidence, count.answers) == (False, frozenset(), ("x",))
    assert (vault.is_verbatim, count.is_verbatim) == (True, False)


def test_people_of_a_life_log_are_told_apart(tmp_path: Path) -> None:
    two = READERS["lifelog"](write(tmp_path, [lifelog_person(), lifelog_person()]))
    assert len({conversation.name for conversation in two}) == 2


def test_somebody_who_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="item 1: it: this person says nothing"):
        READERS["lifelog"](write(tmp_path, [lifelog_person(messages=[])]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"messages": []}, "says nothing"),
        ({"messages": lifelog_person()["messages"] + lifelog_person()["messages"][:1]}, "two messages have the id m1"),
        ({"messages": lifelog_person()["messages"][1:]}, "the evidence of question q1, m1, is no message"),
    ],
)
def test_a_life_log_that_does_not_hold_together_is_refused_by_all_who_read_it(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    person = lifelog_person(**changes)
    for question in person["questions"]:
        question["type"] = "single"
    path = write(tmp_path, [person])
    with pytest.raises(InputError, match=words):
        READERS["lifelog"](path)
    with pytest.raises(InputError, match=words):
        read_items(path, Person)
