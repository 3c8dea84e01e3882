"""What a question asks: its kind, its content words and the words that would answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mirix.models.builtin.fields import names_in
from mirix.models.builtin.language import content_terms, is_chinese, plain, stem

# The first pattern that fits decides; order matters (a password is asked for with "what", a date with "which day").
_KINDS = (
    (
        "manner",
        (
            r"\b(?:how|what|which)\b.{0,40}\b(?:assistant|repl(?:y|ies)|answers?|respond|address(?:ed)?|"
            r"call(?:ed)? (?:him|her|them|me)|write to|talk to|speak to)\b|\bwhat should .{0,30}\b(?:call|"
            r"avoid) |跟.{1,6}说话|怎么(?:称呼|回答|回复)|如何(?:称呼|回答|回复)|(?:回答|回复|"
            r"说话).{0,8}(?:注意|要求|方式)|助手"
        ),
    ),
    (
        "limit",
        (
            r"\b(?:left out|avoid|allerg\w+|not (?:eat|drink|have)|can(?:'t|not) (?:eat|drink|have)|"
            r"intoleran\w+|restrictions?|diet\w*)\b|避开|忌口|过敏|不能(?:吃|喝|碰)|不吃|限制|忌讳"
        ),
    ),
    (
        "secret",
        (
            r"\b(?:password|passcode|pass ?phrase|pin|code|combination|api key|token|credentials?|"
            r"passport|iban|account number|licen[cs]e key)\b|密码|口令|密钥|令牌|门禁码|验证码|护照号|"
            r"卡号|账号|身份证号"
        ),
    ),
    (
        "exact",
        (
            r"\b(?:phone|telephone|mobile|number(?! of)|e-?mail|address|link|url|website|postcode|booking|"
            r"reference|serial|plate)\b|电话|手机号|号码|邮箱|地址|网址|链接|邮编|单号|预订号|车牌|编号|"
            r"联系方式"
        ),
    ),
    (
        "job",
        (
            r"\b(?:for a living|profession|occupation|what .{0,30}\bjob|work as|what does (?:he|she|"
            r"\w+) do\b)|做什么(?:工作|的)|什么工作|职业|干什么的|哪行"
        ),
    ),
    ("age", r"\bhow old\b|\bage of\b|\bwhat age\b|多大(?:了|年纪|岁数)?[??]?$|今年多大|几岁|年龄|岁数"),
    (
        "money",
        (
            r"\bhow much\b.*\b(?:cost|pay|paid|charge|earn|rent|sell|sold|spend|spent|price|money|"
            r"make)\w*\b|\b(?:price|cost|rent|salary|fee|wage)\b|多少钱|价格|价钱|月薪|工资|租金|房租|"
            r"费用|花了多少|卖了多少"
        ),
    ),
    (
        "duration",
        (
            r"\bhow long\b|\bhow many (?:days|weeks|months|years|hours|minutes)\b|多久|多长时间|"
            r"几[天周年]|几个(?:月|小时|星期)|多少[天年]"
        ),
    ),
    (
        "home",
        (
            r"\bwhere (?:does|do|did|is) .{0,24}\b(?:live|living|reside)\b|\b(?:home|current|present|"
            r"new) address\b|住(?:在)?(?:哪|什么地方|几)|家在哪|家住"
        ),
    ),
    (
        "when",
        (
            r"\bwhen\b|\b(?:what|which|on which|on what) (?:exact )?(?:date|day|month|year|time|week)\b|"
            r"\bdate (?:of|is|was)\b|什么时候|哪[一]?天|哪日|几[号月点时]|何时|哪年|日期|哪个月|星期几|"
            r"周几|什么日子"
        ),
    ),
    (
        "where",
        (
            r"\bwhere\b|\b(?:what|which|in which|in what) (?:city|town|place|country|street|building|room|"
            r"village|shop|restaurant|address)\b|哪里|哪儿|什么地方|在哪|哪个(?:城市|地方|国家)|何处|哪条"
        ),
    ),
    (
        "how_to",
        (
            r"\bhow (?!.{3,40}\b(?:feel|felt|want|like|go|react|come|get)\b)(?:do|does|did|can|should|to|"
            r"is|are|must)\b|\b(?:steps|procedure|recipe|instructions|order|sequence|ratio)\b|怎么(?!样|"
            r"称呼|叫)|如何|步骤|流程|顺序|做法|怎样|方法"
        ),
    ),
    (
        "count",
        (
            r"\bhow (?:many|much|old|tall|far|big|large|heavy|often|big)\b|\b(?:price|cost|rent|salary|"
            r"fee|percentage|size|age)\b|多少|几|多大|多高|多远|多重|价格|价钱|年龄|尺码|月薪|租金|房租"
        ),
    ),
    (
        "who",
        (
            r"\bwho(?:se|m)?\b|\bwhich (?:friend|colleague|person|doctor|sister|brother|neighbou?r)\b|谁|"
            r"哪位|哪个人|什么人"
        ),
    ),
    ("name", r"\bname\b|\bcalled\b|名字|叫什么|叫啥|姓什么|称呼"),
    ("why", r"\bwhy\b|\bwhat (?:reason|for)\b|为什么|为何|原因|因为什么|怎么会"),
    (
        "yes_no",
        (
            r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b|吗[??]?$|是不是|"
            r"有没有|会不会|能不能"
        ),
    ),
)
# What a question is asked with, and the words its answer may use instead (question words : answer words).
_FAMILIES = (
    "live lives lived living home : live living home flat apartment house moved move address moving",
    ("work works worked job employer : work works working job office started start hired cook teach join joined"),
    "married marry spouse wedding : married marry wedding engaged wife husband",
    "allergic allergy intolerant : allergic allergy intolerant",
    ("cost costs price pay paid charge charged : cost costs price paid pay charged charge euros dollars pounds fee"),
    "rent : rent",
    "buy bought purchase purchased : bought buy got purchased",
    "sell sold : sold sell",
    "trip travel fly flight visit journey : trip travel fly flying flew flight visit visited",
    "doctor vet dentist appointment checkup : doctor dr vet dentist appointment clinic hospital checkup",
    "start starts started begin began begins : start starts started begin began begins first",
    "end ends ended finish finished finishes : end ends ended finish finished finishes last over done",
    "meet met meeting : meet met meeting",
    "drink drinks beverage order : drink drinks coffee tea",
    "drive car : drive car van",
    "teach teaches teacher tutor : teach teaches teacher taught tutor",
    "children kids : children son daughter kid kids",
    "mother mum mom : mother mum mom",
    "father dad : father dad",
    "dog cat pet : dog cat pet",
    "ill sick disease diagnosed condition : ill sick disease diagnosed condition",
    "broke broken repair repaired fix fixed : broke broken repair repaired fix fixed mend mended",
    ("like likes prefer prefers favourite favorite enjoy : like likes love prefer prefer favourite favorite enjoy"),
    "study studied university college school : study studied university college school degree",
    "password passcode pin : password passcode pin code",
    "phone telephone mobile : number phone mobile call reach telephone",
    "birthday born : birthday born",
    "name : called name",
    ("hand submit submitted send sent apply application : handed submitted sent applied application posted mailed"),
    "arrive arrived arrival : arrived arrive came landed",
    "leave left departure : left leave departed gone",
    "happen cancelled postponed : cancelled postponed moved off",
)
_FAMILIES_ZH = (
    "住 家 : 住 搬 新家 租 房",
    "工作 上班 职业 单位 : 工作 上班 去 做 当 公司 入职 报到",
    "结婚 婚礼 : 结婚 婚礼 领证 办婚",
    "过敏 忌口 : 过敏 忌口 不吃",
    "多少钱 价格 花 收费 : 块 元 收 花 价 钱 百 千",
    "房租 租金 : 房租 租金 租",
    "买 购 : 买 购 入手",
    "卖 : 卖 出手",
    "开始 : 开始 开课 报到 入职 第一",
    "结束 : 结束 完 最后",
    "投简历 投 申请 : 投 递 申请 寄",
    "交 : 交",
    "喝 : 喝 咖啡 茶",
    "密码 口令 : 密码 口令",
    "电话 手机 号码 : 电话 手机 号码 拨",
    "妈妈 母亲 : 我妈 妈 母亲",
    "爸爸 父亲 : 我爸 爸 父亲",
    "生日 : 生日 出生",
    "修 : 修",
    "医生 兽医 : 医生 大夫 兽医",
    "老师 : 老师",
    "邻居 : 邻居",
    "搬 : 搬",
)
_CURRENT = re.compile(
    r"(?i)\b(?:now|current(?:ly)?|present(?:ly)?|these days|nowadays|at the moment|latest|newest|"
    r"still|today)\b|现在|目前|如今|最新|眼下|当前"
)
_FORMER = re.compile(
    r"(?i)\b(?:old|former(?:ly)?|previous(?:ly)?|used to|before|first|originally|earlier)\b|以前|"
    r"原来|之前|原先|过去|旧|最初"
)


_ARITHMETIC = re.compile(
    r"(?i)\bhow (?:much|many) (?:more|less|fewer)\b|\b(?:altogether|in total|combined|sum of|"
    r"difference between|times as)\b|\bhow (?:much|many)\b.*\btogether\b|\bhow many \w+ (?:before|"
    r"after|between)\b|"
    r"一共|总共|加起来|合计|相差|差多少|[贵贱多少快慢长短高低重轻](?:了)?多少|几倍|从.{1,16}到.{1,16}(?:多少|几|多久)"
)
_TIME_TERMS = frozenset({"day", "date", "time", "month", "year", "week", "weekday", "exact", "周几"})
_SECOND_HALF = re.compile(
    r"(?i),? and (?=(?:which|who|what|when|where|why|how|in which|on which)\b)|[,,](?=(?:现在|又|"
    r"还|而且)?(?:因为|为)?(?:什么|谁|哪|怎|几|在哪|多少))"
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question taken apart."""

    text: str
    chinese: bool
    kind: str  # secret, exact, duration, when, where, how_to, count, who, name, why, yes_no, what
    terms: tuple[str, ...]  # content stems or bigrams, each once, names of the user left out
    focus: frozenset[str]  # terms behind a Chinese question word ("哪天进场的"): what is asked of the subject
    speakers: frozenset[str]  # those of the speakers whom it names
    names: tuple[str, ...]  # names that must occur, the user's own left out
    owner: str  # whose thing is asked for, where only the form tells ("江远的电话"); "" when none
    families: tuple[tuple[frozenset[str], frozenset[str]], ...]  # (asked with, told with) for the words it touches
    wants_current: bool
    wants_former: bool
    asks_each: bool  # asks the same of several
    is_arithmetic: bool  # asks for a sum, a difference or a multiple, which no sentence holds


