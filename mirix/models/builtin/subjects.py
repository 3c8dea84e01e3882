"""Whom a sentence is about, and whether what it tells lasts: what separates facts on the user from all else.

Read off the form alone: how the sentence opens, which verbs and times it holds. Pronouns are told as such, so that the
caller can look at the sentence before.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mirix.models.builtin.language import BRACKET, content_terms, is_past_form, plain, spelled
from mirix.models.builtin.patterns import KIN, KIN_ZH
from mirix.models.builtin.signals import has


class Subject(StrEnum):
    """Whom a sentence is about."""

    USER = "user"
    FAMILY = "family"  # of the user's close family or household
    ASSISTANT = "assistant"  # how it should behave
    OTHER = "other"  # somebody or something else that is named
    PRONOUN = "pronoun"  # he, she, it: whoever the sentence before was about
    OPEN = "open"  # not told


_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华魏陶姜戚谢邹喻柏窦章苏潘葛范彭郎鲁韦苗凤俞任袁柳鲍史唐"
    "费岑薛雷贺倪汤滕殷罗毕郝邬安乐于傅皮卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾江童颜郭梅盛林钟"
    "徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房裘缪解应丁邓洪包石崔吉龚程邢裴陆荣翁荀曲封段富侯宁仇武符刘景詹叶黎薄印白怀蒲从"
    "鄂索赖卓屠蒙池乔闻翟谭劳姬申扶冉宰雍桑桂牛寿边扈燕冀温庄晏柴瞿阎连习容向古易廖耿关欧聂苟柳"
)
# Common words that begin with a character which is also a surname.
_NO_NAMES = (
    r"(?:高(?:铁|速|中|考|兴|血|温|峰)|方(?:案|法|便|向|式)|安(?:排|全|静|装|心)|常(?:常|去|用|见|年)|金额|"
    r"白(?:天|菜|色|内|酒)|马(?:上|路)|温(?:度|泉)|黄(?:瓜|金|色)|万一|华(?:语|人)|连|关(?:于|门|掉|机|系)|"
    r"包(?:括|装|子|里)|应(?:该|当)|易|向|从|于是|何(?:时|必|况)|任(?:务|何)|解(?:决|释)|盛(?:饭|大)|"
    r"钟(?:头|点)|童年|季(?:度|节)|牛(?:奶|肉)|石头|古(?:代|城|镇)|边|池|申请|封|程序|景|容易|田里|"
    r"江(?:边|里|水|南|西|苏)|路(?:上|边|口|过)|时|成|项目|计|严重|苏打|梅雨|雷(?:雨|达)|洪水|施工|"
    r"房(?:子|租|东|间|屋)|康复|齐|余(?:额|下)|习惯|索|乐(?:队|器)|劳|印(?:章|刷)|卫生|水|毛(?:巾|病|衣)|"
    r"皮(?:肤|鞋)|史|熊猫|柏油|贺卡|桂花|柴|云(?:南|雾)|汤|夏天|林(?:子|里|业)|蓝色|顾(?:客|问)|纪|舒服|陶|凤)"
)
_AFTER_NAME = (
    r"(?=[不是在会说去来喜爱要想把对有也都今昨明给跟和做住开帮就送叫让请问教带打发回从已刚又还,、也才最能可很的过升搬"
    r"换离被约到陪看买卖写讲吃喝]|$)"
)
_CHINESE_NAME = re.compile(
    rf"^(?!{_NO_NAMES})(?P<name>(?:欧阳|司马|上官|诸葛|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}}?){_AFTER_NAME}"
)
_NICKNAME = re.compile(r"^(?:老|小|大|阿)[\u4e00-\u9fff](?!时|家|概|学|伙|约|多|半|事|心)")
_LEADING_TIME = re.compile(
    r"^(?:(?:昨天|昨晚|今天|今晚|今早|明天|明晚|前天|后天|刚才|刚刚|刚|上周|下周|这周|本周|周末|"
    r"上个?月|下个?月|去年|今年|早上|上午|中午|下午|"
    r"晚上|傍晚|[上下这本]?(?:周|星期|礼拜)[一二三四五六日天末]|[\d一二三四五六七八九十]+[月号日点])[的,:]?)+"
)
_OTHERS = (
    r"boss|manager|colleague|coworker|neighbou?rs?|landlord|landlady|teacher|tutor|doctor|dentist|vet|friend|"
    r"roommate|flatmate|client|supervisor|coach|mentor|accountant|lawyer|plumber|electrician|"
    r"cousin|uncle|aunt|"
    r"nephew|niece|in-law|movers?|landlords?"
)
_OTHERS_ZH = (
    r"老板|领导|同事|邻居|房东|老师|导师|医生|牙医|朋友|室友|客户|教练|会计|律师|师傅|同学|经理|"
    r"主任|组长|合伙人|领队|队长|闺蜜|物业|快递员"
)
_FAMILY = re.compile(
    rf"(?i)^\W*(?:my|our) (?:[\w-]+ )?(?:{KIN})\b|^(?:我(?:们)?(?:家)?(?:的)?|家里的?|咱)?(?:{KIN_ZH})(?![店场])"
)
_OTHER = re.compile(
    rf"(?i)^\W*(?:my|our|the|his|her|an?) (?:[\w-]+ ){{0,2}}(?:{_OTHERS})\b|^(?:我(?:们)?的?|新|"
    rf"那个|这个)?(?:{_OTHERS_ZH})"
)
_USER = re.compile(r"^\W*(?:I\b|I['’]|[Ww]e\b|[Mm]y\b|[Oo]ur\b|[Mm]e\b)|^\W*(?:我|咱|本人|自己)")
_PRONOUN = re.compile(
    r"^\W*(?:[Hh]e|[Ss]he|[Tt]hey|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts?|[Tt]his|[Tt]hat)\b|"
    r"^\W*[他她它这那]"
)
_WISH = re.compile(
    r"(?i)^\W*(?:please|don['’]t|never|always|keep|stop|use|call me|answer|reply|be )\b|^\W*(?:请|别|不要|叫我|以后)"
)
_LASTING = ("i_am", "my_name_is", "i_live_work", "works", "habit", "likes", "health")
_OWNED = re.compile(
    r"(?i)\b(?:I|we)(?:['’]ve| have)?(?: got)? (?:have|an?|two|three|no) |\b(?:my|"
    r"our) [\w' -]{2,30} (?:is|are|was|has|works?|lives?|goes|called|named)\b|"
    r"\bbirthday (?:is|falls|comes)\b|\bI(?:['’]m| am) \w|\bI (?:can(?:no|')?t?|don['’]t|never|"
    r"only|always)\b|我(?:家)?(?:有(?!点|时|些)|只|从不|从来不|不(?!过|在|知))|生日(?:是|在)|"
    r"(?:我|家)(?:妈|爸|老婆|老公|儿子|女儿|妹|弟|姐|哥).{0,8}(?:是|在|叫|住|有|属|当|做|今年|不)"
)
_OF_FAMILY = re.compile(
    rf"(?i)\b(?:is|['’]s|are|called|named) my (?:[\w-]+ )?(?:{KIN})\b|"
    rf"\bmy (?:[\w-]+ )?(?:{KIN}),? [A-Z]\w+|\b(?:turned|turns) (?:\w+|\d+)\b"
)
_SUBJECT_VERB = re.compile(
    r"^\W*(?:[Mm]y \w+ |[Tt]he \w+ )?(?:[A-Z][\w'’-]*|[a-z]+)(?: [A-Z][\w'’-]+)?(?: just| finally|"
    r" \w+ly)? (?P<verb>[a-z]+)\b"
)
_OPENING = re.compile(
    r"(?i)^(?:(?:by the way|btw|oh|well|so|ok(?:ay)?|hey|hi|hello|big news|good news|news|also|"
    r"and|actually|right)\b[,:!. ]*)+|"
    r"^(?:(?:顺便说一下|顺便说|对了|另外|还有|记一下|记住|那个|哦|嗯|大事|跟你说|补充一下|更正|说明一下)[,:!。 ]*)+"
)
_ONE_OFF = re.compile(
    r"(?i)\b(?:today|yesterday|tonight|tomorrow|this (?:morning|afternoon|evening)|last night|"
    r"just now)\b|昨[天晚]|今[天早晚]|前天|明[天早晚]|刚才|刚刚"
)


_LIFE_CHANGE = re.compile(
    r"(?i)\b(?:I|we)(?:['’]m| am| are|['’]ll| will)? start(?:s|ing|ed)? .{0,40}\b(?:as|at|in) |"
    r"\bmy last day at\b|"
    r"\bI(?:['’]m| am| was| got)? (?:now )?(?:the new|promoted|engaged|pregnant)\b|\bI(?:['’]ve|"
    r" have)? (?:quit|left my job|retired)\b|"
    r"我.{0,10}(?:离开|辞|入职|离职|退休|升|调到|调去|转正|领证|结婚|离婚|怀孕)|开始(?:在|做|当|去).{1,12}|我.{0,8}搬"
)


def is_life_change(sentence: str) -> bool:
    """Whether a sentence tells that the user's work, home or family changed, or will."""
    return (
        subject_of(sentence) in {Subject.USER, Subject.OPEN}
        and _LIFE_CHANGE.search(spelled(plain(sentence))) is not None
    )


