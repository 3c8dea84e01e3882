"""Which sentences of the context answer a question, and how well.

Every sentence is weighed by the question's words it holds (rare ones count more; related words and the rest of its
message count less), by whether something of the sort that is asked for stands in or beside it, by who says it and by
whether it still stands.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mirix.models.builtin.language import HAN, content_terms, plain, split_sentences, stem
from mirix.models.builtin.prompt import Item
from mirix.models.builtin.questions import Question
from mirix.models.builtin.signals import has
from mirix.models.builtin.spans import carries

# Without a value of the sort that is asked for, a sentence on the right subject is still no answer.
_NEEDS_VALUE = frozenset({"secret", "exact", "count", "duration", "money", "age"})


# What is left of "Where do I live?", "What is my job?" and "How old am I?"
_OWN_WORDS = frozenset(
    map(stem, ["live", "home", "address", "job", "work", "living", "profession", "occupation", "old", "age", "do"])
)
_FORMER_STATE = re.compile(r"(?i)\bused to\b|\bformerly\b|\bback then\b|以前|原来|本来|过去")
_UNNAMED_FIT = {"who": 0.85, "name": 0.6}
_NAMING = re.compile(
    r"\b(?:is|was|are|called|named|name's|['’]s) (?:Dr\.? |Mr\.? |Mrs\.? |Ms\.? )?[A-Z]|"
    r"[A-Z]\w+, (?:the|my|our|from)|叫(?!我)|姓|名字是"
)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One sentence of the context."""

    item: Item
    sentences: tuple[str, ...]  # all sentences of the item
    order: int  # which of them this is
    terms: frozenset[str]  # its content terms and, for Chinese, its characters
    around: frozenset[str]  # those of the whole item, its name included

    @property
    def text(self) -> str:
        return self.sentences[self.order]

    @property
    def with_next(self) -> str:
        return " ".join(self.sentences[self.order : self.order + 2])


@dataclass(frozen=True, kw_only=True)
class Found:
    """A unit and how well it answers: 0 not at all, 1 it holds all words of the question and what is asked for."""

    unit: Unit
    score: float
    covered: frozenset[str]


def make_units(items: Sequence[Item]) -> list[Unit]:
    """The sentences of the items, in order. The name of a memory counts in each of them: it is what they are about."""
    units = []
    for item in items:
        named = frozenset() if item.kind == "message" else _terms_of(item.name)
        parts = [item.text] if item.kind == "message" else item.text.split(" — ")
        sentences = tuple(dict.fromkeys(sentence for part in parts for sentence in split_sentences(part)))
        around = _terms_of(f"{item.name} {item.text}")
        units += [
            Unit(item=item, sentences=sentences, order=order, terms=named | _terms_of(sentence), around=around)
            for order, sentence in enumerate(sentences)
        ]
    return units


def rank_units(question: Question, units: Sequence[Unit]) -> list[Found]:
    """Units that hold a word of the question, best first; of equally good statements the newest leads."""
    if not question.terms or not units:
        return []
    if question.owner and not any(question.owner in unit.item.text for unit in units):
        # Nobody speaks of it in these words ("the new flat"): then it tells nothing.
        question = replace(question, owner="" if question.kind in {"secret", "exact"} else question.owner)
    weights = _weights(question, units)
    total = sum(weights.values())
    found = []
    for unit in units:
        strengths = {term: _strength(term, unit, question) for term in question.terms}
        covered = frozenset(term for term, strength in strengths.items() if strength >= 0.5)
        share = sum(strength * weights[term] for term, strength in strengths.items()) / total
        by_form = _by_form(question, unit)
        share = 0.2 * share + by_form if _told_by_form(question) else max(share, by_form)
        if covered or share > 0.3:
            found.append(Found(unit=unit, score=share * _fit(question, unit), covered=covered))
    found.sort(key=lambda entry: (-entry.score, -age_key(entry.unit), entry.unit.order))
    return _newest_first(question, found)


def age_key(unit: Unit) -> float:
    """Later is larger."""
    return unit.item.at.timestamp() if unit.item.at is not None else 0.0


def _terms_of(text: str) -> frozenset[str]:
    terms = set(content_terms(text))
    return frozenset(terms | set(HAN.findall(plain(text))))


def _weights(question: Question, units: Sequence[Unit]) -> dict[str, float]:
    """Rarity of each term among the units. Chinese bigrams that stand nowhere are often no words: they weigh half."""
    counts = Counter(term for unit in units for term in unit.terms if term in question.terms)
    weights = {}
    for term in question.terms:
        rarity = math.log(1 + len(units) / (1 + counts[term]))
        is_chance = counts[term] == 0 and HAN.match(term) is not None
        weights[term] = rarity * (0.5 if is_chance else 1.0) * (1.6 if term in question.focus else 1.0)
    return weights


