"""Answers of the built-in model: the sentence of the context that answers, quoted short, with its number.

`ranking.py` finds the sentences; here it is decided whether the best one is good enough and what of it is said. When
nothing covers the question well enough, the answer is that it is not known: a wrong answer is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mirix.models.builtin.language import content_terms, is_chinese, plain
from mirix.models.builtin.moments import find_moments, find_written_dates, write_date, write_moment
from mirix.models.builtin.prompt import Call, Item
from mirix.models.builtin.questions import Question, halves_of, read_question
from mirix.models.builtin.ranking import Found, Unit, make_units, rank_units, successor_of
from mirix.models.builtin.spans import carries, fill_quote, fits_value, is_open_value, short_quote, size_of
from mirix.models.builtin.topics import question_topics
from mirix.models.builtin.values import exact_values

_ENOUGH = 0.48  # share of the question's weight that an answer has to cover
# Wishes and limits are told by their form; any sentence has some date, so a date needs a surer one.
_ENOUGH_OF_KIND = {"manner": 0.4, "limit": 0.4, "when": 0.6}
_PROCEDURE_ROOM = 3.0  # short replies that the steps of a procedure may take
_WEEKDAY_ASKED = re.compile(r"(?i)\b(?:what|which) (?:weekday|day of the week)\b|(?:周|星期|礼拜)几|每周哪天")
_RECURRING = re.compile(
    r"(?i)\b(?:every|each) (?:\w+day|morning|evening|week|month|year)\b|\b\w+days\b(?! ago)|每(?:天|周|月|年|个|逢)"
)
_TO_DATE = re.compile(
    r"(?i)\b(?:pushed|postponed|rescheduled|moved|put|brought|changed)\b|new date|改到|改在|"
    r"推迟到|延到|提前到|挪到|换到"
)
_CHANGEABLE = frozenset({"when", "where", "yes_no", "count", "money"})
_VAULT = re.compile(r"\{\{vault:[^}]*\}\}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The reply and whether it claims to know."""

    text: str
    is_known: bool


def answer_question(call: Call) -> Answer:
    """Answer from the context, or say that it is not known."""
    chinese = is_chinese(call.question)
    users = {item.speaker for item in call.items if item.speaker and item.role == "user"}
    users |= {part for name in users for part in name.split()} | {
        name[-2:] for name in users if len(name) == 3 and is_chinese(name)
    }
    units = make_units([*call.items, *_core_items(call)])
    replies: list[str] = []
    for part in halves_of(call.question):
        question = read_question(part, users)
        reply = _reply(question, _with_successor(question, units), call, room=1.0 if part == call.question else 0.5)
        if not reply:
            return Answer(text=unknown(chinese), is_known=False)
        replies.append(reply)
    return Answer(text=(";" if chinese else "; ").join(dict.fromkeys(replies)), is_known=True)


def unknown(chinese: bool) -> str:
    """What is said when the context does not hold the answer."""
    return "我不知道。" if chinese else "I don't know."


def better_query(call: Call) -> str:
    """Content words for one more search; "" when there is nothing to ask with."""
    topics = question_topics(call.question)
    return topics[0] if topics else ""


def _with_successor(question: Question, units: Sequence[Unit]) -> list[Found]:
    """The ranked statements, led by a later one that changes what the best one tells."""
    found = rank_units(question, units)
    if not found or question.wants_former or not (question.wants_current or question.kind in _CHANGEABLE):
        return found
    unit = successor_of(question, found, units)
    return [replace(found[0], unit=unit), *found] if unit is not None else found


def _core_items(call: Call) -> list[Item]:
    return [
        Item(number=0, kind="core", at=None, role="user", speaker="", name="", text=line, outdated=False)
        for _, line in call.core
    ]


def _reply(question: Question, found: Sequence[Found], call: Call, room: float) -> str:
    """One reply with its citations; "" when it is not known."""
    enough = _ENOUGH_OF_KIND.get(question.kind, _ENOUGH)
    if not found or question.is_arithmetic or found[0].score < enough or not _names_occur(question, call):
        return ""
    best = found[0].unit
    terms = set(question.terms)
    if question.kind in {"secret", "exact"}:
        value = _value_reply(question, found)
        quotable = question.kind == "exact" and carries("exact", best.text) and not is_open_value(question.text)
        return value or (
            _cited(fill_quote(best.sentences, best.order, terms, "exact", room), best.item) if quotable else ""
        )
    if question.kind == "when":
        return _cited(_when(question, best), best.item)
    if question.kind == "how_to":
        return _cited(_whole_procedure(best), best.item)
    second = _second(question, found)
    if second is None:
        return _cited(fill_quote(best.sentences, best.order, terms, question.kind, room), best.item)
    parts = [_cited(short_quote(unit.text, terms, question.kind, room / 2), unit.item) for unit in (best, second)]
    return (";" if question.chinese else "; ").join(parts)


