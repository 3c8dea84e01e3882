"""Relative time expressions with their meaning behind them: "I moved last Friday [2026-11-06]"."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import datetime

from mirix.text.dates.mentions import find_mentions
from mirix.text.dates.ranges import format_range

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}"
_ANNOTATION = re.compile(
    rf" \[(?:{_DAY}(?: {_CLOCK})?(?:–(?:{_DAY}(?: {_CLOCK})?|{_CLOCK}))?|\d{{4}}(?:-\d{{2}}|–\d{{4}})?)\]"
)
_PLAIN_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}(?::\d{2})?")
_COLUMN_BEFORE = re.compile(r"(?:\t| {2,}|[\[(]|\n\s*)$")
_COLUMN_BEHIND = re.compile(r"\t| {2,}|[\])]")
_INDENT = 80  # characters of white space before a clock time that opens a line
_POSSESSIVE = re.compile(r"['’]s\b|(?<=s)['’](?=\s)")


def annotate(text: str, anchor: datetime, timezone: str) -> str:
    """`text` with ` [range]` behind every expression whose meaning depends on when it was said.

    What is annotated already stays as it is, so a second pass changes nothing. See `format_range` for the forms.
    Raises InputError if `anchor` is naive or `timezone` is no IANA name.
    """
    # Expressions are looked for in the text without its annotations, so that these cannot change what is found.
    bare, inserted = _strip(text)
    given = sorted(inserted)
    for mention in find_mentions(bare, anchor, timezone):
        possessive = _POSSESSIVE.match(bare, mention.end_index)
        end = possessive.end() if possessive else mention.end_index
        is_annotated = bisect_right(given, mention.start_index) < bisect_right(given, end)
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
    opens_line = text[start - 1] == "\n" if start else "\n" in text
    # What stands far before it is not looked at: the time taken grows with the text and not faster.
    in_column = _COLUMN_BEFORE.search(text[max(0, start - _INDENT) : start]) or _COLUMN_BEHIND.match(text, end)
    return opens_line or in_column is not None


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
