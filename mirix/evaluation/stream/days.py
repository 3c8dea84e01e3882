"""How a day is told from another day, and how it is written out in an answer."""

from __future__ import annotations

import random
from datetime import date, timedelta

from mirix.evaluation.stream.language import DayForms


class DayTeller:
    """Words for days in one language."""

    def __init__(self, forms: DayForms, rng: random.Random) -> None:
        self._forms = forms
        self._rng = rng

    def past(self, day: date, said: date) -> str:
        """A day that is over, or today."""
        forms, gap = self._forms, (said - day).days
        if gap == 0:
            return forms.today
        words = [self._date(day)]
        if gap == 1:
            return forms.yesterday
        if gap <= 12:
            words.append(forms.ago.format(n=gap))
        if forms.within == "nearest":
            words += [self._weekday(forms.near_weekday, day)] * (gap <= 6) + [
                self._weekday(forms.behind_weekday, day)
            ] * (gap <= 7)
        elif _week(day) == _week(said):
            words.append(self._weekday(forms.near_weekday, day))
        elif _week(day) == _week(said) - timedelta(days=7):
            words.append(self._weekday(forms.behind_weekday, day))
        return self._rng.choice(words)

    def future(self, day: date, said: date) -> str:
        """A day that is to come."""
        forms, gap = self._forms, (day - said).days
        if gap == 1:
            return forms.tomorrow
        words = [self._date(day)]
        if gap <= 12:
            words.append(forms.ahead.format(n=gap))
        if _week(day) == _week(said) + timedelta(days=7):
            words.append(self._weekday(forms.next_week, day))
        elif _week(day) == _week(said) or (forms.within == "nearest" and gap <= 6):
            words.append(self._weekday(forms.near_weekday, day))
        return self._rng.choice(words)

    def full(self, day: date) -> list[str]:
        """The ways in which the day may be written in an answer."""
        return [self._write(form, day) for form in self._forms.full]

    def month(self, day: date) -> str:
        return self._write(self._forms.month_of, day)

    def _date(self, day: date) -> str:
        return self._write(self._forms.date, day)

    def _weekday(self, form: str, day: date) -> str:
        return form.format(weekday=self._forms.weekdays[day.weekday()])

    def _write(self, form: str, day: date) -> str:
        return form.format(
            d=day.day, d2=f"{day.day:02}", m2=f"{day.month:02}", year=day.year, month=self._forms.months[day.month - 1]
        )


def _week(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())
