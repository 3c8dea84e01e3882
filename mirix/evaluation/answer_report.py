"""The report of a run with answers, made from its folder alone: figures, comparisons, controls, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rich.table import Table

from mirix.evaluation.arms import Arm
from mirix.evaluation.controls import Audit, Plant, abstention, shuffled
from mirix.evaluation.datasets import category_names
from mirix.evaluation.grids import Grid, fraction, probability, signed, with_bounds, with_count
from mirix.evaluation.judging import AUDITED, ORIGINAL, PROMPTS, opinion, version
from mirix.evaluation.metrics import Share, mean
from mirix.evaluation.runs import Answered, Asked, RunFolder, Verdict
from mirix.evaluation.scoring import MODEL_FREE, Scored, compare, figures, score

MOST_FALSE_ACCEPTS = 0.05  # above it the judge's figures are said not to be trusted
SHOWN_BELOW = 0.05  # McNemar's p
# Resamples of few questions differ too little: an interval of one or two has no width at all. Of fewer than six that
# differ, even all of them on one side are no rarity (McNemar: 2 / 2**5 > 0.05).
LEAST_QUESTIONS = 10
LEAST_DIFFERING = 6
TOO_FEW = "too few to tell"
LEAST_KEYS = 0.9  # of the keys themselves that a judge has to accept
_MEMORIES_TOLD = (
    ("adds", "it is shown"),
    ("loses", "they cost"),
    ("not shown", "it is not shown"),
    (TOO_FEW, "there are too few questions to tell"),
)
_SETTINGS = ("reader", "memory_model", "embedding_model", "budget", "full_tokens")
_CONTROLS = frozenset({Arm.ORACLE})  # arms that are no competitors


@dataclass(frozen=True, kw_only=True)
class AnswerReport:
    document: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.document)

    def grids(self) -> list[Grid]:
        return [*_result_grids(self.document), *_control_grids(self.document)]

    def tables(self) -> list[Table]:
        return [grid.table() for grid in self.grids()]


def report_answers(
    folder: RunFolder, *, judge: str | None = None, audit: Audit | None = None, facts: Mapping[str, Any] | None = None
) -> AnswerReport:
    """Score what is in the folder, with the verdicts of `judge` where there are any."""
    settings = folder.settings
    asked, answers = folder.questions.read(), folder.answers.read()
    verdicts = [
        each for each in folder.verdicts.read() if each.judge == judge and each.prompt_version == version(each.prompt)
    ]
    there = {answer.arm for answer in answers}
    arms = [*(arm for arm in Arm if arm in there), *sorted(there - set(Arm))]
    scored = score(asked, answers, _on(verdicts, ORIGINAL), arms)
    main = "strict" if any(each.opinions for members in scored.values() for each in members) else "contains"
    competing = [arm for arm in arms if arm not in _CONTROLS]
    document: dict[str, Any] = {
        "evaluation": settings["dataset"],
        "mode": "answers",
        **{name: settings.get(name) for name in _SETTINGS},
        "judge": judge,
        "judge_runs": max((each.run for each in verdicts), default=None),
        **(facts or {}),
        "questions": len(asked),
        "conversations": len({each.conversation for each in asked}),
        "main": main,
        "category_names": category_names(settings["dataset"], [each.question.category for each in asked]),
        "arms": {arm: figures(members, main) for arm, members in scored.items()},
        "pairs": [
            {"first": first, "second": second, **compare(scored[first], scored[second], main)}
            for first, second in combinations(competing, 2)
        ],
        "controls": {
            "abstainer": figures([_silent(each) for each in asked], main),
            "shuffled_labels": _shuffled(asked, answers, competing),
            "judge": _judge_controls(verdicts, arms),
        },
    }
    if audit is not None:
        document["audited"] = _audited(asked, answers, verdicts, arms, main, audit)
    return AnswerReport(document=document)


def _on(verdicts: Sequence[Verdict], labels: str) -> list[Verdict]:
    return [each for each in verdicts if each.labels == labels]


# ---- controls ----


def _silent(asked: Asked) -> Scored:
    """A constant abstainer's answer."""
    text = abstention(asked.lang)
    answered = Answered(
        conversation=asked.conversation,
        question=asked.question.id,
        category=asked.question.category,
        arm="abstainer",
        context_ids=(),
        context_tokens=0,
        search_ms=0.0,
        input_tokens=0,
        output_tokens=0,
        is_usage_estimated=True,
        reader_ms=0.0,
        raw=text,
        text=text,
    )
    return Scored.of(asked, answered)


