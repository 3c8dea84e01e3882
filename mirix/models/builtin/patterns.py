"""The patterns behind the signals: what each looks for in English and in Chinese. Data only; `signals.py` reads it."""

from __future__ import annotations

KIN = (
    r"wife|husband|partner|girlfriend|boyfriend|fianc[ée]e?|son|daughter|kids?|child(?:ren)?|baby|"
    r"twins?|mum|mom|mother|dad|father|parents|brother|sister|"
    r"grand(?:ma|pa|mother|father|son|daughter)|stepson|stepdaughter|family|cat|dog|puppy|kitten|"
    r"parrot|rabbit"
)
KIN_ZH = (
    r"老婆|老公|妻子|丈夫|爱人|对象|男朋友|女朋友|儿子|女儿|孩子|闺女|双胞胎|妈妈?|爸爸?|母亲|"
    r"父亲|父母|哥哥?|姐姐?|弟弟?|妹妹?|爷爷|奶奶|外公|外婆|姥姥|姥爷|婆婆|岳父|岳母|猫|狗"
)
_DAY = r"mon|tues|wednes|thurs|fri|satur|sun"
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)

TIME_EN = (
    rf"\b(?:yesterday|today|tonight|tomorrow|(?:last|next|this|on|by|until|"
    rf"since)\s+(?:{_DAY})(?:day)?|(?:{_DAY})day|(?:last|next|this|coming|past) "
    rf"(?:week|weekend|month|year|night|morning|evening|afternoon|spring|summer|autumn|fall|winter|"
    rf"quarter)|\d+ (?:minutes|hours|days|weeks|months|years) ago|"
    rf"(?:an?|two|three|a few|several|couple of) (?:minutes|hours?|days?|weeks?|months?|"
    rf"years?) ago|in (?:two|three|four|five|six|a|\d+) (?:days?|weeks?|months?|years?)|"
    rf"(?:{_MONTH})\.? \d{{1,2}}\b|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})\b|"
    rf"in (?:{_MONTH})\b|\d{{4}}-\d\d-\d\d|\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|"
    r"at \d{1,2}(?::\d\d)?\s?(?:am|pm|o'clock)?\b|\d{1,2}:\d\d|\d{1,2}\s?(?:am|pm)\b|the (?:day|"
    r"week) (?:before|after)|this morning|just now)"
)
TIME_ZH = (
    r"(?:昨[天晚]|前天|今[天早晚]|明[天早晚]|后天|刚才|刚刚|上(?:个)?(?:周|星期|礼拜|月|周末)|"
    r"下(?:个)?(?:周|星期|礼拜|月|周末)|这(?:周|个周末|个月)|本(?:周|月)|(?:周|星期|"
    r"礼拜)[一二三四五六日天末]|"
    r"[去今明前]年|\d{1,4}年|[一二三四五六七八九十\d]+月(?:[一二三四五六七八九十\d]+[号日])?|"
    r"[一二三四五六七八九十\d]+[号日](?!楼|线|门|馆|院)|[上下]午|早上|晚上|凌晨|中午|傍晚|"
    r"(?:[二两三四五六七八九\d]|十[一二]?)点(?:半|钟)?|(?:[上下]午|晚上?|中午|凌晨)一点|一点(?:半|钟|整)|"
    r"[一二两三四五六七八九十\d几]+(?:天|周|个月|年)[之以]?[前后]|国庆|春节|中秋|元旦|端午|清明|五一)"
)

