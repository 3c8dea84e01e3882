"""Whether a sentence is of the sort that answers a question, whatever words they share.

A price asks for an amount, "who" for a name, "where do I live" for a sentence that tells a home; what was replaced and
what others are said to do tells less.
"""

from __future__ import annotations

import re

from mirix.models.builtin.language import BRACKET, plain, stem
from mirix.models.builtin.question_words import KIN_WORDS
from mirix.models.builtin.questions import Question, kin_in
from mirix.models.builtin.signals import has
from mirix.models.builtin.slots import DRINK, EMPLOYER, HOME, slot_of
from mirix.models.builtin.spans import carries
from mirix.models.builtin.subjects import Subject, subject_of
from mirix.models.builtin.units import Unit

# Without a value of the sort that is asked for, a sentence on the right subject is still no answer.
_PREDICATE_HELD = 0.6
_NEEDS_VALUE = frozenset({"secret", "exact", "count", "duration", "money", "age", "job"})
# What is left of "Where do I live?", "What is my job?" and "How old am I?"
_OWN_WORDS = frozenset(
    map(
        stem,
        [
            "live",
            "home",
            "address",
            "employer",
            "company",
            "drink",
            "coffee",
            "tea",
            "order",
            "café",
            "cafe",
            "take",
            "job",
            "work",
            "living",
            "profession",
            "occupation",
            "old",
            "age",
            "do",
            "name",
            "surname",
            "called",
            "remember",
            "know",
        ],
    )
)
_WORKS_THERE = re.compile(
    r"在[^,。]{1,12}(?:上班|工作|做|当|教|任职|修|开)|[是当][^,。]{0,8}(?:师|员|生|工|医|长|经理|司机)"
)
_FOR_A_LIVING = re.compile(
    r"(?i)\bfor a living\b|\bI(?:['’]m| am) \w+(?: \w+)?, (?:\d\d|\w+-\w+)|\bmy (?:job|trade|profession)\b|"
    r"工作|职业|的$|的[,。]"
)
_OWN_NAME = re.compile(
    r"\b[Mm]y (?:\w+ )?(?:sur)?name(?:['’]s| is)\b|\b[Cc]all me [A-Z]|\bI go by\b|"
    r"(?:^|[,.!:] )(?:[Tt]his is|I(?:['’]m| am)) [A-Z][a-z]+\b(?: [A-Z][a-z]+)?(?=[,.!]|$| and )|"
    r"我(?:叫|姓)(?!什么|啥)|我的(?:名字|姓名)"
)
_DUE = re.compile(r"(?i)\b(?:by|before|due|until|wants?)\b|(?<!提)前[^天年几]|要我|截止")
_FORMER_STATE = re.compile(r"(?i)\bused to\b|\bformerly\b|\bback then\b|以前|原来|本来|过去")
_ON_ONESELF = frozenset({"home", "employer", "drink", "job", "age", "own_name"})
_TOLD_IN_FORMS = frozenset({"home", "employer", "job"})  # of others too: a sentence of another form tells none of them
_BY_SLOT = {"home": HOME, "employer": EMPLOYER, "drink": DRINK}
SLOT_KINDS = frozenset(_BY_SLOT)
_CHANGING = frozenset({"when", "where", "home", "employer", "money", "secret", "exact", "yes_no"})
_OF_A_THING = re.compile(r"[店队书船]名?叫")
_UNNAMED_FIT = {"who": 0.85, "name": 0.6}
NAMING = re.compile(
    r"\b(?:is|was|are|called|named|name's|['’]s) (?:Dr\.? |Mr\.? |Mrs\.? |Ms\.? )?[A-Z]|"
    r"[A-Z]\w+, (?:the|my|our|from)|叫(?!我)|姓|名字是"
)


def told_by_form(question: Question) -> bool:
    """Kinds whose words are too common to tell: only the form of the statement counts."""
    if question.kind == "manner":
        return True
    on_user = (
        not question.names
        and not question.owner
        and not question.kin
        and (question.chinese or set(question.terms) <= _OWN_WORDS)
    )
    return question.kind in _ON_ONESELF and on_user


def by_form(question: Question, unit: Unit) -> float:
    """Wishes about answers, limits of health and taste and facts on oneself are told in other words than they are
    asked in: their form tells them.
    """
    text = plain(unit.text)
    if question.owner and question.owner in text and question.kind in _TOLD_IN_FORMS:
        # Told of somebody else in the same forms.
        told = has("home", text) if question.kind == "home" else _WORKS_THERE.search(text) is not None
        return 0.6 * told
    if unit.item.role == "assistant" or (question.kind in _ON_ONESELF and not told_by_form(question)):
        return 0.0
    if question.kind == "manner":
        return 0.45 * has("answer_form", text) + 0.35 * (has("to_assistant", text) or has("imperative_start", text))
    if question.kind == "limit":
        lasting = (
            has("to_assistant", text)
            or re.search(r"(?i)allerg|intoler|coeliac|celiac|diabet|过敏|以后|千万|别", text) is not None
        )
        return 0.4 * (has("health", text) or has("likes", text)) + 0.1 * has("first_person", text) + 0.15 * lasting
    if question.kind in _BY_SLOT:
        # "We're in. 3 Mill Lane": the place may stand behind the full stop.
        return 0.65 * (_BY_SLOT[question.kind] in {slot_of(text), slot_of(unit.with_next)})
    if question.kind == "own_name":
        return 0.65 * (_OWN_NAME.search(text) is not None)
    if question.kind == "job":
        if subject_of(text) is Subject.OTHER:
            return 0.0
        named = has("my_name_is", text) or _FOR_A_LIVING.search(text) is not None
        return 0.4 * (has("works", text) or _WORKS_THERE.search(text) is not None) + 0.2 * named
    if question.kind == "age":
        return 0.3 * has("i_am", text) + 0.3 * (has("i_live_work", text) or has("my_name_is", text))
    return 0.0


