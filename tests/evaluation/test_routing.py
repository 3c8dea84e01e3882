from __future__ import annotations

from typing import Any

from mirix.evaluation.metrics import Share
from mirix.evaluation.routing import RoutingItem, evaluate_routing
from mirix.system import AsyncMirix
from tests.evaluation.conftest import BROKEN


def item(name: str, text: str, *, must: list[str], must_not: list[str], **given: Any) -> RoutingItem:
    values = {"id": name, "lang": "en", "at": "2026-03-02T09:00:00+01:00", "messages": [{"role": "user", "text": text}]}
    return RoutingItem.model_validate(values | {"must": must, "must_not": must_not} | given)


async def test_pairs_are_counted_by_type_and_language(memory: AsyncMirix) -> None:
    items = [
        item("a", "No gluten for me.", must=["core"], must_not=["vault"]),
        item("b", "The harbour is deep.", must=["semantic", "episodic"], must_not=["core"]),
        item("c", "猫 gluten", must=["semantic"], must_not=["core"], lang="zh"),
        item("d", "Lovely weather.", must=[], must_not=["core", "semantic"]),
    ]
    report = await evaluate_routing(memory, items)
    assert report.metrics["must_recall"] == Share(value=0.75, n=4)
    assert report.metrics["must_not_rate"] == Share(value=0.2, n=5)
    assert report.metrics["precision"] == Share(value=0.75, n=4)
    assert report.groups["language"]["zh"]["must_not_rate"] == Share(value=1.0, n=1)
    assert report.groups["type"]["episodic"]["must_recall"] == Share(value=0.0, n=1)
    assert [(each["missed"], each["needless"]) for each in report.items] == [
        ([], []),
        (["episodic"], []),
        ([], ["core"]),
        ([], []),
    ]


async def test_a_sealed_value_counts_as_kept_in_the_vault(memory: AsyncMirix) -> None:
    report = await evaluate_routing(
        memory, [item("a", "The wifi password is Quartz-Lintel-58.", must=["vault"], must_not=["core"])]
    )
    assert report.metrics["must_recall"].value == 1.0


async def test_items_do_not_know_each_other(memory: AsyncMirix) -> None:
    same = [item(name, "No gluten for me.", must=["core"], must_not=[]) for name in ("a", "b")]
    assert (await evaluate_routing(memory, same)).metrics["must_recall"] == Share(value=1.0, n=2)


async def test_a_failing_model_is_counted_and_ends_nothing(memory: AsyncMirix) -> None:
    items = [
        item("a", BROKEN, must=["core"], must_not=["vault"]),
        item("b", "No gluten for me.", must=["core"], must_not=["vault"]),
    ]
    report = await evaluate_routing(memory, items)
    assert report.metrics["failed"] == Share(value=0.5, n=2)
    assert report.metrics["must_recall"] == Share(value=0.5, n=2)
