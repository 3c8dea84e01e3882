"""Mirix: the memory system that personal AI deserves.

    from mirix import Mirix

    with Mirix() as memory:
        memory.add("I moved to Bergen last Friday.")
        print(memory.ask("Where do I live?").text)

Inputs come in (`ingest`), managers write (`managers`), memories hold (`memory`), retrieval finds (`retrieval`).
Public names are loaded when first used: importing the package costs nothing, and the keeper of the embedded
database, which runs as its own process, stays small.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.errors import MirixError
    from mirix.memory.record import MemoryKind
    from mirix.system import AsyncMirix

__version__ = "0.1.0"
__all__ = ["AsyncMirix", "MemoryKind", "Mirix", "MirixError", "__version__"]

_homes = {
    "AsyncMirix": "mirix.system",
    "MemoryKind": "mirix.memory.record",
    "Mirix": "mirix.blocking",
    "MirixError": "mirix.errors",
}


def __getattr__(name: str) -> object:
    home = _homes.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
