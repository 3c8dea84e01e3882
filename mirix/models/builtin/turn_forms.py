"""How people speak to a memory about itself, in English and Chinese: forms of a whole turn, read by conversation.py.

Each is anchored at both ends: a form that stands inside a longer sentence is about something else. A wish has one shape
or a few, so a shape is spelled out with its variable words; tests/fixtures/turns.jsonl holds the sentences that were
had in mind, and turns_blind.jsonl those that were only tried afterwards (there 89 of 92 were heard right at once, and
no other turn was taken for one that forgets, keeps out or corrects).
"""

from __future__ import annotations

import re

# ---- what is said politely around it ----

PLEASE = re.compile(
    r"(?i)^(?:(?:please|ok(?:ay)?|hey|oh|wait|sorry|actually|hmm+|(?:can|could|would|will) you(?: please)?|"
    r"i(?:'d| would) like you to|i want you to|no|请你?|麻烦你?|能不能|可以|你?帮我|那就|那|嗯|哦|等等|对不起"
    r"|不好意思)[,.!: ]*)+"
)
_END = r"(?:[,. ]*(?:please|again|now|then|will you|would you|ok(?:ay)?|thanks?|thank you|吧|好吗|谢谢))*[\s.!?。~]*$"

# ---- forget ----

_FORGET = r"(?:forget|delete|erase|remove|drop|wipe|unlearn|scratch)"
_FROM = r"(?: (?:from|in|out of) (?:your|the) (?:memory|records?|notes))?(?: for good| forever| completely| again)?"
THAT = re.compile(rf"(?i)^{_FORGET}(?: about)? (?:that|this)(?: (?:answer|one|fact|bit|memory|thing))?{_FROM}{_END}")
_SAID = (
    r"(?:what(?:ever)?|everything|all(?: that)?|the (?:last )?(?:thing|message|sentence|bit)s?(?: that)?)"
    r" (?:i|I) (?:have |'ve )?(?:just |only just )*(?:said|told you|wrote|typed|mentioned|sent(?: you)?)"
    r"(?: to you)?(?: just now| right now| before that)?"
)
_MINE = r"my (?:last|previous|latest) (?:message|turn|sentence|statement|words|remark|line)"
LAST_TURN = re.compile(
    rf"(?i)^(?:{_FORGET}|(?:don't|do not) (?:remember|keep|save|store|record)) "
    rf"(?:{_MINE}|{_SAID.replace('(?:just |only just )*', '(?:just |only just )+')}|the last thing i (?:said"
    rf"|told you)|"
    rf"what i said just now){_FROM}{_END}"
)
LAST_ANSWER = re.compile(
    rf"(?i)^{_FORGET} (?:what you(?:'ve| have)? just (?:said|told me|answered)|your last answer){_FROM}{_END}"
)
_KNOWN = (
    r"(?:that )?(?:you(?:'ve| have)? (?:know|remember|learned|stored|saved|kept|got|heard|have)|i(?:'ve"
    r"| have)? (?:ever )?(?:told you|said))"
)
_ALL = r"(?:everything|anything|all(?: of it| that)?|whatever|what|all (?:the )?(?:memories|facts|notes))"
ABOUT = re.compile(
    rf"(?i)^{_FORGET} {_ALL}(?: {_KNOWN})? (?:about|on|regarding|concerning"
    rf"|to do with) (?P<about>[^,;]{{1,80}}?){_FROM}{_END}"
)
EVERYTHING = re.compile(
    rf"(?i)^{_FORGET} (?:(?:absolutely |literally )?(?:everything|it all|all of it|all (?:of )?(?:my|your"
    rf"|the) memor(?:y|ies)|"
    rf"(?:your|my|the) (?:whole |entire )?memory|all (?:you know|your memories))(?: {_KNOWN})?(?: about me"
    rf"| of me)?){_FROM}{_END}"
)
NAMED = re.compile(
    rf"(?i)^{_FORGET} (?:(?:the fact )?that (?P<fact>(?:i|i'm|i've|my|we|our|he|she|it|they"
    rf"|[a-z]+(?:'s)? )\b[^,;]{{2,80}}?)|"
    rf"(?P<thing>(?:my|our|[A-Z][\w-]*(?: [A-Z][\w-]*)*(?:'s)) [^,;]{{2,60}}?)){_FROM}{_END}"
)
ABOUT_WHAT_I_SAID = re.compile(r"(?i)\bwhat i (?:said|told)\b")

