"""Other memory systems in the same harness. One module each: a factory from the embedder of the run to a MemorySystem.

    mirix evaluate locomo FILE --system mirix.evaluation.adapters.langgraph_store:make

A module outside the package works the same way. It gets the embedder that the run uses (None where there is none), so
that what is compared is the memory and not the embedding model.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from mirix.errors import ConfigError
from mirix.evaluation.systems import MemorySystem
from mirix.models.embed import Embedder

Factory = Callable[[Embedder | None], MemorySystem]


def load_factory(name: str) -> Factory:
    """The factory that `module:function` names. Raises ConfigError."""
    module, colon, function = name.partition(":")
    if not colon:
        raise ConfigError(f"{name!r} names no memory system: write module:function")
    try:
        return cast(Factory, getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the memory system {name} cannot be loaded ({error}): is its module installed, or on PYTHONPATH?"
        ) from error
