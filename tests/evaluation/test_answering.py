from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mirix.errors import ConfigError, InputError, ModelError, ModelReplyError, ModelUnavailable
from mirix.evaluation.answer_report import TOO_FEW, AnswerReport, findings, report_answers
from mirix.evaluation.answering import FEW, Reader, run_answers
from mirix.evaluation.arms import Arm, TurnsArm, evidence_turns
from mirix.evaluation.runs import RunFolder, asked_of
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from tests.evaluation.ten_questions import (
    SETTINGS,
    answer_all,
    conversations,
    judge_all,
    open_folder,
    own_arms,
    question_of,
    read,
)


def mean(figure: dict[str, float]) -> float:
    return figure["mean"]


async def test_figures_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    report = report_answers(await answer_all(tmp_path)).to_json()
    full = report["arms"]["full"]
    assert mean(full["f1"]) == pytest.approx((1 + 0.4 + 1 + 2 / 3 + 0 + 0 + 1 + 4 / 9) / 8, abs=1e-4)
    assert mean(full["bleu_1"]) == pytest.approx((1 + 0.25 + 1 + 0.3679 + 0 + 0 + 1 + 0.3894) / 8, abs=1e-4)
    assert mean(full["contains"]) == 4 / 8
    assert (full["n"], full["f1"]["n"], full["abstention"]["n"]) == (10, 8, 2)
    assert mean(full["needless_abstention"]) == 1 / 8
    assert mean(full["correct"]) == (4 + 1) / 10


async def test_a_question_without_an_answer_is_right_only_when_nothing_is_claimed(tmp_path: Path) -> None:
    report = report_answers(await answer_all(tmp_path)).to_json()
    by_category = {arm: each["by_category"]["5"] for arm, each in report["arms"].items()}
    assert mean(by_category["full"]["abstention"]) == 0.5  # the trap answer counts for nothing
    assert mean(by_category["none"]["abstention"]) == 1.0
    assert by_category["full"]["f1"] == {"n": 0, "mean": None}


async def test_tokens_and_evidence_stand_beside_every_score(tmp_path: Path) -> None:
    arms = report_answers(await answer_all(tmp_path)).to_json()["arms"]
    assert mean(arms["full"]["evidence_in_context"]) == mean(arms["oracle"]["evidence_in_context"]) == 1.0
    assert arms["none"]["context_tokens"] == 0 < arms["oracle"]["context_tokens"] < arms["full"]["context_tokens"]
    assert arms["none"]["input_tokens"] > 0


async def test_arms_are_compared_question_by_question(tmp_path: Path) -> None:
    report = report_answers(await answer_all(tmp_path)).to_json()
    (pair,) = report["pairs"]  # the oracle is a bound and competes with none
    assert (pair["first"], pair["second"]) == ("full", "none")
    # Full alone has the four right that it knows, none alone the one where full walks into the trap.
    assert (pair["only_first"], pair["only_second"]) == (4, 1)
    assert pair["mcnemar_p"] == pytest.approx(2 * 6 / 2**5)
    assert mean(pair["correct"]) == pytest.approx(-0.3)
    assert mean(pair["by_category"]["5"]) == pytest.approx(0.5)


async def test_a_run_that_was_stopped_goes_on_without_asking_again(tmp_path: Path) -> None:
    def stops(request: ScriptedRequest) -> Reply:
        return RuntimeError("stopped") if "sea shanties" in question_of(request) else read(request)

    folder = open_folder(tmp_path)
    asked = folder.questions.read()
    with pytest.raises(ExceptionGroup):
        await run_answers(folder, conversations(), asked, own_arms(), Reader(model=ScriptedChatModel(script=stops)))
    kept = {answer.key for answer in folder.answers.read()}
    assert 0 < len(kept) < 30
    with folder.answers.path.open("ab") as file:
        file.write(b'{"conversation": "keep')  # it was stopped in the middle of a line
    model = ScriptedChatModel(script=read)
    done = await run_answers(folder, conversations(), asked, own_arms(), Reader(model=model))
    assert len(model.requests) == done.answered == 30 - len(kept)
    everything = [answer.key for answer in folder.answers.read()]
    assert len(everything) == len(set(everything)) == 30
    assert mean(report_answers(folder).to_json()["arms"]["full"]["contains"]) == 0.5


async def test_contexts_that_are_there_are_not_searched_again(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path)
    before = folder.contexts.path.read_bytes()
    await answer_all(tmp_path)
    assert folder.contexts.path.read_bytes() == before


async def test_what_the_reader_fails_on_counts_as_wrong_and_is_asked_again(tmp_path: Path) -> None:
    def fails(request: ScriptedRequest) -> Reply:
        return ModelError("no such luck") if "strongest queen" in question_of(request) else read(request)

    folder = open_folder(tmp_path)
    asked = folder.questions.read()
    done = await run_answers(folder, conversations(), asked, own_arms(), Reader(model=ScriptedChatModel(script=fails)))
    assert (done.failed, done.first_failure) == (3, "no such luck")
    full = report_answers(folder).to_json()["arms"]["full"]
    assert (full["failed"], mean(full["contains"])) == (1, 3 / 8)
    model = ScriptedChatModel(script=read)
    await run_answers(folder, conversations(), asked, own_arms(), Reader(model=model))
    assert len(model.requests) == 3