def _shuffled(asked: Sequence[Asked], answers: Sequence[Answered], arms: Sequence[str]) -> dict[str, Any]:
    """Of the evidence of another question, how much is in the context: no more than of any turns, by chance."""
    labels = shuffled((each.conversation, each.question) for each in asked)
    turns = {each.key: each.turns for each in asked}
    true = {each.key: each.question.evidence for each in asked}
    found: dict[str, Any] = {}
    for arm in arms:
        shown = [
            (key, set(answer.context_ids))
            for answer in answers
            if answer.arm == arm and (key := (answer.conversation, answer.question)) in labels
        ]
        found[arm] = {
            "evidence_in_context": mean(len(true[key] & ids) / len(true[key]) for key, ids in shown).to_json(),
            "shuffled": mean(len(labels[key] & ids) / len(labels[key]) for key, ids in shown).to_json(),
            "chance": mean(len(ids) / turns[key] for key, ids in shown).to_json(),
        }
    return found


def _judge_controls(verdicts: Sequence[Verdict], arms: Sequence[str]) -> dict[str, Any]:
    """By prompt: how often runs agree, and what the judge accepts that is wrong, or refuses that is right."""
    found: dict[str, Any] = {}
    for prompt in PROMPTS:
        groups: dict[tuple[str, ...], list[Verdict]] = {}
        for each in _on(verdicts, ORIGINAL):
            if each.prompt == prompt:
                groups.setdefault((each.arm, each.conversation, each.question), []).append(each)
        if not groups:
            continue
        opinions = {key: opinion(members) for key, members in groups.items()}
        accepted = {
            plant: mean(each.is_right for key, each in opinions.items() if key[0] == plant).to_json() for plant in Plant
        }
        wrong = [plant for plant in Plant if not plant.is_right]
        false_accept = mean(each.is_right for key, each in opinions.items() if key[0] in wrong)
        keys = mean(each.is_right for key, each in opinions.items() if key[0] == Plant.KEY)
        found[prompt] = {
            "runs": max(len(members) for members in groups.values()),
            "unanimous": mean(each.is_unanimous for key, each in opinions.items() if key[0] in arms).to_json(),
            "unreadable": sum(each.unreadable for each in opinions.values()),
            "accepted": {plant.value: rate for plant, rate in accepted.items()},
            "false_accept": false_accept.to_json(),
            "is_trusted": _is_trusted(false_accept, keys),
        }
    return found


def _is_trusted(false_accept: Share, keys: Share) -> bool:
    return (
        false_accept.value is not None
        and false_accept.value <= MOST_FALSE_ACCEPTS
        and (keys.value or 0.0) >= LEAST_KEYS
    )


def _audited(
    asked: Sequence[Asked],
    answers: Sequence[Answered],
    verdicts: Sequence[Verdict],
    arms: Sequence[str],
    main: str,
    audit: Audit,
) -> dict[str, Any]:
    """The same answers on corrected labels."""
    audited = audit.asked(asked)
    pairs = list(zip(asked, audited, strict=True))
    renewed = {new.key for old, new in pairs if old.question.answers != new.question.answers}
    chosen = [each for each in verdicts if (each.labels == AUDITED) == ((each.conversation, each.question) in renewed)]
    scored = score(audited, answers, chosen, arms)
    return {
        "changed_answers": len(renewed),
        "changed_evidence": sum(old.question.evidence != new.question.evidence for old, new in pairs),
        "arms": {arm: figures(members, main) for arm, members in scored.items()},
    }


# ---- tables ----


def _result_grids(document: Mapping[str, Any]) -> list[Grid]:
    arms: Mapping[str, Any] = document["arms"]
    judged = [prompt for prompt in PROMPTS if any(prompt in each for each in arms.values())]
    measures = [*MODEL_FREE, *judged]
    results = Grid(
        title="Correct answers",
        columns=["correct", *measures, "abstains rightly", "abstains needlessly", "n", "failed"],
        rows=[
            [
                arm,
                with_bounds(each["correct"]),
                *(fraction(each[measure]["mean"]) if measure in each else "–" for measure in measures),
                with_count(each["abstention"]),
                fraction(each["needless_abstention"]["mean"]),
                str(each["n"]),
                str(each["failed"]),
            ]
            for arm, each in arms.items()
        ],
        note=f"correct: {document['main']}, or rightly silent; in brackets 95 % by bootstrap.",
    )
    costs = Grid(
        title="What it costs",
        columns=["evidence in context", "context tokens", "prompt tokens", "answer tokens", "search ms", "reader ms"],
        rows=[[arm, with_count(each["evidence_in_context"]), *_costs(each)] for arm, each in arms.items()],
        note="Tokens are means a question; times are p50/p95.",
    )
    added = _added_by_memories(document)
    return [
        results,
        *([_memories_grid(document, added)] if added else []),
        costs,
        _by_category(document, "correct", "Correct by category", "In brackets how many questions."),
        _by_category(document, "f1", "Token F1 by category", "Questions without an answer have none."),
        _by_category(
            document,
            "evidence_in_context",
            "Evidence in the context by category",
            "Share of the evidence that the reader was shown or that a memory it was shown rests on, whatever the "
            "reader made of it.",
        ),
        *([_pairs_grid(against)] if (against := _against_first(document)) else []),
    ]


