"""What stands on a screen, as statements: a screen says little in sentences.

Recognised text is short lines, blank ones between what stands apart, two blanks between what stands beside each other.
A statement is a line with what belongs to it: a value with its label beside or above it, a message with the name over
it, a row of a table with its header, the cells of one column of a calendar, a sentence that runs over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mirix.models.builtin.language import HAN, content_terms, is_chinese, plain, split_sentences
from mirix.models.builtin.prompt import Item

NEAR = 4  # lines above and below that may tell what a line is about
_WRAPPED_AT = 45  # columns; a shorter line was ended on purpose
_CELLS = re.compile(r"\s{2,}|\t|\s*\|\s+(?=\S)")
_HAN_GAP = re.compile(
    r"(?<=[\u3400-\u9fff\d]) (?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff\d,.:;!?。，：])"
)
_BADGE = re.compile(r"^(?:[^\w\s¥€£$(\"'{~./#-]{1,3}|[_|©•·●>]+) +(?=\w)")
NAME = re.compile(
    r"(?<!The )(?<!the )(?!(?:The|An?|My|Our|Your|Not|New|Re) )(?:[A-ZÀ-Þ][\w'’-]+ ){1,2}[A-ZÀ-Þ][\w'’-]+"
)
_NAME_LINE = re.compile(
    rf"(?:\W{{0,3}}|[a-z@©]{{1,2}} )(?P<name>{NAME.pattern}|[\u3400-\u9fff]{{2,3}})(?: \d\d?:\d\d| [A-Z][a-z]{{2}})?\W*"
)
_LABEL = re.compile(r"(?=.*[^\W\d])(?:(?!\d)[^\s:]+(?: (?!\d)[^\s:]+){0,3}) ?:?")
_PLAIN_LABEL = re.compile(r"(?P<label>[^\W\d][^:\n]{0,30}?)(?<!\d) ?: ?(?P<value>\S.*)")
_GAP = "…"
_DAYS = {
    day[:length]: day
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    for length in ((3, 4, 5) if day[0] == "T" else (3,))
}
_DAY_NAME = re.compile(rf"\b(?:{'|'.join(sorted(_DAYS, key=len, reverse=True))})(?= ?\d|\b)")
_SENDER = re.compile(rf"(?:{NAME.pattern}|[\u4e00-\u9fff]{{2,4}}) ?\d\d?:\d\d(?: \[[^\]]*\])?")
_RETOLD_TITLE = re.compile(r"(?P<title>.{3,120}? [-–—] [\w#. ]{2,24}): (?P<rest>\S.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a screen says in one place."""

    item: Item
    text: str  # as it is quoted
    label: str = ""  # what it is the value of: words beside or above it, the name of who says it, a header
    speaker: str = ""  # whose name stands over it
    order: int = 0  # of its line
    terms: frozenset[str]  # of text and label
    beside: frozenset[str]  # of its whole line or paragraph
    near: frozenset[str]  # of the lines around
    above: frozenset[str]  # of all lines before it
    around: frozenset[str]  # of the whole screen, its title included


@dataclass(frozen=True, kw_only=True)
class _Part:
    text: str
    label: str = ""
    speaker: str = ""
    order: int = 0


def statements_of(items: Sequence[Item]) -> list[Statement]:
    """The statements of all screens, in order."""
    return [statement for item in items if item.is_screen for statement in _of_item(item)]


def terms_of(text: str) -> frozenset[str]:
    """Comparable terms, for Chinese pairs of characters and lone ones."""
    bare = _DAY_NAME.sub(lambda day: _DAYS[day.group()], _HAN_GAP.sub("", plain(text)))
    return frozenset({*content_terms(bare), *HAN.findall(bare)})


def is_name(text: str) -> bool:
    """Whether a line is somebody's name and nothing else."""
    return _NAME_LINE.fullmatch(text.strip()) is not None


def _of_item(item: Item) -> Iterator[Statement]:
    titled = _RETOLD_TITLE.fullmatch(item.text) if item.kind not in {"message", "resource"} else None
    if titled is not None:
        item = replace(item, name=item.name or titled["title"], text=titled["rest"])
    blocks = _blocks(item.text)
    lines = [line for block in blocks for line in block]
    by_line = [terms_of(line) for line in lines]
    around = frozenset().union(terms_of(f"{item.name} {item.application}"), *by_line)
    parts: list[_Part] = []
    start = 0
    days: list[str] = []  # over the columns of a calendar
    for block in blocks:
        days = next((cells for line in block if _are_days(cells := _CELLS.split(line))), days)
        parts += _parts(block, start, lines[start - 1] if start else "", days)
        start += len(block)
    for part in dict.fromkeys(parts):
        near = frozenset().union(*by_line[max(part.order - NEAR, 0) : part.order + NEAR + 1])
        own = terms_of(f"{part.label} {part.speaker} {part.text}")
        yield Statement(
            item=item,
            text=part.text,
            label=part.label,
            speaker=part.speaker,
            order=part.order,
            terms=own,
            beside=by_line[part.order],
            near=near,
            above=frozenset().union(*by_line[: part.order]),
            around=around,
        )


