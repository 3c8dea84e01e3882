"""Answers of the built-in model: the sentence of the context that answers, quoted short, with its number.

`ranking.py` finds the sentences; here it is decided whether the best one is good enough and what of it is said. When
nothing covers the question well enough, the answer is that it is not known: a wrong answer is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mirix.models.builtin.fitness import SLOT_KINDS
from mirix.models.builtin.language import content_terms, is_chinese, plain
from mirix.models.builtin.moments import find_moments, find_written_dates, write_date, write_moment
from mirix.models.builtin.prompt import Call, Item
from mirix.models.builtin.questions import Question, halves_of, read_question
from mirix.models.builtin.ranking import naming_of, rank_units, successor_of
from mirix.models.builtin.screen_answers import ScreenReply, answer_from_screens, further_query
from mirix.models.builtin.spans import carries, fill_quote, fits_entry, fits_value, is_open_value, short_quote, size_of
from mirix.models.builtin.topics import question_topics
from mirix.models.builtin.units import Found, Unit, age_key, make_units
from mirix.models.builtin.values import exact_values
from mirix.text.secrets import find_secrets

_ENOUGH = 0.48  # share of the question's weight that an answer has to cover
# Wishes and limits are told by their form; any sentence has some date, so a date needs a surer one.
_ENOUGH_OF_KIND = {"manner": 0.4, "limit": 0.4, "job": 0.4, "when": 0.6}
_PROCEDURE_ROOM = 3.0  # short replies that the steps of a procedure may take
_WEEKDAY_ASKED = re.compile(r"(?i)\b(?:what|which) (?:weekday|day of the week)\b|(?:周|星期|礼拜)几|每周哪天")
_WEEKDAY = re.compile(r"(?i)\b\w+days?\b|(?:周|星期|礼拜)[一二三四五六日天]")
_RECURRING = re.compile(
    r"(?i)\b(?:every|each) (?:\w+day|morning|evening|week|month|year)\b|\b\w+days\b(?! ago)|每(?:天|周|月|年|个|逢)"
)
_TO_DATE = re.compile(
    r"(?i)\b(?:pushed|postponed|rescheduled|moved|put|brought|changed)\b|new date|改到|改在|"
    r"推迟到|延到|提前到|挪到|换到"
)
_STEP = re.compile(r"(?m)(?:^|\n)\s*\d{1,2}\. ")
_STILL_HELD = 1.8  # what an outdated statement scored before it was outdated
_PHONE = re.compile(r"(?<![\w-])\+?\d[\d ()-]{6,}\d(?![\w-])")
_NEAR_BEST = 0.75
_NEAR_VALUE = 0.65  # of two values of one thing the later is asked for, though its sentence holds less of the question
_ENOUGH_FOR_DURATION = 0.35
_DURATION_SAID = re.compile(
    r"(?i)\b(?:[\w-]+ )?(?:days?|weeks?|months?|years?|hours?) (?:early|earlier|late|later|ahead|"
    r"before|after)\b|"
    r"(?:[离距]|过了|提前|推迟|早了|晚了)[^,。;]{0,8}?[\d一二两三四五六七八九十百半]+(?:个)?(?:天|周|星期|月|年|小时)"
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
    users = {item.speaker for item in call.items if item.speaker and item.role != "assistant"}
    users -= {item.speaker for item in call.items if item.role == "assistant"}
    users |= {part for name in users for part in name.split()} | {
        name[-2:] for name in users if len(name) == 3 and is_chinese(name)
    }
    units = make_units([item for item in [*call.items, *_core_items(call)] if not item.is_screen])
    replies: list[str] = []
    for part in halves_of(call.question):
        question = read_question(part, users)
        room = 1.0 if part == call.question else 0.5
        seen = answer_from_screens(question, call.items, room)
        reply = _better(_with_successor(question, units), seen, question, call, room)
        if reply:
            replies.append(reply)
    if not replies:
        return Answer(text=unknown(chinese), is_known=False)
    return Answer(text=(";" if chinese else "; ").join(dict.fromkeys(replies)), is_known=True)


def _better(found: Sequence[Found], seen: ScreenReply, question: Question, call: Call, room: float) -> str:
    """What was said, or what was seen, whichever holds more of the question."""
    said = _reply(question, found, call, room)
    return said if said and found[0].score >= seen.score else seen.text


def unknown(chinese: bool) -> str:
    """What is said when the context does not hold the answer."""
    return "我不知道。" if chinese else "I don't know."


def better_query(call: Call) -> str:
    """Content words for one more search; "" when there is nothing to ask with."""
    further = further_query(read_question(call.question, set()), call.items)
    topics = question_topics(call.question)
    return further or (topics[0] if topics else "")


def _with_successor(question: Question, units: Sequence[Unit]) -> list[Found]:
    """The ranked statements, led by a later one that changes what the best one tells."""
    found = rank_units(question, units)
    if question.kind == "name" and found:
        named = naming_of(found[0].unit, units)
        return [replace(found[0], unit=named), *found] if named is not None else found
    if not found or question.wants_former or not (question.wants_current or question.kind in _CHANGEABLE):
        return found
    if question.kind in SLOT_KINDS:
        return found
    # The best statement may have been replaced: what it would score if it still held leads to its successor.
    outdated = [entry for entry in found[:4] if entry.unit.item.outdated and entry.score * 2 >= found[0].score]
    for entry in [*outdated[:1], found[0]]:
        unit = successor_of(question, [entry], units)
        if unit is not None:
            # It answers as well as the statement would that it replaces, had that not been replaced.
            score = entry.score * _STILL_HELD if entry.unit.item.outdated else entry.score
            return [replace(entry, unit=unit, score=max(score, found[0].score)), *found]
    return found


def _core_items(call: Call) -> list[Item]:
    """Core lines that stand in no numbered item; those have nothing that could be cited."""
    return [
        Item(number=0, kind="core", at=None, role="user", speaker="", name=label, text=line, outdated=False)
        for label, line in call.core
        if not any(plain(line).rstrip(".。!") in plain(item.text) for item in call.items)
    ]


def _reply(question: Question, found: Sequence[Found], call: Call, room: float) -> str:
    """One reply with its citations; "" when it is not known."""
    enough = _ENOUGH_OF_KIND.get(question.kind, _ENOUGH)
    stated = _stated_duration(question, found)
    if stated:
        return stated
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
        return _cited(_quote(question, best, room), best.item)
    parts = [_cited(short_quote(unit.text, terms, question.kind, room / 2), unit.item) for unit in (best, second)]
    return (";" if question.chinese else "; ").join(parts)


def _stated_duration(question: Question, found: Sequence[Found]) -> str:
    """How long before or after, where the best statements say it themselves ("a week late", 离开学还有十天)."""
    if question.kind != "duration" or not question.is_arithmetic:
        return ""
    for entry in found[:2]:
        said = _DURATION_SAID.search(plain(entry.unit.text))
        if said is not None and entry.score >= _ENOUGH_FOR_DURATION:
            return _cited(said.group().strip(), entry.unit.item)
    return ""


def _quote(question: Question, unit: Unit, room: float) -> str:
    """What a statement says, short."""
    return fill_quote(unit.sentences, unit.order, set(question.terms), question.kind, room)


def _names_occur(question: Question, call: Call) -> bool:
    """A question on somebody who is nowhere named has no answer here."""
    everything = " ".join(
        [*(f"{item.name} {item.speaker} {item.text}" for item in call.items), *(line for _, line in call.core)]
    )
    everything = everything.casefold()
    return all(any(part.casefold() in everything for part in name.split()) for name in question.names)


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
    newest = 0.0
    near = _NEAR_VALUE if question.wants_current else _NEAR_BEST
    floor = near * found[0].score if carries("exact", found[0].unit.text) else 0.0
    for entry in (entry for entry in found[:8] if entry.score >= floor):
        candidates = _values_of(question, entry)
        is_newer = question.wants_current and best is not None and age_key(entry.unit) > newest
        if candidates and (
            best is None or entry.score > best[0] or (is_newer and entry.score >= _NEAR_VALUE * best[0])
        ):
            newest = age_key(entry.unit)
            best = (entry.score, _cited(_nearest(question, entry.unit, candidates), entry.unit.item))
    enough = _NEAR_VALUE * _ENOUGH if question.wants_current else _ENOUGH
    return best[1] if best is not None and best[0] >= enough else ""


def _values_of(question: Question, entry: Found) -> list[str]:
    """Values of the sort that is asked for: a secret is a reference, a telephone number or a link stands in the
    open.
    """
    unit = entry.unit
    tells_itself = question.kind == "exact" and carries("exact", unit.text)
    references = _VAULT.findall(unit.text) or ([] if tells_itself else _VAULT.findall(unit.with_next))
    if question.kind == "secret" and references:
        return references
    if question.kind == "secret":
        # Evidence that was not kept by Mirix holds secrets as they were said.
        open_ = next(filter(None, map(find_secrets, (unit.text, unit.with_next))), [])
        if open_:
            return [span.value for span in open_]
    for text in (unit.text, unit.with_next):
        values = [
            value.value for value in exact_values(text) if fits_value(question.text, value.entry_type, value.value)
        ]
        if values:
            return values
    if re.search(r"(?i)phone|mobile|电话|手机", question.text):
        said = _PHONE.search(plain(unit.text))
        if said is not None:
            return [said.group()]
    # What the vault keeps has its reference even where it is no secret.
    if unit.item.kind == "vault":
        return references if fits_entry(question.text, unit.item.entry_type) else []
    return [] if is_open_value(question.text) else references


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
    quote = fill_quote(tuple(map(plain, unit.sentences)), unit.order, set(question.terms), "what", 1.0)
    with_clock = re.search(r"(?i)what time|几点|几时|什么时间", question.text) is not None
    if re.search(r"\byear\b|哪年|哪一年", question.text) and re.search(
        r"(?<![\[\d-])(?:1[5-9]|20)\d\d(?![\d-])", plain(unit.text)
    ):
        return plain(quote)
    habit = question.wants_current and _WEEKDAY.search(plain(unit.text)) is not None
    if habit or _WEEKDAY_ASKED.search(question.text) or _RECURRING.search(plain(unit.text)):
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
    # The day of an event is not the day of what else was told with it.
    is_aside = unit.item.kind == "episodic" and unit.order > 0 and bool(find_moments(unit.sentences[0]))
    if with_clock or unit.item.at is None or is_aside:
        return plain(quote)
    return write_date(unit.item.at.date(), chinese=question.chinese)


def _distance(text: str, position: int, question: Question) -> int:
    lowered = text.lower()
    spots = [lowered.find(term) for term in question.terms if term in lowered]
    return min((abs(position - spot) for spot in spots), default=position)


def _whole_procedure(unit: Unit) -> str:
    """The steps as they were told: those of a procedure, else the sentence and what follows it, within three short
    replies.
    """
    if unit.item.kind == "procedural":
        steps = [step.strip(" ;.。") for step in _STEP.split(plain(unit.item.text))[1:]]
        if steps:
            return _within_room(steps, ";" if is_chinese(unit.item.text) else "; ")
    text = plain(unit.text)
    return _within_room([text, *map(plain, unit.sentences[unit.order + 1 :])], "" if is_chinese(text) else " ")


def _within_room(parts: Sequence[str], joint: str) -> str:
    text = parts[0]
    for part in parts[1:]:
        if size_of(f"{text}{joint}{part}") > _PROCEDURE_ROOM:
            break
        text = f"{text}{joint}{part}"
    return text