PATTERNS: dict[str, str] = {
    "first_person": r"\b(?:I|I'm|I've|I'd|I'll|my|me|we|our|us)\b|我",
    "i_am": r"\bI(?:'m| am) (?:an? |the |from |allergic|\d|married|single|vegan|vegetarian|left|colou?r|"
    r"deaf|blind|diabetic|pregnant|based|in my|now an? )|"
    r"我(?:是|叫|姓|今年|属|对.{1,8}过敏|不吃|患|有.{0,6}(?:病|炎|症))|我.{0,4}(?:过敏|岁)",
    "my_name_is": r"\bmy name is\b|\bcall me\b|\bI go by\b|我(?:叫|姓|的名字)|叫我",
    "i_live_work": r"\bI(?:'ve| have)? (?:live|lived|work|worked|teach|study|studied|grew up|was born|moved|run|"
    r"own|drive|speak|sing|play|practise|practice|volunteer|manage|rent|commute)\b|"
    r"\b(?:I|we)(?:'ve| have)? (?:just )?(?:moved|changed jobs|retired|got (?:married|engaged|"
    r"divorced|promoted)|started (?:as|at|a new)|left my job|quit|bought a (?:house|flat))\b|"
    r"我?(?:住在|家住|搬到|搬去|搬进|在.{1,12}(?:工作|上班|教书|读书|上学|念书|当)|从事|"
    r"做.{1,6}(?:工作|行业)|老家|籍贯|出生|毕业|退休|离职|跳槽|入职|升(?:职|为|任)|换工作|结婚|"
    r"离婚)",
    "works": r"\bI(?:['’]m| am) an? (?:\w+ ){0,3}\w*(?:er|or|ist|ian|man|woman|nurse|cook|chef|guide|clerk|"
    r"judge|pilot)\b|\bfor a living\b|\bmy (?:job|work|trade) is\b|"
    r"\bI (?:now )?(?:work|teach|run|manage|repair|build|make|tune|paint|write|design|sell|"
    r"bake|cook|farm|train|restore|fix|edit|nurse|drive a)\b|"
    r"我(?![弟妈爸哥姐妹老女儿朋同爷奶外叔姨舅表堂家对闺]).{0,12}(?:工作|上班|从事|当|修|教|画|"
    r"开车|种|卖|设计|护理|负责)|做.{1,8}(?:的|设计|维修|生意)",
    "home": r"\b(?:I|we)(?:['’]ve| have)? (?:just |now )?(?:live|moved|move|rent|rented|taken|took|"
    r"bought)\b.{0,30}\b(?:in|to|at|on|into|above|a (?:flat|house|room|studio|place|apartment))\b|"
    r"\b(?:[Mm]y|[Oo]ur|[Tt]he) (?:new )?(?:flat|house|place|apartment|(?:home |"
    r"postal )?address) is\b|\b[Nn]ew address\b|"
    r"\baddress (?:from now|as of)\b|"
    r"(?<![压抓记拿站停憋忍挡按留])住(?:在|进|到|了)|搬(?:到|去|进(?!来)|完)|租了|家(?:住|在)|新家(?:在|是)",
    "habit": (
        r"\b(?:always|never|usually|every (?:day|morning|evening|night|week|year|\w+day)|on weekdays|"
        r"most days|used to)\b|每(?:天|周|年|个月|晚|次|逢)|总是|从来|从不|一直|平时|习惯"
    ),
    "likes": (
        r"\bI (?:really |absolutely )?(?:like|love|hate|prefer|can't stand|enjoy|dislike|avoid|"
        r"don't (?:eat|drink|like|use|do))\b|\bmy (?:favou?rite|preferred)\b|喜欢|讨厌|不爱|最爱|偏爱|"
        r"不喝|不吃|受不了|忌口"
    ),
    "health": (
        r"\b(?:allerg\w+|intoleran\w+|asthma|diabet\w+|migraines?|blood (?:type|pressure)|medication|"
        r"wheelchair|hearing aid|coeliac|celiac|dyslexi\w+|prescri\w+|hives|rash|can't (?:have|eat|"
        r"drink)|gluten|lactose)\b|过敏|起疹|不能[吃喝碰]|糖尿病|哮喘|高血压|血型|近视|色盲|忌口|慢性"
    ),
    "my_kin": rf"\b(?:my|our) (?:\w+ )?(?:{KIN})\b|我(?:们)?(?:家)?(?:的)?(?:{KIN_ZH})|家里(?:的)?(?:{KIN_ZH})",
    "answer_form": r"\b(?:answers?|repl(?:y|ies)|respon(?:d|ses?)|bullet(?: point)?s?|emojis?|exclamation|jargon|"
    r"concise|brief(?:ly)?|shorter|paragraphs?|sentences?|tone|formal|metric|celsius|fahrenheit|"
    r"24-hour|summar(?:y|ise|ize) first|when you (?:answer|write|reply|explain|send)|talk to me|"
    r"address me|remind(?:ers?)?|notifications?|apologi[sz]e|small talk|british spelling)\b|"
    r"回答|回复|回我|答案|[说讲]话|发表情|称呼|叫我|表情符号|感叹号|啰嗦|简短|简洁|口语|书面|客套|"
    r"提醒我|别提醒|不要提醒|用中文|用英文|分点|列表|结论|用.{1,6}单位|摄氏|公制|语气|废话",
    "to_assistant": r"\b(?:please|you should|I(?:'d| would) (?:like|prefer) you|I want you to|"
    r"don't (?:ever )?(?:send|use|give|call|remind|tell|write|ask|start|end|suggest)|stop \w+ing|"
    r"from now on|in future|going forward)\b|"
    r"请(?:你)?|你(?:以后|要|别|不要|先|就|得)|以后(?:都|请|别|不要|给|回)|从现在起|今后|不要再|"
    r"别再|别(?:给|用|跟|对|老|总)",
    "time": rf"(?i:{TIME_EN})|{TIME_ZH}",
    "past_event": r"\b(?:I|we|he|she|they|[A-Z][a-z]+) (?:\w+ly |just |finally |have |has |had |'ve )?(?:went|"
    r"met|saw|got|bought|sold|told|said|gave|took|came|left|lost|found|made|broke|fell|ran|flew|"
    r"drove|"
    r"ate|had|began|won|sent|paid|spoke|spent|\w{2,}ed)\b|(?:去|来|买|卖|见|吃|看|收|拿|丢|找|修|"
    r"做|开|到|考|聊|签|定|订|摔|发|办|交)(?:到|完|好|过)?了|终于|昨[天晚]|刚(?:刚|才)?",
    "plan": r"\b(?:will|going to|I'll|we'll|planning|plan to|booked|appointment|meeting|scheduled|"
    r"rescheduled|deadline|due|flight|train|leaves at|reservation|interview|exam|starts? (?:on|"
    r"at)|"
    r"moved to (?:\w+day|\d)|postponed|cancel+ed|called off|pushed)\b|(?:要|打算|计划|准备|约了?|"
    r"预约|定在|订了|改到|改期|推迟|取消|航班|高铁|火车|开会|会议|面试|考试|截止|出发|复诊|体检|"
    r"安排在)",
    "state_change": r"\b(?:moved (?:to|in|out)|changed|switched|no longer|not any ?more|instead of|from now on|"
    r"as of|new (?:job|flat|house|phone|number|boss|address|car)|now (?:I|we|it|the)|promoted|"
    r"retired|quit)\b|"
    r"搬(?:到|去|家|进)|换(?:了|成|到)|改(?:成|为|到|用)|不再|新(?:工作|家|手机|号码|地址|老板|"
    r"车)|升(?:职|为)|离职|入职|退休|跳槽",
    "rescheduled": (
        r"\b(?:pushed (?:back|forward|to)|postponed|rescheduled|moved (?:to|back|forward)|put (?:back|"
        r"off)|brought forward|new date|instead of|cancel+ed|called off|changed to|not going|"
        r"no longer|now on|now at|is off|won't (?:go|happen|take place))\b|(?:去|来|开|办)不成|泡汤|"
        r"票(?:已经)?退了|没去成|改期|改到|改成|改在|推迟|延期|提前到|挪到|换到|取消|"
        r"不去了|作废"
    ),
    "correction": (
        r"^(?:no,|wait|sorry,|oops|correction|actually|scratch that|I meant|not )|\b(?:I meant|"
        r"I was wrong|correction|not \w+ but|it's actually|I said .{1,40} but)\b|不对|说错|记错|更正|"
        r"纠正|应该是|其实是|不是.{1,15}[,,]?(?:而)?是|搞错|写错"
    ),
    "other_person": r"\bmy (?:\w+ )?(?:boss|manager|colleague|coworker|neighbou?r|landlord|landlady|teacher|tutor|"
    r"doctor|dentist|friend|roommate|flatmate|client|supervisor|coach|mentor|accountant|lawyer|"
    r"plumber|electrician|cousin|uncle|aunt|nephew|niece|mother-in-law|father-in-law|"
    r"brother-in-law|sister-in-law)\b|"
    r"(?:老板|领导|同事|邻居|房东|老师|导师|医生|牙医|朋友|室友|客户|教练|会计|律师|师傅|同学|"
    r"表[哥姐弟妹]|堂[哥姐弟妹]|舅舅|叔叔|阿姨|姑姑|经理|主任|组长|合伙人)",
    "name_is": r"\b[A-Z][a-zà-ÿ]+(?: [A-Z][a-zà-ÿ'-]+)?,? (?:is|was|has|works|runs|lives|handles|owns|speaks|"
    r"teaches|looks after|likes|used to|comes from|plays|keeps|who|the)\b|"
    r"[\u4e00-\u9fff]{1,4}(?:老师|师傅|经理|医生|主任|阿姨|叔|哥|姐|总|工)(?:是|在|负责|会|住|管|"
    r"喜欢)|(?:他|她)(?:是|在|负责|会|住|管|喜欢|专门|以前|做)",
    "definition": r"\b(?:means?|stands for|is short for|refers to|we call|is called|are called|is our (?:word|"
    r"name|term|nickname)|nickname|codename|code name|by \"[^\"]+\" (?:I|we) mean|"
    r"when (?:we|I) say|is what we|in our (?:team|office|house|company|family|shop)|at our|"
    r"is the (?:project|tool|system|team|name|place))\b|(?:指的?是|意思是|的意思|叫做|简称|代号|"
    r"我们(?:这儿|这里|公司|家|组|所|店|班)?(?:管|把|说的|叫)|所谓|就是指|是指|缩写|外号|绰号|"
    r"行话|黑话|内部叫)",
    "quoted_term": (
        r"[\"“「『'][^\"”」』']{2,30}[\"”」』'] (?:is|means|are|stands|refers)|"
        r"[“「『\"][^”」』\"]{1,12}[”」』\"](?:是|就是|指|意思|不是)"
    ),
    "project": (
        r"\b(?:project|prototype|repo(?:sitory)?|initiative|startup|product|campaign|pipeline|"
        r"our (?:team|app|system|client|product))\b|项目|产品|系统|平台|方案|课题|团队"
    ),
    "ordered": r"\b(?:first(?:ly)?,? .{3,200}(?:then|next|second|after that|finally|last)|then .{3,100}then|"
    r"step \d|steps?:|in this order|before you|after that|and only then|finally)\b|"
    r"先.{1,60}(?:再|然后|接着|最后|才)|第一步|第[一二]步|步骤|其次|依次|顺序",
    "how_to": r"\b(?:how (?:to|I|we)|(?<!by )the (?:trick|way|fix|procedure|routine|drill|recipe|workflow)|"
    r"to (?:reset|restart|fix|open|start|make|clean|install|set up|export|file|submit|"
    r"get)\b.{3,80}[:,]|here's how|"
    r"what (?:works|helped|fixed)|fixed (?:it|by)|solved|workaround|turn(?:ed)? out|if (?:it|"
    r"the) .{3,60}(?:press|hold|restart|unplug|run|pull|turn|check|delete|reset|wait))\b|"
    r"怎么(?:弄|修|做|办|解决)的?[::]|办法|诀窍|窍门|流程|做法|操作|方法|解决(?:了|办法)?|修好|"
    r"搞定|只要.{2,30}就|要是.{2,30}就|如果.{2,30}就|的时候要|按住|重启|长按",
    "standing": r"\b(?:whenever|every time|each time|when(?:ever)? (?:you|I|we|a|the) .{3,60}, (?:always|"
    r"please|first|check|put|send|write|use)|always .{3,60}before|from now on|rule:|"
    r"our (?:routine|process|procedure|checklist))\b|"
    r"每(?:次|当|逢|到).{2,40}(?:都|要|先|就)|凡是|一律|规矩|规定|以后.{2,30}(?:先|都|要)",
    "imperatives": r"(?:^|[.;:\n,] ?|then |and )(?:press|hold|turn|open|close|add|mix|run|click|check|put|remove|"
    r"wait|pull|push|set|unplug|plug|copy|write|send|wash|boil|bake|cut|stir|save|export|restart|"
    r"drain|soak|rinse|fold|pour|heat|"
    r"clean|wipe|measure|fill|lock|switch|select|type|delete|ask|call|log|take|"
    r"let)\b.+?(?:[.;,\n] ?|then |and )(?:then )?(?:press|hold|turn|open|close|add|mix|run|click|"
    r"check|put|remove|wait|pull|push|set|unplug|plug|copy|write|send|"
    r"wash|boil|bake|cut|stir|save|export|restart|drain|soak|rinse|fold|pour|heat|clean|wipe|"
    r"measure|fill|lock|switch|select|type|delete|ask|call|log|take|let)\b",
    "keep_this": r"\b(?:keep|save|store|file|archive|remember|hold on to|hang on to|put|stash|here(?:'s| is|"
    r" are)|attached|pasting|paste|forward(?:ed|ing)?|fyi|for (?:my|the) (?:files?|folder|"
    r"records?|notes|archive))\b.{0,60}(?:[::]|\bthis\b|\bnotes\b|\bletter\b|\bfor (?:me|later)\b|"
    r"\n)|"
    r"(?:存|留|收|记|保存|归档|转发|备份|贴).{0,8}(?:着|下|好|档|一下|起来|下来)|帮我(?:存|留|收|"
    r"保存|记)|原文|全文|如下|附件|转(?:一|给你)",
    "keep_document": r"(?i:\b(?:keep|save|store|file|archive|stash|hang on to|hold on to|hold onto|forward(?:ed|"
    r"ing)?|pasting|attached|for (?!the record\b)(?:my|the|our) (?:[\w-]+ )?(?:files?|folder|records?|binder|"
    r"scrapbook|archive|collection))\b|\bhere(?:'s| is| are) (?:the|my|our|a)\b)|"
    r"存|归档|收藏|收着|收好|收一下|留着|留底|留个底|留一份|转(?:一|给|来)|转发|备份|贴|原文|原样|"
    r"照抄|全文|如下|附件|剪下",
    "letter": r"(?im:^(?:dear |hi |hello |to:|from:|subject:|re:|cc:|date:|sent:)|^(?:kind |best |"
    r"warm )?regards|^yours (?:sincerely|faithfully|truly)|^(?:sincerely|best wishes|cheers|"
    r"love),?$)|"
    r"尊敬的|敬启|此致|敬礼|发件人|收件人|主题[::]|您好[::,,!]|通知[::]|落款|敬上|谨启",
    "code": (
        r"```|\b(?:def|class|import|return|function|const|let|var|SELECT|INSERT|CREATE TABLE|#include|"
        r"echo|sudo|docker|git|pip|npm) \S+.*\n|[{};]\s*\n|^\s*(?:#!|<\?xml|\{$)|"
        r"^\w[\w.-]*\s*[=:]\s*\S+\n\w[\w.-]*\s*[=:]"
    ),
    "chat_thread": (
        r"(?m:^(?:\[?\d{1,2}:\d\d(?: ?[ap]m)?\]? ?)?[A-Z\u4e00-\u9fff][\w\u4e00-\u9fff .]{0,14}[::] "
        r"?.+\n(?:.*\n)?(?:\[?\d{1,2}:\d\d(?: ?[ap]m)?\]? ?)?[A-Z\u4e00-\u9fff][\w\u4e00-\u9fff "
        r".]{0,14}[::] ?.+)"
    ),
    "document_word": r"\b(?:letter|e-?mail|article|notes|minutes|recipe|contract|report|essay|poem|manual|invoice|"
    r"agenda|transcript|chapter|memo|draft|abstract|config(?:uration)?|script|snippet|newsletter|"
    r"checklist|thread|statement|cv|résumé|speech|lyrics|syllabus)\b|"
    r"信|邮件|文章|笔记|纪要|菜谱|合同|报告|作文|诗|说明书|发票|议程|讲稿|手册|草稿|摘要|配置|"
    r"脚本|通知|清单|聊天记录|简历|歌词|课表|公告",
    "quoted_block": r"[\"“「『][^\"”」』]{80,}[\"”」』]|(?m:^> )|[“「『][^”」』]{40,}[”」』]",
    "secret_word": (
        r"\b(?:password|passcode|pass ?phrase|pin|login|log-in|api key|access key|secret key|token|"
        r"credentials?|door code|gate code|alarm code|combination|recovery code|code for)\b|密码|口令|"
        r"密钥|令牌|验证码|账号|登录|暗号|门禁码|开锁"
    ),
    "contact_word": (
        r"\b(?:phone|mobile|cell|tel|number is|reach (?:me|him|her|them)|call (?:him|her|them) (?:on|"
        r"at)|e-?mail (?:is|address)|address is|postcode|zip|whatsapp|handle|iban|account number|"
        r"extension)\b|电话|手机号?|号码|邮箱|地址|微信|联系方式|卡号|账户|分机|邮编"
    ),
    "reference_word": r"\b(?:booking|reservation|confirmation|claim|tracking|order|policy|case|ticket|"
    r"member(?:ship)?|customer|reference|passport|licen[cs]e|registration|serial|frequent flyer|"
    r"student) (?:number|no\.?|code|id|ref(?:erence)?|#)|\bPNR\b|"
    r"(?:订单|预订|订座|确认|理赔|运单|快递|单|保单|案件|会员|客户|护照|身份证|驾照|车牌|序列|学|"
    r"取件|挂号|报案|工单)(?:号|码|编号)",
    "url": (
        r"https?://\S+|\bwww\.\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|example|invalid|cn|"
        r"test)(?:/\S*)?"
    ),
    "email_address": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "long_number": r"\+?\d[\d ()/.-]{6,}\d",
    "code_value": r"\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9][A-Z0-9-]{4,}\b",
    "street": (
        r"\b\d{1,5}[a-z]?,? (?:[A-Z][\w']+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|close|way|"
        r"court|place|terrace|square|crescent|boulevard)\b|\b[A-Z][\w-]*(?:straße|strasse|gatan|gata|"
        r"weg|laan|straat) \d+|(?:路|街|巷|大道|弄)[\d一二三四五六七八九十百]+[号弄]"
    ),
    "greeting": (
        r"(?i:^\W*(?:hi|hello|hey|good (?:morning|evening|night|afternoon)|morning|thanks?(?: you)?|"
        r"thx|cheers|ok(?:ay)?|cool|great|lol|ha(?:ha)*|bye|see you|nice|sure|got it|yes|no|yep|nope|"
        r"never ?mind)\b)|^\W*(?:你好|您好|早上好|早安|早|晚安|谢谢|多谢|好的|好|嗯|哈哈+|嘿|在吗|行|"
        r"拜拜|再见|辛苦|没事|算了)"
    ),
    "question": (
        r"[??]\s*$|^(?i:what|who|why|how|when|where|which|can|could|do|does|is|are|should|would|"
        r"tell me|explain|translate|write|give me|recommend)\b|(?:吗|呢|什么|怎么|为什么|多少|哪|如何|"
        r"几)[^。!]{0,12}[??]?\s*$"
    ),
    "hypothetical": (
        r"\b(?:if I (?:were|was|had|could|lived|won|ever|ruled|owned)|imagine|suppose|supposing|"
        r"what if|hypothetical\w*|let's say|pretend|in (?:a|my) (?:next|other|parallel) life|I wish I|"
        r"would be (?:nice|fun) to|in theory|would I)\b|如果我是|假如|假设|要是我(?:能|会|有|是|中|"
        r"住)|设想|想象一下|万一|下辈子|我要是|倘若"
    ),
    "role_play": r"\b(?:role-?play|[Ll]et's (?:rehearse|practi[sc]e|pretend)|mock interview|[Yy]ou(?:'re|"
    r" are) (?:the|an?) [\w ]{3,24}, (?:and )?(?:I|so|me)\b|you(?:'re| are) (?:an?|the|"
    r"my) \w+(?: \w+)? (?:and|who|in)|let's play|act as|play the (?:part|role)|in character|"
    r"you be|I'll be|pretend|dungeon|my character|once upon a time|write (?:me )?an? (?:story|"
    r"poem|scene)|short story|novel|fiction)\b|"
    r"扮演|角色|你(?:来)?演|我(?:来)?演|剧本|假装|小说|编(?:个|一个|一段)|故事|台词|穿越|江湖|大侠|本座|朕|公主|将军",
    "irony": (
        r"\b(?:yeah,? right|sure,? because|oh great|of course I|just what I needed|/s\b|as if|"
        r"what could go wrong|lucky me|obviously|living the dream|my autobiography|clearly I|"
        r"world champion|nobel|emperor|king of|queen of)\b|呵呵|当然啦|可真是|真棒呢|谁让我是|"
        r"我可是.{1,8}(?:冠军|天才|皇帝|首富)|开玩笑|逗你|反话|才怪|哈哈"
    ),
    "joke_value": (
        r"\b(?:jokes?|kidding|haha|lol|funn(?:y|iest)|prank|scams?|chain (?:letter|mail)|"
        r"fake|made[- ]up|pun)\b|玩笑|逗|段子|笑话|搞笑|好笑|骗子|诈骗|随便编|瞎编|哈哈"
    ),
    "opinion_of_others": r"\b(?:(?:he|she|they|people|everyone|critics|some|the (?:author|article|paper|columnist|"
    r"podcast|guy)|my (?:uncle|neighbou?r|colleague|barber|taxi driver)) (?:say|says|said|think|"
    r"thinks|thought|claims?|claimed|believes?|reckons?|insists?|argues?|swears)|according to|"
    r"apparently)\b|"
    r"(?:他|她|他们|有人|网上|大家|专家|作者|评论|博主|据说|听说).{0,6}(?:说|认为|觉得|称|主张|声称|坚称)",
    "advert": (
        r"\b(?:\d+ ?% off|sale|discount|offer|subscribe|unsubscribe|buy now|shop now|limited time|"
        r"free (?:shipping|trial|delivery)|deal|sign up|order now|click here|promo|sponsored|"
        r"from (?:only )?[$€£]\d+|advert)\b|优惠|打折|折扣|限时|秒杀|抢购|包邮|立减|满减|点击|"
        r"关注公众号|退订|领券|特价|广告|扫码|推广|下单"
    ),
    "placeholder": (
        r"\b(?:your[_ -](?:api|key|name|password|token|email|secret)\w*|x{4,}|lorem ipsum|foo|bar|"
        r"placeholder|sample|test card|dummy|changeme|<[a-z_ ]+>|example password|user@example|"
        r"john doe|demo (?:account|login)|to ?do)\b|占位|示例|样例|测试卡|替换成|填(?:你|写|上)|x{3,}|"
        r"某某|(?:123){2,}|1234567?8?9?\b|4111 ?1111"
    ),
    "screen": r"^\[(?:screen|window|scan|ocr)\b|^\[(?:屏幕|截屏|窗口|扫描)",
    "menu_noise": r"\b(?:File|Edit|View|Window|Help|Tools|Settings|Log ?in|Sign in|Home|Cart|Inbox \(\d+\)|"
    r"Trash|Drafts|Bookmarks|Tabs?|Loading|No items|Empty)\b.*\b(?:File|Edit|View|Window|Help|"
    r"Tools|Settings|Home|Trash|Drafts|Downloads|Empty|Search)\b|"
    r"(?:文件|编辑|视图|查看|帮助|工具|设置|窗口|首页|登录|回收站|收件箱|草稿箱|购物车|"
    r"我的).{0,20}(?:文件|编辑|视图|查看|帮助|工具|设置|窗口|首页|回收站|收件箱|购物车|我的|注册|"
    r"下载)",
    "general_question": r"(?i:^(?:what(?:'s| is| are| does)|who (?:is|was|wrote|invented)|why (?:do|does|is|are)|"
    r"how (?:do|does|many|far|long|much|tall) (?!I|my|we)|when (?:did|was|is)|where is|"
    r"can you (?:explain|translate|tell|help|write|recommend)|explain|translate|define)\b)|"
    r"(?:是什么(?:意思)?|为什么|怎么(?:写|读|算|用|说)|有哪些|是谁|哪年|多高|多远|翻译|解释一下|介绍一下|推荐)",
    "list_lines": (
        r"(?m:^\s*(?:\d+[.)、]|[-*•]|[①-⑨]|[一二三四五六七八九][、.])\s*\S.*\n.*^\s*(?:\d+[.)、]|"
        r"[-*•]|[①-⑨]|[一二三四五六七八九][、.])\s*\S)"
    ),
    "inline_numbers": r"(?:^|\s|:|。|;)1[.)、)] ?\S.{2,160}2[.)、)] ?\S",
    "first_subject": r"^\W*(?:I\b|I['’]|[Mm]y\b|[Ww]e\b|[Oo]ur\b)|^\W*我",
    "third_subject": r"^\W*(?:He|She|They|His|Her|Their|It)\b|^\W*(?!(?:I|We|My|Our|The|A|This|That|If|When|To|"
    r"Please|Had|Met|Keep|Save|Here|How|What|Actually|No)\b)[A-Z][a-zà-ÿ]+(?:['’]s \w+)? (?:is|"
    r"was|has|works|runs|"
    r"prefers|likes|hates|takes|can't|doesn't|never|only|always|lives|speaks|keeps|comes|sells|"
    r"wants|needs|and [A-Z]|from|in|the)\b|^\W*(?:老|小|大|阿)[\u4e00-\u9fff](?!时)|^\W*[他她]|"
    r"^\W*[\u4e00-\u9fff]{1,3}(?:老师|师傅|经理|医生|大夫|主任|阿姨|叔|哥|姐|总|科长|老板)",
    "imperative_start": (
        r"^\W*(?:(?:please|and|so|also) )?(?:keep|use|don't|do not|never|always|call|write|stop|no|"
        r"treat|ask|give|skip|answer|reply|be|drop|leave|speak|talk|put|remind)\b|^\W*(?:请|别|不要|"
        r"不用|以后|先|问|把|用|叫)"
    ),
    "dropped_subject": (
        r"^\W*(?:Had|Met|Took|Dropped|Signed|Lost|Paid|Burned|Finally|Went|Saw|Got|Bought|Sold|Ran|"
        r"Picked|Finished|Passed|Booked|Spent|Came|Started|Missed|Broke|Found|Made|Left|Just)\b"
    ),
    "number_words": (
        r"(?:\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|"
        r"forty)\b[ ,-]+){2}|(?:left|right) \d|[左右]转"
    ),
    "negated": r"\b(?:not|no|never|n't|don't|doesn't|can't|won't|isn't)\b|不|没|别",
    "amount": r"[$€£¥]\s?\d|\d+ ?(?:euros?|dollars|pounds|kr|yuan)|\d+(?:块|元|万)",
    "fiction": (
        r"\b(?:chapter (?:one|two|\d)|the (?:hero|heroine|protagonist|villain|dragon|wizard)|"
        r"my (?:novel|story|screenplay|character))\b|第[一二三四五六七八九十]章|主角|反派|"
        r"我(?:写)?的小说"
    ),
}
# Where a capital letter tells a name or a menu from a word.
CASE_MATTERS = frozenset(
    [
        "past_event",
        "name_is",
        "code",
        "chat_thread",
        "code_value",
        "street",
        "third_subject",
        "dropped_subject",
        "menu_noise",
        "first_person",
        "first_subject",
        "i_am",
        "i_live_work",
        "works",
        "home",
        "likes",
    ]
)
