"""The words questions are asked in and answered in: what each kind looks like in English and in Chinese. Data only.

`questions.py` reads it.
"""

from __future__ import annotations

import re

# The first pattern that fits decides; order matters (a password is asked for with "what", a date with "which day").
KINDS = (
    (
        "how_to",
        (
            r"^\W*(?:so,? |and |please )?how (?:do|can|should|must|would) (?:I|we|you|one|"
            r"they)\b(?! (?:feel|know|like|call|address|"
            r"write to|talk to|speak to))|^\W*(?:how to|what are the steps|what(?:'s|"
            r" is) the (?:procedure|recipe|order of))\b"
        ),
    ),
    (
        "manner",
        (
            r"\b(?:how|what|which)\b.{0,40}\b(?:(?:the|my|your|an?) assistant(?!['’])|repl(?:y|ies)|answers?|respond|"
            r"address(?:ed)? (?:him|her|them|me)|"
            r"call(?:ed)? (?:him|her|them|me)|write to|talk to|speak to)\b|\bwhat should .{0,30}\b(?:call|"
            r"avoid) |跟.{1,6}说话|怎么(?:称呼|回答|回复)|如何(?:称呼|回答|回复)|(?:回答|回复|"
            r"说话).{0,8}(?:注意|要求|方式)|助手"
        ),
    ),
    (
        "own_name",
        (
            r"\bwhat(?:['’]s| is| was) my (?:\w+ )?(?:sur)?name\b|^\W*who am I\W*$|\bwhat am I called\b|"
            r"\bdo you (?:know|remember) (?:my name\b|who I am\b)|我(?:叫|姓)(?:什么|啥)|我的(?:姓名|名字)|我是谁"
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
        "home",
        (
            r"\bwhat(?:['’]s| is| was) (?:my|our|the|\w+['’]s)(?: (?:new|home|current|present|old|former|"
            r"full|postal))* address\b(?! of)|"
            r"\b(?:home|current|present|new) address\b|(?:我|他|她|家庭|现在的?|新家的?|新)(?:的|家)?地址"
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
        "employer",
        (
            r"\b(?:where|which (?:company|firm|office|place)|who) (?:do|does|"
            r"did) .{0,30}\bwork(?:ing)?\b(?! on)|\bemployer\b|"
            r"(?:哪家|哪个|什么)(?:单位|公司)|在哪(?:里|儿)?(?:上班|工作|任职)|单位是(?:哪|什么)"
        ),
    ),
    (
        "drink",
        (
            r"\border (?:for .{1,24} )?(?:at|in) (?:a |the )?(?:caf[eé]|bar|coffee)|"
            r"\bwhat\b.{0,24}\bdrinks?\b|"
            r"\b(?:what|which|how)\b.{0,20}\b(?:coffee|tea)\b.{0,30}\b(?:drinks?|takes?|have|order)\b|"
            r"喝(?:什么|点什么|哪)|(?:什么|哪种)(?:茶|咖啡|饮料)|点.{0,4}喝"
        ),
    ),
    (
        "job",
        (
            r"\b(?:for a living|profession|occupation|what .{0,30}\bjob|work as|what does (?:he|she|"
            r"\w+) do\b|\bdo for work\b)|做什么(?:工作|的)|什么工作|职业|干什么的|哪行"
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
FAMILIES = (
    "wifi wi-fi wlan internet network router : wifi internet network wlan router",
    "flat apartment place home house : flat apartment place home house",
    "come home back return returned returns : back came home landed returned return returns",
    "order café cafe beverage : coffee tea drink drinks order orders ordered",
    "reply replies format : brief answers answer replies short bullet",
    "live lives lived living home address : live living home flat apartment house moved move address moving",
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
    "car vehicle : car van vehicle",
    "drive drives driver : drive drives driver car van tram bus lorry",
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
    "arrive arrived arrival : arrived arrive came landed delivery delivered",
    "work works working responsible : assignee assigned owner responsible",
    "leave left departure : left leave departed gone",
    "stop stopped quit : stop stopped quit packed",
    "study studies studied subject degree major university : studying studies reading switched course degree uni",
    "operation surgery operated : op operation surgery operated",
    "reference booking dinner : ref reference booking booked table",
    "vegetables vegetable : veg vegetables",
    "happen cancelled postponed : cancelled postponed moved off",
)
FAMILIES_ZH = (
    "住 家 : 住 搬 新家 租 房",
    "工作 上班 职业 单位 : 工作 上班 去 做 当 公司 入职 报到",
    "无线 网络 wifi 宽带 : 无线 网 光纤 宽带 路由",
    "回来 回家 回国 : 回来 回 到家 落地",
    "去 : 去 到",
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
    "到货 送到 收到 : 到货 送达 配送 交货 签收",
    "负责 处理 : 负责 经办 处理人 指派",
    "喝 : 喝 咖啡 茶",
    "密码 口令 : 密码 口令",
    "电话 手机 号码 : 电话 手机 号码 拨",
    "妈妈 母亲 : 我妈 妈 母亲",
    "爸爸 父亲 : 我爸 爸 父亲",
    "生日 : 生日 出生",
    "狗 宠物 : 狗 犬",
    "猫 : 猫",
    "修 : 修",
    "医生 兽医 : 医生 大夫 兽医",
    "老师 : 老师",
    "邻居 : 邻居",
    "搬 : 搬",
    "专业 学 : 念 读 专业 系 学的",
    "哪里人 哪儿人 老家 籍贯 : 老家 来自 籍贯 出生 长大",
    "学校 考上 : 学校 大学 附中 中学 考上 录取 念 读",
    "上课 课 : 课 点 周",
    "题目 标题 书名 : 题目 标题 题为 叫",
    "爱好 喜欢 : 喜欢 爱 迷上 玩 打 弹 改",
)
CURRENT = re.compile(
    r"(?i)\b(?:now|current(?:ly)?|present(?:ly)?|these days|nowadays|at the moment|latest|newest|"
    r"still|today)\b|现在|目前|如今|最新|眼下|当前"
)
FORMER = re.compile(
    r"(?i)\b(?:old|former(?:ly)?|previous(?:ly)?|used to|before|first|originally|earlier)\b|以前|"
    r"原来|之前|原先|过去|旧|最初"
)


ARITHMETIC = re.compile(
    r"(?i)\bhow (?:much|many) (?:more|less|fewer)\b|\b(?:altogether|in total|combined|sum of|"
    r"difference between|times as)\b|\bhow (?:much|many)\b.*\btogether\b|\bhow many \w+ (?:before|"
    r"after|between)\b|"
    r"一共|总共|加起来|合计|相差|差多少|[贵贱多少快慢长短高低重轻](?:了)?多少|几倍|从.{1,16}到.{1,16}(?:多少|几|多久)"
)

KIN_WORDS = (
    ("mother", r"\b(?:mother|mum|mom|mama)\b|妈|母亲"),
    ("father", r"\b(?:father|dad|papa)\b|爸|父亲"),
    ("sister", r"\bsisters?\b|姐姐|妹妹|我[姐妹]"),
    ("brother", r"\bbrothers?\b|哥哥|弟弟|我[哥弟]"),
    ("wife", r"\bwife\b|老婆|妻子|太太"),
    ("husband", r"\bhusband\b|老公|丈夫"),
    ("son", r"\bsons?\b|儿子"),
    ("daughter", r"\bdaughters?\b|女儿|闺女"),
    ("grandmother", r"\bgrand(?:ma|mother)\b|奶奶|外婆|姥姥"),
    ("grandfather", r"\bgrand(?:pa|father)\b|爷爷|外公|姥爷"),
)