def _by_category(document: Mapping[str, Any], measure: str, title: str, note: str) -> Grid:
    named: Mapping[str, str] = document["category_names"]
    rows = [
        [arm, *(with_count(each["by_category"][name][measure]) for name in named)]
        for arm, each in document["arms"].items()
    ]
    return Grid(title=title, columns=list(named.values()), rows=rows, note=note)


def _pairs_grid(pairs: Sequence[Mapping[str, Any]]) -> Grid:
    return Grid(
        title=f"Against {pairs[0]['first']}",
        columns=["difference of correct", "difference of F1", "gained", "lost", "McNemar p"],
        rows=[
            [
                pair["second"],
                signed(pair["correct"]),
                signed(pair["f1"]),
                str(pair["only_second"]),
                str(pair["only_first"]),
                probability(pair["mcnemar_p"]),
            ]
            for pair in pairs
        ],
        note="Question by question, 95 % by paired bootstrap. Gained and lost: questions that only one of the two has "
        "right; p exact, not corrected for several comparisons. All pairs are in report.json.",
    )


def _against_first(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    first = next(iter(document["arms"]), None)
    return [pair for pair in document["pairs"] if pair["first"] == first]


def _costs(each: Mapping[str, Any]) -> list[str]:
    tokens = [f"{each[name]:,.0f}" if each[name] is not None else "–" for name in _TOKENS]
    times = [f"{each[name]['p50']:.1f}/{each[name]['p95']:.1f}" if each[name] else "–" for name in _TIMES]
    return [*tokens, *times]


_TOKENS = ("context_tokens", "input_tokens", "output_tokens")
_TIMES = ("search_ms", "reader_ms")


def _control_grids(document: Mapping[str, Any]) -> list[Grid]:
    controls = document["controls"]
    silent = controls["abstainer"]
    oracle = document["arms"].get(Arm.ORACLE)
    grids = [
        Grid(
            title="Control: bounds",
            columns=["correct", "F1", "abstains rightly"],
            rows=[
                [name, with_count(each["correct"]), with_count(each["f1"]), with_count(each["abstention"])]
                for name, each in (("oracle evidence", oracle), ("constant abstainer", silent))
                if each is not None
            ],
            note="The oracle is shown exactly the turns that hold the answer; the abstainer never answers.",
        ),
        Grid(
            title="Control: shuffled labels",
            columns=["evidence in context", "evidence of another question", "chance"],
            rows=[
                [arm, *(fraction(each[name]["value"]) for name in ("evidence_in_context", "shuffled", "chance"))]
                for arm, each in controls["shuffled_labels"].items()
            ],
            note="With the labels of another question recall has to fall to about chance.",
        ),
    ]
    if controls["judge"]:
        grids.append(_judge_grid(controls["judge"]))
    if "audited" in document:
        audited = document["audited"]
        grids.append(
            Grid(
                title="Control: audited labels",
                columns=["original", "audited", "F1 original", "F1 audited"],
                rows=[
                    [
                        arm,
                        *(with_count(each["correct"]) for each in (old, new)),
                        *(fraction(each["f1"]["mean"]) for each in (old, new)),
                    ]
                    for (arm, old), new in zip(document["arms"].items(), audited["arms"].values(), strict=True)
                ],
                note=f"The audit changes {audited['changed_answers']} answers and {audited['changed_evidence']} "
                "evidence labels.",
            )
        )
    return grids


def _judge_grid(judges: Mapping[str, Any]) -> Grid:
    plants = [plant.value for plant in Plant]
    return Grid(
        title="Control: what the judge accepts",
        columns=[*(name.removeprefix("planted: ") for name in plants), "false accepts", "unanimous", "unreadable"],
        rows=[
            [
                prompt,
                *(_rate(each["accepted"][name]) for name in plants),
                _rate(each["false_accept"]),
                _rate(each["unanimous"]),
                str(each["unreadable"]),
            ]
            for prompt, each in judges.items()
        ],
        note="Share accepted of what was planted: only the key itself is right. Unanimous: all runs said the same.",
    )


def _rate(share: Mapping[str, Any]) -> str:
    return with_count({"mean": share["value"], "n": share["n"]})


def _by_kind(document: Mapping[str, Any], pair: Mapping[str, Any]) -> str:
    """On which categories an arm adds to the first, or loses, and on which there is too little to tell."""
    named, found = document["category_names"], pair["by_category"]
    told: dict[str, list[str]] = {}
    for key, each in found.items():
        told.setdefault(verdict := _verdict(each), []).append(
            named[key] if verdict == TOO_FEW else f"{named[key]} ({signed(each)})"
        )
    if told.keys() == {TOO_FEW}:
        return "No category has questions enough to tell by itself."
    parts = [f"adds on {', '.join(told['adds'])}" if "adds" in told else "adds on no category by itself"]
    if "loses" in told:
        parts.append(f"loses on {', '.join(told['loses'])}")
    if TOO_FEW in told:
        parts.append(f"{TOO_FEW} on {', '.join(told[TOO_FEW])}")
    return "It " + ", ".join(parts) + "."


def _added_by_memories(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The comparison of raw messages with the six memories beside them, where both arms ran."""
    wanted = (Arm.EVIDENCE, Arm.BOTH)
    return next((pair for pair in document["pairs"] if (pair["first"], pair["second"]) == wanted), None)


def _memories_grid(document: Mapping[str, Any], pair: Mapping[str, Any]) -> Grid:
    """What the six memories add, category by category: shown or not, it is said."""
    there = [arm for arm in (Arm.EVIDENCE, Arm.BOTH, Arm.TYPED) if arm in document["arms"]]
    found = {arm: document["arms"][arm]["by_category"] for arm in there}
    rows = [
        [
            name,
            str(found[Arm.BOTH][key]["n"]),
            *(fraction(each[key]["correct"]["mean"]) for each in found.values()),
            signed(pair["by_category"][key]),
            _verdict(pair["by_category"][key]),
            *(fraction(each[key]["evidence_in_context"]["mean"]) for each in found.values()),
        ]
        for key, name in document["category_names"].items()
    ]
    return Grid(
        title="What the six memories add",
        columns=["n", *there, "both against evidence", "", *(f"evidence in context: {arm}" for arm in there)],
        rows=rows,
        note="At equal tokens with the same reader. evidence: raw messages alone; typed: the six memories alone; both: "
        "all of it. Adds or loses: the 95 % interval lies on one side of 0, "
        f"and there are at least {LEAST_QUESTIONS} questions, {LEAST_DIFFERING} on which the two differ. "
        "Evidence in context does not depend on the reader.",
    )


def _verdict(difference: Mapping[str, Any]) -> str:
    if difference["n"] < LEAST_QUESTIONS:
        return TOO_FEW
    if difference["low"] <= 0 <= difference["high"]:
        return "not shown"
    if difference["differing"] < LEAST_DIFFERING:
        return TOO_FEW
    return "adds" if difference["low"] > 0 else "loses"


def _memories_finding(document: Mapping[str, Any]) -> list[str]:
    pair = _added_by_memories(document)
    if pair is None:
        return []
    named = document["category_names"]
    by_verdict: dict[str, list[str]] = {}
    for key, each in pair["by_category"].items():
        by_verdict.setdefault(_verdict(each), []).append(named[key])
    told = [
        f"{words} on {', '.join(by_verdict[verdict])}" for verdict, words in _MEMORIES_TOLD if verdict in by_verdict
    ]
    return [f"That the six memories add to raw messages at equal tokens: {'; '.join(told)}."]


def findings(document: Mapping[str, Any]) -> list[str]:
    """What the figures say, in sentences, each true as it stands."""
    arms = document["arms"]
    if not arms:
        return ["No question was answered."]
    lines = []
    for pair in _against_first(document):
        told = "a difference is shown" if pair["mcnemar_p"] < SHOWN_BELOW else "no difference is shown"
        lines.append(
            f"{pair['second']} against {pair['first']}: {signed(pair['correct'])} correct, McNemar's p "
            f"{probability(pair['mcnemar_p'])}: {told}. {_by_kind(document, pair)}"
        )
    lines += _memories_finding(document)
    for prompt, each in document["controls"]["judge"].items():
        if not each["is_trusted"]:
            rate, key = each["false_accept"]["value"], each["accepted"][Plant.KEY.value]["value"]
            lines.append(
                f"The {prompt} judge is not to be trusted: it accepts {rate:.0%} of planted wrong answers and "
                f"{key or 0:.0%} of the keys themselves."
            )
    failed = sum(each["failed"] for each in arms.values())
    if failed:
        lines.append(f"{failed} answers are missing and count as wrong: run the same command again to ask for them.")
    if document["main"] == "contains":
        lines.append(
            "No model judged: an answer counts as correct when it is short and an accepted answer stands in it (a "
            "procedure: all steps, in order), which is too strict where the wording is free."
        )
    return lines
