"""Finds secrets in text, cuts them out and keeps the place with a reference. Pure: no storage, no model.

    text → escape_references → find_secrets → (the caller seals each value and makes a reference) → seal_text

`find_secrets` reports what must never be stored, embedded, logged or sent in the clear: passwords, PINs and door codes,
keys and tokens, card, bank and identity numbers, in English and Chinese. `find_exact_values` reports what is merely
worth keeping to the letter: telephone numbers, addresses, links, booking numbers. Spans always index the text as it
was given.

A reference is `{{vault:k7q2}}`. Text from outside could carry one to have somebody else's value filled in, so
look-alikes are made inert first.
"""

from __future__ import annotations

import re
import secrets as system_random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mirix.text.exact_values import find_exact
from mirix.text.folding import FoldedText, fold
from mirix.text.secret_captions import betrays, default_caption, is_chinese, terms_for, value_parts
from mirix.text.secret_cells import Box
from mirix.text.secret_kinds import PASSWORD, Find, SecretSpan, Sensitivity
from mirix.text.secret_phrases import find_labelled
from mirix.text.secret_reading import find_misread
from mirix.text.secret_shapes import find_shapes
from mirix.text.secret_tables import find_in_columns
from mirix.text.secret_twins import find_near, may_stand_in

__all__ = [
    "REFERENCE",
    "SecretSpan",
    "Sensitivity",
    "escape_references",
    "find_exact_values",
    "find_read_secrets",
    "find_references",
    "find_secrets",
    "new_reference",
    "reference_text",
    "seal_text",
    "with_twins",
]

REFERENCE = re.compile(r"\{\{vault:([a-z0-9]{4,8})\}\}")
# Without vowels (no words) and without 0, 1 and l.
_REFERENCE_LETTERS = "23456789bcdfghjkmnpqrstvwxz"
_UNSEEN = r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]{0,8}"
_VAULT = _UNSEEN.join(
    f"[{small}{small.upper()}{chr(ord(small) + 0xFEE0)}{chr(ord(small.upper()) + 0xFEE0)}]" for small in "vault"
)
_LOOK_ALIKE = re.compile(
    rf"[{{｛]{_UNSEEN}[{{｛](?P<inner>{_UNSEEN}{_VAULT}{_UNSEEN}[:：][^{{}}｛｝\n]{{0,40}})(?P<close>[}}｝]{_UNSEEN}["
    rf"}}｝])?"
)
_CONTEXT_CHARS = 400


def find_secrets(text: str, *, before: str = "") -> list[SecretSpan]:
    """The secrets in `text`, all of high sensitivity, by start and without overlap; `text[start:end] == value`.

    `before` is what was said just before (the last message): "What is the wifi password?" lets "It's Plover-1907" be
    understood. Only its end is looked at, and nothing of it is reported. Linear in the length of the text.
    """
    return _find(text, before)


def find_read_secrets(text: str, boxes: Sequence[Box] = (), *, before: str = "") -> list[SecretSpan]:
    """As `find_secrets`, and what text recognisers make of secrets: for text that was read from a picture only.

    `boxes` are those of its lines in pixels, one for each row of the text that is not empty.
    """
    return _find(text, before, boxes)


def _find(text: str, before: str, boxes: Sequence[Box] | None = None) -> list[SecretSpan]:
    context = f"{before[-_CONTEXT_CHARS:]}\n" if before else ""
    folded = fold(context + text)
    finds = _settle(
        folded.text, [*find_shapes(folded.text), *find_labelled(folded.text), *find_in_columns(folded.text)]
    )
    if boxes is not None:
        begin = len(fold(context).text)
        lax = [_named(find, begin, finds) for find in find_misread(folded.text[begin:], boxes)]
        finds = _settle(folded.text, [*finds, *lax])
    finds = _settle(folded.text, [*finds, *_echoes(folded.text, finds)])
    spans = _spans(context + text, folded, finds)
    shift = len(context)
    return [_moved(span, -shift) for span in spans if span.start >= shift]


def _named(find: Find, by: int, finds: Sequence[Find]) -> Find:
    """A find of the lax pass moved to its place, under the caption of what the strict one found there."""
    start, end = find.start + by, find.end + by
    same = next((other for other in finds if other.start < end and start < other.end), find)
    return Find(start=start, end=end, kind=same.kind, caption=same.caption)


