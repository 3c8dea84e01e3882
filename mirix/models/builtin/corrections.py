"""Which words of a memory a correction is about: what the built-in model answers as the correction agent.

The user names the wrong words ("not 18:30, 17:30"), or they are found: the value of the same form as the right one (a
date, a time, a number, an address, a name), when the memory holds exactly one that the question did not already name.
Where that leaves a doubt nothing is named: a wrong change is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirix.models.builtin.conversation import hear_turn, is_question
from mirix.models.builtin.filing import Operation
from mirix.models.builtin.language import content_terms
from mirix.models.builtin.prompt import Call, Memory

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_CJK_NUMBER = r"[\d〇零一二两三四五六七八九十百千万]"
# Sorts of values, from the most particular to the least.
_SORTS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"https?://\S+|www\.\S+",
        r"\+?\d[\d ()-]{6,}\d",
        r"\d{4}-\d{2}-\d{2}",
        rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?",
        rf"(?:{_CJK_NUMBER}{{4}}年)?{_CJK_NUMBER}{{1,2}}月{_CJK_NUMBER}{{1,3}}[日号]",
        r"\d{1,2}:\d{2}(?: ?[ap]m)?|\d{1,2} ?[ap]m",
        rf"(?:上午|下午|早上|晚上|中午)?{_CJK_NUMBER}{{1,3}}点(?:半|{_CJK_NUMBER}{{1,3}}分?)?",
        _WEEKDAY,
        r"(?:周|星期|礼拜)[一二三四五六日天]",
        r"\d+[A-Za-z]? (?:[A-ZÀ-Þ][\w'’-]+ ?)+(?<! )",
        r"[\u4e00-\u9fff]{2,6}(?:路|街|道|巷|弄)\d+号(?:\d+[室楼])?",
        rf"{_CJK_NUMBER}+(?:岁|个|人|块|元|天|周|年|次|米|公里|斤|公斤|层|楼|号)",
        r"(?:[$€£¥]\s?)?\d+(?:[.,]\d+)*(?:\s?(?:%|kr|euros?|dollars?|元|块|岁|个|人|km|kg|cm))?",
        r"[A-ZÀ-Þ][\w'’-]*(?:(?: (?:of|de|van|von|da))? [A-ZÀ-Þ][\w'’-]*)*",
    )
)
_OTHERS_HAN = re.compile(
    r"(?:住在|住|在|叫做|叫|名叫|姓|是|于|去了|到|喜欢|养了?)(?P<value>[\u4e00-\u9fff]{1,8})(?=$|[,。;!\s—])"
)
_HAN_VALUE = re.compile(r"[\u4e00-\u9fff]{1,8}")
_BEFORE = r"(?i:\b(?:in|at|on|to|from|near|is|was|called|named)) (?:the )?"
_NOT_VALUES = frozenset(
    {"I", "The", "A", "An", "He", "She", "It", "They", "We", "My", "Her", "His", "Our", "Their", "In", "On", "At"}
)


def find_correction(call: Call) -> Operation | None:
    """The call that names the wrong words; None where it is not clear."""
    heard = hear_turn(call).arguments
    right, wrong = str(heard.get("right") or ""), str(heard.get("wrong") or "")
    if not right:
        return None
    before = next((turn.text for turn in reversed(call.turns[:-1]) if turn.role == "user"), "")
    asked = before if is_question(before) else ""
    if wrong:
        found = [memory for memory in call.memories if wrong in memory.text]
        return _named(found[0], wrong, right) if found else None
    for memory in call.memories:
        values = list(dict.fromkeys(_of_same_sort(memory.text, right, asked)))
        if len(values) > 1:  # what "it" is stands behind a word such as "in", who does it does not
            values = [value for value in values if re.search(rf"{_BEFORE}{re.escape(value)}(?!\w)", memory.text)]
        if len(values) == 1:
            return _named(memory, values[0], right)
    return None


def _named(memory: Memory, wrong: str, right: str) -> Operation:
    return Operation(tool="correct_memory", arguments={"memory": memory.handle, "wrong": wrong, "right": right})


def _of_same_sort(text: str, right: str, asked: str) -> Iterator[str]:
    """Values in a text that the right one can take the place of."""
    sort = next((pattern for pattern in _SORTS if pattern.fullmatch(right)), None)
    if sort is None:
        found = _OTHERS_HAN.finditer(text) if _HAN_VALUE.fullmatch(right) else ()
        yield from (match["value"] for match in found if match["value"] not in asked and match["value"] != right)
        return
    rest = text
    for other in _SORTS[: _SORTS.index(sort)]:  # "May" of a date is no name
        rest = other.sub(lambda match: "\n" * len(match.group()), rest)
    values = [match.group().strip() for match in sort.finditer(rest)]
    known = set(content_terms(asked))
    for value in values:
        if value != right and value not in _NOT_VALUES and not set(content_terms(value)) & known:
            yield value
