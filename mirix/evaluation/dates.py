"""`mirix evaluate dates`: is a time expression resolved to the interval it means? No memory and no model take part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel

from mirix.evaluation.metrics import Share, grouped, mean
from mirix.evaluation.report import Report
from mirix.text.dates import Granularity, TimeRange, resolve_expression

INSTANT_TOLERANCE = timedelta(minutes=1)


class DateItem(BaseModel):
    """An expression, when and where it was said, and the half-open interval it means."""

    id: str
    lang: str
    expression: str
    anchor: AwareDatetime
    timezone: str
    start: AwareDatetime
    end: AwareDatetime
    granularity: Granularity


@dataclass(frozen=True, kw_only=True)
class Resolved:
    item: DateItem
    found: TimeRange | None

    @property
    def right(self) -> bool:
        """Start and end are exact; an instant may be a minute off."""
        if self.found is None:
            return False
        tolerance = INSTANT_TOLERANCE if self.item.granularity is Granularity.INSTANT else timedelta()
        return _near(self.found.start, self.item.start, tolerance) and _near(self.found.end, self.item.end, tolerance)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.item.id,
            "expression": self.item.expression,
            "right": self.right,
            "start": self.found.start.isoformat() if self.found else None,
            "end": self.found.end.isoformat() if self.found else None,
        }


def _near(one: datetime, other: datetime, tolerance: timedelta) -> bool:
    return abs(one - other) <= tolerance


def evaluate_dates(items: Sequence[DateItem]) -> Report:
    """Resolve every expression from its anchor."""
    resolved = [
        Resolved(item=item, found=resolve_expression(item.expression, item.anchor, item.timezone)) for item in items
    ]
    return Report(
        evaluation="dates",
        metrics=measure(resolved),
        groups={
            "language": grouped(resolved, lambda each: each.item.lang, measure),
            "granularity": grouped(resolved, lambda each: each.item.granularity.value, measure),
        },
        items=[each.to_json() for each in resolved],
    )


def measure(resolved: Sequence[Resolved]) -> dict[str, Share]:
    return {"accuracy": mean(each.right for each in resolved)}
