"""Whether a turn that asks nothing about the past needs anything personal, told by its form. Pure.

Scores cannot tell: a turn that needs nothing is short and finds its few words somewhere as well as any other (measured
on two life logs, the best score of a turn without a need is no lower than that of one with). Its form can. Nothing
personal is needed for

    small talk            a greeting, laughter, thanks, the weather
    given text            "translate this: …": all that is needed stands in the turn
    words                 a synonym, a spelling, how to say it in Dutch, how many strokes
    play                  a joke, a poem, a riddle, unless it is for somebody of the user's; what is only imagined
    somebody's question   a question of general knowledge that someone else asks
    impersonal question   no word in it of the user's own life: "Why do cats purr?"

and everything else may need something: searching too often costs some noise, searching too little costs the answer.
English and Chinese; Chinese leaves out the subject where it is the speaker, so verbs of wish and plan count there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from mirix.text.chunks import HAN

_HAN = re.compile(f"[{HAN}]")
_SPACES = re.compile(r"\s+")


def needs_memory(turn: str, names: Collection[str] = ()) -> bool:
    """Whether anything personal may be needed. `names` are people whom the memory knows."""
    text = _SPACES.sub(" ", unicodedata.normalize("NFKC", turn).replace("’", "'")).strip()
    if not any(character.isalnum() for character in text):
        return False
    is_named = any(name and name in text for name in names)
    return _needs_chinese(text, is_named) if _HAN.search(text) else _needs_english(text, is_named)


# ---- English ----


def _any(*alternatives: str) -> str:
    return "(?:" + "|".join(alternatives) + ")"


_INTERJECTION = _any(
    r"ha(?:h|ha)*", "(?:he|hee|ho){2,5}", "lol", "wow", "oh", "ah", "hm+",
    "aha", "ok", "okay", "right", "sure", "great",
    "perfect", "lovely", "nice", "cool", "brilliant", "excellent", "thanks?", "thank you", "cheers", "ta", "yes", "yep",
    "no", "nope", "fine", "alright", "hi", "hey", "hello", "bye", "goodbye", "see you", "sorry", "well",
    r"(?:good )?(?:morning|afternoon|evening|night)", "good day", "touché", "congratulations", "fair enough", "got it",
    "never mind", "ugh", "argh", "yay", "phew", "meh", "hooray",
)  # fmt: skip
_GREETED = re.compile(rf"(?i)^(?:{_INTERJECTION}\b(?: (?:so much|a lot|again|then|all|there|you))?[\s,.!…:;-]*)+")
_WEATHER = re.compile(
    r"(?i)\b(?:weather|rain\w*|drizzl\w*|snow\w*|fog\w*|mist\w*|sunny|sunshine|cloud\w*|gr[ea]y|windy|chilly|freezing|"
    r"cold|hot|warm|muggy|humid|storm\w*|pouring|sky) ?"
)
_HEDGE = re.compile(
    r"(?i)^(?:i (?:was|am|'m) (?:just )?(?:wondering|curious)(?: about)?|i wonder|(?:just )?curious|"
    r"i(?:'d| would) (?:like|love) to (?:know|understand|learn)(?: about)?|(?:a )?(?:quick|random|silly) question|"
    r"do you (?:happen to )?know|(?:can|could|would) you (?:please )?(?:tell|explain to|teach) me|please tell me|"
    r"help me (?:understand|calculate|solve)|i want to (?:know|understand))\b[\s,:-]*"
)
_GIVEN_TEXT = re.compile(
    r"(?i)^(?:please |can you |could you |would you )*(?:translate|rewrite|rephrase|reword|paraphrase|proofread|"
    r"summari[sz]e|shorten|simplify|correct|polish|edit|fix the (?:grammar|spelling))\b"
    r"(?:[^:\"“]*\b(?:this|these|that|the following|the sentence|the text|the paragraph|below)\b|[^:\"“]*[:\"“])"
)
_OF_WORDS = re.compile(
    r"(?i)^(?:please )?translate\b.{1,80}\binto\b|"
    r"\b(?:synonyms?|antonyms?|rhymes?|anagram|etymology|plural of|past tense|conjugat\w+|pronounce[ds]?|"
    r"pronunciation|spell(?:ed|ing)?|definition|define|(?:another|a|the|\w+) word for|opposite of|"
    r"(?:\w+ )?words? for|meaning of|(?:what|who) (?:does|do|is|are) ['\"“].*\bmean|what does .{1,40} mean\b|"
    r"how (?:do|does|would) (?:you|one|i|they|people) say|(?:the )?(?:english|dutch|french|german|italian|spanish|"
    r"portuguese|russian|greek|latin|swedish|norwegian|danish|finnish|polish|turkish|arabic|hebrew|hindi|japanese|"
    r"korean|chinese|mandarin|welsh|irish) (?:word|term|name|expression|phrase|for)\b|"
    r"in (?:french|german|italian|spanish|dutch|latin|japanese|chinese)\?)"
)
_PLAY = re.compile(
    r"(?i)\b(?:jokes?|limericks?|riddles?|haikus?|poems?|sonnets?|puns?|tongue[- ]twisters?|fairy ?tales?|rhyme|"
    r"(?:short |ghost |bedtime |funny )stor(?:y|ies)|story about|"
    r"knock[- ]knock|ballad|ode|quiz(?:zes)?|trivia|fun fact|"
    r"brain ?teasers?|word game|crossword|acrostic|nonsense|sing|hum)\b"
)
_PRETENDED = re.compile(
    r"(?i)^(?:if (?:i|we) (?:were|was|had(?! to)|lived|could|won|owned|ever)\b|imagine\b|suppose\b|"
    r"let's (?:play|pretend|say)\b|"
    r"pretend\b|you are (?:an?|my|the)\b|act as\b|oh sure\b|yeah right\b)"
)
_TOOL = re.compile(
    r"(?i)^(?:please )?(?:write|generate|give me|make|create|show me)\b.{0,30}\b(?:regex|regular expression|sql|script|"
    r"function|code|program|formula|one-liner|lorem ipsum|random|list of (?:the )?(?:prime|countries|capitals))\b|"
    r"^(?:please )?(?:count to|flip a coin|roll (?:a|two) di|pick a number|set a timer|convert|calculate|compute|"
    r"multiply|divide|add up|subtract)\b"
)
_ASKS = re.compile(
    r"(?i)^(?P<who>(?:an?|the|some|one|my|our|another)\b.{1,60}?|someone|somebody|people)\b(?: (?:keeps?|is|are|was|"
    r"were|has|have|just|always|really))* (?:ask(?:s|ed|ing)?(?: me| us)?|wants? to know|wanted to know|"
    r"wonder(?:s|ed|ing)?)[\s,:]+(?P<clause>(?:what|how|why|whether|if|which|who|where|when|about)\b.*)$"
)
# Those who ask for what only the user can tell.
_SERVICE = re.compile(
    r"(?i)\b(?:courier|driver|shop|store|seller|landlord|landlady|agency|agent|receptionist|clinic|hotel|airline|bank|"
    r"insurer|insurance|plumber|electrician|movers?|caterer|florist|tailor|dentist|doctor|vet|school|teacher|nurse|"
    r"office|boss|manager|registrar|customs|police|host|waiter|barista|support|helpdesk|concierge|photographer)\b"
)
_QUESTION = re.compile(
    r"(?i)\?|^(?:what|who|whom|whose|why|when|where|which|how|in (?:what|which)|is|are|was|were|does|do|did|has|have|"
    r"can|could|will|would|should|may)\b|^(?:please )?(?:(?:the )?differences? between|"
    r"explain|describe|define|name|list|compare|outline|"
    r"tell (?:me|us) (?:about|how|why|what|when|where|who|something)|teach me|give (?:me|us) (?:an? )?(?:fact|example|"
    r"overview|definition|summary of)|how to)\b"
)
# "I" and "me" that stand for anybody, and the "we" of mankind.
_NOT_THE_USER = re.compile(
    r"(?i)\b(?:give|tell|show|teach|explain to|let|ask|excuse|spare) (?:me|us)\b|"
    r"\bhow (?:do|can|would|should) (?:i|we|you)\b(?! (?:get|go|reach|tell|reply|answer|feel))|"
    r"\b(?:why|when|how|what|where) (?:do|did|are|can|have|would) we\b|\bdo we (?:know|have|need|use)\b|"
    r"\bour (?:sun|planet|solar system|galaxy|universe|species|ancestors|atmosphere|earth|brains?|bodies)\b|"
    r"\b(?:my|our) [\w-]+'s (?:\w+ )?(?:friend|mate|neighbou?r|colleague|coworker|boss|cousin|flatmate|roommate|"
    r"classmate|teacher)\b|"
    r"\bi need (?:an? |the )?(?:synonym|word|rhyme)|\bi(?: was|'m| am)? wonder\w*"
)
_FIRST_PERSON = re.compile(
    r"\bI\b|\b(?i:i'(?:m|ve|d|ll)|my|mine|me|myself|we|we'(?:re|ve|ll|d)|us|our|ours|ourselves)\b"
)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_NEAR_TIME = re.compile(
    rf"(?i)\b(?:tonight|tomorrow|{_WEEKDAY}|(?:this|next|the coming|at the|on the|over the) week(?:end)?|"
    r"this (?:morning|afternoon|evening|month|spring|summer|autumn|fall|winter|time)|next (?:month|year)|"
    r"(?:on|by|until|for|from|before|after) the \d{1,2}(?:st|nd|rd|th)|the \d{1,2}(?:st|nd|rd|th)\b(?! century)|"
    r"the (?:tenth|eleventh|twelfth|\w+teenth|twentieth|twenty-\w+|thirtieth|thirty-first)(?! century)|"
    r"at \d{1,2}(?::\d\d| ?[ap]m)|in (?:january|february|march|april|may|june|july|august|september|october|november|"
    r"december)(?! \d)|in time for|again)\b"
)
_OWN_THINGS = _any(
    "cat", "dog", "kids?", "children", "baby", "twins", "car", "bike", "van", "flat", "house", "apartment", "garden",
    "balcony", "kitchen", "office", "boss", "landlord", "landlady", "plumber", "electrician", "vet", "dentist",
    "doctor", "gym", "meeting", "party", "wedding", "christening", "funeral", "team", "lab", "studio", "shop", "movers",
    "delivery", "courier", "neighbou?rs?", "appointment", "class", "trip", "hotel", "booking", "rent", "wi-?fi",
    "password", "router", "alarm", "door", "fridge", "washing machine", "boiler", "babysitter", "nanny", "cleaner",
    "trainee", "intern", "client", "customer", "school", "nursery", "usual", "appraisal", "conference", "in-laws",
    "order", "shift", "rota", "lunch break", "depot", "ward", "site", "crew", "lads", "girls", "boys", "grandkids",
    "receptionist", "airline", "form", "exhibition", "concert", "show", "review", "match", "exam", "interview", "race",
    "picnic", "recital", "fair", "ceremony", "rehearsal", "deadline", "report", "guests?", "suitcase", "choir", "club",
)  # fmt: skip
_OWN = re.compile(rf"(?i)\bthe (?:\w+(?:'s)? )?{_OWN_THINGS}\b")
_SOMEBODY = re.compile(
    r"(?i)\b(?:some(?:one|body)|one of the|a (?:friend|colleague|neighbou?r|journalist|client|customer|cousin)|people "
    r"over|colleagues?|guests?|visitors?)\b"
)
# What is still to be done, and for whom: planning, not knowledge.
_PLAN = re.compile(
    r"(?i)\b(?:left to do|(?:still|yet) to|(?:gift|present|card|cake|toast|dinner|supper|lunch|table|room|party|"
    r"surprise) for|to (?:pack|bring|wear|buy|order)|run out|due)\b|"
    r"^(?:he|she|they)(?:'s|'ll|'re|'d)?\b|[.,;] (?:he|she|they)\b|"
    r"\b(?:he|she)(?:'ll|'s| is| has| will)\b|\b(?:him|her)\b"
)
_OF_THE_WORLD = re.compile(
    r"(?i)\b(?:invent(?:ed|or|ion)|discovered|history of|origin of|century|capital of|population|in which year|"
    r"what year|what (?:day|date|time) is it|how many (?:days|hours|minutes|seconds|weeks) (?:are|in|has|does))\b"
)
_SHORT_REMARK = 8  # words
_SHORT_STATEMENT = 5


def _needs_english(text: str, is_named: bool) -> bool:
    rest = _GREETED.sub("", text)
    greeted = len(rest) < len(text)
    text, words = _HEDGE.sub("", rest), rest.split()
    is_owned = bool(re.search(r"(?i)\b(?:my|our)\b", _NOT_THE_USER.sub(" ", text))) or is_named
    if not words or _GIVEN_TEXT.search(text) or (_TOOL.search(text) and not is_owned):
        return False
    if (_OF_WORDS.search(text) or _PLAY.search(text)) and not is_owned:
        return False
    if _PRETENDED.search(text):
        return False
    asked = None if _MESSAGE.search(text) else _ASKS.search(text)
    if asked and _SERVICE.search(asked["who"]):
        return True
    if asked and not _is_personal(asked["clause"], is_named) and not re.search(r"(?i)\bshould\b", asked["clause"]):
        return False
    if _QUESTION.search(text) and not (_MESSAGE.search(text) or _ORDER.search(text)):
        return _is_personal(text, is_named)
    if _is_request(rest) or _STATE.search(rest) or _INTENT.search(rest):
        return True
    if len(words) <= _SHORT_REMARK and (greeted or _WEATHER.search(text)):
        return False
    return len(words) > _SHORT_STATEMENT or _NEAR_TIME.search(text) is not None or is_named


_INTENT = re.compile(
    r"(?i)\b(?:i|we)(?:'ll| will| want| need| fancy| might| must| should| have to| am going|'m going|'re going|'d like|"
    r" would like| feel like| can't find| forgot| lost)\b"
)
# Short as they are, such remarks ask for something.
_STATE = re.compile(
    r"(?i)\b(?:hungry|starving|thirsty|parched|tired|exhausted|ill|sick|late|lost|bored|broke|locked out|sore|hurts?|"
    r"aching|dizzy|homesick|stuck|out of)\b"
)
_REQUEST = re.compile(
    r"(?i)\b(?:please|for me)\b|"
    r"(?:^|[.!?;:] )(?:please |so |and |then |now |just )*(?:find|book|order|get|pick|choose|plan|draft|write|send|"
    r"suggest|recommend|remind|set|put|play|fill|leave|make|buy|wake|schedule|cancel|call|ring|text|email|mail|"
    r"message|tell|give|sketch|reply|answer|prepare|pack|walk|show|let|help|arrange|reserve|add|print|read|look|check|"
    r"start|turn|dim|invite|ask|forward|something|anything|what about|stick|pop|grab|sort|jot|chase|confirm|warn|thank|"
    r"propose|rank|list|work out|figure out|top up|swap|drop|knock up|whip up|bring|talk|settle|decide|estimate|"
    r"price up|organi[sz]e|an? (?:quick |short |brief )?(?:text|note|message|line|card|e-?mail|reply|list|plan))\b"
)
# Put first in a turn, what is to be done for the user; what explains or teaches asks for knowledge.
_ORDER = re.compile(
    r"(?i)^(?:please |so |and |then |now |just |right, )*(?:book|order|choose|plan|draft|remind|schedule|cancel|text|"
    r"email|message|pack|arrange|reserve|print|invite|forward|stick|pop|grab|sort|jot|chase|confirm|warn|thank|top up|"
    r"swap|drop|knock up|whip up|organi[sz]e|price up)\b(?! of\b)"
)

# A text to write to somebody; a question may stand in it.
_MESSAGE = re.compile(
    r"(?i)^(?:please )?(?:an? (?:\w+ )?(?=text|note|line|e-?mail|message|reply|card|letter)|"
    r"draft|write|send|leave|compose|text|email|message|reply to|answer|drop)\b(?! me\b)"
    r"(?=.*\b(?:text|note|line|e-?mail|mail|message|reply|card|letter|postcard|invitation|him|her|them|to|for)\b)"
)


def _is_request(text: str) -> bool:
    return _REQUEST.search(text) is not None


def _is_personal(text: str, is_named: bool) -> bool:
    """Whether a word of it belongs to the user's own life."""
    bare = _NOT_THE_USER.sub(" ", text)
    if is_named or _FIRST_PERSON.search(bare):
        return True
    if _OF_THE_WORLD.search(text):
        return False
    return any(pattern.search(bare) for pattern in (_NEAR_TIME, _OWN, _SOMEBODY, _PLAN))


