"""What the vectors of messages are made of: a text alone, and the window of it and its two neighbours. Pure.

The same wherever vectors are made: when evidence comes in, after a redaction, at an import, and when another embedder
takes over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from mirix.text.names import cut_names


class Turn(NamedTuple):
    """A message as far as its vectors go."""

    speaker: str
    text: str


class EmbeddedTexts(NamedTuple):
    """What is embedded of a message."""

    alone: str
    window: str


def texts_to_embed(run: Sequence[Turn], *, others: Collection[str] = ()) -> list[EmbeddedTexts]:
    """What is embedded of each turn of a run in one conversation, in order.

    The names of those who speak in the run are cut, and those of `others` who speak near it.
    """
    names = {turn.speaker for turn in run}.union(others)
    bare = [cut_names(turn.text, names) for turn in run]
    return [
        EmbeddedTexts(alone=text, window="\n".join(bare[max(place - 1, 0) : place + 2]))
        for place, text in enumerate(bare)
    ]
