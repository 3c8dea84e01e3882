from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mirix.errors import InputError
from mirix.evaluation.answer_report import report_answers
from mirix.evaluation.answers import words
from mirix.evaluation.controls import Audit, Plant, planted, shuffled
from mirix.evaluation.retrieval import evaluate_retrieval
from mirix.evaluation.runs import asked_of
from mirix.evaluation.systems import Bm25System
from tests.evaluation.ten_questions import answer_all, conversations, judge_all


def write(folder: Path, document: object) -> Path:
    path = folder / "audit.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_planted_wrong_answers_share_no_word_with_what_is_accepted() -> None:
    found = [each for each in planted(asked_of(conversations())) if each.plant is Plant.OTHER]
    assert [each.asked.question.id for each in found] == ["1", "2", "3", "4", "5", "6"]
    for each in found:
        assert not set(words(each.text)) & {word for key in each.asked.question.answers for word in words(key)}


def test_an_answer_that_might_be_right_in_part_is_not_planted() -> None:
    first, second, third, *rest = asked_of(conversations())
    second = replace(second, question=replace(second.question, answers=("Not far from Skarholm",)))
    found = [each for each in planted([first, second, third, *rest]) if each.plant is Plant.OTHER]
    assert found[0].asked == first
    assert found[0].text == third.question.answers[0]


def test_traps_are_planted_and_bounded_in_number() -> None:
    asked = asked_of(conversations())
    assert [each.text for each in planted(asked) if each.plant is Plant.TRAP] == ["Red", "The concertina"]
    assert max(sum(each.plant is plant for each in planted(asked, most=3)) for plant in Plant) == 3


def test_shuffled_labels_are_other_turns_of_the_same_conversation() -> None:
    (conversation,) = conversations()
    labels = shuffled((conversation.name, question) for question in conversation.questions)
    known = {turn.id for turn in conversation.turns}
    assert len(labels) == 10
    for question in conversation.questions:
        wrong = labels[conversation.name, question.id]
        assert wrong and wrong <= known and not wrong & question.evidence


def test_a_question_whose_evidence_all_others_share_is_left_out() -> None:
    (conversation,) = conversations()
    alike = [replace(question, evidence=frozenset({"D1:1"})) for question in conversation.questions]
    assert shuffled((conversation.name, question) for question in alike) == {}


async def test_recall_falls_with_the_labels_of_another_question(tmp_path: Path) -> None:
    report = report_answers(await answer_all(tmp_path)).to_json()
    assert set(report["controls"]["shuffled_labels"]) == {"full", "none"}
    assert report["controls"]["shuffled_labels"]["full"]["chance"] == {"value": 1.0, "n": 10}
    found = (await evaluate_retrieval("locomo", conversations(), [Bm25System()])).to_json()
    controls = found["controls"]
    assert controls["oracle"]["recall@5"] == 1.0
    assert controls["chance"]["recall@5"] == pytest.approx(5 / 12, abs=1e-4)
    assert controls["shuffled"]["bm25"]["recall@5"] < found["recall@5"] - 0.2


async def test_a_constant_abstainer_is_right_only_where_nothing_answers(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path)
    await judge_all(folder)
    silent = report_answers(folder, judge="scripted:judge").to_json()["controls"]["abstainer"]
    assert silent["correct"]["mean"] == 2 / 10
    assert silent["f1"]["mean"] == silent["contains"]["mean"] == 0.0
    assert silent["abstention"]["mean"] == silent["needless_abstention"]["mean"] == 1.0


async def test_original_and_audited_labels_stand_side_by_side(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path / "run")
    corrections = {"keepers/5": {"answers": ["Seven"]}, "keepers/1": {"evidence": ["D1:1", "D3:1"]}}
    audit = Audit.read(write(tmp_path, corrections))
    report = report_answers(folder, audit=audit).to_json()
    assert report["arms"]["full"]["contains"]["mean"] == 4 / 8
    audited = report["audited"]
    assert (audited["changed_answers"], audited["changed_evidence"]) == (1, 1)
    assert audited["arms"]["full"]["contains"]["mean"] == 5 / 8