# ---- Chinese ----

_ZH_INTERJECTION = re.compile(
    r"^(?:(?:早上好|上午好|下午好|晚上好|早安|晚安|午安|早|你好|您好|大家好|哈+|嘿+|呵+|嘻+|哇+|哎呀?|唉|嗯+|哦+|噢|好的?|行|"
    r"可以|收到|知道了|明白了?|懂了|没事|没关系|谢谢|多谢|谢了|感谢|辛苦了?|拜拜|再见|回见|在吗|不错|厉害|对|是的|笑死我?|太逗|真逗|绝|牛|OK|ok)"
    r"(?:[呀啊啦了吧哦嘞哈呢你您大家]*)[\s,，。.!！~～…、;；]*)+"
)
_ZH_WEATHER = re.compile("天气|下雨|下雪|刮风|起雾|雾|太阳|阴天|晴天|好热|好冷|真热|真冷|闷热|凉快|降温")
_ZH_HEDGE = re.compile(
    "^(?:请问|我?(?:很|有点|一直)?(?:想知道|想问问?|想了解|好奇)|问一下|问个问题|考考你)(?:一下)?[,，:：\\s]*"
)
_ZH_GIVEN_TEXT = re.compile(
    "(?:把|将)(?:下面|以下|这|那)[^,，。:：]{0,12}(?:译|翻|改|缩|概括|总结|润色|精简|扩写)|"
    '(?:翻译|润色|改写|缩写|概括|总结|校对|续写|纠错|精简|扩写)(?:一下)?(?:下面|以下|这|[^,，。]{0,6}[:：“"「])'
)
_ZH_OF_WORDS = re.compile(
    "等于(?:几|多少)|乘以|除以|加上\\d|的平方|翻[译成]{1,2}[英法德日俄韩]|译成|几画|笔画|笔顺|怎么[读念拼]|拼音|读音|部首|偏旁|近义词|反义词|同义词|成语|造个?句|组词|歇后语|押韵|"
    "(?:英|法|德|日|俄|韩|西|意)(?:语|文)(?:里|中|是|怎么|叫)|用[^,，。]{1,4}(?:语|文)(?:怎么)?说|的英文|"
    '[”"」』]?(?:这个词|这个字)?是?什么意思'
)
_ZH_PLAY = re.compile(
    "笑话|段子|谜语|灯谜|绕口令|鬼故事|故事|童话|寓言|打油诗|绝句|律诗|言诗|俳句|首诗|藏头诗|对联|脑筋急转弯|冷知识|成语接龙|猜谜"
)
_ZH_PRETENDED = re.compile(
    "^(?:要是|假如|如果|假设|假装|想象)(?:我|你)(?:有|是|住|会|能|中)|^(?:我们|咱们?)?来玩|^你(?:来)?(?:扮演|当|是一)"
)
_ZH_ASKS = re.compile(
    "(?:^|[,，。])(?P<who>[^,，。:：?？]{0,10}?)(?:替[^,，。:：]{1,6}|帮[^,，。:：]{1,6}|来|在|老)?"
    "(?:问|想知道)(?:了?一[句下声]|我们?|起)?[:：,，]?(?P<clause>.+)$"
)
# Those who ask for what only the user can tell.
_ZH_SERVICE = re.compile(
    "卖家|商家|店家|客服|快递|骑手|外卖|物业|房东|中介|师傅|服务员|店员|司机|前台|护士|医生|老师|领导|老板|保险|银行|装修|师父"
)
_ZH_QUESTION = re.compile(
    "[?？]|[吗么呢]$|什么|谁|哪|几[个条种次点年月天岁只座]|多少|为什么|为何|怎么|怎样|如何|是不是|能不能|会不会|有没有|多[久大长高远重]|"
    "是[^,，。]+还是|的(?:原理|区别|定义|含义|历史|意思)|^请?(?:(?:帮|给|跟|替)我)?(?:解释|介绍|说说|讲讲|谈谈|科普|列出|列举|比较|对比|换算|计算|算)"
)
_ZH_NOT_THE_USER = re.compile(
    "(?:我|咱|俺)?[\\u4e00-\\u9fff]{1,3}的(?:朋友|同事|邻居|同学|老板|室友|亲戚|客户)(?:最近)?(?:[想要问说在]|家)|我国|我们(?:的)?(?:地球|太阳|星球|人类|银河)|(?:给|告诉|教|跟|帮|替|让)我(?:们)?(?:来|再|快)?"
    "(?:一下)?(?=讲|说|算|解释|介绍|翻|查|科普|出|编|写首|背|数|猜|列出|知道|听)"
)
_ZH_FIRST_PERSON = re.compile(
    "我|咱|俺|家里|自家|家人|爸妈|老公|老婆|爸(?!爸去哪)|妈(?!祖)|奶奶|爷爷|外婆|外公|姥|岳父|岳母|公公|婆婆|叔叔|姑姑|姑妈|舅舅|舅妈|姨妈|小姨|伯伯"
)
_ZH_WISH = re.compile(
    "想(?!象|法|想|必)|打算|准备(?=[去买换请做])|买了|换了|订了|要(?:我|你)?(?=[填交办写报签连换])|约(?!等|旦|翰|为|会|合|有)|要不要|该不该|去得了|走得开|有空|来不及|赶得上|手痒|嘴馋|"
    "老样子|照旧|老规矩|帮忙?(?=[挑选订买写看列定排找回])|给[^,，。:：]{1,6}?(?:写|发|回|买|带|送|做|留|订|选|挑|列|打)"
)
_ZH_NEAR_TIME = re.compile(
    "今晚|今早|今天|今儿|上午|下午|早上|明[天早晚儿]|后天|周[一二三四五六日天末]|星期[一二三四五六日天]|下[周月]|这[周月]|月[底初]|年底|"
    "[一二三四五六七八九十\\d]+[号日](?!线)|端午|中秋|国庆|元旦|春节|过年|假期|放假|中午|晚上|又"
)
_ZH_OWN = re.compile(
    "同事|新来的|徒弟|实习生|客户|领导|房东|邻居家|朋友家|老同学|室友|部门|(?<!时间)(?<!距离)(?<!长度)(?<!重量)(?<!货币)单位|公司|工位|办公室|门口|门外|楼下|快递员?|保姆|"
    "阿姨|装修|搬家|表格能填|兽医|狗又|猫又|会上|早班|晚班|夜班|值班|表[弟妹哥姐]|堂[弟妹哥姐]|侄|外甥|闺蜜|宝宝|娃|"
    "[小老阿][王李张刘陈杨黄赵吴周徐孙朱胡林郭何罗郑梁谢宋唐许邓韩冯曹彭曾萧董潘袁蔡蒋余于杜程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖贾付邹孟秦邱尹薛闫段侯史陶黎贺顾郝龚邵钱严武戴莫孔汤]"
)
_ZH_PLAN = re.compile(
    "还[差缺剩欠]|哪[趟班]|赶[到得]|谁[来去管]|这几天|方便吗|送(?!命|死)[^,，。]{0,8}(?:什么|啥|礼)|订多|订哪|带什么|带点|买点|买什么|穿什么|做点什么|招待|请客|睡哪|住哪|放哪|谁不能|"
    "(?:^|[,，。])[他她]|够不够|来得及|轮到|该(?=.{0,6}了)|到期|续"
)
_ZH_STATE = re.compile("饿|渴|累|疼|痛|酸|冷死|热死|不舒服|嗓子|头晕|发烧|感冒|失眠|睡不着|忘带|迟到")
_ZH_REQUEST = re.compile(
    "推荐|放[点首个]|来[点杯份碗首一]|点[个杯份单]|订[个张间]|选[个双件]|挑[个双件本]|买[个双件点]|安排|提醒|设[个定]|定[个一]|叫[个辆]|"
    "下单|填|排一下|列[个一]|写[个封条张两几]|发[个条]|回[个条]|把[^,，。]{1,6}(?:调|设|改|关|打开)|找[个本部点家]|起草|拟|规划|准备"
)
_ZH_WORK = re.compile("提醒|下单|[排列写发回订定选挑买留](?:一下|个|条|张|份|几)|安排|起草|拟|规划|准备")
_ZH_SHORT_REMARK = 6  # characters after an interjection
_ZH_SHORT_STATEMENT = 7