_FORGET_ZH = r"(?:忘掉|忘记|忘了|忘却|删掉|删除|删了|抹掉|清除|去掉)"
_JUST_ZH = (
    r"(?:我)?(?:刚才|刚刚|刚|方才|上面|上一?[句条])(?:我)?(?:跟你|对你|和你)?(?:所)?(?:说|讲|发|写|提到"
    r"|告诉你)?(?:过)?(?:的)?(?:那|这)?(?:[句条件个段]|番)?(?:话|事情?|内容|消息|东西)?"
)
_THAT_ZH = r"(?:这|那)(?:[个条件句段]|些)?(?:事情?|话|内容|信息|记忆|回答)?|它"
THAT_TURN_ZH = re.compile(
    rf"^(?:{_FORGET_ZH}(?:{_THAT_ZH})|[把将](?:{_THAT_ZH})(?:都|也|给|从记忆里)*{_FORGET_ZH})(?:掉)?{_END}"
)
LAST_TURN_ZH = re.compile(
    rf"^(?:{_FORGET_ZH}{_JUST_ZH}|[把将]{_JUST_ZH}(?:都|也|给|从记忆里)*{_FORGET_ZH}|"
    rf"{_JUST_ZH}(?:请|你|就)*(?:别|不要|不用|甭)(?:记住?|记下来?|保存|存)(?:了|下来)?|"
    rf"(?:别|不要|不用)(?:记住?|记下|保存|存){_JUST_ZH}){_END}"
)
ABOUT_ZH = re.compile(
    rf"^(?:{_FORGET_ZH}(?:所有|一切|全部)?(?:你知道的)?(?:关于|有关)(?P<a>[^,;。]{{1,30}}?)"
    rf"(?:的(?:一切|所有|全部)?(?:事情?|内容|记忆|信息|东西|话)?)?|"
    rf"[把将](?:所有|一切)?(?:关于|有关|跟|和)(?P<b>[^,;。]{{1,30}}?)(?:有关)?(?:的(?:一切|所有|全部)?(?:事情?"
    rf"|内容|记忆|信息|东西|话)?)?"
    rf"(?:都|全|全部|也|给|统统)*{_FORGET_ZH}){_END}"
)
EVERYTHING_ZH = re.compile(
    rf"^(?:{_FORGET_ZH}(?:一切|所有|全部|所有事情?|(?:你|我)?(?:的)?(?:全部|所有)(?:的)?记忆|你知道的(?:一切"
    rf"|全部|所有))|"
    rf"清空(?:你|我)?的?(?:全部|所有)?(?:记忆|记录)|"
    rf"[把将](?:你(?:知道|记得|记住)的)?(?:关于我的)?(?:一切|所有|全部)?(?:的)?(?:记忆|东西|内容|事情?)?(?:都|全"
    rf"|全部|统统)+{_FORGET_ZH}){_END}"
)
NAMED_ZH = re.compile(
    rf"^(?:{_FORGET_ZH}(?P<a>(?:我|我们)的[^,;。了吗]{{1,20}}?)|[把将](?P<b>(?:我|我们"
    rf"|[^,;。]{{2,4}})的[^,;。]{{1,20}}?)(?:都|也|给)*{_FORGET_ZH}){_END}"
)

# ---- keep out ----

_KEEP = r"(?:remember|save|store|keep|record|log|memori[sz]e|note|file|write down|put down)"
KEEP_OUT = re.compile(
    rf"(?i)^(?:(?:don't|do not|never) (?:{_KEEP} (?:this|that|it|what (?:i(?:'m| am) (?:about to"
    rf"|going to) (?:say|tell you)|"
    rf"follows|comes next)|the following|my next (?:message|sentence))(?: (?:one|message|bit))?(?: down)?"
    rf"|write (?:this|that|it) down|"
    rf"take (?:a )?note of (?:this|that)|(?:put|keep) (?:this|that|it) in (?:your )?memory)"
    rf"|(?:(?:this|that|it|what i say)(?:'s| is) )?(?:strictly )?(?:off the record|not for (?:your"
    rf"|the) (?:memory|record)s?)"
    rf"|(?:keep|leave) (?:this|that|it) (?:off the record|out of (?:your )?memory)"
    rf"|(?:this|that) (?:should|must) not be (?:remembered|saved|stored|recorded|kept))\b(?P<rest>.*)$",
    re.DOTALL,
)
_KEEP_ZH = r"(?:记住?|记下来?|记录下?来?|保存下?来?|存下?来?|储存|收录)"
KEEP_OUT_ZH = re.compile(
    rf"^(?:(?:你)?(?:请)?(?:别|不要|不用|甭|不必|请勿)(?:把)?{_KEEP_ZH}(?:这|那|下面|以下|接下来)(?:[个条件句段]"
    rf"|些|的)?(?:事情?|话|内容|信息)?"
    rf"|(?:别|不要|请勿){_KEEP_ZH}(?=\s*[:])"
    rf"|(?:这|那|下面|以下|接下来)(?:我)?(?:说)?(?:的)?(?:[个条件句段]|些)?(?:的)?(?:事情?|话|内容|信息)?(?:你"
    rf"|请|就)*(?:别|不要|不用|甭|不必|请勿){_KEEP_ZH}(?:了)?"
    rf"|(?:别|不要|请勿)把(?:这|那)(?:[个条件句段]|些)?(?:事情?|话|内容|信息)?{_KEEP_ZH}"
    rf")(?:了|下来)?(?P<rest>(?:[\s,.:;!。—-].*)?)$",
    re.DOTALL,
)
LEADING = re.compile(r"^[\s,.:;!。—-]*(?:(?:but|however|ok|但是|不过|好吗|吧)\b[,\s]*)?")
WITH_LAST = re.compile(
    r"(?i)\b(?:and|nor|or) (?:what|the thing) i (?:just )?(?:said|told)|(?:和|连同|还有)(?:我)?(?:刚才|刚刚|前面)"
)