def read_question(text: str, user_names: set[str]) -> Question:
    """Take a question apart. `user_names` are what the people who speak are called: "Anna's cat" is "my cat" there."""
    bare = plain(text).strip()
    chinese = is_chinese(bare)
    stripped = bare
    for name in sorted(user_names, key=len, reverse=True):
        stripped = re.sub(
            rf"{re.escape(name)}(?:['’]s)?" if chinese else rf"\b{re.escape(name)}\b(?:['’]s)?", " ", stripped
        )
    kind = next((name for name, pattern in _KINDS if re.search(pattern, bare, re.IGNORECASE)), "what")
    terms = tuple(
        term
        for term in dict.fromkeys(content_terms(stripped, question=True))
        if kind != "when" or term not in _TIME_TERMS
    )
    names = tuple(name for name in names_in(stripped) if name not in user_names)
    owner = re.match(r"\s*(?![^的]*[谁哪几么多修买卖])([\u4e00-\u9fff]{2,4})的", stripped)
    return Question(
        text=bare,
        chinese=chinese,
        kind=kind,
        terms=terms,
        focus=_focus(stripped, chinese),
        speakers=frozenset(name for name in user_names if name in bare),
        names=names,
        owner=owner.group(1) if owner and owner.group(1) not in user_names else _rest_as_owner(stripped, kind, chinese),
        families=_families(stripped, chinese),
        wants_current=_CURRENT.search(bare) is not None,
        wants_former=_FORMER.search(bare) is not None,
        asks_each=re.search(r"(?i)\bboth\b|\beach\b|\ball (?:the|of)\b|各|分别|都有(?:谁|哪|什么)|哪些", bare)
        is not None,
        is_arithmetic=_ARITHMETIC.search(bare) is not None,
    )