def _needs_chinese(text: str, is_named: bool) -> bool:
    rest = _ZH_INTERJECTION.sub("", text)
    is_greeted = len(rest) < len(text)
    text = _ZH_HEDGE.sub("", rest)
    bare = _ZH_NOT_THE_USER.sub("", text)
    if not text:
        return False
    is_owned = is_named or _ZH_FIRST_PERSON.search(bare) is not None
    is_for_somebody = is_owned or re.search("给(?!我)[^,，。]{1,8}写|老同学|同事|领导", bare) is not None
    if _ZH_GIVEN_TEXT.search(text) or (_ZH_OF_WORDS.search(text) and not is_named):
        return False
    if _ZH_PLAY.search(text) and not is_for_somebody:
        return False
    if _ZH_PRETENDED.search(text):
        return False
    asked = _ZH_ASKS.search(bare)
    if asked and _ZH_SERVICE.search(asked["who"]):
        return True
    if asked and _is_general_question(asked["clause"], is_named):
        return False
    if _ZH_QUESTION.search(text):
        return _is_personal_in_chinese(bare, is_named) or _asks_for_work(text)
    if is_greeted and len(rest) <= _ZH_SHORT_REMARK and not _ZH_REQUEST.search(rest):
        return False
    return _is_chinese_request_or_news(text, bare, is_named)