# ---- correct ----

WRONG = re.compile(
    r"(?i)^(?:(?:no|nope|sorry|hm+|actually|but|well)[,.!: ]+)*(?:(?:that|this|it|what you said|your answer"
    r"|the answer)(?:'s| is| was| isn't|"
    r" is not| was not|'s not| wasn't)(?: (?:all|quite|just|simply|still|not))*(?: (?:wrong|incorrect"
    r"|not (?:right|correct|true)|false|right|correct|true|a mistake|mistaken|an error|outdated))"
    r"|(?:you(?:'re| are| were)|you(?:'ve| have)? got (?:that|it|this)|you (?:got|remember) (?:that|it"
    r"|this))(?: (?:all|quite))? (?:wrong|mistaken|incorrect|not right|wrongly)"
    r"|wrong|incorrect|not (?:true|correct|right)|not quite(?: right)?)(?P<rest>(?:[\s,.:;!–—-].*)?)$",
    re.DOTALL,
)
NEGATED_RIGHT = re.compile(
    r"(?i)(?:isn't|is not|was not|wasn't|'s not|not)(?: (?:all|quite|just|simply))* (?:wrong|incorrect|false"
    r"|a mistake|mistaken)"
)
PLAINLY_RIGHT = re.compile(
    r"(?i)^(?:that|this|it)(?:'s| is| was)(?: (?:all|quite|just|simply|still))* (?:right|correct|true)\b"
)
RIGHT = re.compile(
    r"(?i)^[\s,.:;!–—-]*(?:(?:and|but|because|as|actually|in fact|in reality)[, ]+)*(?:(?:it|that|this|he|she"
    r"|they|the (?:right|correct|real|true) (?:one|answer|\w+)|"
    r"(?:his|her|its|my|their|the) [\w ]{1,30}?|(?:i|we) (?:meant|mean|said))(?:'s| is| are| was| were"
    r"| should (?:be|have been|read)| must be)?(?: actually| really| called| named| lives?| works?| comes?)?"
    r"|should be|make (?:it|that)|correct(?: is)?)\s+(?:at |on |in |from |called )?(?P<right>[^;?]+?)[\s.!]*$"
)
NOT_BUT = re.compile(
    r"(?i)^(?:no[,.! ]+)*(?:it|that|this)(?:'s| is) not (?P<wrong>(?!(?:right|correct"
    r"|true)\b)[^,;.]{1,60}?)[,;.]+ (?:but |it(?:'s| is) )(?P<right>[^,;?]{1,60}?)[\s.!]*$"
)
THIS_NOT = re.compile(
    r"(?i)^(?:no[,.! ]+)+(?:it|that|this)(?:'s"
    r"| is) (?P<right>[^,;]{1,60}?), (?:and )?not (?P<wrong>[^,;?]{1,60}?)[\s.!]*$"
)
ONLY_RIGHT = re.compile(
    r"(?i)^(?:no[,.! ]+)?(?:it(?:'s| is| should be)|是|应该是|应当是)\s*(?P<right>[^,;?!。]{1,60}?)[\s.!。]*$"
)
WRONG_ZH = re.compile(
    r"^(?:不[,。! ]+)?(?:(?:这|那|你)?(?:个|条|里)?(?:回答|说法|信息|内容)?(?:不对|错了|不正确|有误|不是这样的?"
    r"|不是的)|你(?:说|记|搞|弄|答)错了|我?(?:刚才)?(?:说|记|写)错了)(?:吧)?"
    r"(?P<rest>(?:[\s,.:;!。].*)?)$",
    re.DOTALL,
)
RIGHT_ZH = re.compile(
    r"^[\s,.:;!。]*(?:(?:其实|实际上|正确的|正确答案|现在)?(?:应该|应当)?(?:是|叫|为)|(?:他|她|它|我|我们"
    r"|他们)(?:其实|现在|应该)*(?:是|叫|住在|姓|在))\s*(?P<right>[^,;。?!]{1,40}?)(?:才对|吧)?[\s.!。]*$"
)
NOT_BUT_ZH = re.compile(
    r"^(?:不对?[,。! ]+)?(?:它|那|这)?不是(?P<wrong>[^,;。我你]{1,20}?),\s*(?:而|应该"
    r"|其实)?是(?P<right>[^,;。]{1,30}?)[\s.!。]*$"
)

