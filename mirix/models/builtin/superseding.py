"""Which existing memory a new statement replaces, corrects or repeats.

Careful on purpose: a memory that is superseded wrongly is an answer lost, a memory kept beside its successor is only
marked later. So a change needs three things at once: the same subject, the same attribute, and a sign that something
changed or was wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from mirix.models.builtin.fields import names_in
from mirix.models.builtin.language import content_terms, is_chinese, plain
from mirix.models.builtin.prompt import Memory
from mirix.models.builtin.signals import has, relative_subject
from mirix.models.builtin.slots import DRINK, slot_of

# Attributes that hold one value at a time, by the words that speak of them.
_ATTRIBUTES = {
    "home": r"\b(?:live[sd]?|living|moved|move|home|flat|apartment|house|address)\b|住|搬|新家|地址|家在",
    "work": (
        r"\b(?:work(?:s|ed|ing)?(?! out)|job|employ\w+|position|promoted|joined|started (?:at|as)|"
        r"start as|quit|retired?)\b|工作|上班|任职|升|离职|入职|跳槽|当(?=[\u4e00-\u9fff])|职位|退休"
    ),
    "phone": r"\b(?:phone|mobile|cell|number)\b|手机|电话|号码",
    "email": r"\be-?mail\b|邮箱",
    "drink": r"\b(?:coffee|tea|espresso|latte|drinks?|beer|wine)\b|咖啡|茶|喝|饮料",
    "diet": r"\b(?:vegan|vegetarian|diet|eats?|gluten|meat)\b|吃素|素食|忌口|荤|不吃",
    "time": (
        r"\b(?:at \d|o'clock|am|pm|meets?|lesson|class|training|appointment|every \w+day|on \w+days?|"
        r"deadline|due|rescheduled|postponed)\b|点|课|训练|预约|每周|截止|改期|推迟"
    ),
    "price": r"[$€£¥]|\b(?:costs?|price|rent|fee|salary|pay)\b|价|租金|房租|费|工资|月薪|元|块",
    "vehicle": r"\b(?:car|bike|bicycle|scooter|drive)\b|车",
    "age": (
        r"\bI(?:'m| am) (?:\d\d|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\b|\b(?:age|years old|"
        r"turned \d+)\b|岁"
    ),
    "partner": (
        r"\b(?:married|engaged|divorced|single|boyfriend|girlfriend|partner|husband|wife)\b|结婚|离婚|"
        r"单身|对象|男朋友|女朋友"
    ),
    "name": r"\b(?:my name|call me|named|called)\b|叫我|名字|改名",
    "pet": r"\b(?:dog|cat|pet)\b|猫|狗",
    "status": r"\b(?:status|paused|finished|on hold|resumed|launched|cancel\w+)\b|进度|暂停|完成|上线|取消",
}
_CHANGE = re.compile(
    r"(?i)\b(?:now|from now on|no longer|not any ?more|instead(?: of)?|as of|switched|changed|"
    r"moved|new|these days|since (?:last|this)|rescheduled|postponed|pushed|brought forward|"
    r"went up|goes up|"
    r"gave up|no more|quit|stopped|replaced|promoted|retired|left)\b|现在|以后|从.{1,8}起|不再|改成|改为|"
    r"改到|改喝|改吃|停了|改用|换成|换了|换到|搬到|搬去|搬进|搬家|新的?|升|推迟|提前|涨到|降到|戒了|离职|退休|"
    r"入职|取消|已经不"
)
_FIX = re.compile(
    r"(?i)^(?:no[,. ]|wait|sorry|oops|correction|actually|scratch that|not )|\b(?:I meant|"
    r"I was wrong|correction|it's actually|I (?:mis\w+|mixed)|should (?:be|read|have been)|"
    r"got (?:it|that) wrong)\b|"
    r"不对|说错|记错|更正|纠正|应该是|其实(?:是|在|叫)|搞错|写错|弄混|弄错|不是.{1,15}[,,]是"
)
_FORGET = re.compile(
    r"(?i)\b(?:forget|delete|remove|erase)\b (?:that|the|what|my|about|everything|it)|(?:删掉|"
    r"删除|忘掉|忘了|别记|不用记|不要记)"
)

# What an answer from memory carries; quoted, it is no value.
_CITATION = re.compile(r"\s?[\[【]\d{1,3}(?:\s*[,、，]\s*\d{1,3})*[\]】]")
_CALLED_OFF = re.compile(r"(?i)\b(?:cancel+ed|called off|is off)\b|不成|取消|泡汤|退了|不去了|作废")
_HOME_MOVE = re.compile(r"(?i)\b(?:I|we)(?:['’]ve| have)? (?:just )?moved?\b|搬")
# Attributes of which everybody has one: two values are the same thing changed, in whatever words.
_ONE_FOR_ALL = frozenset({"home", "work", "partner", "age", "phone", "name"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be done with an existing memory."""

    verb: str  # supersede, update, nothing
    memory: Memory


