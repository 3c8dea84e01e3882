"""Chinese words of time: what each can be, and beside which characters it is part of another word."""

from __future__ import annotations

from mirix.text.dates.chart import Value
from mirix.text.dates.forms import (
    DayPart,
    Form,
    Policy,
    clock,
    day_part,
    holiday,
    months_of_year,
    now,
    season,
    shifted_unit,
    weekday,
    weekend,
)
from mirix.text.dates.holidays import HOLIDAYS
from mirix.text.dates.relations import Slice, lasting, within
from mirix.text.dates.units import Grain

Entries = tuple[tuple[str, Value], ...]

_DAYS = {
    0: "今天|今日|今儿|今儿个|今", -1: "昨天|昨日|昨儿|昨", -2: "前天|前日|前儿", -3: "大前天", -4: "大大前天",
    1: "明天|明日|明儿|明", 2: "后天|后日|后儿", 3: "大后天", 4: "大大后天",
}  # fmt: skip
_YEARS = {
    0: "今年|本年|本年度|今年度",
    -1: "去年|上年|上一年",
    -2: "前年",
    -3: "大前年",
    1: "明年|来年|下一年",
    2: "后年",
    3: "大后年",
}
_RELATIVE = {
    0: "这|本|这个|这一|这一个|本个|当前这个", -1: "上|上个|上一|上一个", -2: "上上|上上个", -3: "上上上|上上上个",
    1: "下|下个|下一|下一个", 2: "下下|下下个", 3: "下下下|下下下个",
}  # fmt: skip
_PARTS = {
    DayPart.EARLY: "凌晨|半夜|后半夜|拂晓",
    DayPart.MORNING: "上午|早上|早晨|清晨|清早|大清早|一大早|一早|早间|晨间|午前",
    DayPart.NOON: "中午|正午|晌午",
    DayPart.AFTERNOON: "下午|午后",
    DayPart.EVENING: "晚上|夜里|夜间|夜晚|深夜|晚间|傍晚|当晚|黄昏|入夜",
}
_SHORT_PARTS = {"早": DayPart.MORNING, "晨": DayPart.MORNING, "晚": DayPart.EVENING, "夜": DayPart.EVENING}
_SEASONS = {"春": 0, "夏": 1, "秋": 2, "冬": 3}
_UNITS = {
    "秒": (1 / 60, Grain.MINUTE), "秒钟": (1 / 60, Grain.MINUTE), "分钟": (1, Grain.MINUTE), "刻钟": (15, Grain.MINUTE),
    "小时": (1, Grain.HOUR), "钟头": (1, Grain.HOUR), "天": (1, Grain.DAY),
    "周": (1, Grain.WEEK), "星期": (1, Grain.WEEK), "礼拜": (1, Grain.WEEK),
    "个月": (1, Grain.MONTH), "季度": (1, Grain.QUARTER), "年": (1, Grain.YEAR), "年代": (1, Grain.DECADE),
    "世纪": (1, Grain.CENTURY),
}  # fmt: skip
_PLACES = {
    Slice.EARLY: "上旬", Slice.MID: "中旬|中", Slice.LATE: "下旬", Slice.START: "初|初头|头几天",
    Slice.END: "底|末|尾|最后几天",
    Slice.FIRST_HALF: "上半月|前半月|前半|上半段", Slice.SECOND_HALF: "下半月|后半月|后半|下半段",
}  # fmt: skip
_LONG_HOLIDAYS = {
    "国庆节": ("国庆长假|国庆假期|国庆黄金周|国庆节假期|国庆节长假|国庆小长假|十一长假|十一假期|十一黄金周", 7),
    "五一": ("五一长假|五一假期|五一黄金周|五一小长假|劳动节假期", 5),
    "元旦": ("元旦假期|元旦小长假", 3),
}
# Solar terms that are given names or ordinary words too: they count only in company (今年谷雨).
_ALSO_NAMES = frozenset(
    {"谷雨", "小满", "芒种", "小暑", "大暑", "处暑", "白露", "寒露", "霜降", "小寒", "大寒", "惊蛰"}
)
_OTHER_WORDS = (
    "第 个 的 在 于 从 自 打 到 至 和 与 跟 及 之间 间 前 以前 之前 后 以后 之后 过后 内 以内 之内 里 来 以来 "
    "再过 过 再 还有 最近 近 过去 未来 今后 接下来 往后 随后 这 头 最后 首 点 点钟 时 分 半 刻 整 钟 多 几分 "
    "差 差不多 大约 大概 约 左右 前后 许 当天 当日 那天 这天 那晚 期间 前夕 前夜 的时候 第二天 次日 翌日 隔天 "
    "同一天 这个时候 这时候 这会儿 同一时间 此时 整个 全天 一整天 农历 阴历 旧历 阳历 公历 闰 月份 月里 年里 "
    "号 旬 双 上半年 下半年 上世纪 本世纪 工作日 那个 那 度 开始 起"
)


