"""Relative time expressions with their meaning behind them: "I moved last Friday [2026-11-06]"."""

from __future__ import annotations

import re
from datetime import datetime

from mirix.text.dates.mentions import find_mentions
from mirix.text.dates.ranges import format_range

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}"
_ANNOTATION = re.compile(
    rf" \[(?:{_DAY}(?: {_CLOCK})?(?:–(?:{_DAY}(?: {_CLOCK})?|{_CLOCK}))?|\d{{4}}(?:-\d{{2}}|–\d{{4}})?)\]"
)
_PLAIN_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}(?::\d{2})?")
_POSSESSIVE = re.compile(r"['’]s\b|(?<=s)['’](?=\s)")


def annotate(text: str, anchor: datetime, timezone: str) -> str:
    """`text` with ` [range]` behind every expression whose meaning depends on when it was said.

    What is annotated already stays as it is, so a second pass changes nothing. See `format_range` for the forms.
    Raises InputError if `anchor` is naive or `timezone` is no IANA name.
    """
    # Expressions are looked for in the text without its annotations, so that these cannot change what is found.
    bare, inserted = _strip(text)
    for mention in find_mentions(bare, anchor, timezone):
        possessive = _POSSESSIVE.match(bare, mention.end_index)
        end = possessive.end() if possessive else mention.end_index
        is_annotated = any(mention.start_index < position <= end for position in inserted)
        if mention.relative and not is_annotated and not _is_listed_clock(bare, mention.start_index, mention.end_index):
            inserted[end] = f" [{format_range(mention.range)}]"
    pieces, position = [], 0
    for at in sorted(inserted):
        pieces += [bare[position:at], inserted[at]]
        position = at
    return "".join([*pieces, bare[position:]])


def _is_listed_clock(text: str, start: int, end: int) -> bool:
    """Whether a clock time stands in a column or in brackets, as in a log, a list of mails or a copied chat.

    Such a time belongs to its line, whatever day that is of.
    """
    if not _PLAIN_CLOCK.fullmatch(text, start, end):
        return False
    before, after = text[:start], text[end:]
    opens_line = before.endswith("\n") or (not before and "\n" in text)
    in_column = (
        re.search(r"(?:\t| {2,}|[\[(]|\n\s*)$", before) is not None
        or re.match(r"(?:\t| {2,}|[\])])", after) is not None
    )
    return opens_line or in_column


def _strip(text: str) -> tuple[str, dict[int, str]]:
    """The text without annotations, and each annotation by its place in that text."""
    found: dict[int, str] = {}
    pieces, position, length = [], 0, 0
    for match in _ANNOTATION.finditer(text):
        pieces.append(text[position : match.start()])
        length += match.start() - position
        found[length] = found.get(length, "") + match[0]
        position = match.end()
    return "".join([*pieces, text[position:]]), found
