"""The data sets that can be evaluated on, by name. Another one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mirix.evaluation.corpus import Conversation
from mirix.evaluation.datasets import lifelog, locomo, longmemeval

READERS: Mapping[str, Callable[[Path], list[Conversation]]] = {
    "lifelog": lifelog.read,
    "locomo": locomo.read,
    "longmemeval": longmemeval.read,
}
_CATEGORY_NAMES: Mapping[str, Mapping[str, str]] = {"locomo": locomo.CATEGORIES}


def category_names(dataset: str, categories: Iterable[str]) -> dict[str, str]:
    """The categories that there are, in order, with a name that people know: papers permute those of numbers."""
    known = _CATEGORY_NAMES.get(dataset, {})
    return {name: f"{name} {known[name]}" if name in known else name for name in sorted(set(categories))}