# ---- show ----

_KNOW = (
    r"(?:know|remember|recall|have (?:stored|saved|remembered|kept|learned|on record|got|noted)|(?:have you"
    r"|you have|you've) (?:stored|saved|remembered|kept|learned|got|noted)|(?:remembered|stored|saved|learned|noted))"
)
SHOW = re.compile(
    rf"(?i)^(?:what(?: all| else| exactly)?|which things) (?:do you|have you|did you|can you)(?: all| still"
    rf"| already| really)? (?:{_KNOW}|got|stored|saved|remembered|learned|noted|kept)"
    rf"(?: so far| in (?:your )?memory)? (?:about|of|on) (?P<a>(?:(?! (?:is|are|was|were) )[^,;]){{1,60}}?)"
    rf"(?: so far| at the moment| by now)?[\s.!?]*$"
    rf"|^(?:show|list|tell|give)(?: me| us)? (?:everything|all|all the things|what|whatever)(?: that)? you(?:'ve"
    rf"| have)? {_KNOW}? ?(?:about|of|on) (?P<b>[^,;]{{1,60}}?)[\s.!?]*$"
    rf"|^(?:show|list)(?: me)? (?:(?:all )?(?:my|your|the) (?:memories|memory)|what you (?:know"
    rf"|remember))(?: (?:about|of) (?P<c>[^,;]{{1,60}}?))?[\s.!?]*$"
)
ME = frozenset({"me", "myself", "me and my life", "my life", "us"})
_WHAT_ZH = r"(?:什么|些什么|哪些(?:事情?|内容|东西)?|多少(?:事情?|东西)?|啥)"
SHOW_ZH = re.compile(
    rf"^(?:那)?(?:你)?(?:现在|目前|都|到底|还)*(?:知道|记得|记住|记下|了解|记)(?:了|住了)?(?:些|哪些)?(?:关于"
    rf"|有关)?(?P<a>[^,;。什哪多啥]{{1,16}}?)(?:的)?(?:都)?{_WHAT_ZH}(?:事情?|内容)?(?:了)?[\s?吗呢呀啊。]*$"
    rf"|^你对(?P<b>[^,;。]{{1,16}}?)(?:都)?(?:了解|知道|记得)(?:了)?{_WHAT_ZH}[\s?呢呀啊。]*$"
    rf"|^(?:关于|有关|对于?)(?P<c>[^,;。]{{1,16}}?)[,]?(?:的事)?[,]?你(?:都|还)?(?:知道|记得"
    rf"|了解){_WHAT_ZH}[\s?呢呀啊。]*$"
    rf"|^(?:列出|显示|给我看看?|看看|告诉我)(?:你)?(?:所|都)?(?:知道|记得|记住)(?:的)?(?:关于"
    rf"|有关)(?P<d>[^,;。]{{1,16}}?)(?:的)?(?:一切|所有|全部)?(?:事情?|内容|记忆)?[\s。]*$"
    rf"|^你(?:都|现在)?(?:记住|记得|记下|记)(?:了)?{_WHAT_ZH}[\s?呢呀啊。]*$"
)
ME_ZH = frozenset({"我", "我的", "我自己", "我们", "你对我", "关于我", ""})

# ---- what is answered, and what is only heard ----

QUESTION = re.compile(
    r"[?]|[吗呢么]\s*[。!]?\s*$|^\s*(?:who|whose|what|when|where|which|why|how|do|does|did|is|are|was|were|can|could"
    r"|tell me|remind me|谁|什么|哪|怎么|怎样|如何|为什么|几|多少)(?:\b|(?<=[一-鿿]))"
    r"|(?:什么时候|在哪里?|是谁|是什么|多少|几[点号岁个])[^,。]{0,6}$",
    re.IGNORECASE,
)
GREETING = re.compile(
    r"(?i)^(?:hi|hello|hey|good (?:morning|afternoon|evening)|你好|您好|早上好|早|晚上好|嗨)(?: there"
    r"| mirix)?[\s!.,。]*$"
)
THANKS = re.compile(r"(?i)^(?:thanks?(?: you)?(?: (?:so much|a lot|very much))?|cheers|谢谢你?|多谢|感谢)[\s!.,。]*$")
REPLIES = (  # how a turn sounds that asks nothing, and what is said to it
    (GREETING, ("Hello.", "你好。")),
    (THANKS, ("You're welcome.", "不客气。")),
    (re.compile(""), ("Noted.", "好的。")),
)
