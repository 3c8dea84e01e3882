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
from dataclasses import replace

from mirix.models.builtin.fitness import NAMING, by_form, fit_of, told_by_form
from mirix.models.builtin.language import HAN, plain, stem
from mirix.models.builtin.questions import Question
from mirix.models.builtin.signals import has
from mirix.models.builtin.spans import carries
from mirix.models.builtin.units import Found, Unit, age_key

_CALLED_OFF = re.compile(r"(?i)\b(?:cancel+ed|called off|is off|not going|won't)\b|不成|取消|泡汤|退了|不去了|作废")
_OF_TIME = frozenset(stem(word) for word in ("day", "week", "month", "year", "today", "now", "new", "time"))
_SUCCEEDS = re.compile(
    r"(?i)\b(?:now|new|moved?|changed?|switched|from now on|these days|instead|no longer|started?|"
    r"left|quit)\b|"
    r"现在|新|搬|换|改|以后|不再|入职|报到|升|调到|录取"
)
_CHANCE_WEIGHT = 0.3  # of a pair of characters that stands nowhere: mostly the end of one word and the start of another
_NAMES_ALONE = 0.55  # a sentence on the right person that holds nothing else of the question
_FILLS_SLOT = 0.6  # form of a sentence that fills the slot asked for (fitness.by_form)
_NAME_PART = 0.6  # a person who is called by one part of the name
_SAME_TALK_S = 15 * 60
_NAMING_IT = re.compile(
    r"叫[它他她]|取名|起名|名字是|\b(?:call(?:ed|ing)?|name[ds]?) (?:him|her|it|them)\b|\b(?:his|her|its) name is\b"
)


def rank_units(question: Question, units: Sequence[Unit]) -> list[Found]:
    """Units that hold a word of the question, best first; of equally good statements the newest leads."""
    if not units or not (question.terms or told_by_form(question)):
        return []
    if question.owner and not any(question.owner in unit.item.text for unit in units):
        # Nobody speaks of it in these words ("the new flat"): then it tells nothing.
        question = replace(question, owner="" if question.kind in {"secret", "exact"} else question.owner)
    weights = _weights(question, units)
    total = sum(weights.values())
    named = _stems_of_names(question)
    found = []
    for unit in units:
        strengths = {term: _strength(term, unit, question) for term in question.terms}
        covered = frozenset(term for term, strength in strengths.items() if strength >= 0.5)
        share = sum(strength * weights[term] for term, strength in strengths.items()) / (total or 1.0)
        form = by_form(question, unit)
        share = 0.2 * share + form if told_by_form(question) else max(share, form)
        if covered or share > 0.3:
            names_only = bool(covered) and covered <= named < frozenset(question.terms)
            fit = _fit(question, unit) * (_NAMES_ALONE if names_only and share != form else 1.0)
            found.append(Found(unit=unit, score=share * fit, covered=covered))
    found.sort(key=lambda entry: (-entry.score, -age_key(entry.unit), entry.unit.order))
    return _newest_first(question, found)


def _stems_of_names(question: Question) -> frozenset[str]:
    return frozenset(stem(part.lower()) for name in question.names for part in name.split())


def _fit(question: Question, unit: Unit) -> float:
    return fit_of(question, unit, _strength(question.predicate, unit, question) if question.predicate else 1.0)


def _weights(question: Question, units: Sequence[Unit]) -> dict[str, float]:
    """Rarity of each term among the units. Chinese bigrams that stand nowhere are often no words: they weigh half."""
    counts = Counter(term for unit in units for term in unit.terms if term in question.terms)
    # The answer to "which city" rarely says city: there the word only decides between equals.
    focus = 1.6 if question.chinese else 1.05
    weights = {}
    for term in question.terms:
        rarity = math.log(1 + len(units) / (1 + counts[term]))
        is_chance = counts[term] == 0 and HAN.match(term) is not None
        weights[term] = rarity * (_CHANCE_WEIGHT if is_chance else 1.0) * (focus if term in question.focus else 1.0)
    return weights


def _strength(term: str, unit: Unit, question: Question) -> float:
    """How well a unit holds a term: 1 itself, less by a related word, a part of it, or the rest of its item."""
    if term in unit.terms:
        return 1.0
    if _is_part_of_named(term, unit, question):
        return _NAME_PART
    if any(is_related(term, family, unit.terms, unit.text, question.chinese) for family in question.families):
        return 0.75
    if HAN.match(term):
        shared = sum(character in unit.terms for character in term) / len(term)
        nearby = 0.6 if term in unit.around else 0.0
        return max(0.35 * shared, nearby)
    if len(term) >= 5 and any(other[:5] == term[:5] for other in unit.terms if len(other) >= 5):
        return 0.7
    return 0.6 if term in unit.around else 0.0