def chinese_words() -> dict[str, Entries]:
    found: dict[str, Entries] = dict.fromkeys(_OTHER_WORDS.split(), ())
    for name, day in HOLIDAYS.items():
        if not name.isascii():
            found[name] = (("<cycle>", holiday(day)), ("<hint>" if name in _ALSO_NAMES else "<time>", holiday(day)))
    for base, (names, count) in _LONG_HOLIDAYS.items():
        found |= {name: _strong(lasting(holiday(HOLIDAYS[base]), count)) for name in names.split("|")}
    found |= _days() | _seasons()
    for shift, names in _YEARS.items():
        found |= {name: (("<time>", shifted_unit(Grain.YEAR, shift)),) for name in names.split("|")}
    for shift, names in _RELATIVE.items():
        found |= dict.fromkeys(names.split("|"), (("<zhrel>", shift),))
    for part, names in _PARTS.items():
        found |= {name: (("<part>", day_part(part)),) for name in names.split("|")}
    for name, unit in _UNITS.items():
        found[name] = (("<zhunit>", unit),)
    found |= {name: (("<zhplace>", part),) for part, names in _PLACES.items() for name in names.split("|")}
    for name in ("周末", "双休日", "礼拜末"):
        found[name] = (*_strong(weekend()), ("<weekend>", weekend()))
    halves = {"上半年": 1, "下半年": 7, "前半年": 1, "后半年": 7}
    found |= {name: _strong(months_of_year(month, 6, Grain.HALF, Policy.YEAR)) for name, month in halves.items()}
    found |= {name: (("<hint>", now()),) for name in ("现在", "此刻", "刚才", "刚刚")}
    found |= {name: (("<lunarmonth>", month),) for name, month in {"正月": 1, "冬月": 11, "腊月": 12}.items()}
    found["午夜"] = (("<part>", day_part(DayPart.EARLY)), ("<hr>", clock(0)))
    return found


def _strong(form: Form) -> Entries:
    return (("<cycle>", form), ("<time>", form))


def _days() -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    for shift, names in _DAYS.items():
        day = shifted_unit(Grain.DAY, shift)
        for name in names.split("|"):
            if len(name) > 1:
                found[name] = (("<time>", day), ("<zhtoday>", shift))
                continue
            # 今晚, 明早: the day is one character before a part of the day in one.
            for short, part in _SHORT_PARTS.items():
                found[name + short] = (("<time>", within(day_part(part), day)),)
    found["前晚"] = (("<time>", within(day_part(DayPart.EVENING), shifted_unit(Grain.DAY, -2))),)
    return found


def _seasons() -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    years = {"今": 0, "去": -1, "明": 1}
    for name, index in _SEASONS.items():
        form = season(index)
        for suffix in ("天", "季"):
            found[name + suffix] = (("<cycle>", form), ("<season>", form))
        for year, shift in years.items():
            found[year + name] = (("<time>", within(form, shifted_unit(Grain.YEAR, shift))),)
        for slice_name in ("初", "早", "仲", "盛", "晚", "深", "暮", "隆"):
            found[slice_name + name] = (("<season>", form),)
    return found


WEEKDAYS = {name: weekday(index) for index, name in enumerate("一二三四五六日")} | {"天": weekday(6)}