def find_change(statement: str, name: str, memories: Sequence[Memory]) -> Change | None:
    """The change a statement makes, or None when it is new. `name` is whom or what it is about, "" for the user."""
    statement = _CITATION.sub("", statement)
    best: tuple[float, Change] | None = None
    for memory in memories:
        if memory.kind in {"core", "semantic"} and _folded(statement) == _folded(memory.text.split(" — ")[0]):
            return Change(verb="nothing", memory=memory)
        found = _compare(statement, name, memory)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return best[1] if best else None


def _folded(text: str) -> str:
    """A text in the form in which two that say the same are equal."""
    folded = unicodedata.normalize("NFKC", _CITATION.sub("", text)).casefold()
    return " ".join(re.sub(r"[^\w\s]", " ", folded).split())


def find_deletion(text: str, memories: Sequence[Memory]) -> Memory | None:
    """The memory a user asks to forget: the one that shares most of the words of the request, at least two or all of
    them.
    """
    match = _FORGET.search(text)
    if match is None:
        return None
    wanted = set(content_terms(text[match.end() :]))
    best, shared = None, 0
    for memory in memories:
        common = len(wanted & set(content_terms(f"{memory.name} {memory.text}")))
        if common > shared:
            best, shared = memory, common
    return best if best is not None and (shared >= 2 or shared == len(wanted) > 0) else None


def _compare(statement: str, name: str, memory: Memory) -> tuple[float, Change] | None:
    if memory.kind == "episodic":
        return _compare_events(statement, memory)
    if memory.kind == "procedural":
        return _compare_procedures(statement, memory)
    if memory.kind in {"resource", "vault"}:
        return None
    old_slot = slot_of(re.split(r" — ", memory.text)[0]) if memory.kind in {"core", ""} else ""
    if old_slot and old_slot == slot_of(statement):
        return _compare_slots(old_slot, statement, memory)
    if _subject_differs(statement, name, memory):
        return None
    old_summary = re.split(r" — ", memory.text)[0]
    new, old = set(content_terms(statement)), set(content_terms(f"{memory.name} {old_summary}"))
    if not new or not old:
        return None
    overlap = len(new & old) / min(len(new), len(old))
    if len(new & old) / len(new) > 0.85 and not _values(statement) - _values(memory.text):
        return overlap, Change(verb="nothing", memory=memory)
    shared = _attributes(statement) & _attributes(old_summary)
    fixes = _FIX.search(plain(statement)) is not None
    changes = _CHANGE.search(plain(statement)) is not None
    same_value_line = overlap >= 0.6 and bool(_values(statement) ^ _values(old_summary))
    if not (fixes or changes or same_value_line) or (not shared and overlap < 0.5):
        return None
    if has("health", plain(old_summary)) and not (has("health", plain(statement)) and (fixes or overlap >= 0.3)):
        # An allergy stays, whatever else is no longer eaten.
        return None
    if not new & old and not shared & _ONE_FOR_ALL:
        return None
    verb = "update" if fixes and not has("state_change", statement) else "supersede"
    return overlap + 0.5 * len(shared), Change(verb=verb, memory=memory)