def _is_part_of_named(term: str, unit: Unit, question: Question) -> bool:
    """Whether a term is a part of a full name of which the unit has another part and no other family name."""
    for name in question.names:
        parts = name.split()
        if len(parts) == 2 and term in {stem(part.lower()) for part in parts} and parts[0] in unit.text:
            other = re.search(rf"\b{re.escape(parts[0])} [A-Z]\w+", unit.text)
            return other is None or other.group() == name
    return False


def is_related(
    term: str, family: tuple[frozenset[str], frozenset[str]], terms: frozenset[str], text: str, chinese: bool
) -> bool:
    """Whether a text with its terms holds a word that answers a question's word of one family."""
    asked, told = family
    if chinese:
        return any(term in word or word in term for word in asked) and any(word in text for word in told)
    return term in asked and bool(told & (terms | {stem(word) for word in re.findall(r"[A-Za-z]+", text)}))


def _newest_first(question: Question, found: list[Found]) -> list[Found]:
    """Of statements that answer about equally well the newest leads: what was said last counts."""
    if not found or question.wants_former:
        return found
    lasting = question.wants_current or question.kind in {"home", "employer", "drink", "job"}
    best = found[0].score
    near = [
        entry
        for entry in found
        if entry.score >= best * (0.72 if lasting and _may_succeed(question, entry.unit) else 0.93)
        and not entry.unit.item.outdated
        and (carries(question.kind, entry.unit.text) or by_form(question, entry.unit) > _FILLS_SLOT)
    ]
    near.sort(key=lambda entry: -age_key(entry.unit))
    chosen = {id(entry) for entry in near}
    return near + [entry for entry in found if id(entry) not in chosen]


def _may_succeed(question: Question, unit: Unit) -> bool:
    """Whether a later statement takes the place of an earlier one: it tells a change, or fills the same slot."""
    return by_form(question, unit) > _FILLS_SLOT or _SUCCEEDS.search(plain(unit.text)) is not None


def naming_of(best: Unit, units: Sequence[Unit]) -> Unit | None:
    """Where somebody was found or met first and named in the next turns: the sentence that names them; None when the
    best one names them itself or nobody does.
    """
    if best.item.at is None or best.item.at.tzinfo is None or NAMING.search(best.with_next):
        return None
    soon = [
        unit
        for unit in units
        if unit.item.at is not None
        and unit.item.at.tzinfo is not None
        and 0 <= age_key(unit) - age_key(best) <= _SAME_TALK_S
        and unit.item.role != "assistant"
        and _NAMING_IT.search(unit.text)
    ]
    return min(soon, key=age_key) if soon else None


def successor_of(question: Question, found: Sequence[Found], units: Sequence[Unit]) -> Unit | None:
    """A later statement that moves or calls off what the best one tells: it need not name all of it again.

    It must speak of a change, share a word with the question, and share two with question and statement together.
    """
    best = found[0].unit
    known = best.terms | set(question.terms)
    later = None
    for unit in units:
        # An event stands under the day it was planned for, which may be later than the day it was called off.
        is_plan = best.item.kind == "episodic" and has("plan", best.text) and _CALLED_OFF.search(unit.text) is not None
        if (age_key(unit) <= age_key(best) and not is_plan) or unit.item.outdated or unit.item.role == "assistant":
            continue
        shared = {term for term in known & unit.terms if len(term) > 1}
        asked = {term for term in question.terms if _strength(term, unit, question) >= 0.7}
        names = _stems_of_names(question)
        is_same = bool(asked - names) and (question.wants_current or len(shared - _OF_TIME - names) >= 2)
        if not (has("rescheduled", unit.text) or (is_same and _SUCCEEDS.search(plain(unit.text)))):
            continue
        alone = question.wants_current or (question.kind == "yes_no" and _CALLED_OFF.search(unit.text) is not None)
        if (
            asked
            and len(shared | asked) >= (1 if alone else 2)
            and carries(question.kind, unit.with_next)
            and (later is None or age_key(unit) > age_key(later))
        ):
            later = unit
    return later
