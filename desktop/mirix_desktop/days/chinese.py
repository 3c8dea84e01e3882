"""The part of the day that is in Chinese: chat, mail, wiki, shop."""

from __future__ import annotations

from mirix_desktop.days import words
from mirix_desktop.days.office import letter, says, thread
from mirix_desktop.days.shapes import Fact, View
from mirix_desktop.days.writer import Writer

_UNKNOWN = ("不知道", "unknown")
_ROOMS = ["望江厅", "听雨轩", "云杉室", "白鹭厅", "青竹室"]
_COURIERS = ["迅达快递", "飞燕速运", "蓝鲸物流"]
_FOOD = ["荔枝木烤鸭", "菌菇火锅", "葱油拌面", "砂锅粥"]
_DESTINATIONS = ["临江", "云岭", "海棠湾"]
_NUMERALS = {"4": "四", "6": "六", "7": "七", "8": "八"}


def chat_morning(writer: Writer) -> tuple[Fact, Fact]:
    writer.scene("中文群聊")
    a, b, c = writer.people_zh[:3]
    small = [says(writer.pick([a, b, c]), text) for text in writer.several(words.SMALL_TALK_ZH, 6)]
    room = writer.fact("供应商会议", "会议室", writer.mint.pick(_ROOMS))
    hour = writer.fact("供应商会议", "时间", f"{writer.rng.choice([2, 3, 4])}点{writer.rng.choice(['一刻', '半'])}")
    food = writer.fact("周五聚餐", "菜", writer.mint.pick(_FOOD))
    number = writer.rng.choice(list(_NUMERALS))
    boxes = writer.fact("样品", "箱数", f"{number}箱")
    messages = [
        *small[:3],
        says(a, f"供应商会议定在{room.m},今天下午{hour.m}开始。"),
        small[3],
        says(b, f"样品一共{boxes.m},已经入库。"),
        small[4],
        says(c, f"周五聚餐吃{food.m},大家有意见吗?"),
        small[5],
    ]
    thread(writer, "运营组", messages, language="zh")
    writer.ask("样品一共有几箱?", (boxes.value, number, _NUMERALS[number]), "count", [boxes], language="zh")
    writer.ask("周五聚餐吃什么?", food.value, "single", [food], language="zh")
    writer.ask("周五聚餐吃什么是谁提议的?", c, "source", [food], language="zh")
    writer.ask("周五聚餐人均多少钱?", _UNKNOWN, "abstain", language="zh")
    return room, hour


def chat_afternoon(writer: Writer, room: Fact, hour: Fact) -> None:
    """The meeting is moved; a password is told."""
    writer.scene("中文群聊,改会议室")
    a, b, c = writer.people_zh[:3]
    small = [says(writer.pick([a, b, c]), text) for text in writer.several(words.SMALL_TALK_ZH, 4)]
    other = writer.fact("供应商会议", "会议室", writer.mint.pick(_ROOMS), since="午后", replaces=room)
    secret = writer.secret("password", writer.mint.password())
    messages = [
        *small[:2],
        says(b, f"注意:供应商会议改到{other.m},时间不变。"),
        small[2],
        says(c, f"共享盘密码:{secret.m}"),
        small[3],
    ]
    thread(writer, "运营组", messages, language="zh", first=2)
    writer.ask("供应商会议现在在哪个会议室?", other.value, "update", [other], older=[room], language="zh")
    writer.ask("供应商会议原来定在哪个会议室?", room.value, "update", [room], older=[other], language="zh")
    writer.ask("供应商会议下午几点开始?", hour.value, "temporal", [hour], language="zh")
    writer.ask("共享盘的密码是什么?", _UNKNOWN, "vault", language="zh")


def mail_quote(writer: Writer) -> None:
    writer.scene("中文邮件")
    supplier = writer.people_zh[4]
    price = writer.fact("外壳报价", "单价", writer.mint.money(31, 88, "¥"))
    least = writer.fact("外壳报价", "起订量", writer.mint.number(300, 900) + "件")
    day = writer.fact("外壳报价", "交货日期", f"12月{writer.rng.randint(11, 28)}日")
    body = [
        f"{writer.first_name} 您好,",
        writer.pick(words.PARAGRAPHS_ZH[:1]),
        f"防水外壳的最新报价如下:单价{price.m},起订量{least.m},交货日期{day.m}。",
        f"不带防水圈的外壳单价为{writer.mint.money(12, 29, '¥')},供您参考。",
        writer.pick(words.PARAGRAPHS_ZH[1:]),
        f"此致 {supplier}",
    ]
    view = letter(writer, supplier, "防水外壳报价", body, language="zh")
    writer.show(view)
    writer.show(view)
    writer.show(view, seconds=8)
    writer.ask("防水外壳的单价是多少?", price.value, "single", [price], language="zh")
    writer.ask("防水外壳的起订量是多少?", (least.value, least.value.strip("件")), "single", [least], language="zh")
    writer.ask("防水外壳什么时候交货?", day.value, "temporal", [day], language="zh")


