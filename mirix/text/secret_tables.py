"""Secrets in a column: tables and exports whose head line names a password, a PIN or a key.

Cells are parted by bars, tabs, commas or semicolons ("name,url,username,password"). Texts are folded (`folding`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirix.text.secret_kinds import PASSWORD, Find
from mirix.text.secret_values import is_placeholder

_HEADER_CELL = re.compile(
    r"(?:^|[|\t,;])[ \t]*[\"*]{0,2}(?:password|passwort|passwd|pwd|passcode|pin|secret|api[ _]key|token|密码|口令"
    r"|密钥)[\"*]{0,2}[ \t]*(?=[|\t,;\r\n])",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_LIMIT = 1_000
_ROW_LIMIT = 200


def find_in_columns(text: str) -> Iterator[Find]:
    """The cells below "password" in a table whose cells are parted by bars, tabs, commas or semicolons."""
    table = range(0)
    for header in _HEADER_CELL.finditer(text):
        line_start = text.rfind("\n", max(0, header.start() - _LINE_LIMIT), header.start()) + 1
        if line_start in table:
            continue
        line_end = _line_end(text, header.end())
        line = text[line_start:line_end]
        mark = next((mark for mark in "|\t,;" if mark in line), None)
        if mark is None or header.start() - line_start > _LINE_LIMIT:
            continue
        column = text.count(mark, line_start, header.start() + 1)
        cells = line.count(mark)
        first_row = line_end + 1
        for _ in range(_ROW_LIMIT):
            line_start, line_end = line_end + 1, _line_end(text, line_end + 1)
            if line_start >= len(text) or text.count(mark, line_start, line_end) != cells:
                break
            if span := _cell(text, line_start, line_end, mark, column):
                yield Find(start=span[0], end=span[1], kind=PASSWORD)
        table = range(first_row, line_start)


def _cell(text: str, start: int, end: int, mark: str, column: int) -> tuple[int, int] | None:
    for _ in range(column):
        start = text.index(mark, start, end) + 1
    stop = text.find(mark, start, end)
    cell = text[start : stop if stop >= 0 else end]
    value = cell.strip().strip("\"'`*")
    if len(value) < 3 or is_placeholder(value) or set(value) <= set("-: "):
        return None
    begin = start + cell.index(value)
    return begin, begin + len(value)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start, start + _LINE_LIMIT)
    return end if end >= 0 else min(len(text), start + _LINE_LIMIT)
