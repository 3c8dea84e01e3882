"""Text as a reader sees it, with the way back to the text as it was written.

Full-width letters and digits, look-alike spaces and mathematical alphabets become plain ASCII; characters that cannot
be seen (zero-width spaces and joiners, soft hyphens, direction marks) are left out. Every character of the folded text
stands for exactly one of the original, so that a span found here can be told in the original. Chinese punctuation stays
as it is but for the colon and the equals sign: it ends a value, while its ASCII twin may be part of one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_KEPT = frozenset("，；！？（）｛｝［］。、｜")
_SPACES = frozenset("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000")


@dataclass(frozen=True, kw_only=True)
class FoldedText:
    text: str
    # Index in the original of each character of `text`, rising.
    origins: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of the original that `text[start:end]`, not empty, was made from."""
        return self.origins[start], self.origins[end - 1] + 1


def fold(text: str) -> FoldedText:
    """Fold `text`; linear in its length, and free for plain ASCII."""
    if text.isascii():
        return FoldedText(text=text, origins=range(len(text)))
    table = {ord(character): _folded(character) for character in set(text) if not character.isascii()}
    folded = text.translate(table)
    if len(folded) == len(text):
        return FoldedText(text=folded, origins=range(len(text)))
    kept = [index for index, character in enumerate(text) if table.get(ord(character), character)]
    return FoldedText(text=folded, origins=kept)


def _folded(character: str) -> str:
    """One character or none: what `character` stands for."""
    if unicodedata.category(character) == "Cf":
        return ""
    if character in _SPACES:
        return " "
    if character in _KEPT:
        return character
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character