def _blocks(text: str) -> list[list[str]]:
    """The lines that stand together, wrapped ones joined."""
    blocks: list[list[str]] = [[]]
    for raw in text.splitlines():
        line = _BADGE.sub("", _HAN_GAP.sub("", raw.strip()))
        if not line or line == _GAP:
            blocks.append([])
        elif blocks[-1] and _goes_on(blocks[-1][-1], line):
            blocks[-1][-1] += ("" if is_chinese(line) else " ") + line
        else:
            blocks[-1].append(line)
    return [block for block in blocks if block]


def _goes_on(before: str, line: str) -> bool:
    """Whether a line is the rest of the one before."""
    if len(plain(before)) + len(HAN.findall(before)) < _WRAPPED_AT or before[-1] in ".!?。！？:：…" or is_name(line):
        return False
    return line[0].islower() or (
        "  " not in before + line and HAN.match(before[-1]) is not None and HAN.match(line[0]) is not None
    )


def _parts(block: Sequence[str], start: int, above: str, days: Sequence[str]) -> Iterator[_Part]:
    # In a list of mails the sender and the hour say nothing of what stands beside them.
    rows = [[cell for cell in _CELLS.split(line) if not _SENDER.fullmatch(cell)] for line in block]
    speaker = _name_of(above)
    for at, line in enumerate(block):
        order = start + at
        before = block[at - 1] if at else above
        own = _name_of(line)
        if own:
            speaker = own
        said_by = speaker if _name_of(before) and not own else ""
        cells = rows[at]
        line = "  ".join(cells)
        if line:
            yield from _sentences(cells, line, said_by, order)
        yield from _pairs(cells, order)
        if line and _is_label(before) and len(cells) == 1 and not _name_of(before):
            yield _Part(text=line, label=before, order=order)
    yield from _tables(rows, start, days)


def _sentences(cells: Sequence[str], line: str, speaker: str, order: int) -> Iterator[_Part]:
    """A line as it stands, or its sentences, where it has several."""
    said = split_sentences(line) if len(line) > _WRAPPED_AT else [line]
    for sentence in said:
        labelled = _PLAIN_LABEL.fullmatch(sentence) if len(cells) == 1 else None
        label = labelled["label"] if labelled is not None else ""
        yield _Part(text=sentence, label=label, speaker=speaker, order=order)


def _pairs(cells: Sequence[str], order: int) -> Iterator[_Part]:
    """The cells of a line, each with the one before it as its label."""
    for label, value in pairwise(cells):
        if _is_label(label):
            yield _Part(text=value, label=label, order=order)


def _tables(rows: Sequence[Sequence[str]], start: int, days: Sequence[str]) -> Iterator[_Part]:
    """Where lines have the same number of cells: each cell with its header, each row, each column."""
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and len(rows[end]) == len(rows[at]) > 1:
            end += 1
        run = rows[at:end]
        if len(run) > 1:
            header = run[0]
            if not any(re.search(r"\d", cell) for cell in header):
                for offset, row in enumerate(run[1:], 1):
                    for name, cell in zip(header, row, strict=True):
                        yield _Part(
                            text=cell,
                            label=f"{name} {' '.join(row)}" if len(row) > 2 else name,
                            order=start + at + offset,
                        )
            if len(run) <= 4:
                over = days if len(days) == len(header) and list(days) != list(header) else [""] * len(header)
                for day, column in zip(over, zip(*run, strict=True), strict=True):
                    yield _Part(text=" ".join(column), label=day, order=start + at)
        at = max(end, at + 1)


def _are_days(cells: Sequence[str]) -> bool:
    return len(cells) > 1 and all(_DAY_NAME.search(cell) or re.search("[周日]", cell) for cell in cells)


def _name_of(line: str) -> str:
    found = _NAME_LINE.fullmatch(line.strip()) if line else None
    return found["name"] if found is not None else ""


def _is_label(text: str) -> bool:
    text = plain(text).strip()
    return (
        len(text) <= 32
        and len(HAN.findall(text)) <= 8
        and not re.search(r"[,.!?，。！？]", text)
        and _LABEL.fullmatch(text) is not None
    )