def subject_of(sentence: str) -> Subject:
    """Whom a sentence is about, by how it opens."""
    text = _OPENING.sub("", spelled(plain(sentence)).strip())
    if _FAMILY.match(text):
        return Subject.FAMILY
    if _OTHER.match(text):
        return Subject.OTHER
    if _USER.match(text):
        return Subject.USER
    if _PRONOUN.match(text):
        return Subject.PRONOUN
    if _WISH.match(text) or (has("to_assistant", text) and has("answer_form", text)):
        return Subject.ASSISTANT
    bare = _LEADING_TIME.sub("", text)
    if chinese_name(bare) or _NICKNAME.match(bare) or has("third_subject", text):
        return Subject.OTHER
    if bare != text:
        return subject_of(bare)
    return Subject.OPEN


def chinese_name(text: str) -> str:
    """The personal name that a Chinese text opens with; "" when it opens with none."""
    match = _CHINESE_NAME.match(text)
    return match.group("name") if match else ""


def is_lasting(sentence: str) -> bool:
    """Whether a sentence speaks of what lasts: what somebody is, does for a living, owns, likes, always does."""
    text = spelled(plain(sentence))
    return (
        any(has(sign, text) for sign in _LASTING)
        or _OWNED.search(text) is not None
        or _OF_FAMILY.search(text) is not None
    )


def is_one_off(sentence: str) -> bool:
    """Whether a sentence tells of one occasion: it has a time and nothing in it speaks of what lasts."""
    text = spelled(plain(sentence))
    if any(has(sign, text) for sign in _LASTING):
        return False
    verb = _SUBJECT_VERB.match(_OPENING.sub("", text.strip()))
    happened = has("past_event", text) or (verb is not None and is_past_form(verb.group("verb")))
    return BRACKET.search(sentence) is not None or _ONE_OFF.search(text) is not None or happened


def says_only_when(sentence: str) -> bool:
    """Whether nothing but a verb and a time is told ("I moved today!"): true of one day, a fact of none."""
    text = spelled(plain(sentence))
    return _ONE_OFF.search(text) is not None and len(content_terms(_ONE_OFF.sub(" ", text))) < 2


def is_lasting_fact(sentence: str) -> bool:
    """Whether a sentence tells a fact that holds without a time: no event, however interesting."""
    text = spelled(plain(sentence))
    return (
        any(has(sign, text) for sign in (*_LASTING, "definition", "name_is"))
        and BRACKET.search(sentence) is None
        and not has("past_event", text)
        and not has("plan", text)
        and not has("time", text)
        and not has("state_change", text)
    )