def _asks_for_work(text: str) -> bool:
    """Whether a clause that is no question asks for something to be done ("钱怎么花,列个单子")."""
    clauses = [clause for clause in re.split("[,，。;；!！]", text) if clause]
    return len(clauses) > 1 and any(_ZH_WORK.search(each) and not _ZH_QUESTION.search(each) for each in clauses)


def _is_chinese_request_or_news(text: str, bare: str, is_named: bool) -> bool:
    if _is_personal_in_chinese(bare, is_named) and not _is_weather_only(text):
        return True
    if _ZH_REQUEST.search(text) or _ZH_STATE.search(text):
        return True
    return len(text) > _ZH_SHORT_STATEMENT and not _is_weather_only(text)


def _is_weather_only(text: str) -> bool:
    return _ZH_WEATHER.search(text) is not None and _ZH_REQUEST.search(text) is None and "我" not in text


def _is_general_question(clause: str, is_named: bool) -> bool:
    """A question of general knowledge that somebody else asks, who has no claim on the user's own affairs."""
    if is_named or (not _ZH_QUESTION.search(clause) and "能不能" not in clause):
        return False
    return not (_ZH_FIRST_PERSON.search(clause) or _ZH_NEAR_TIME.search(clause) or "在家" in clause or "你" in clause)


def _is_personal_in_chinese(bare: str, is_named: bool) -> bool:
    if is_named or _ZH_FIRST_PERSON.search(bare) or _ZH_WISH.search(bare):
        return True
    return any(pattern.search(bare) for pattern in (_ZH_NEAR_TIME, _ZH_OWN, _ZH_PLAN))