def halves_of(text: str) -> list[str]:
    """The questions a question asks: two when it joins two, each with the subject both are about."""
    halves = [half.strip() for half in _SECOND_HALF.split(plain(text).strip()) if half.strip()]
    if len(halves) != 2:
        return [text]
    # The second half names its subject by a pronoun or not at all: it borrows the words of the first.
    subject = " ".join(names_in(halves[0])) if not is_chinese(text) else re.split(r"[的是在给叫送]", halves[0])[0]
    return [halves[0], f"{subject} {halves[1]}" if subject and subject not in halves[1] else halves[1]]


def _focus(text: str, chinese: bool) -> frozenset[str]:
    asked = re.search(r"什么时候|哪一?天|哪里|哪儿|何时|几号|几点", text) if chinese else None
    return frozenset(content_terms(text[asked.end() :], question=True)) if asked else frozenset()


def _rest_as_owner(text: str, kind: str, chinese: bool) -> str:
    """Chinese names have no form of their own: what is left of a short question on home, work or age beside its own
    words is whom it is about.
    """
    if not chinese or kind not in {"home", "job", "age"}:
        return ""
    left = re.sub(
        (
            r"住在?|家在|哪里|哪儿|哪|什么|地方|工作|职业|上班|单位|做|干|多大|几岁|年纪|岁数|年龄|今年|"
            r"现在|目前|以前|是|在|的|了|吗|呢|年|[??,,。\s]"
        ),
        " ",
        text,
    ).split()
    return left[0] if left and len(left[0]) >= 2 else ""


def _families(text: str, chinese: bool) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """The families whose question words occur, as (question words, answer words); stems in English."""
    split = [
        tuple(frozenset(side.split()) for side in family.split(" : "))
        for family in (_FAMILIES_ZH if chinese else _FAMILIES)
    ]
    if chinese:
        return tuple((asked, told) for asked, told in split if any(word in text for word in asked))
    stems = {stem(word) for word in re.findall(r"[A-Za-z]+", text)}
    stemmed = [(frozenset(map(stem, asked)), frozenset(map(stem, told))) for asked, told in split]
    return tuple((asked, told) for asked, told in stemmed if asked & stems)
