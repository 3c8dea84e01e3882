"""The words invented days are made of. Nothing here names anybody or anything that exists."""

from __future__ import annotations

PEOPLE = [
    "Orla Tennant", "Magnus Fairley", "Priya Raman", "Tobias Wendt", "Ines Calloway", "Jonah Whitlock", "Maeve Sorley",
    "Dario Petrakis", "Freya Lindqvist", "Callum Oduya", "Noor Haddad", "Benedikt Arlow", "Sorcha Venn",
    "Luca Marchetti",
    "Hanne Vestby", "Rufus Oakley", "Amara Bexley", "Piotr Zielny", "Greta Holloway", "Silas Penhale",
]  # fmt: skip
PEOPLE_ZH = ["林晓雯", "周启明", "陈若溪", "沈一帆", "何嘉宁", "顾明远", "苏婉清", "罗子谦", "唐诗雨", "秦昊然"]
COMPANIES = ["Brightwater Instruments", "Fernhill Optics", "Calder & Moss", "Tidewell Sensors", "Marlow Kites"]
DOMAINS = ["brightwater", "fernhill", "caldermoss", "tidewell", "marlowkites"]
PROJECTS = ["Heron", "Saltmarsh", "Kestrel", "Cloudberry", "Lantern", "Otter Bay", "Drumlin", "Quillfish"]
CITIES = ["Lisbon", "Turin", "Gdansk", "Bergen", "Valencia", "Graz", "Tallinn", "Ghent"]
HOTELS = ["Hotel Azulejo", "Pension Morgenrot", "The Copper Wharf", "Casa Ventana", "Hotel Lindenhof", "Quay House"]
SUPPLIERS = [
    "Northgate Castings",
    "Pelham Glass",
    "Otterburn Freight",
    "Silverdale Print",
    "Anvil & Reed",
    "Kirkby Cables",
]
SHOPS = ["Threadmill", "Paper Lantern", "Copperpot", "Hill & Harbour"]
PRODUCTS = [
    "Wool travel blanket",
    "Enamel kettle 1.7 l",
    "Folding bike lamp",
    "Cast iron griddle",
    "Linen rucksack 24 l",
]
OTHER_PRODUCTS = ["Beech chopping board", "Merino socks, 3 pairs", "Brass desk lamp", "Cork yoga mat",
                  "Steel lunch box", "Oak picture frame A3", "Pocket umbrella"]  # fmt: skip
