"""Ten invented questions on a short conversation, a reader that answers them by rote, and a judge that compares words.

What each figure has to be can be worked out by hand from the table below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mirix.evaluation.answering import Reader, run_answers
from mirix.evaluation.answers import words
from mirix.evaluation.arms import Arm, ContextArm, FullArm, TurnsArm, evidence_turns
from mirix.evaluation.corpus import Conversation
from mirix.evaluation.datasets import READERS
from mirix.evaluation.judging import Judge, run_judge
from mirix.evaluation.runs import RunFolder, asked_of, load_prompt
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest

FILE = Path(__file__).with_name("ten_questions.json")
UNKNOWN = "I don't know."

# What a question is answered with, where the context holds the words.       F1    BLEU-1  contains  shares a word
SAYS = {
    "Where is the lighthouse": ("Skarholm", "Skarholm"),  # 1     1       yes       yes
    "How many panes": ("24 panes", "It needs 24 panes"),  # .4    .25     yes       yes
    "strongest queen": ("Philippa", "Philippa [1]"),  # 1     1       yes       yes
    "Who put in the last": ("Ingrid Moe", "Ingrid"),  # .6667 .3679   no        yes
    "hives does Tarek": ("five are left", "Seven"),  # 0     0       no        no
    "Whose hives": ("no such words", "…"),  # 0     0       no        no: silent
    "Philippa swarm": ("swarmed yesterday", "4 May 2025"),  # 1     1       yes       yes
    "sea shanties": ("concertina", "Yes, she likes music"),  # .4444 .3894   no        yes
    "paint the railing": ("no such words", "…"),  # rightly silent
    "Which instrument": ("concertina", "The concertina"),  # walks into the trap
}
_QUESTION = re.compile(r"<question[^>]*>(.*?)</question>", re.DOTALL)
_PART = re.compile(r"<(question|key|answer)>\n(.*?)\n</\1>", re.DOTALL)


def question_of(request: ScriptedRequest) -> str:
    found = _QUESTION.search(request.messages[-1].text)
    assert found
    return found[1]


def read(request: ScriptedRequest) -> Reply:
    """The reader."""
    question = question_of(request)
    wanted, answer = next(given for asked, given in SAYS.items() if asked in question)
    return answer if wanted in request.messages[-1].text.partition("<question")[0] else UNKNOWN


def compare(request: ScriptedRequest) -> Reply:
    """A judge: the strict one wants the very words, the lenient one a word in common."""
    parts = dict(_PART.findall(request.messages[-1].text))
    key, answer = words(parts["key"]), words(parts["answer"])
    is_strict = request.messages[0].text == load_prompt("judge_strict")
    is_right = key == answer if is_strict else bool(set(key) & set(answer))
    return "CORRECT" if is_right else "WRONG"


def conversations() -> list[Conversation]:
    return READERS["locomo"](FILE)


def own_arms() -> list[ContextArm]:
    """Arms that need no memory."""
    return [
        FullArm(budget=2_000),
        TurnsArm(name=Arm.NONE, choose=lambda conversation, question: (), budget=100),
        TurnsArm(name=Arm.ORACLE, choose=evidence_turns, budget=1_000),
    ]


SETTINGS = {"dataset": "locomo", "reader": "scripted:reader", "budget": 1_000, "full_tokens": 2_000}


def open_folder(path: Path) -> RunFolder:
    return RunFolder.open(path, SETTINGS, asked_of(conversations()))


async def answer_all(path: Path, *, arms: Sequence[ContextArm] | None = None) -> RunFolder:
    folder = open_folder(path)
    reader = Reader(model=ScriptedChatModel(script=read))
    await run_answers(folder, conversations(), folder.questions.read(), arms or own_arms(), reader)
    return folder


async def judge_all(
    folder: RunFolder, script: Callable[[ScriptedRequest], Reply] = compare, *, name: str = "scripted:judge"
) -> ScriptedChatModel:
    model = ScriptedChatModel(script=script)
    await run_judge(folder, Judge(model=model, name=name))
    return model
