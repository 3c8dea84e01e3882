"""Answers from screens: the line that holds what is asked for, in the form it is asked for.

A screen is full of lines that share a word with a question: menus, titles, the rows of a list. So a line answers only
when it holds a thing of the form that is asked for, when it or what belongs to it holds enough of the question's words,
and when the whole screen is about what the question names. Of lines that answer equally well the newest counts, or the
oldest where it is asked how things were before.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mirix.models.builtin.language import BRACKET, HAN, is_chinese, plain, stem
from mirix.models.builtin.moments import find_moments, write_moment
from mirix.models.builtin.prompt import Item
from mirix.models.builtin.questions import Question
from mirix.models.builtin.ranking import is_related
from mirix.models.builtin.screen_forms import (
    Asked,
    asked_form,
    asked_terms,
    codes_in,
    command_in,
    holds_form,
    person_in,
    without_prompt,
)
from mirix.models.builtin.screen_lines import Statement, is_name, statements_of, terms_of
from mirix.models.builtin.signals import has
from mirix.models.builtin.spans import short_quote

_ENOUGH = 0.6  # share of the question's weight that a line with what belongs to it must hold
_ABOUT = 0.6  # share of the question's terms that must stand somewhere on the screen
_OWN = 0.1  # share that the line itself must hold
_FOCUS = 3.0  # times the weight of another term: what is asked of the subject ("which seat")
# How well a term is held by what is not the line itself: its paragraph, the title, the lines around, the screen.
_ALIKE, _BESIDE, _TITLED, _NEAR, _AROUND = 0.85, 0.8, 0.75, 0.6, 0.4
_RETOLD = 0.85  # a memory made of a screen, beside the screen itself
_SAME = 0.97  # of the score of the best: as good
_SUCCEEDS, _CHANGES = 0.75, 0.65  # what was seen later counts, or tells a change, though it holds less of the question
_CHANCE, _OF_SORT = 0.3, 0.7  # weights of pairs of characters that stand nowhere, and of words for a sort of thing
# Codes look alike, and a wrong one is worse than none; what has no form of its own must be told by the line itself.
_ENOUGH_OF = {"code": 0.7}
_LEAST_OWN = dict.fromkeys(("what", "how_to", "why", "yes_no", "command"), 0.5)
_CLAUSE = re.compile(r"(?i)(?<=\w )(?<!in )(?<!on )(?P<clause>\b(?:that|which|whose|whoever|who)\b)")
_GIVEN_NAME = re.compile(r"\b[A-Z]{1,6}-?\d{2,}\b|(?<=[\w,] )(?!I\b)[A-ZÀ-Þ][a-zà-ÿ]{2,}\b")
_SORTS = frozenset(map(stem, ("room", "hall", "desk", "number")))  # a line may hold one without calling it that
_ASKS = 0.7  # who asks does not tell
_ASKS_UNTIL = re.compile(r"(?i)\b(?:until|till|up to|by) (?:when|what|which)\b|到(?:什么时候|几|哪)|截止")
_UNTIL = re.compile(r"(?i)\b(?:until|till|up to|through|by|back|due|deadline)\b|[到至]|截止|为止|之?前")
_RELATIVE = re.compile(
    r"(?i)\b(?:today|tonight|tomorrow|yesterday|next \w+|in \w+ (?:days|weeks))\b|[今明后昨]天|下周|下个?月"
)
_DATED = re.compile(r"\d ?[月日]|\d{4}-\d\d|\b\d{1,2} [A-Z][a-z]{2}|\b[A-Z][a-z]{2,8} \d{1,2}\b")
_SUMMED_UP = re.compile(r"(?i)\b(?:total|altogether|in all|sum)\b|[一总]共|合计|总计")
_AS_SHOWN = frozenset({"message", "resource"})  # kinds of items that hold the text of a screen, not what is told of it
_CHANGEABLE = frozenset({"clock", "when", "room", "where", "money", "count", "code"})
_BROWSER = re.compile(r"(?i)\b(?:chrom(?:e|ium)|firefox|edge|safari|opera|brave|vivaldi)\b")
_CHROME = re.compile(r"(?i)\bnot ?secure\b|\b[\w-]+\.[a-z]{2,8}/\S|(?:\s|^)[x×X]\s+[+十下](?:\s|$)|^[@©]\s")
_GIVEN = re.compile(
    r"(?i)\b(?:works?|working|assign\w*|responsible|owns?|in charge|looks after)\b|负责|经办|处理人|归谁"
)
_OF_MAIL = re.compile(r"(?im)^\s*(?:inbox|from ?:|to ?:|subject ?:|收件箱|[发收]件人)")
_HELD_BY = re.compile(r"(?i)\b(?:assign\w*|owner|responsible|worked on by|in charge)\b|负责|经办|处理人")
_CHANGE = re.compile(
    r"(?i)\bnew(?=\b|room|time|date)|\b(?:moved|changed|postponed|instead|correct\w*|now)\b|新|改[到在为成]|更正|推迟|提前|换[到成]"
)


@dataclass(frozen=True, kw_only=True)
class ScreenReply:
    """What the screens say, with its number; "" when they do not."""

    text: str = ""
    score: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Found:
    statement: Statement
    score: float
    own: int  # terms of the question that stand in it

    @property
    def seen_at(self) -> float:
        at = self.statement.item.at
        return at.timestamp() if at is not None else 0.0


def answer_from_screens(question: Question, items: Sequence[Item], room: float) -> ScreenReply:
    """The best line of the screens, quoted short and cited."""
    statements = [each for each in statements_of(items) if not _is_chrome(each)]
    asked = asked_form(question)
    question = replace(question, terms=asked_terms(question, asked))
    if not statements or not question.terms:
        return ScreenReply()
    if asked.form == "source":
        return _source(question, statements)
    counted = _counted_rows(question, asked, statements)
    reply = counted if counted.text else _line(question, asked, statements, room)
    if reply.text or not _CLAUSE.search(question.text):
        return reply
    further = _bridged(question, statements)
    return _line(further, asked, statements, room) if further is not None else reply


def _line(question: Question, asked: Asked, statements: Sequence[Statement], room: float) -> ScreenReply:
    """The line that answers, where one does."""
    quote = _quoter(question, asked, room)
    least = _LEAST_OWN.get(asked.form, _OWN)
    focus = _FOCUS if asked.form == "what" else 1.0  # other forms are told by the value alone
    scored = [each for each in _scored(question, statements, least, focus) if quote(each.statement)]
    if question.is_arithmetic:  # what nobody has summed up on the screen is not known
        scored = [each for each in scored if _SUMMED_UP.search(each.statement.text)]
    if not scored or scored[0].score < _ENOUGH_OF.get(asked.form, _ENOUGH):
        return ScreenReply()
    best = _in_time(question, asked, scored)
    return ScreenReply(text=f"{quote(best.statement)} [{best.statement.item.number}]", score=best.score)


def further_query(question: Question, items: Sequence[Item]) -> str:
    """What to search for once more: what is asked, of the name that a line gives to a clause of the question; "" where
    it has no such clause or no line does."""
    asked = asked_form(question)
    question = replace(question, terms=asked_terms(question, asked))
    clause = _CLAUSE.search(question.text)
    if clause is None or not question.terms:
        return ""
    further = _bridged(question, [each for each in statements_of(items) if not _is_chrome(each)])
    return f"{question.text[: clause.start('clause')]}{further.names[0]}" if further is not None else ""


def _bridged(question: Question, statements: Sequence[Statement]) -> Question | None:
    """The question with what its clause means ("the ticket that blocks the demo"): the name or number that a line
    gives to it; None where no line does."""
    for each in [found for found in _scored(question, statements, _OWN) if found.own >= 2][:12]:
        given = [name for name in _GIVEN_NAME.findall(plain(each.statement.text)) if name not in question.text]
        left = tuple(term for term in question.terms if term not in each.statement.terms)
        if given and left:
            return replace(question, terms=(*left, *terms_of(given[0])), names=(given[0],))
    return None


def _scored(question: Question, statements: Sequence[Statement], least_own: float, focus: float = 1.0) -> list[_Found]:
    """The statements by how much of the question they hold, best first."""
    weigh = _weigher(question, statements, least_own, focus)
    terms = frozenset(question.terms)
    found = [_Found(statement=each, score=weigh(each), own=len(terms & each.terms)) for each in statements]
    return sorted((each for each in found if each.score > 0), key=lambda each: (-each.score, -each.seen_at))


def _in_time(question: Question, asked: Asked, scored: Sequence[_Found]) -> _Found:
    """Of the statements that answer about equally well the newest, or the oldest where that is asked for."""
    best = scored[0]
    if question.wants_former:
        near = [each for each in scored if each.score >= _SUCCEEDS * best.score]
        unchanged = [each for each in near if not _CHANGE.search(plain(_whole(each.statement)))]
        chosen = min(unchanged or near, key=lambda each: (each.seen_at, -each.score))
    else:
        near = [each for each in scored if each is best or _may_succeed(question, asked, best, each)]
        chosen = max(near, key=lambda each: (each.seen_at, each.score))
    # Of the same line on several screens the one that shows most of it and of what it is about.
    said = _flat(chosen.statement.text)
    again = [each for each in near if said in _flat(each.statement.text)]
    return max(again, key=lambda each: (each.score, len(each.statement.text), each.seen_at))


def _may_succeed(question: Question, asked: Asked, best: _Found, other: _Found) -> bool:
    """Whether another line counts before the best if it was seen later: it tells a change of what may change, or as
    much of the question."""
    share = other.score / best.score
    if asked.form in _CHANGEABLE and other.seen_at > best.seen_at:
        if _CHANGE.search(plain(_whole(other.statement))):
            return share >= _CHANGES
        if question.wants_current:
            return share >= _SUCCEEDS and _tells_as_much(question, best, other)
    return share >= _SAME and _tells_as_much(question, best, other)


def _tells_as_much(question: Question, best: _Found, other: _Found) -> bool:
    """Whether another line or its paragraph holds all words of the question that the best one holds."""
    held, also = (each.statement.terms | each.statement.beside for each in (best, other))
    return held & frozenset(question.terms) <= also


def _flat(text: str) -> str:
    return re.sub(r"\W", "", plain(text)).casefold()


def _whole(each: Statement) -> str:
    return f"{each.label} {each.text}"


def _weigher(
    question: Question, statements: Sequence[Statement], least_own: float = _OWN, focus: float = 1.0
) -> Callable[[Statement], float]:
    """How much of a question a statement holds: 0 where it cannot answer, 1 where it holds all of it."""
    counts = Counter(term for each in statements for term in each.terms if term in question.terms)
    weights = {
        term: _weight(term, counts[term], len(statements)) * (focus if term in question.focus else 1.0)
        for term in question.terms
    }
    total = sum(weights.values()) or 1.0
    named = frozenset().union(*(terms_of(name) for name in question.names))

    def weigh(each: Statement) -> float:
        if not _is_about(question, each, counts):
            return 0.0
        titled = terms_of(f"{each.item.name} {each.item.application}")
        strengths = {term: _strength(term, each, titled, named, question) for term in question.terms}
        own = sum(weights[term] for term, strength in strengths.items() if strength > _BESIDE)
        if own < least_own * total:
            return 0.0
        score = sum(weights[term] * strength for term, strength in strengths.items()) / total
        is_retold = each.item.kind not in _AS_SHOWN
        is_question = re.fullmatch(r"[^,，。.]*[?？]\W*", plain(each.text)) is not None
        return score * (_RETOLD if is_retold else 1.0) * (_ASKS if is_question else 1.0)

    return weigh


def _weight(term: str, count: int, statements: int) -> float:
    """1 to 2, rare terms more; a pair of Chinese characters that stands nowhere is mostly no word."""
    if count == 0 and HAN.match(term):
        return _CHANCE
    if term in _SORTS:
        return _OF_SORT
    return 1.0 + math.log((1 + statements) / (1 + count)) / math.log(2 + statements)


def _strength(term: str, each: Statement, titled: frozenset[str], named: frozenset[str], question: Question) -> float:
    """How well a statement holds a term: itself, by a related word, by the title, by the lines around."""
    if term in each.terms:
        return 1.0
    if any(
        is_related(term, family, each.terms, f"{each.label} {each.text}", question.chinese)
        for family in question.families
    ):
        return 0.9
    if _is_alike(term, each.terms):
        return _ALIKE
    if term in each.beside:
        return _BESIDE
    if term in titled:
        return _TITLED
    if term in each.near:
        return _NEAR
    if term in each.around:
        return _NEAR if term in named else _AROUND
    if HAN.match(term) and len(term) == 2:
        return 0.3 * sum(character in each.terms for character in term) / len(term)
    return 0.0


def _is_about(question: Question, each: Statement, counts: Counter[str]) -> bool:
    """Whether the screen names what the question names, and most else of it."""
    text = f"{each.item.name} {each.item.text}".casefold()
    if any(max(name.split(), key=len).casefold() not in text for name in question.names):
        return False
    terms = [term for term in question.terms if counts[term] or not HAN.match(term)] or question.terms
    known = [term for term in terms if term in each.around or _is_alike(term, each.around)]
    return len(known) >= _ABOUT * len(terms) and 2 * len(terms) >= len(question.terms)


def _is_alike(term: str, terms: frozenset[str]) -> bool:
    """Whether a word of one root is among them, or one that was read together with the word before it ("Newroom")."""
    if HAN.match(term) or len(term) < 4:
        return False
    return any((len(term) >= 5 and other[:5] == term[:5]) or other.endswith(term) for other in terms)


def _quoter(question: Question, asked: Asked, room: float) -> Callable[[Statement], str]:
    """What is said of a statement; "" where it does not hold what is asked for."""
    terms = set(question.terms)

    def quote(each: Statement) -> str:
        if asked.form == "who":
            return _who(question, each)
        shown = each.text if asked.form == "command" else without_prompt(each.text)
        if not shown or not holds_form(asked, shown, question.text):
            return ""
        text = plain(shown) if asked.form not in {"when", "clock"} else BRACKET.sub("", shown)
        if _ASKS_UNTIL.search(question.text) and not _UNTIL.search(text):
            return ""
        if asked.form == "command":
            command = command_in(text)
            return command if 2 * len(terms & terms_of(command)) > len(terms) else ""
        if asked.form == "code":
            return _code(question, each)
        if asked.form in {"what", "how_to", "why", "yes_no"} and not terms_of(text) - terms:
            return ""
        said = short_quote(text, terms, "what", room).strip(" _|")
        return f"{said} ({_day_meant(each, question)})" if asked.form == "when" and _is_relative(text) else said

    return quote


def _is_relative(text: str) -> bool:
    """Whether a line names a day only by how far it is from when it was seen."""
    return _RELATIVE.search(text) is not None and _DATED.search(text) is None


def _day_meant(each: Statement, question: Question) -> str:
    """The day a line names, written out; else the day it was seen, from which it counts."""
    moments = find_moments(each.text)
    if moments:
        return write_moment(moments[0], chinese=question.chinese, with_clock=False)
    return each.item.at.date().isoformat() if each.item.at is not None else "?"


def _who(question: Question, each: Statement) -> str:
    """Whoever a statement names: who says it, or the person in a row or behind a label."""
    if _GIVEN.search(question.text):
        return person_in(each.text, question.text, question.chinese) if _HELD_BY.search(each.label) else ""
    if each.speaker and each.speaker not in question.text:
        said = short_quote(plain(each.text), set(question.terms), "what", 0.8).strip(" _|")
        return f"{each.speaker}: {said}"
    return person_in(each.text, question.text, question.chinese)


def _code(question: Question, each: Statement) -> str:
    """A code behind a word of the question, in its line or its label, where the title or what stands above tells whose
    it is: what stands below belongs to something else."""
    terms = set(question.terms)
    own = terms_of(f"{each.label} {each.text}")
    told = own | each.above | terms_of(each.item.name)
    if not terms & own or 2 * len(terms & told) <= len(terms):
        return ""
    codes = codes_in(plain(each.text), question.text)
    return codes[0] if codes else ""


def _source(question: Question, statements: Sequence[Statement]) -> ScreenReply:
    """The program of the screen on which it stands; of a page in a browser the name that its title ends in."""
    weigh = _weigher(question, statements)
    seen = [each for each in statements if _program_of(each.item)]
    scored = sorted(((weigh(each), each) for each in seen), key=lambda pair: -pair[0])
    if not scored or scored[0][0] < _ENOUGH:
        return ScreenReply()
    score, best = scored[0]
    return ScreenReply(text=f"{_program_of(best.item)} [{best.item.number}]", score=score)


def _program_of(item: Item) -> str:
    if not _BROWSER.search(item.application):
        return item.application
    parts = [part for part in re.split(r"\s[-–—|]\s", item.name) if part and not _BROWSER.search(part)]
    if len(parts) < 2:
        return item.application
    # The title of a mail ends in the name of whose mail it is.
    mail = ("邮件" if is_chinese(parts[0]) else "Mail") if _OF_MAIL.search(item.text) else item.application
    return mail if is_name(parts[-1]) else parts[-1]


def _counted_rows(question: Question, asked: Asked, statements: Sequence[Statement]) -> ScreenReply:
    """How many rows of one table hold a name: counted, for no line says it."""
    if asked.form != "count" or not question.names:
        return ScreenReply()
    name = max(question.names, key=len)
    by_item = Counter(
        (each.item.number, each.item.name)
        for each in statements
        if not each.label and name in each.text and "  " in each.text
    )
    about = [
        (count, number)
        for (number, title), count in by_item.items()
        if terms_of(title) & set(question.terms) - terms_of(name)
    ]
    if not about:
        return ScreenReply()
    count, number = max(about)
    return ScreenReply(text=f"{count} [{number}]", score=1.0)


def _is_chrome(each: Statement) -> bool:
    """What belongs to the window or the desktop, not to what it shows: bars, tabs, addresses, the title again."""
    text = plain(each.text)
    item = each.item
    if _CHROME.search(text) or _CHROME.search(each.label) or has("menu_noise", text):
        return True
    if len(text) < 3 and not re.search(r"[\d\u4e00-\u9fff]", text):
        return True
    clock = item.at.strftime("%H:%M") if item.at is not None else ""
    if clock and clock in text and re.search(rf"\b{item.at.day}\b" if item.at else "^$", text):
        return True
    flat, title = _flat(text), _flat(item.name)
    return bool(flat) and not each.label and len(flat) > 3 and item.kind in _AS_SHOWN and flat in title
