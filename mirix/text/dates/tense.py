"""Whether the words round an expression speak of the past or of the future, or of what happens again and again."""

from __future__ import annotations

import re

from mirix.text.dates.reference import Tense

_CLAUSE_END = re.compile(r"[.!?;:,。！？；：，\n]|\b(?:and|but|so|because|then)\b|但|然后|所以")
_HAN_CLAUSE = re.compile(r"[\u4e00-\u9fff]{2}[^,，]{0,40}?了[^,，]{0,12}[,，]\s*$")
_REACH = 160  # characters on either side of an expression that are looked at

_FUTURE = re.compile(
    r"\b(?:will|shall|won't|'ll|going to|gonna|about to|tomorrow|plan(?:s|ning)? to|let's|let us|"
    r"due|can we|could we|"
    r"should|must|have to|has to|need(?:s)? to|want(?:s)? to|remind|upcoming|next|would like|"
    r"hope to|book|schedule|"
    r"(?:am|is|are|'m|'re|'s) \w+ing|starts?|begins?|leaves?|arrives?|meets?|see you|until then)\b|['’]ll\b"
    r"|\b(?:booked|reserved|scheduled|arranged|fixed|planned|registered|signed up|tickets?)\b[^|]{0,60}"
    r"\b(?:for|from)(?: the)? \||"
    r"(?:订|约|定|抢)(?:好|到)?了[^|]{0,2}\||"
    r"\b(?:moved|rescheduled|postponed|pushed|changed|put back|put off|"
    r"brought forward)\b.{0,40}\bto(?: the)? \|"
    r"|将|会(?!议|上|儿|员|面|计|场|谈|见|话|展|所)|要(?!求|点|是|不|么|素|紧)|打算|准备|计划|"
    r"明天|预计|即将|记得|提醒|安排|约好|下周|下个|再(?!次|三|也)|见$|别忘",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|did|didn't|had|wasn't|weren't|been|ago|yesterday|last|went|came|saw|met|got|"
    r"took|made|said|told|"
    r"gave|bought|brought|thought|found|left|felt|kept|held|began|broke|wrote|spoke|ate|drank|"
    r"drove|flew|ran|sat|sent|"
    r"sold|slept|spent|stood|swam|taught|threw|understood|woke|won|lost|paid|read|heard|knew|grew|"
    r"fell|forgot|built|"
    r"(?:results?|orders?|outcome|verdict|report|news) (?:of|from|after)|caught|chose|dealt|"
    r"fought|hid|hit|hurt|led|lent|meant|put|quit|rang|rode|rose|sang|sank|set|shook|shot|shut|"
    r"slid|split|stole|stuck|swore|tore|wore|became|bit|blew|cut|drew|dug|fed|froze|hung|laid|let|"
    r"lit|rebuilt|"
    r"(?!need|feed|speed|embed|seed|bleed|exceed|proceed|succeed|hundred|sacred|red\b|bed\b|"
    r"shed\b|wed\b)[a-z]{2,}ed)\b"
    r"|(?<!\| )了(?!解|不|吗)|过(?=[了的。，！？,]|$|[^去来程年分敏])|刚|已经|曾|昨|去年|上周|上个|前天|当时|那时",
    re.IGNORECASE,
)
_HABIT = re.compile(
    (
        r"\b(?:every|each|usually|always|often|normally|generally|daily|weekly|never|sometimes|(?:mon|"
        r"tues|wednes|thurs|fri|satur|sun)days|weekends)\b|每|通常|总是|平时|一般|经常|往往|从不"
    ),
    re.IGNORECASE,
)


def _clause(text: str, start: int, end: int) -> tuple[str, str]:
    """The words of the clause before and after an expression."""
    before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
    # A comma behind an adverbial ends no clause; one behind a Chinese sentence does.
    closed = _HAN_CLAUSE.search(before) is not None
    borders = [match.end() for match in _CLAUSE_END.finditer(before if closed else before.rstrip(" ,，"))]
    if borders:
        before = before[borders[-1] :]
    border = _CLAUSE_END.search(after)
    return before, after[: border.start()] if border else after


def tense_around(text: str, start: int, end: int) -> Tense | None:
    """The tense of the clause that holds `text[start:end]`; None where no word tells."""
    before, after = _clause(text, start, end)
    clause = f"{before}| {after}"
    if _FUTURE.search(clause):
        return Tense.FUTURE
    return Tense.PAST if _PAST.search(clause) else None


def is_habit(text: str, start: int, end: int) -> bool:
    """Whether the clause tells what happens again and again, so that a bare weekday or hour is no one day."""
    return any(_HABIT.search(part) for part in _clause(text, start, end))