# After the numeral of a weekday, these make it part of another word or a count: 上周|一共, 上周|三次, 下周|日程.
NOT_AFTER_WEEKDAY = (
    "(?<=一)(?:共|直(?!接)|起(?!床|来|点)|些|样|般|定(?!了|在|好)|会儿|旦|切|带(?=一路)|致|律(?!师)|同(?!学|事))|"
    "(?<=二)(?:手(?!术|续|工)|维|胡)|(?<=三)(?:星(?!期)|亚|轮|维|峡|角)|(?<=四)(?:川|季|肢)|(?<=五)(?:金(?!额)|星(?!期))|"
    "(?<=日)(?:均|报(?!告|名|到)|程|志|记(?!得)|用品|语|元|本(?!来|地|人|周|月|该|次|市|校))|"
    "(?<=天)(?:气|津|黑|亮|空|天|才)|"
    "(?<=[一二三四五六])(?:百|千|万(?!达|科)|十(?![一二]?[点时分月]|几)|个(?!人|体|别)|次(?!日|序|要)|位(?!于|置)|届|"
    "天(?!气|津|黑|亮|空)|名(?!单|字|额|为|叫)|家(?!里|中|长|人|庭|属)|部(?!门|长|署|队|落)|场(?!地|馆|所|景)|"
    "本(?!来|地|人|周|月|年|该|次|市|校)|月|年级|小时|分钟|号线|棵|篇|份(?!额)|辆|套|季度|倍)"
)

# What may not stand after (or before) a word of time in one character: then it is part of another word.
NOT_AFTER = {
    "周": "期(?!末|间|中)|围|边(?!境)|岁|长(?!假|期|途|沙|春|时)|刊|年(?!会|终|底|中|假|检)|杰|星(?!期)|恩|庄|"
    "先生|女士",
    "中": "国|东|文|间|心|学|医|央|午|秋|旬|级|等|型|介|药|奖|标",
    "初": "[一二三四五六七八九十中恋级期步衷心始次]",
    "底": "[下部层线气细座盘片]",
    "末": "[日端尾梢]",
    "尾": "[巴声号数]",
    "号": "[楼线房门馆院桌车球机店床厅台柜井坑库仓站口码选称召令牌桥栋幢墩桩坝洞沟船舰弄巷室棚炉位员]|单元|文件|公路|"
    "病房|公寓|教室|信箱|种子|电池",
    "点": "[心名评击赞滴缀播子小钱水儿]|头等|意见|建议|要求|原因|理由|注意|说明|问题|内容|看法|想法|启示|经验|体会|"
    "不同|好处|优势|结论|共识|感受|收获|疑问|帮助|东西|吃的|喝的|关系|区别|变化|希望|进步|缺点|优点|特点|方面|五倍|"
    "[一二三四五六七八九十\\d]+[万亿倍米]",
    "时": "[间候期代段区尚常光装]|不时",
    "前": "[面台往景方者锋途端提辈列去妻沿言]|夫",
    "后": "[面台者续备悔勤方代门果卫]",
    "日": "[本语元常益渐程志记用报]",
    "月": "[亮光经薪票饼球票嫂租供]",
    "天": "[气津空堂然才真线赋]",
    "年": "[轻龄级薪货糕会代检度]",
    "分": "[别析享手配钱之数公类店支]",
    "刻": "[意苦]",
    "头": "[发痛条像盔]",
    "来": "[自到了过去电信源年]",
    "过": "[程分来去敏期于后]",
    "里": "[面程]",
    "打": "[车电算开球架工]",
    "和": "[平谐]",
    "重阳": "[路区街]",
    "清明": "上河",
    "小年": "[轻纪]",
    "元宵": "[馅碗个]",
    "过年": "[轻]",
    "圣诞": "[树老帽礼歌岛]",
    "国庆": "[路街]",
    "后年": "[轻级]",
    "后天": "的?努力|形成|培养",
}
NOT_BEFORE = {
    "上": "[以网手楼路线桌史地身海船车马加]",
    "下": "[以手地楼天乡底]",
    "上个": "[以]",
    "下个": "[以]",
    "本": "[日基根书课剧]",
    "五一": "[十百]",
}