def _names_occur(question: Question, call: Call) -> bool:
    """A question on somebody who is nowhere named has no answer here."""
    everything = " ".join(
        [*(f"{item.name} {item.speaker} {item.text}" for item in call.items), *(line for _, line in call.core)]
    )
    return all(any(part in everything for part in name.split()) for name in question.names)


def _second(question: Question, found: Sequence[Found]) -> Unit | None:
    """Another statement, when the question asks for several."""
    if not question.asks_each:
        return None
    best = found[0]
    for entry in found[1:6]:
        if entry.unit.item.number != best.unit.item.number and entry.score > 0.6 * best.score:
            return entry.unit
    return None


def _cited(text: str, item: Item) -> str:
    return f"{text} [{item.number}]" if text and item.number else text


def _value_reply(question: Question, found: Sequence[Found]) -> str:
    """The exact value in the best statement that has one: a reference to the vault, or a value in the open."""
    best: tuple[float, str] | None = None
    for entry in found[:8]:
        candidates = _values_of(question, entry)
        if candidates and (best is None or entry.score > best[0]):
            best = (entry.score, _cited(_nearest(question, entry.unit, candidates), entry.unit.item))
    return best[1] if best is not None and best[0] >= _ENOUGH else ""


def _values_of(question: Question, entry: Found) -> list[str]:
    """Values of the sort that is asked for: a secret is a reference, a telephone number or a link stands in the
    open.
    """
    unit = entry.unit
    references = _VAULT.findall(unit.text) or _VAULT.findall(unit.with_next)
    if question.kind == "secret" and references:
        return references
    for text in (unit.text, unit.with_next):
        values = [
            value.value for value in exact_values(text) if fits_value(question.text, value.entry_type, value.value)
        ]
        if values:
            return values
    # What the vault keeps has its reference even where it is no secret.
    return references if unit.item.kind == "vault" or not is_open_value(question.text) else []


def _nearest(question: Question, unit: Unit, values: list[str]) -> str:
    """Of several values the one whose words before it are most those of the question."""
    if len(values) == 1:
        return values[0]
    terms = set(question.terms)
    text = unit.item.text

    def closeness(value: str) -> int:
        return len(terms & set(content_terms(text[: text.find(value)][-60:].split("}}")[-1])))

    return max(values, key=closeness)


def _when(question: Question, unit: Unit) -> str:
    """The time of the sentence, written out; the day it was said when it names none; a habit is quoted."""
    quote = fill_quote(unit.sentences, unit.order, set(question.terms), "when", 1.0)
    with_clock = re.search(r"(?i)what time|几点|几时|什么时间", question.text) is not None
    if re.search(r"\byear\b|哪年|哪一年", question.text) and re.search(
        r"(?<![\[\d-])(?:1[5-9]|20)\d\d(?![\d-])", plain(unit.text)
    ):
        return plain(quote)
    if _WEEKDAY_ASKED.search(question.text) or _RECURRING.search(plain(unit.text)):
        return plain(quote)
    for text in (unit.text, unit.with_next if unit.item.kind == "message" else unit.item.text):
        moments = find_moments(text) or find_written_dates(text, unit.item.at)
        if moments:
            changed = _TO_DATE.search(text)
            behind = [moment for moment in moments if changed and moment.position > changed.start()]
            nearest = (
                behind[0] if behind else min(moments, key=lambda moment: _distance(text, moment.position, question))
            )
            if with_clock and nearest.clock is None:
                return plain(quote)
            return write_moment(nearest, chinese=question.chinese, with_clock=with_clock)
    if with_clock or unit.item.at is None:
        return plain(quote)
    return write_date(unit.item.at.date(), chinese=question.chinese)


def _distance(text: str, position: int, question: Question) -> int:
    lowered = text.lower()
    spots = [lowered.find(term) for term in question.terms if term in lowered]
    return min((abs(position - spot) for spot in spots), default=position)


def _whole_procedure(unit: Unit) -> str:
    """The steps as they were told: the sentence and what follows it, within three short replies."""
    text = plain(unit.text)
    joint = "" if is_chinese(text) else " "
    for following in unit.sentences[unit.order + 1 :]:
        longer = f"{text}{joint}{plain(following)}"
        if size_of(longer) > _PROCEDURE_ROOM:
            break
        text = longer
    return text