def _strength(term: str, unit: Unit, question: Question) -> float:
    """How well a unit holds a term: 1 itself, less by a related word, a part of it, or the rest of its item."""
    if term in unit.terms:
        return 1.0
    if any(_related(term, family, unit, question.chinese) for family in question.families):
        return 0.75
    if HAN.match(term):
        shared = sum(character in unit.terms for character in term) / len(term)
        nearby = 0.6 if term in unit.around else 0.0
        return max(0.35 * shared, nearby)
    if len(term) >= 5 and any(other[:5] == term[:5] for other in unit.terms if len(other) >= 5):
        return 0.7
    return 0.6 if term in unit.around else 0.0


def _related(term: str, family: tuple[frozenset[str], frozenset[str]], unit: Unit, chinese: bool) -> bool:
    asked, told = family
    if chinese:
        return any(term in word or word in term for word in asked) and any(word in unit.text for word in told)
    return term in asked and bool(told & (unit.terms | {stem(word) for word in re.findall(r"[A-Za-z]+", unit.text)}))


def _told_by_form(question: Question) -> bool:
    """Kinds whose words are too common to tell: only the form of the statement counts."""
    if question.kind == "manner":
        return True
    on_user = not question.names and not question.owner and (question.chinese or set(question.terms) <= _OWN_WORDS)
    return question.kind in {"home", "job", "age"} and on_user


def _by_form(question: Question, unit: Unit) -> float:
    """Wishes about answers, limits of health and taste and facts on oneself are told in other words than they are
    asked in: their form tells them.
    """
    text = plain(unit.text)
    if unit.item.role == "assistant" or (question.kind in {"home", "job", "age"} and not _told_by_form(question)):
        return 0.0
    if question.kind == "manner":
        return 0.45 * has("answer_form", text) + 0.35 * (has("to_assistant", text) or has("imperative_start", text))
    if question.kind == "limit":
        lasting = (
            has("to_assistant", text)
            or re.search(r"(?i)allerg|intoler|coeliac|celiac|diabet|过敏|以后|千万|别", text) is not None
        )
        return 0.4 * (has("health", text) or has("likes", text)) + 0.1 * has("first_person", text) + 0.15 * lasting
    if question.kind == "home":
        return 0.65 * has("home", text)
    if question.kind == "job":
        return 0.45 * has("works", text) + 0.15 * (has("i_am", text) or has("my_name_is", text))
    if question.kind == "age":
        return 0.3 * has("i_am", text) + 0.3 * (has("i_live_work", text) or has("my_name_is", text))
    return 0.0


def _fit(question: Question, unit: Unit) -> float:
    fit = 0.6 if unit.item.role == "assistant" else 1.0
    if not question.wants_former:
        fit *= (0.5 if unit.item.outdated else 1.0) * (0.75 if _FORMER_STATE.search(unit.text) else 1.0)
        fit *= 1.1 if has("state_change", unit.text) else 1.0
    if not carries(question.kind, unit.text):
        fit *= 0.92 if carries(question.kind, unit.with_next) else (0.55 if question.kind in _NEEDS_VALUE else 0.8)
    if question.kind in {"who", "name"}:
        naming = (
            1.15
            if _NAMING.search(unit.text)
            else (1.0 if _NAMING.search(unit.with_next) else _UNNAMED_FIT[question.kind])
        )
        fit *= naming
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


def _newest_first(question: Question, found: list[Found]) -> list[Found]:
    """Of statements that answer about equally well the newest leads: what was said last counts."""
    if not found or question.wants_former:
        return found
    lasting = question.wants_current or question.kind in {"home", "job"}
    floor = found[0].score * (0.72 if lasting else 0.93)
    near = [
        entry
        for entry in found
        if entry.score >= floor and not entry.unit.item.outdated and carries(question.kind, entry.unit.text)
    ]
    near.sort(key=lambda entry: -age_key(entry.unit))
    chosen = {id(entry) for entry in near}
    return near + [entry for entry in found if id(entry) not in chosen]


def successor_of(question: Question, found: Sequence[Found], units: Sequence[Unit]) -> Unit | None:
    """A later statement that moves or calls off what the best one tells: it need not name all of it again.

    It must speak of a change, share a word with the question, and share two with question and statement together.
    """
    best = found[0].unit
    known = best.terms | set(question.terms)
    later = None
    for unit in units:
        if (
            age_key(unit) <= age_key(best)
            or unit.item.outdated
            or unit.item.role == "assistant"
            or not has("rescheduled", unit.text)
        ):
            continue
        shared = {term for term in known & unit.terms if len(term) > 1}
        asked = {term for term in question.terms if _strength(term, unit, question) >= 0.7}
        if (
            asked
            and len(shared | asked) >= (1 if question.wants_current else 2)
            and carries(question.kind, unit.with_next)
            and (later is None or age_key(unit) > age_key(later))
        ):
            later = unit
    return later
