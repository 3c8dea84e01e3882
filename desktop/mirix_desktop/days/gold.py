"""From what was seen to what is asked for: `truth.json` and `qa_pairs.json` of a day. Pure.

A sighting is a mark that could be read on one shot. A fact's evidence are all shots on which it could be read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mirix_desktop.days.shapes import Question, Story
from mirix_desktop.shots import Box

GLANCE_S = 2.0
GLANCE_PX = 9.0
_MOST = {"abstain": 2, "vault": 2}  # in each language

_CLOCK = re.compile(r"(?P<hour>\d\d):(?P<minute>\d\d)")
_AMOUNT = re.compile(r"[£€¥]?[\d,]+(?:\.\d+)?")

Json = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A mark that stands on a shot, whole: what is half covered is not counted as seen."""

    file: str
    at: datetime
    seconds: float  # for how long the screen stayed as on this shot
    id: str
    text: str  # the words as they stand there
    box: Box
    font_px: float


@dataclass(frozen=True, kw_only=True)
class PrivateSighting:
    """A part of a private window on a shot."""

    file: str
    box: Box
    marker: str  # words in this part that stand nowhere else; "" where it has none


def by_mark(sightings: Iterable[Sighting]) -> dict[str, list[Sighting]]:
    found: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        found[sighting.id].append(sighting)
    return dict(found)


def dwell_s(sightings: Sequence[Sighting]) -> float:
    """For how long a mark could be read: every shot once, however often the mark stands on it."""
    return sum({sighting.file: sighting.seconds for sighting in sightings}.values())


def is_glance(sightings: Sequence[Sighting]) -> bool:
    """Seen too short or too small for anybody to blame a memory that missed it."""
    return dwell_s(sightings) < GLANCE_S or max(sighting.font_px for sighting in sightings) < GLANCE_PX


def truth(story: Story, sightings: Iterable[Sighting], private: Iterable[PrivateSighting]) -> Json:
    seen = by_mark(sightings)
    return {
        "seed": story.seed,
        "facts": [
            {
                "id": fact.id,
                "subject": fact.subject,
                "attribute": fact.attribute,
                "value": fact.value,
                "supersedes": fact.supersedes,
                "text": seen[fact.id][0].text,
                "shots": [{"file": each.file, "box": each.box, "text": each.text} for each in seen[fact.id]],
                "dwell_s": round(dwell_s(seen[fact.id]), 1),
                "font_px": max(each.font_px for each in seen[fact.id]),
                "is_glance": is_glance(seen[fact.id]),
            }
            for fact in story.facts
            if fact.id in seen
        ],
        "secrets": [
            {
                "kind": secret.kind,
                "value": secret.value,
                "shots": [{"file": each.file, "box": each.box} for each in seen[secret.id]],
            }
            for secret in story.secrets
            if secret.id in seen
        ],
        "private": [{"file": each.file, "box": each.box, "marker": each.marker} for each in private],
        "repeats": [f"{step.at:%Y%m%d_%H%M%S}.png" for step in story.steps if step.is_repeat and step.at],
    }


def answerable(story: Story, sightings: Iterable[Sighting]) -> list[Question]:
    """The questions whose facts could all be read, for longer than a glance."""
    seen = by_mark(sightings)
    return [
        question
        for question in story.questions
        if all(fact in seen and not is_glance(seen[fact]) for fact in (*question.facts, *question.older))
    ]


def choose(questions: Sequence[Question], count: int) -> list[Question]:
    """`count` questions with every type and both languages among them, in the order of the day.

    Goes round the (type, language) groups and takes the next of each, so that rare types are all there; of those whose
    answer is "unknown" only a few, as people mostly ask for what they did see.
    """
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in questions:
        group = groups[question.kind, question.language]
        if len(group) < _MOST.get(question.kind, len(questions)):
            group.append(question)
    total = sum(map(len, groups.values()))
    chosen: list[Question] = []
    depth = 0
    while len(chosen) < min(count, total):
        chosen += [group[depth] for group in groups.values() if depth < len(group)]
        depth += 1
    kept = {id(question) for question in chosen[:count]}
    return [question for question in questions if id(question) in kept]


def qa_pairs(story: Story, questions: Sequence[Question], sightings: Iterable[Sighting]) -> Json:
    """The questions in the shape of ScreenshotVQA, with our keys beside its own."""
    seen = by_mark(sightings)
    last = story.steps[-1].at
    assert last is not None, "a story is scheduled when it is written"
    asked_at = (last + timedelta(minutes=30)).isoformat()
    pairs = [_pair(number, question, seen, asked_at) for number, question in enumerate(questions, start=1)]
    return {"student": story.student, "seed": story.seed, "qa_pairs": pairs}


def accepted(answer: str) -> list[str]:
    """The ways in which an answer may be written, the given one first: 13:40 or 1:40 PM, £1,712.35 or 1712.35."""
    forms = [answer]
    if clock := _CLOCK.fullmatch(answer):
        hour, minute = int(clock["hour"]), clock["minute"]
        forms += [f"{hour}:{minute}", f"{(hour - 1) % 12 + 1}:{minute} {'AM' if hour < 12 else 'PM'}"]
    if _AMOUNT.fullmatch(answer):
        forms += [answer.lstrip("£€¥"), answer.lstrip("£€¥").replace(",", "")]
    return forms


def _pair(number: int, question: Question, seen: Mapping[str, Sequence[Sighting]], asked_at: str) -> Json:
    boxes: dict[str, list[Box]] = defaultdict(list)
    for fact in question.facts:
        for sighting in seen.get(fact, ()):
            boxes[sighting.file].append(sighting.box)
    answers = question.answers
    if question.is_first_seen:
        moment = min(sighting.at for fact in question.facts for sighting in seen[fact])
        answers = (f"{moment:%H:%M}",)
    older = {sighting.file for fact in question.older for sighting in seen.get(fact, ())}
    return {
        "id": f"d{number:03d}",
        "question": question.text,
        "answer": answers[0],
        "answers": list(dict.fromkeys(form for answer in answers for form in accepted(answer))),
        "type": question.kind,
        "language": question.language,
        "asked_at": asked_at,
        "facts": list(question.facts),
        "evidence": sorted(boxes),
        "older": sorted(older - set(boxes)),
        "boxes": dict(sorted(boxes.items())),
    }
