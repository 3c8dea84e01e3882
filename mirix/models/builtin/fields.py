"""The fields of a record, read off the sentences that carry it: names, kinds, times, actors, keywords."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta

from mirix.models.builtin.language import (
    BRACKET,
    STOPWORDS,
    VAULT_REFERENCE,
    is_chinese,
    plain,
    split_sentences,
)
from mirix.models.builtin.moments import find_moments, find_written_dates
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.signals import has
from mirix.models.builtin.subjects import chinese_name

_FILLER = re.compile(
    r"^(?:(?:by the way|btw|big news|good news|oh|well|so|ok(?:ay)?|hey|hi|hello|morning|please (?:note|"
    r"remember)(?: that)?|just so you know|for the record|fyi|remember that|note that|also|and|"
    r"anyway)[,:!. ]+)+|"
    r"^(?:(?:对了|顺便说一下|顺便说|那个|哦|嗯|另外|还有|记一下|记住|请记住|你好|早)[,,::!。 ]*)+",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Dr|Prof)\.? )?[A-ZÀ-Þ][\w'’-]+(?: (?:van|de|von|al|la|le|da|di|bin|of|"
    r"&) (?=[A-ZÀ-Þ])| [A-ZÀ-Þ][\w'’-]+)*"
)
_NAME_ZH = re.compile(
    r"(?:叫|名叫|姓名是|是|找|跟|和|与|约|问|给|请|让|的|(?<![\u4e00-\u9fff]))(?P<name>(?:老|小|大|阿)"
    r"(?![的时区说概家学姐子人孩伙板年念多半都雨雪风事心电城桥山河湖路楼])[\u4e00-\u9fff](?![\u4e00-\u9fff]?(?:说|"
    r"时|概|家|学|区))|"
    r"[赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹苏潘葛范彭郎鲁韦马苗方俞任袁柳史唐费薛雷贺倪汤罗毕郝安常齐康伍余顾孟黄穆萧尹姚邵汪毛戴宋庞熊项祝董梁杜阮蓝季贾江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万卢莫房裘缪解丁邓石崔龚程裴陆翁段侯武刘叶黎白温庄曾关欧阳]"
    r"(?:[\u4e00-\u9fff]{0,2}?)(?:老师|师傅|经理|医生|大夫|主任|阿姨|叔叔?|哥|姐|总|工|教练|律师|"
    r"科长|处长|校长|护士|老板))"
)
_CALLED_ZH = re.compile(
    r"(?<![小大])(?:名叫|叫(?!我|做|他|她|你|醒|好|人|上|来|去)|"
    r"名字是)[“「\"]?(?P<name>[\u4e00-\u9fff]{2,4}?)[”」\"]?(?=[,。;!?,、的吧了]|$)"
)
_HAN_BORDER = re.compile(r"[^\u4e00-\u9fff]|[的了是在和就都也很把被给让跟与我你他她这那有没不要先再]")
_QUOTED = re.compile(r"[\"“「『'‘](?P<term>[^\"”」』'’]{1,30})[\"”」』'’]")
_PROJECT = re.compile(
    r"\b(?:[Pp]roject|[Cc]odename) (?P<name>[A-Z][\w-]+)|(?P<zh>[\u4e00-\u9fffA-Za-z0-9]{2,8}(?:项目|系统|平台|计划))"
)
_IS_A_PROJECT = re.compile(
    r"(?i)\bis (?:our|the|my|a|an) (?:[\w-]+ ){0,3}(?:system|project|tool|app|platform|product|"
    r"software|database|prototype|campaign|initiative)\b|"
    r"是(?:我们)?.{0,10}(?:系统|项目|平台|软件|产品|工具)"
)
_MY_PERSON = re.compile(
    r"\b(?:my|our) (?P<relation>(?:[a-z-]+ )?(?:boss|manager|colleague|neighbou?r|landlord|"
    r"landlady|teacher|tutor|doctor|dentist|friend|roommate|flatmate|client|coach|cousin|uncle|"
    r"aunt|nephew|niece|sister|brother|"
    r"wife|husband|mother|father|son|daughter|accountant|lawyer))\b|我(?:的|们)?(?P<zh>老板|领导|"
    r"同事|邻居|房东|老师|导师|医生|牙医|朋友|室友|客户|教练|会计|律师|师傅|同学|表[哥姐弟妹]|"
    r"堂[哥姐弟妹]|舅舅|叔叔|阿姨|姑姑|闺蜜|科长)"
)
_NOT_NAMES_TEXT = """
I I'm I've I'll I'd The A An My Our We He She They It This That These Those When If But And So Then Also Yes
No Please At In On For To From With After Before Monday Tuesday Wednesday Thursday Friday Saturday Sunday
January February March April May June July August September October November December Today Tomorrow Yesterday
Actually Sorry Just Now There Here What Who How Why Where Which Not Note Remember OK Ok Okay Hi Hello Thanks
Nobody Everybody Everyone Someone Somebody Nothing Everything Something Teacher Internet Network
Happy Only Still Since Between Three Four Five Six Booked Signed Lost Saw
Met Had Got His Her Their Its Your You Two One Three Every Each Keep Save Last Next Correction
"""
_NOT_NAMES = frozenset(_NOT_NAMES_TEXT.split())


def tidy(text: str) -> str:
    """One line without opening filler; quotes and resolved dates stay."""
    line = re.sub(r"\s+", " ", text).strip()
    trimmed = _FILLER.sub("", line).strip()
    if len(trimmed) < 4:
        return line
    return trimmed[0].upper() + trimmed[1:] if trimmed[0].islower() and line[0].isupper() else trimmed


def names_in(text: str) -> list[str]:
    """Names of people and places by their form, in order of appearance, each once."""
    bare = plain(VAULT_REFERENCE.sub(" ", text))
    found: list[str] = []
    starts = {bare.find(sentence) for sentence in split_sentences(bare)}
    for match in _NAME.finditer(bare):
        name = re.sub(r"['’]s$", "", match.group())
        parts = name.split()
        while parts and (parts[0] in _NOT_NAMES or (match.start() in starts and parts[0].lower() in STOPWORDS)):
            parts = parts[1:]
        if not parts or (match.start() in starts and len(parts) == 1 and not _reads_as_subject(bare, match)):
            continue
        found.append(" ".join(parts))
    found += [match.group("name") for match in _NAME_ZH.finditer(bare)]
    return list(dict.fromkeys(found))


def _reads_as_subject(text: str, match: re.Match[str]) -> bool:
    """A capital at the start of a sentence is a name when a verb of being or a possessive follows."""
    rest = text[match.end() : match.end() + 24]
    return re.match(
        (
            r"['’]s\b|,? (?:and [A-Z]|is|was|has|works|runs|lives|told|said|likes|prefers|who|from|will|"
            r"moved|called|keeps|knows|wants|came|went|doesn't|can)\b"
        ),
        rest,
    ) is not None or (match.group().endswith(("'s", "’s")))


def semantic_name(sentence: str) -> str:
    """Whom or what a sentence is about; "" when its form does not tell."""
    bare = plain(sentence)
    quoted = _QUOTED.search(bare)
    if quoted and (has("definition", bare) or has("quoted_term", bare)):
        return quoted.group("term").strip()
    called = re.search(r"(?:管(?P<a>.{1,10}?)叫|我们?说的?(?P<b>[\u4e00-\u9fff]{1,8}?)(?:就是|是|指))", bare)
    if called:
        return (called.group("a") or called.group("b") or "").strip('"“”「」')
    project = _PROJECT.search(bare)
    if project:
        return project.group("name") or project.group("zh")
    acronym = re.match(r"\W*([A-Z][A-Z0-9]{1,7}) (?:stands|means|is short)", bare)
    if acronym:
        return acronym.group(1)
    named = _CALLED_ZH.search(bare)
    if named:
        return named.group("name")
    names = names_in(bare)
    if names:
        return names[0]
    name = chinese_name(bare)
    if name:
        return name
    person = _MY_PERSON.search(bare)
    if person:
        return person.group("relation") or person.group("zh")
    return ""


def semantic_kind(sentence: str, name: str) -> str:
    """person, place, concept, project or preference."""
    if _PROJECT.search(sentence) or _IS_A_PROJECT.search(plain(sentence)):
        return "project"
    if has("definition", sentence) or has("quoted_term", sentence):
        return "concept"
    if (
        has("other_person", sentence)
        or _NAME_ZH.search(name)
        or re.match(r"(?:Mr|Mrs|Ms|Dr)\b", name)
        or re.search(r"\b(?:he|she|who|his|her)\b|[他她]", sentence)
    ):
        return "person"
    if re.search(
        (
            r"(?i)\b(?:café|restaurant|shop|bar|street|park|office|pier|building|town|village|library|"
            r"museum|station|hotel)\b|店|路|街|公园|楼|馆|餐厅|食堂|村|镇|桥"
        ),
        sentence,
    ):
        return "place"
    if has("likes", sentence):
        return "preference"
    return "person" if re.match(r"^[A-Z][a-z]+(?: [A-Z][a-z]+)?$", name) else "concept"


def event_times(text: str, said_at: datetime | None) -> tuple[str, str | None]:
    """ISO start and (exclusive) end of the first resolved time in a text; ("", None) when there is none."""
    moments = find_moments(text) or find_written_dates(text, said_at)
    if not moments:
        return "", None
    start, end = moments[0].start(said_at), moments[0].end(said_at)
    if end is not None and not isinstance(end, datetime):
        end += timedelta(days=1)  # ends are exclusive
    return _iso(start), (_iso(end) if end is not None and end != start else None)


def _iso(moment: datetime | date) -> str:
    return moment.isoformat()


_EVENT_TYPES = (
    (
        "appointment",
        (
            r"\b(?:appointment|dentist|doctor|interview|meeting|exam|reservation|booked|lesson|"
            r"call with)\b|预约|面试|会议|开会|考试|复诊|体检|约了|约在|家长会"
        ),
    ),
    ("travel", r"\b(?:flight|fly|flying|train|trip|travel\w*|hotel|airport|ferry)\b|航班|高铁|火车|出差|旅行|机场|飞"),
    ("deadline", r"\b(?:deadline|due|by the end of)\b|截止|之前交|到期"),
    ("decision", r"\b(?:decided|agreed|voted|we go with|chose)\b|决定|定了|商定|选了"),
    (
        "life_change",
        (
            r"\b(?:(?:I|we)(?:\'ve)? moved|new job|promoted|married|engaged|born|retire\w*|quit|diagnosed)\b"
            r"|搬|升职|结婚|"
            r"领证|退休|离职|入职|出生|确诊"
        ),
    ),
    ("plan", r"\b(?:will|going to|plan\w*|tomorrow|next)\b|打算|计划|准备|明天|下周|下个?月|要去"),
    ("meeting", r"\b(?:met|lunch|dinner|coffee|visited|talked|saw)\b|见|吃饭|聚|聊"),
)


def event_type(text: str) -> str:
    """A word for the sort of event."""
    return next((name for name, pattern in _EVENT_TYPES if re.search(pattern, text, re.IGNORECASE)), "event")


def actor_of(text: str, message: Message) -> str:
    """Who did it: the speaker, unless the sentence starts with somebody else."""
    names = names_in(text)
    if names and not has("first_person", text):
        return names[0]
    return message.speaker or "user"


def is_for_assistant(line: str) -> bool:
    """A wish about how the assistant should behave, rather than a fact about the user."""
    return (has("to_assistant", line) and has("answer_form", line)) or (
        has("answer_form", line) and not has("i_live_work", line)
    )


def keywords_of(text: str, limit: int = 8) -> list[str]:
    """The most telling words as they stand: names first, then long or repeated content words."""
    bare = VAULT_REFERENCE.sub(" ", BRACKET.sub("", text))
    names = names_in(bare)[:4]
    if is_chinese(bare):
        # Runs of two to four characters between function words are mostly words; longer ones are clauses.
        ranked = [run for run in _HAN_BORDER.split(bare) if 2 <= len(run) <= 4]
    else:
        found = [word for word in re.findall(r"[A-Za-zÀ-ÿ][\w'’-]{3,}", bare) if word.lower() not in STOPWORDS]
        counts = Counter(word.lower() for word in found)
        ranked = sorted(counts, key=lambda word: (-counts[word], -len(word), word))
    return list(dict.fromkeys([*names, *ranked]))[:limit]