ROOMS = ["Larch", "Rowan", "Hazel", "Alder", "Juniper", "Hawthorn", "Willow", "Spruce"]
RESTAURANTS = ["Fennel & Rye", "The Tin Pilchard", "Little Saffron", "Osteria Bramble", "The Salted Fig"]
TRADES = ["boiler engineer", "window cleaner", "locksmith", "parquet fitter"]
GIFTS = ["a blue stoneware teapot", "a field guide to mosses", "a red enamel lantern", "a box of quince jelly"]
RELATIVES = ["Aunt Hester", "Cousin Wilf", "Grandad Amos", "Sister Bryony"]
TICKETS = [
    "Export stalls on files above 2 GB", "Map tiles flicker when zooming out", "Login mail arrives twice",
    "Wrong unit on the humidity chart", "Printer queue shows old jobs", "Time zone off by one hour in reports",
    "Search ignores accents in names", "Battery gauge stuck at 99 %", "Attachment preview is blank",
    "Sensor list sorts numbers as text",
]  # fmt: skip
CAUSES = [
    "the lock file was never released after a failed upload", "the cache key left out the tenant number",
    "a retry loop swallowed the timeout", "the driver rounds to whole seconds",
]  # fmt: skip
SMALL_TALK = [
    "Morning all, the coffee machine on the second floor works again.",
    "Has anybody seen the long HDMI cable?",
    "I will be ten minutes late, the bus is stuck behind a tractor.",
    "Thanks, that was quick!",
    "Could you have a look when you find a minute?",
    "Sounds good to me.",
    "Lunch at half past twelve as usual?",
    "I left the samples on your desk, next to the plant.",
    "Let us not decide this before Magda is back from leave.",
    "Fine, then I will move it to the afternoon.",
    "Great, see you there.",
    "The visitors from the university liked the tour, by the way.",
    "No rush, tomorrow is fine as well.",
    "Who took the label printer home?",
    "I read it on the train, only two small comments.",
]  # fmt: skip
SMALL_TALK_ZH = [
    "早上好,会议室的投影修好了。", "我晚到十分钟,地铁有点挤。", "收到,谢谢!", "这个我下午再看一下。",
    "中午一起去楼下吃面吗?", "样品放在你桌上了。", "好的,没问题。", "明天再定也来得及。", "辛苦了,进度比我想的快。",
    "客户那边的反馈不错。", "文件我已经传到共享盘了。",
]  # fmt: skip
MAIL_SUBJECTS = [
    "Minutes of Tuesday's meeting", "Your parcel is waiting at the front desk", "Car park closed on Saturday",
    "Newsletter: what is new in November", "Re: photos from the summer outing", "Reminder: fire drill at eleven",
    "Timesheets are due on Friday", "Lost: one green glove", "Invitation: reading group", "Re: draft of the leaflet",
    "Quotation for shelving", "New bicycle stands behind the workshop", "Re: who waters the plants in December",
]  # fmt: skip
MAIL_SUBJECTS_ZH = [
    "关于年会场地的通知",
    "十一月考勤提醒",
    "回复:宣传册初稿",
    "快递已放前台",
    "培训报名截止周五",
    "停车场周六关闭",
]
PARAGRAPHS = [
    "I hope the week has started well for you. We have had two quiet days here, which gave us time to sort the papers.",
    "Please read the attached page before the meeting; the second table is new, the rest you know from last month.",
    "As agreed on the telephone, we keep the old arrangement until the end of the quarter and look at it again then.",
    "If anything is unclear, ring me or simply drop by, I am at my desk until four most days this week.",
    "The workshop was fuller than expected. Several people asked for the slides, I will put them on the shared drive.",
    "We are still waiting for the second delivery. As soon as it arrives I will send you the list and the photographs.",
    "Nobody has to do anything today. I only wanted you to have it in writing before the others ask.",
]  # fmt: skip
PARAGRAPHS_ZH = [
    "您好,感谢您上周抽空来参观。样品的照片已经整理好,随信附上,请查收。",
    "如果对时间安排有不方便的地方,请直接回复本邮件,我们再协调。",
    "第二批货预计下周到仓库,到货后我会把清单和照片一起发给您。",
    "其他条款与去年合同一致,没有改动。如有疑问,欢迎随时来电。",
]  # fmt: skip
WIKI_PARAGRAPHS = [
    "This page is kept by the operations group. Change it when the procedure changes, and say so in the channel.",
    "Most visitors come for the second half of the page. The first half explains why the limits are as they are.",
    "Before anything else, look whether somebody else is already on it: the log of the last hour tells.",
    "The numbers below were agreed in the spring review and hold for all sites unless a site page says otherwise.",
    "When in doubt, ask rather than guess. A wrong restart costs more than ten minutes of waiting.",
    "The old procedure with two people and a checklist on paper is no longer in use and was removed from this page.",
    "Photographs of the cabinets are in the shared drive, in the folder named after the building.",
]  # fmt: skip
WIKI_PARAGRAPHS_ZH = [
    "本页由行政组维护,流程有变化时请及时更新,并在群里说明。",
    "以下标准自今年四月起执行,适用于所有办公地点。",
    "提交之前请先检查票据是否齐全,抬头是否正确。缺少票据的申请会被退回。",
    "特殊情况请先与部门负责人沟通,再提交申请,不要事后补签。",
    "常见问题整理在页面最后,请先看一遍再咨询。",
]  # fmt: skip