async def test_an_audited_answer_is_judged_on_its_new_key(tmp_path: Path) -> None:
    from mirix.evaluation.judging import Judge, run_judge
    from mirix.models.fake import ScriptedChatModel
    from tests.evaluation.ten_questions import compare

    folder = await answer_all(tmp_path / "run")
    before = await judge_all(folder)
    audit = Audit.read(write(tmp_path, {"keepers/5": {"answers": ["Seven"]}}))
    model = ScriptedChatModel(script=compare)
    await run_judge(folder, Judge(model=model, name="scripted:judge"), audit=audit)
    assert len(model.requests) == 3 * 2 * 3 < len(before.requests)  # arms, prompts, runs: of the one question alone
    report = report_answers(folder, judge="scripted:judge", audit=audit).to_json()
    assert report["arms"]["full"]["strict"]["mean"] == 3 / 8
    assert report["audited"]["arms"]["full"]["strict"]["mean"] == 4 / 8


async def test_an_audit_that_finds_no_answer_makes_a_question_one_to_be_silent_on(tmp_path: Path) -> None:
    audit = Audit.read(write(tmp_path, {"keepers/6": {"answers": []}}))
    audited = report_answers(await answer_all(tmp_path / "run"), audit=audit).to_json()["audited"]
    assert audited["arms"]["full"]["abstention"] == audited["arms"]["full"]["abstention"] | {"n": 3}
    assert audited["arms"]["full"]["correct"]["mean"] == 6 / 10


async def test_rankings_are_measured_on_audited_evidence_too(tmp_path: Path) -> None:
    audit = Audit.read(write(tmp_path, {"keepers/1": {"evidence": ["D2:4"]}}))
    report = (await evaluate_retrieval("locomo", conversations(), [Bm25System()], audit=audit)).to_json()
    assert report["audited"]["changed_evidence"] == 1
    assert report["audited"]["systems"]["bm25"]["mrr"] < report["mrr"]


@pytest.mark.parametrize(
    ("document", "words_of_error"),
    [({"keepers/1": {"answer": ["x"]}}, "keepers/1"), ([], "audit.json"), ({"keepers/1": {"answers": "x"}}, "answers")],
)
def test_an_audit_of_another_shape_is_refused(tmp_path: Path, document: object, words_of_error: str) -> None:
    with pytest.raises(InputError, match=words_of_error):
        Audit.read(write(tmp_path, document))


def test_an_audit_of_other_questions_is_refused(tmp_path: Path) -> None:
    audit = Audit.read(write(tmp_path, {"conv-99/1": {"answers": ["x"]}}))
    with pytest.raises(InputError, match="none of the questions"):
        audit.check_asked(asked_of(conversations()))


@pytest.mark.parametrize(
    ("document", "words_of_error"),
    [
        ({"keepers/1": {"answers": ["x"]}, "keepers/77": {"answers": ["x"]}}, "keepers/77"),
        ({"keepers/1": {"evidence": ["D2:4", "D9:9"]}}, "keepers/1 rests on D9:9"),
    ],
)
def test_every_question_and_turn_of_an_audit_has_to_be_there(
    tmp_path: Path, document: object, words_of_error: str
) -> None:
    Audit.read(write(tmp_path, {"keepers/1": {"evidence": ["D2:4"]}})).check(conversations())
    with pytest.raises(InputError, match=words_of_error):
        Audit.read(write(tmp_path, document)).check(conversations())


async def test_questions_that_only_the_audit_labels_are_searched_too(tmp_path: Path) -> None:
    (conversation,) = conversations()
    first, *others = conversation.questions
    bare = replace(conversation, questions=(replace(first, evidence=frozenset()), *others))
    audit = Audit.read(write(tmp_path, {"keepers/1": {"evidence": sorted(first.evidence)}}))
    system = Bm25System()
    report = (await evaluate_retrieval("locomo", [bare], [system], audit=audit)).to_json(with_items=True)
    assert report["n"] == len(others) - 2  # two of them are traps
    assert report["audited"]["systems"]["bm25"]["n"] == report["n"] + 1
    assert report["audited"]["changed_evidence"] == 1
    assert "1" not in [item["question"] for item in report["items"]]


async def test_a_trap_that_the_audit_answers_counts(tmp_path: Path) -> None:
    (conversation,) = conversations()
    trap = next(question for question in conversation.questions if not question.is_answerable)
    audit = Audit.read(write(tmp_path, {f"keepers/{trap.id}": {"answers": ["x"], "evidence": ["D1:1"]}}))
    report = (await evaluate_retrieval("locomo", [conversation], [Bm25System()], audit=audit)).to_json()
    assert report["audited"]["systems"]["bm25"]["n"] == report["n"] + 1