def _compare_slots(slot: str, statement: str, memory: Memory) -> tuple[float, Change] | None:
    """Two sentences that fill one slot of the user's life: the later one takes the place of the other."""
    new, old = set(content_terms(statement)), set(content_terms(memory.text))
    text = plain(statement)
    if new and len(new & old) / len(new) > 0.85 and not _values(statement) - _values(memory.text):
        return 2.0, Change(verb="nothing", memory=memory)
    if slot == DRINK and not _CHANGE.search(text):
        return None
    verb = "update" if _FIX.search(text) and not has("state_change", statement) else "supersede"
    return 2.0 + len(new & old) / max(len(new), 1), Change(verb=verb, memory=memory)


def _compare_events(statement: str, memory: Memory) -> tuple[float, Change] | None:
    """An event is only replaced by one that says it was moved, called off or told wrongly, and that is plainly the
    same: it names the day of the old one, or shares enough of its words.
    """
    summary = re.split(r" — ", memory.text)[0]
    new, old = set(content_terms(statement)), set(content_terms(summary))
    common = new & old
    if new and len(common) / len(new) > 0.85 and not _values(statement) - _values(memory.text):
        return 1.0, Change(verb="nothing", memory=memory)
    text = plain(statement)
    moved, fixed = has("rescheduled", text) and not _HOME_MOVE.search(text), _FIX.search(text) is not None
    if not (moved or fixed) or not (has("plan", plain(summary)) or "[" in summary or fixed):
        return None
    names_old_day = bool(memory.at) and any(
        memory.at.startswith(day) for day in re.findall(r"\d{4}-\d\d-\d\d", statement)
    )
    # Chinese bigrams share less: the one that both open with is what they are about.
    opens_alike = is_chinese(text) and content_terms(statement)[:1] == content_terms(summary)[:1]
    called_off = _CALLED_OFF.search(text) is not None and bool(set(content_terms(statement)[:1]) & old)
    needed = 1 if names_old_day or opens_alike or called_off else 2
    if len(common) < needed or len(common) / min(len(new), len(old)) < 0.15:
        return None
    verb = "supersede" if moved else "update"
    return len(common) + 2.0 * names_old_day, Change(verb=verb, memory=memory)


def _compare_procedures(statement: str, memory: Memory) -> tuple[float, Change] | None:
    """A way of doing something is replaced by another way of doing the same: a sign of change, and its subject."""
    heading = re.split(r" — |\n", memory.text)[0]
    new, old, subject = set(content_terms(statement)), set(content_terms(memory.text)), set(content_terms(heading))
    if not new or not old:
        return None
    if len(new & old) / len(new) > 0.85:
        return 1.0, Change(verb="nothing", memory=memory)
    text = plain(statement)
    if not (_CHANGE.search(text) or _FIX.search(text)):
        return None
    if len(new & subject) < 2 or len(new & subject) / min(len(subject), len(new)) < 0.3:
        return None
    return len(new & subject) / len(subject) + len(new & old) / len(old), Change(verb="supersede", memory=memory)


def _subject_differs(statement: str, name: str, memory: Memory) -> bool:
    """Two people of one first name are two; a person's memory is never replaced by a line on another."""
    ours = names_in(statement)
    theirs = names_in(f"{memory.name}. {memory.text}")
    if name and memory.name:
        if name.lower() == memory.name.lower():
            return False
        a, b = name.split(), memory.name.split()
        if a[0] == b[0] and len(a) > 1 and len(b) > 1:
            return True
        if a[0] != b[0] and not set(ours) & set(theirs) and name not in memory.text:
            return True
    full_ours = {entry for entry in ours if " " in entry}
    full_theirs = {entry for entry in theirs if " " in entry}
    for mine in full_ours:
        for other in full_theirs:
            if mine.split()[0] == other.split()[0] and mine != other:
                return True
    if memory.kind == "core":
        return relative_subject(statement) != relative_subject(memory.text)
    return has("first_person", statement) != has("first_person", memory.text) and not name


def _attributes(text: str) -> set[str]:
    return {attribute for attribute, pattern in _ATTRIBUTES.items() if re.search(pattern, text, re.IGNORECASE)}


def _values(text: str) -> set[str]:
    bare = plain(text)
    numbers = re.findall(r"\d+(?:[.:]\d+)?|[一二三四五六七八九十百]+(?=[点号日岁块元月])", bare)
    return {*numbers, *re.findall(r"(?<=[a-z,] )[A-Z][\w'-]+|\b\w+days?\b", bare)}
