"""Slots of a user's life that hold one value at a time: home, employer, usual drink.

Which slot a sentence fills follows from its kind, not from its words: "I live by the lock" and "We're in, 5 Mill
Lane" share none and fill the same. A new value takes the place of the old one, whatever either is called.
"""

from __future__ import annotations

import re
from typing import Final

from mirix.models.builtin.language import plain, spelled
from mirix.models.builtin.signals import has
from mirix.models.builtin.subjects import Subject, subject_of

HOME: Final = "home"
EMPLOYER: Final = "employer"
DRINK: Final = "drink"

_DWELLING = r"(?:flat|house|room|apartment|studio|place|cottage|bungalow|boat)"
_HOME = re.compile(
    rf"\b(?:I|[Ww]e)(?:['’]m| am|['’]re| are)?(?: now| still)? (?:live|living)\b(?! (?:for|off|"
    rf"without|with it)\b)|"
    rf"^\W*(?:my |our |the )?[Hh]ome(?: address)?(?:['’]s| is)(?: now)?\b|"
    rf"\b(?:I|[Ww]e)(?:['’]ve| have)?(?: just)? moved (?:to|into|in\b|from)|^\W*[Ww]e['’]re in\b[.!,]|"
    rf"\b(?:[Mm]y|[Oo]ur|[Nn]ew|[Hh]ome) (?:\w+ )?address\b|"
    rf"\b(?:I|[Ww]e)(?:['’]ve| have)?(?: just| now)? (?:taken|took|rented|bought|"
    rf"rent) (?:an? )?(?:[\w-]+ )?{_DWELLING} (?:at|in|on)\b|"
    r"(?<![压抓记拿站停憋忍挡按留])住(?:在|进|到)|家(?:住|在)|新家(?:在|是)|搬(?:到|去|进(?!来)|"
    r"完)|(?:在|了).{1,14}租了|地址(?:是|改|换|:)"
)
_EMPLOYER = re.compile(
    r"\bI(?:['’]m| am)?(?: now)? (?:work|working|teach|teaching)(?: as (?:an? |the )?[\w-]+(?: [\w-]+)?)? "
    r"(?:at|for|in)\b(?! (?:bed|night|home|all))|\b[Ff]irst day (?:at|in) the\b|"
    r"\b[Ff]irst day at\b|\bI(?:['’]ve)? (?:just )?(?:started|joined|start)\b.{0,24}\b(?:at|"
    r"with) (?:the |a )?[\w]+|\bhired by\b|"
    r"(?:我|^|,)(?:现在)?在.{1,14}(?:上班|工作|任职|当班)|入职|跳槽到|录取|第一天(?:在|"
    r"去).{0,8}上班|调到.{1,10}(?:公司|单位|部门|分院)"
)
_DRINKS = (
    r"coffee|tea|rooibos|matcha|chai|decaf|latte|flat whites?|espresso|cappuccino|cocoa|beer|wine|juice|"
    r"咖啡|茶|拿铁|啤酒|豆浆|可可"
)
_DRINK = re.compile(
    rf"(?i)\bI(?:['’]ll)?(?: now| only| always| just)? (?:drink|take|"
    rf"have)\b.{{0,40}}\b(?:{_DRINKS})\b|\b(?:coffee|tea|drink|usual) order\b|"
    rf"\bI(?:['’]m| am) on\b.{{0,20}}\b(?:{_DRINKS})\b|"
    rf"\b(?:no more|switched (?:from|to)|gave up|given up|cut out|off the|stopped)\b.{{0,30}}\b(?:{_DRINKS})\b|"
    rf"\bmy usual\b.{{0,30}}\b(?:{_DRINKS})\b|"
    rf"(?:只喝|改喝|平时喝|爱喝|不喝|戒了|现在喝|每天喝).{{0,10}}(?:{_DRINKS})"
)
_PLACE = re.compile(
    r"\d|\b(?:in|at|on|to|above|near|by|behind|opposite|with|into) (?:the |an? |my |our )?\w{3,}|address|"
    r"[路街巷道村镇区县市省楼栋号院苑城弄里湾桥山]|(?<!搬)[在到去][\u4e00-\u9fff]{2,}|搬[到去]了?(?!新家|新房|[这那哪]|一起)[\u4e00-\u9fff]{2,}"
)
_OTHER_MOVER = re.compile(
    r"(?:妈|爸|哥|姐|弟|妹|叔|姨|舅|姑|爷|奶|外公|外婆|儿子|女儿|朋友|同事|同学|老师|邻居|老板|室友)[^,。]{0,8}[搬住][到去在进]?\Z"
)
_UNSETTLED = re.compile(
    r"(?i)\b(?:looked at|viewing|viewed|signed|thinking of|might|want to|wanted|would|could|if|"
    r"until|used to)\b|想|打算|看了|签|如果|以前|面试"
)


def slot_of(sentence: str) -> str:
    """The slot that a sentence on the user fills; "" when it fills none."""
    text = spelled(plain(sentence))
    if text.rstrip().endswith("?") or has("hypothetical", text):
        return ""
    if subject_of(sentence) in _OTHERS:
        # "The doctor says I … tea instead": others may speak of what the user drinks.
        return DRINK if has("first_person", text) and _DRINK.search(text) else ""
    for slot, pattern in ((HOME, _HOME), (EMPLOYER, _EMPLOYER), (DRINK, _DRINK)):
        match = pattern.search(text)
        if match is None or (slot != DRINK and _UNSETTLED.search(text)):
            continue
        if slot == HOME and not _PLACE.search(text[match.start() :]):
            # "We're in!" tells that one moved, and not where.
            continue
        if slot == HOME and _OTHER_MOVER.search(text[: match.end()]):
            continue
        return slot
    return ""


def is_unsettled(sentence: str) -> bool:
    """Whether a sentence tells of a wish, a viewing or a contract: nothing has changed by it yet."""
    return _UNSETTLED.search(spelled(plain(sentence))) is not None


_OTHERS = frozenset({Subject.OTHER, Subject.FAMILY, Subject.PRONOUN})