async def run_with(folder: RunFolder, script: Callable[[ScriptedRequest], Reply]) -> ScriptedChatModel:
    model = ScriptedChatModel(script=script)
    await run_answers(folder, conversations(), folder.questions.read(), own_arms(), Reader(model=model))
    return model


async def test_a_reader_that_never_answers_ends_the_run_soon(tmp_path: Path) -> None:
    requests: list[ScriptedRequest] = []

    def fails(request: ScriptedRequest) -> Reply:
        requests.append(request)
        return ModelError("no such model")

    folder = open_folder(tmp_path)
    with pytest.raises(ModelError, match=rf"first {FEW} answers .* no such model .* run the same command again"):
        await run_with(folder, fails)
    assert len(requests) < 30
    assert folder.contexts.path.exists()
    assert len((await run_with(folder, read)).requests) == 30


async def test_a_reader_that_fails_after_its_first_answers_ends_nothing(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    seen: list[ScriptedRequest] = []

    def tires(request: ScriptedRequest) -> Reply:
        seen.append(request)
        return ModelUnavailable("away") if len(seen) > 3 else read(request)

    await run_with(folder, tires)
    assert len(folder.answers.read()) == 3
    # What is left over may be what the reader never answers, but a server that is away answers nothing.
    await run_with(folder, lambda request: ModelError("that is no decent question"))
    with pytest.raises(ModelUnavailable, match="away"):
        await run_with(folder, lambda request: ModelUnavailable("away"))
    assert len(folder.answers.read()) == 3


async def test_replies_that_cannot_be_used_are_no_reason_to_stop(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    await run_with(folder, lambda request: ModelReplyError("it said nothing"))
    assert folder.answers.read() == []


async def test_a_run_does_not_mix_with_one_of_other_settings(tmp_path: Path) -> None:
    await answer_all(tmp_path)
    with pytest.raises(ConfigError, match="budget was 1000, is 500"):
        RunFolder.open(tmp_path, {**SETTINGS, "budget": 500}, asked_of(conversations()))
    with pytest.raises(ConfigError, match="questions was"):
        RunFolder.open(tmp_path, SETTINGS, asked_of(conversations())[:3])


async def test_every_answer_is_kept_as_it_came(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path)
    line = next(
        document
        for text in folder.answers.path.read_text(encoding="utf-8").splitlines()
        if (document := json.loads(text))["arm"] == "full" and document["question"] == "3"
    )
    assert (line["raw"], line["text"]) == ("Philippa [1]", "Philippa")
    assert line["context_ids"][:2] == ["D1:1", "D1:2"]
    assert line["context_tokens"] > 0 and line["input_tokens"] > 0 and line["reader_ms"] >= 0


async def test_the_judge_gives_the_main_measure_where_there_is_one(tmp_path: Path) -> None:
    folder = await answer_all(tmp_path)
    await judge_all(folder)
    report = report_answers(folder, judge="scripted:judge").to_json()
    full = report["arms"]["full"]
    assert report["main"] == "strict"
    assert (mean(full["lenient"]), mean(full["strict"])) == (6 / 8, 3 / 8)
    assert mean(full["correct"]) == (3 + 1) / 10


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no run\.json"):
        RunFolder.existing(tmp_path)


MANY = {"n": 40, "differing": 12}


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        ({"mean": 0.3, "low": 0.1, "high": 0.5, **MANY}, "adds"),
        ({"mean": -0.3, "low": -0.5, "high": -0.1, **MANY}, "loses"),
        ({"mean": 0.1, "low": 0.0, "high": 0.3, **MANY}, "not shown"),
        ({"mean": 1.0, "low": 1.0, "high": 1.0, "n": 2, "differing": 2}, TOO_FEW),  # a bootstrap of two has no width
        ({"mean": 0.0, "low": 0.0, "high": 0.0, "n": 9, "differing": 0}, TOO_FEW),
        ({"mean": 0.4, "low": 0.1, "high": 0.7, "n": 10, "differing": 4}, TOO_FEW),
    ],
)
async def test_the_report_says_on_which_categories_the_memories_add(
    tmp_path: Path, difference: dict[str, float], verdict: str
) -> None:
    folder = open_folder(tmp_path)
    nothing = TurnsArm(name=Arm.EVIDENCE, choose=lambda conversation, question: (), budget=100)
    everything = TurnsArm(name=Arm.BOTH, choose=evidence_turns, budget=1_000)
    asked = folder.questions.read()
    await run_answers(
        folder, conversations(), asked, [nothing, everything], Reader(model=ScriptedChatModel(script=read))
    )
    document = report_answers(folder).to_json()
    found = document["pairs"][0]["by_category"]
    assert all({"n", "differing", "low", "high"} <= each.keys() for each in found.values())
    found["2"] = difference
    (grid,) = (grid for grid in AnswerReport(document=document).grids() if grid.title == "What the six memories add")
    verdicts = {row[0]: row[5] for row in grid.rows}
    assert verdicts.pop("2 temporal") == verdict
    assert set(verdicts.values()) == {TOO_FEW}
    against, memories, *_ = findings(document)
    assert ("It adds on 2 temporal (+0.300" in against) == (verdict == "adds")
    assert ("loses on 2 temporal (−0.300" in against) == (verdict == "loses")
    assert ("No category has questions enough" in against) == (verdict == TOO_FEW)
    assert ("it is shown on 2 temporal" in memories) == (verdict == "adds")
    assert "too few questions to tell on 1 multi-hop" in memories