def fit_of(question: Question, unit: Unit, predicate_strength: float) -> float:
    """How far a sentence is of the sort that answers: about 1 it is, 0.5 it hardly can be. `predicate_strength`: how
    well it holds what a Chinese question asks of its subject, 0 to 1.
    """
    fit = 0.6 if unit.item.role == "assistant" else 1.0
    if not question.wants_former:
        fit *= _outdated_fit(question, unit) * (0.75 if _FORMER_STATE.search(unit.text) else 1.0)
        is_change = has("state_change", unit.text) or (question.wants_current and has("rescheduled", unit.text))
        fit *= (1.25 if question.wants_current else 1.1) if is_change else 1.0
    if not carries(question.kind, unit.text):
        fit *= 0.92 if carries(question.kind, unit.with_next) else (0.55 if question.kind in _NEEDS_VALUE else 0.8)
    if question.kind in {"who", "name"}:
        naming = (
            1.15
            if NAMING.search(unit.text)
            else (1.0 if NAMING.search(unit.with_next) else _UNNAMED_FIT[question.kind])
        )
        fit *= naming
    if question.kind == "when" and not _has_time(unit):
        fit *= 0.75
    if question.kind == "when" and question.is_past and _DUE.search(plain(unit.text)):
        fit *= 0.85
    if question.speakers and subject_of(unit.text) is Subject.OTHER and not has("first_person", unit.text):
        fit *= 0.6 if question.kind in {"what", "yes_no", "count"} else 0.9
    if question.predicate and predicate_strength < _PREDICATE_HELD:
        fit *= 0.7
    if question.attribute and not _holds_attribute(question, unit):
        fit *= 0.5
    if question.owner and question.kind in _TOLD_IN_FORMS and not by_form(question, unit):
        fit *= 0.5
    if question.kind == "name" and question.kin and len(question.terms) <= 2 and not _names_kin(question, unit):
        fit *= 0.5
    if question.kind == "limit" and not (has("health", unit.text) or has("likes", unit.text)):
        fit *= 0.5
    if question.kind == "how_to" and unit.item.kind == "procedural":
        fit *= 1.3
    if question.kin and not question.kin & kin_in(f"{unit.item.name} {unit.item.text}"):
        fit *= 0.6
    if unit.text.rstrip().endswith(("?", "?")):
        fit *= 0.6
    if question.speakers and unit.item.role == "user" and unit.item.speaker:
        # What somebody did is mostly told by themselves.
        fit *= 1.0 if {unit.item.speaker, *unit.item.speaker.split()} & question.speakers else 0.75
    whole = f"{unit.item.name} {unit.item.speaker} {unit.item.text}"
    subjects = [part for name in question.names for part in name.split()] + ([question.owner] if question.owner else [])
    if subjects and not any(part in whole for part in subjects):
        fit *= 0.6
    return fit


def _holds_attribute(question: Question, unit: Unit) -> bool:
    """Whether a Chinese sentence speaks of what is asked of its subject, in these words or related ones."""
    text = plain(unit.with_next)
    if question.attribute in text:
        return True
    return any(
        any(word in question.attribute or question.attribute in word for word in asked)
        and any(word in text for word in told)
        for asked, told in question.families
    )


def _names_kin(question: Question, unit: Unit) -> bool:
    """Whether what a sentence names is the relative asked for: no other is spoken of between them."""
    text = plain(unit.with_next)
    for relative, pattern in KIN_WORDS:
        match = re.search(pattern, text, re.IGNORECASE) if relative in question.kin else None
        if match is not None:
            naming = NAMING.search(text, match.start())
            between = text[match.end() : naming.start()] if naming is not None else ""
            if naming is not None and not kin_in(between) and not _OF_A_THING.search(text[: naming.start() + 1][-3:]):
                return True
            if re.match(rf"(?:{pattern}),? [A-Z]\w", text[match.start() :], re.IGNORECASE):
                return True
    return False


def _has_time(unit: Unit) -> bool:
    """Whether a sentence can tell when: by a time of its own or in the next one, or as something that happened when
    it was told.
    """
    if carries("when", unit.with_next) or has("time", plain(unit.text)):
        return True
    return unit.item.kind == "episodic" or has("past_event", plain(unit.text))


def _outdated_fit(question: Question, unit: Unit) -> float:
    """What was replaced tells no more what changes; the other sentences of its message may still hold."""
    if not unit.item.outdated:
        return 1.0
    changes = question.wants_current or question.kind in _CHANGING or bool(BRACKET.search(unit.text))
    return 0.5 if changes else 0.85
