"""The data sets that can be evaluated on, by name. Another one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mirix.evaluation.corpus import Conversation
from mirix.evaluation.datasets import lifelog, locomo, longmemeval

READERS: Mapping[str, Callable[[Path], list[Conversation]]] = {
    "lifelog": lifelog.read,
    "locomo": locomo.read,
    "longmemeval": longmemeval.read,
}