def with_twins(text: str, spans: Sequence[SecretSpan], values: Iterable[str]) -> list[SecretSpan]:
    """The spans, and every other place of `text` where one of some known values stands, or a misread twin of it."""
    known = may_stand_in(values, text)
    twins: list[tuple[int, int]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        twins += [(start + first, start + last) for value in known for first, last in find_near(value, line)]
        start += len(line)
    found = list(spans)
    for first, last in twins:
        meeting = [span for span in found if span.start < last and first < span.end]
        start, end = min([first, *(s.start for s in meeting)]), max([last, *(s.end for s in meeting)])
        like = meeting[0] if meeting else _twin(text, first, last)
        found = [span for span in found if span not in meeting]
        found.append(replace(like, start=start, end=end, value=text[start:end]))
    return sorted(found, key=lambda span: span.start)


def _twin(text: str, start: int, end: int) -> SecretSpan:
    """A known value: what it is stands in its entry, so little is said here."""
    kind = PASSWORD
    caption = default_caption(kind, chinese=is_chinese(text[max(0, start - 60) : end + 60]))
    return SecretSpan(
        start=start,
        end=end,
        value=text[start:end],
        entry_type=kind.entry_type,
        sensitivity=kind.sensitivity,
        caption=caption,
        terms=kind.terms,
    )


def find_exact_values(text: str) -> list[SecretSpan]:
    """Values of low and medium sensitivity worth keeping to the letter, by start and without overlap.

    Nothing that `find_secrets` reports is among them.
    """
    folded = fold(text)
    high = find_secrets(text)
    spans = _spans(text, folded, _settle(folded.text, list(find_exact(folded.text))))
    return [span for span in spans if not any(span.start < other.end and other.start < span.end for other in high)]


def seal_text(text: str, spans: Iterable[SecretSpan], reference_for: Callable[[SecretSpan], str]) -> str:
    """`text` with every span of high sensitivity replaced by `{{vault:<reference_for(span)>}}`.

    The spans are those `find_secrets(text)` gave, in any order.
    """
    parts: list[str] = []
    done = 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.sensitivity is Sensitivity.HIGH:
            parts += [text[done : span.start], reference_text(reference_for(span))]
            done = span.end
    return "".join([*parts, text[done:]])


def new_reference(length: int = 4) -> str:
    """A random reference of `length` (4 to 8) letters and digits that are not mistaken for one another.

    The caller sees to it that it is unique for the user, with a longer one when four run short.
    """
    if not 4 <= length <= 8:
        raise ValueError(f"a reference has 4 to 8 characters, not {length}")
    return "".join(system_random.choice(_REFERENCE_LETTERS) for _ in range(length))


def reference_text(reference: str) -> str:
    return f"{{{{vault:{reference}}}}}"


def find_references(text: str) -> list[str]:
    """The references in `text`, in order, each once."""
    return list(dict.fromkeys(REFERENCE.findall(text)))


def escape_references(text: str) -> str:
    """Make everything that looks like a reference inert but readable: `((vault:k7q2))`. Idempotent.

    Full-width and spaced-out forms are caught too, and so is a beginning without an end.
    """
    return _LOOK_ALIKE.sub(lambda found: f"(({found['inner']}{'))' if found['close'] else ''}", text)


def _settle(text: str, finds: list[Find]) -> list[Find]:
    """Without overlap and by start. Of finds that overlap the union is kept, with the kind of the first and widest."""
    references = [found.span() for found in REFERENCE.finditer(text)]
    settled: list[Find] = []
    position = 0
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        while position < len(references) and references[position][1] <= find.start:
            position += 1
        if position < len(references) and references[position][0] < find.end:
            continue
        if settled and find.start < settled[-1].end:
            if find.end > settled[-1].end:
                last = settled[-1]
                settled[-1] = Find(start=last.start, end=find.end, kind=last.kind, caption=last.caption)
            elif find.start == settled[-1].start and find.end == settled[-1].end and not settled[-1].caption:
                settled[-1] = find
            continue
        settled.append(find)
    return settled


def _echoes(text: str, finds: list[Find]) -> list[Find]:
    """Every further place where a value that was found stands as a whole token."""
    known = {text[find.start : find.end]: find for find in finds if find.end - find.start >= 4}
    if not known:
        return []
    echoes: list[Find] = []
    for found in _TOKEN.finditer(text):
        start, token = found.start(), found.group()
        for value in {token, token.strip(".,;:!?'\"()[]{}<>*`_")}:
            if find := known.get(value):
                at = start + token.index(value)
                echoes.append(Find(start=at, end=at + len(value), kind=find.kind, caption=find.caption))
    spaced = [value for value in known if " " in value][:50]
    for value in spaced:
        find = known[value]
        echoes += [
            Find(start=found.start(), end=found.end(), kind=find.kind, caption=find.caption)
            for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text)
        ]
    return echoes


_TOKEN = re.compile(r"[!-~\u00a1-\u024f]+")


def _spans(text: str, folded: FoldedText, finds: list[Find]) -> list[SecretSpan]:
    parts = value_parts(folded.text[find.start : find.end] for find in finds)
    spans: list[SecretSpan] = []
    for find in finds:
        start, end = folded.original_span(find.start, find.end)
        chinese = is_chinese(folded.text[max(0, find.start - 60) : find.end + 60])
        caption = find.caption
        if not caption or betrays(caption, parts):
            caption = default_caption(find.kind, chinese=chinese)
        spans.append(
            SecretSpan(
                start=start,
                end=end,
                value=text[start:end],
                entry_type=find.kind.entry_type,
                sensitivity=find.kind.sensitivity,
                caption=caption,
                terms=terms_for(caption, find.kind),
            )
        )
    return spans


def _moved(span: SecretSpan, by: int) -> SecretSpan:
    return SecretSpan(
        start=span.start + by,
        end=span.end + by,
        value=span.value,
        entry_type=span.entry_type,
        sensitivity=span.sensitivity,
        caption=span.caption,
        terms=span.terms,
    )
