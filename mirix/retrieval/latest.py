"""Of several values of one thing, the one that holds. Pure.

Managers supersede a memory when they see that the world changed. Where they did not, a turn that needs the usual drink
would still be shown two. Among the messages found for one slot (bridges.py), a later one that tells a change, or a
later measure of the same thing, leaves an earlier one that speaks of the same behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mirix.retrieval.fusion import Key
from mirix.text.analyser import tokens

TOLD = 10  # messages of a probe that are compared
IN_COMMON = 2  # words of two messages on the same thing

_CHANGE = re.compile(
    r"(?i)\b(?:now|no (?:more|longer)|instead|anymore|any more|new(?:ly)?|changed?|moved|switched|stopped|"
    r"from (?:now|next)|"
    r"signed|history|replaced|back to|these days|used to|gave up|quit)\b|"
    r"改[成到喝吃为用]|换|调到|调成|不再|停了|现在|新家|新的|以后|从下|搬|戒了|签了|作废|不用了|如今"
)
_MOVED = re.compile(
    r"(?i)\b(?:has |have |is |are |was |been |'s |'ve )*"
    r"(?:moved|pushed|postponed|rescheduled|put|brought|changed|shifted)\b(?: (?:back|forward|off|on))? to\b|"
    r"改[到成在]|推迟到|提前到|挪到|换到"
)
_TIME = re.compile(
    r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d{1,2}[:.]\d\d|\b\d{1,2} ?[ap]m\b|"
    r"\b(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\b|[周星期礼拜][一二三四五六日天]|"
    r"[\d一二三四五六七八九十][月号点]"
)
_REFERENCE = re.compile(r"\{\{vault:\w+\}\}|https?://\S+")
_OF_TIME = frozenset({"分钟", "小时", "minut", "hour"})
_NEW_HOME = re.compile(
    r"(?i)\b(?:signed (?:for|the lease)|moved (?:in|to|into)|we're in\b|got the keys|"
    r"(?:new|our) (?:address|flat|house|place|home|apartment))|"
    r"签了[^。]{0,8}(?:房|租|合同)|搬[完到进]|新家|新房|新地址|乔迁"
)
_LIVED = re.compile(
    r"(?i)\b(?:i|we) (?:live|pay|rent|am renting|are renting)\b|\bhome(?: address)? is\b|"
    r"\b(?:my|our) (?:rent|address|flat|house|street|landlord|landlady) (?:is|are)\b|"
    r"住在|[我们]住|家在|现在的?(?:房租|租金|月租)|^现在[^,，。]{0,6}[百千元块]"
)
_DRINKS = re.compile(
    r"(?i)\b(?:drinks?|coffee|espresso|latte|cappuccino|tea|chai|matcha|rooibos|cocoa|juice|cola|ale|beer|cider|wine|"
    r"tonic|squash|cordial)\b|[咖茶酒]|喝|饮料|奶昔|豆浆|果汁|可乐|拿铁|美式"
)
_MEASURE = re.compile(
    r"(?:\d|[一二两三四五六七八九十百千万半])\s?(公里|里|米|厘米|公斤|斤|千克|克|分钟|小时|毫升|度|块|元)|"
    r"(?i:\b(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)\s?"
    r"(km|kilomet\w+|miles?|met\w+|kg|kilos?|grams?|pounds?|lbs?|minutes?|hours?|cm|degrees?|dollars|euros?)\b)"
)
# Words that two messages share without speaking of the same thing: times, numbers, change itself.
_EMPTY = re.compile(
    r"^(?:\d+|[一二三四五六七八九十两百千零〇点半年月日号周天晚早今明后上下午第次从个]+|now|more|new|no|not|old|one|record|"
    r"first|last|day|week|today|all|get|go|take|said|say|minut\w*|hour|thirti|forti|现在|改成|换了|以后)$"
)


class Latest(StrEnum):
    """When a later message of a slot leaves an earlier one behind."""

    CHANGE = "change"  # it tells a change and speaks of the same
    MEASURE = "measure"  # it measures the same again
    DRINK = "drink"  # it tells a change, and both tell what somebody drinks
    HOME = "home"  # it tells of a new home, and the earlier one of how somebody lived then


@dataclass(frozen=True, kw_only=True)
class Told:
    id: Key
    at: datetime
    text: str


def replaced_by(messages: Iterable[Told], keeps: Latest) -> dict[Key, Key]:
    """Of messages found for one slot: those whose value is past, each with the latest that took its place."""
    latest_first = sorted(messages, key=lambda each: (each.at, each.id), reverse=True)
    past: dict[Key, Key] = {}
    for index, newer in enumerate(latest_first):
        if newer.id in past:
            continue
        for older in latest_first[index + 1 :]:
            if older.id not in past and _took_the_place(newer.text, older.text, keeps):
                past[older.id] = newer.id
    return past


def _took_the_place(newer: str, older: str, keeps: Latest) -> bool:
    common = _words(newer) & _words(older)
    if keeps is Latest.MEASURE:
        units = _units(older) - _OF_TIME
        return bool(common and units) and units <= _units(newer)
    if keeps is Latest.HOME:
        return bool(_NEW_HOME.search(newer) and _LIVED.search(older)) and not _NEW_HOME.search(older)
    if keeps is Latest.DRINK and _CHANGE.search(newer):
        return bool(_DRINKS.search(newer) and _DRINKS.search(older)) or len(common) >= IN_COMMON
    if keeps is Latest.CHANGE and _is_moved(newer, older):
        return True
    return len(common) >= IN_COMMON and _CHANGE.search(newer) is not None


def _is_moved(newer: str, older: str) -> bool:
    """Whether what stands before "moved to Thursday" is what an earlier message with a time speaks of."""
    moved = _MOVED.search(newer)
    if moved is None or not (_TIME.search(older) and _TIME.search(newer, moved.start())):
        return False
    subject = _words(newer[: moved.start()])
    return bool(subject) and 2 * len(subject & _words(older)) >= len(subject)


def _words(text: str) -> set[str]:
    return {token for token in tokens(_REFERENCE.sub(" ", text)) if len(token) > 1 and not _EMPTY.match(token)}


def _units(text: str) -> set[str]:
    return {(match[1] or match[2]).lower().rstrip("es")[:5] for match in _MEASURE.finditer(text)}
