"""Other memory systems in the same harness. One module each: a factory from the embedder of the run to a MemorySystem.

    mirix evaluate locomo FILE --system mirix.evaluation.adapters.langgraph_store:make

A module outside the package works the same way. It gets the embedder that the run uses (None where there is none), so
that what is compared is the memory and not the embedding model. Whatever it raises comes out as a SystemFailed that
names it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mirix.errors import ConfigError, MirixError
from mirix.evaluation.corpus import Conversation, Question
from mirix.evaluation.systems import MemorySystem, Ranked, SystemFailed
from mirix.models.embed import Embedder

Factory = Callable[[Embedder | None], MemorySystem]


def load_factory(name: str) -> Factory:
    """The factory that `module:function` names. It raises, as this does, ConfigError for what is no memory system."""
    module, colon, function = name.partition(":")
    if not colon:
        raise ConfigError(f"{name!r} names no memory system: write module:function")
    try:
        factory = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the memory system {name} cannot be loaded ({error}): is its module installed, or on PYTHONPATH?"
        ) from error
    if not callable(factory):
        raise ConfigError(f"the memory system {name} is no function, but {type(factory).__name__}")

    def make(embedder: Embedder | None) -> MemorySystem:
        with _named(name):
            system = factory(embedder)
        if not isinstance(system, MemorySystem):
            raise ConfigError(
                f"the memory system {name} makes no memory system (name, ingest, search), but {type(system).__name__}"
            )
        return _Foreign(system=system, factory=name)

    return make


@dataclass(frozen=True, kw_only=True)
class _Foreign:
    """A system whose errors name it."""

    system: MemorySystem
    factory: str

    @property
    def name(self) -> str:
        return self.system.name

    async def ingest(self, conversation: Conversation) -> None:
        with _named(self.factory):
            await self.system.ingest(conversation)

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        with _named(self.factory):
            return await self.system.search(conversation, question)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except MirixError:
        raise
    except Exception as error:
        raise SystemFailed(f"the memory system {name} failed: {type(error).__name__}: {error}") from error
