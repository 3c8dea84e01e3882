from __future__ import annotations

from typing import Any

from mirix.evaluation.dates import DateItem, evaluate_dates
from mirix.evaluation.metrics import Share


def item(expression: str, start: str, end: str, **given: Any) -> DateItem:
    values = {"id": expression, "lang": "en", "expression": expression, "anchor": "2026-11-13T10:00:00+01:00"}
    values |= {"timezone": "Europe/Oslo", "start": start, "end": end, "granularity": "day"}
    return DateItem.model_validate(values | given)


def test_start_and_end_have_to_be_exact() -> None:
    items = [
        item("yesterday", "2026-11-12T00:00:00+01:00", "2026-11-13T00:00:00+01:00"),
        item("昨天", "2026-11-12T00:00:00+01:00", "2026-11-13T00:01:00+01:00", lang="zh"),
        item("no time at all", "2026-11-12T00:00:00+01:00", "2026-11-13T00:00:00+01:00"),
    ]
    report = evaluate_dates(items)
    assert [each["right"] for each in report.items] == [True, False, False]
    assert report.metrics["accuracy"] == Share(value=1 / 3, n=3)
    assert report.groups["language"]["zh"]["accuracy"] == Share(value=0.0, n=1)


def test_an_instant_may_be_a_minute_off() -> None:
    near = {"start": "2026-11-12T15:31:00+01:00", "end": "2026-11-12T15:32:00+01:00"}
    far = {"start": "2026-11-12T15:32:00+01:00", "end": "2026-11-12T15:33:00+01:00"}
    items = [item("yesterday at 3:30 pm", **each, granularity="instant") for each in (near, far)]
    assert [each["right"] for each in evaluate_dates(items).items] == [True, False]