def wiki_expenses(writer: Writer) -> None:
    writer.scene("报销流程")
    hotel = writer.fact("报销", "住宿标准", f"每晚{writer.rng.choice([420, 460, 480, 540])}元")
    days = writer.fact("报销", "期限", f"{writer.rng.choice([14, 18, 25, 45])}天内")
    filler = words.WIKI_PARAGRAPHS_ZH
    sections: list[dict[str, object]] = [
        {"heading": "说明", "paragraphs": filler[:3]},
        {"heading": "标准", "paragraphs": [f"住宿标准为{hotel.m},市内交通实报实销。", filler[3]]},
        {
            "heading": "步骤",
            "steps": [
                "登录系统,选择“差旅报销”。",
                f"出差结束后{days.m}提交票据照片。",
                "等待部门负责人审批。",
                "财务每周四付款。",
            ],
        },
        {"heading": "常见问题", "paragraphs": [filler[4], filler[2], filler[1]]},
    ]
    data = {"sections": sections, "updated": "10月8日"}
    for scroll in (0, 0, 200, 200):
        writer.show(writer.page("wiki", "差旅报销流程 - 知识库", "expenses", data, scroll=scroll, language="zh"))
    writer.ask("出差结束后多久之内要提交票据?", days.value, "procedure", [days], language="zh")
    writer.ask("报销的住宿标准是多少?", (hotel.value, hotel.value[2:]), "single", [hotel], language="zh")


def shop_order(writer: Writer) -> None:
    writer.scene("网购订单")
    order = writer.fact("茶具订单", "订单号", writer.mint.code("88", 8))
    total = writer.fact("茶具订单", "实付", writer.mint.money(130, 480, "¥"))
    courier = writer.fact("茶具订单", "快递", writer.mint.pick(_COURIERS))
    card = writer.secret("card", writer.mint.card())
    others = [["竹制茶盘", writer.mint.money(60, 120, "¥")], ["陶瓷花瓶", writer.mint.money(60, 120, "¥")]]

    def page(title: str, path: str, **data: object) -> View:
        return writer.page(
            "shop", f"{title} - 山月小铺", path, {"store": "山月小铺", **data}, site="shanyue.test", language="zh"
        )

    pay = [["商品", "青瓷茶具一套"], ["银行卡号", card.m], ["应付", total.m]]
    writer.show(page("支付", "pay", heading="确认支付", rows=pay, button="立即支付"), seconds=6)
    done = [["订单号", order.m], ["实付", total.m], ["快递", courier.m], ["收货地址", "渡口路4号二楼"]]
    view = page("订单详情", "order", heading="付款成功", rows=done, items=others)
    writer.show(view)
    writer.show(view)
    writer.show(view, seconds=11)
    writer.ask("茶具的订单号是多少?", order.value, "single", [order], language="zh")
    writer.ask("茶具我实际付了多少钱?", total.value, "single", [total], language="zh")
    writer.ask("茶具由哪家快递送货?", courier.value, "single", [courier], language="zh")
    writer.ask("买茶具用的银行卡号是多少?", _UNKNOWN, "vault", language="zh")
    writer.ask("陶瓷花瓶的订单号是多少?", _UNKNOWN, "abstain", language="zh")


def chat_evening(writer: Writer) -> None:
    writer.scene("中文群聊,收工")
    a, b, c = writer.people_zh[5:8]
    small = [says(writer.pick([a, b, c]), text) for text in writer.several(words.SMALL_TALK_ZH, 5)]
    place = writer.fact("年会", "地点", writer.mint.pick(_DESTINATIONS))
    bus = writer.fact("年会", "班车", f"{writer.rng.choice([3, 5, 7, 9])}号门")
    messages = [
        *small[:2],
        says(a, f"年会地点定了,去{place.m},两天一夜。"),
        small[2],
        says(b, f"班车在{bus.m}集合,不要走错。"),
        *small[3:],
    ]
    thread(writer, "年会筹备", messages, language="zh", first=2)
    writer.ask("年会在哪里办?", place.value, "single", [place], language="zh")
    writer.ask("年会班车在几号门集合?", bus.value, "single", [bus], language="zh")
