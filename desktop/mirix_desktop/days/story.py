"""Writes an invented working day: which scenes there are, in which order, and when each shot is taken.

    write_story(seed, shots) ─> Story: facts, secrets, steps with their times, questions

Scenes give the steps in which something happens. What is left of the shots goes to looking at things: the same screen
again, with a caret that blinks and a clock that goes on. Pure and deterministic.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mirix_desktop.days import chinese, errands, hidden, office
from mirix_desktop.days.shapes import Data, Step, Story
from mirix_desktop.days.writer import Writer

ZONE = ZoneInfo("Europe/Amsterdam")
_MORNING = datetime(2026, 11, 16, 8, 41, 12, tzinfo=ZONE)
_DAY = timedelta(hours=9, minutes=40)
_SHORTEST_PAUSE = timedelta(seconds=40)
_CHINESE_WEIGHT = 1.4  # or less than a fifth of the day may be in Chinese
_APPS = ("mail", "chat", "calendar", "tickets", "shop", "wiki", "dashboard")
_FONTS = ("Liberation Sans", "DejaVu Sans", "Liberation Serif")


def write_story(seed: int, shots: int = 400) -> Story:
    """A day of exactly `shots` shots; fewer than there are steps cut the day short."""
    writer = Writer(seed)
    _write_scenes(writer)
    steps = _schedule(writer, _fill(writer, writer.steps, shots))
    themes: dict[str, Data] = {
        app: {
            "dark": writer.rng.random() < 0.4,
            "font": writer.pick(_FONTS),
            "size": writer.rng.choice([13, 15, 17]),
            "hue": writer.rng.randrange(0, 360, 20),
        }
        for app in _APPS
    }
    return Story(
        seed=seed,
        student=writer.me,
        facts=tuple(writer.facts),
        secrets=tuple(writer.secrets),
        private=tuple(writer.private),
        steps=tuple(steps),
        questions=tuple(writer.questions),
        themes=themes,
    )


def _write_scenes(writer: Writer) -> None:
    ticket = writer.mint.code("T-", 4)
    office.mail_morning(writer)
    title, time, room = office.calendar_week(writer)
    meeting_room, hour = chinese.chat_morning(writer)
    office.chat_team(writer, ticket)
    assignee, status, about = office.tickets_morning(writer, ticket)
    orders = office.dashboard(writer)
    errands.terminal_deploy(writer)
    supplier, amount, number = office.mail_invoice(writer)
    chinese.mail_quote(writer)
    hidden.password_manager(writer)
    name, product, price = errands.shop(writer)
    lines = errands.notes(writer)
    office.wiki_runbook(writer)
    hidden.clinic(writer)
    chinese.wiki_expenses(writer)
    errands.popups(writer)
    office.chat_secrets(writer)
    chinese.chat_afternoon(writer, meeting_room, hour)
    office.calendar_moved(writer, title, time, room)
    errands.terminal_import(writer)
    office.mail_correction(writer, supplier, amount, number)
    office.wiki_contacts(writer, assignee)
    office.tickets_later(writer, ticket, assignee, status, about)
    chinese.shop_order(writer)
    errands.train(writer)
    office.mail_reply(writer)
    office.dashboard_keys(writer)
    hidden.bank(writer)
    office.dashboard(writer, before=orders)
    errands.shop_again(writer, name, product, price)
    errands.notes_later(writer, lines)
    chinese.chat_evening(writer)


def _fill(writer: Writer, steps: list[Step], shots: int) -> list[Step]:
    """Repeat steps until there are `shots`; popups and glances are not looked at for longer."""
    repeats = [0] * len(steps)
    lasting = [place for place, step in enumerate(steps) if step.notification is None and step.seconds > 2]
    weights = [_CHINESE_WEIGHT if steps[place].view.language == "zh" else 1.0 for place in lasting]
    for place in writer.rng.choices(lasting, weights, k=max(0, shots - len(steps))):
        repeats[place] += 1
    filled: list[Step] = []
    for step, count in zip(steps, repeats, strict=True):
        filled.append(step)
        again = replace(step, closes=(), is_repeat=True)
        filled += [replace(again, seconds=float(writer.rng.randint(1, 12))) for _ in range(count)]
    return filled[:shots]


def _schedule(writer: Writer, steps: list[Step]) -> list[Step]:
    """Give every step its time: scenes run through, the rest of the day lies between them."""
    borders = [place for place in range(1, len(steps)) if steps[place].scene != steps[place - 1].scene]
    busy = timedelta(seconds=sum(step.seconds for step in steps))
    weights = [writer.rng.uniform(0.3, 1.7) for _ in borders]
    pauses = {
        place: max(_SHORTEST_PAUSE, (_DAY - busy) * (weight / sum(weights)))
        for place, weight in zip(borders, weights, strict=True)
    }
    now = _MORNING
    timed: list[Step] = []
    for place, step in enumerate(steps):
        now += pauses.get(place, timedelta())
        timed.append(replace(step, at=now.replace(microsecond=0)))
        now += timedelta(seconds=step.seconds)
    return timed
