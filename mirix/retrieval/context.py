"""What the answering model is shown: core memory, and the best of what was found within a budget of tokens.

Every item has a number that the answer cites. Hits come in order of rank; a long one is cut to the sentences that
bear on the question, and room that is left goes to the messages beside the best hits: most turns that a search misses
stand within two turns of one that it found. Text is data: our own tags are neutralised in it, and a vault entry shows
its caption and reference, never more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from mirix.memory.core import render_block
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.message import Message
from mirix.memory.record import Record
from mirix.retrieval.hits import Hit
from mirix.text.analyser import tokens
from mirix.text.chunks import clip_to_tokens, count_tokens, sentence_spans
from mirix.text.dates import annotate
from mirix.text.markup import attributes, neutralise

MAX_TOKENS = 1_000  # of the items; core memory comes on top of it, as it always does
ITEM_SHARE = 0.4  # of the budget that one item may take
LEAST_TOKENS = 40  # below this an excerpt says nothing


@dataclass(frozen=True, kw_only=True)
class ContextItem:
    n: int  # the number it is cited by, from 1
    hit: Hit
    text: str  # as the model sees it, without the tag around it
    rendered: str  # with the tag


@dataclass(frozen=True, kw_only=True)
class Context:
    core: Mapping[str, Sequence[str]]  # lines by label
    items: tuple[ContextItem, ...]
    tokens: int  # of the items, estimated

    @property
    def text(self) -> str:
        """As it stands in the prompt."""
        return "\n".join([*_core(self.core), "<context>", *(item.rendered for item in self.items), "</context>"])

    def item(self, n: int) -> ContextItem | None:
        return self.items[n - 1] if 0 < n <= len(self.items) else None

    def with_items(self, more: Sequence[ContextItem]) -> Context:
        added = sum(count_tokens(item.rendered) for item in more)
        return Context(core=self.core, items=(*self.items, *more), tokens=self.tokens + added)


def pack(
    hits: Sequence[Hit],
    core: Mapping[str, Sequence[str]],
    *,
    question: str,
    timezone: str,
    max_tokens: int = MAX_TOKENS,
) -> Context:
    """The context of an answer. `timezone` (IANA) is that of the user; memories are dated in it."""
    items = pack_items(hits, question=question, timezone=timezone, max_tokens=max_tokens)
    return Context(core=core, items=tuple(items), tokens=sum(count_tokens(item.rendered) for item in items))


def pack_items(
    hits: Sequence[Hit],
    *,
    question: str,
    timezone: str,
    max_tokens: int,
    first: int = 1,
    shown: Collection[UUID] = (),
) -> list[ContextItem]:
    """Items for as many hits as fit, numbered from `first`; what is `shown` already is left out."""
    words = frozenset(tokens(question))
    chosen: dict[UUID, tuple[Hit, str]] = {}
    left = max_tokens
    for hit in (hit for hit in hits if hit.id not in shown):
        frame = _frame_tokens(hit, timezone)
        text = _fitted(hit, words, min(left - frame, max(int(max_tokens * ITEM_SHARE), LEAST_TOKENS)))
        if text is not None:
            chosen[hit.id] = (hit, text)
            left -= count_tokens(text) + frame
    for near in _neighbours([hit for hit, _ in chosen.values()]):
        cost = count_tokens(_body(near)) + _frame_tokens(near, timezone)
        if near.id not in chosen and near.id not in shown and cost <= left:
            chosen[near.id] = (near, _body(near))
            left -= cost
    ordered = sorted(chosen.values(), key=lambda each: _place(each[0], hits))
    return [
        ContextItem(n=number, hit=hit, text=text, rendered=_render(number, hit, text, timezone))
        for number, (hit, text) in enumerate(ordered, first)
    ]


def _neighbours(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The messages beside the hits, best hits first, as hits of their own."""
    for hit in hits:
        for message in hit.neighbours:
            yield Hit(
                id=message.id,
                kind=None,
                message=message,
                score=0.0,
                source_ids=(message.id,),
                outdated=message.standing == "outdated",
            )


def _place(hit: Hit, hits: Sequence[Hit]) -> tuple[int, int]:
    """By rank; the messages beside a hit stand next to it in the order they were said."""
    for rank, other in enumerate(hits):
        if other.id == hit.id:
            return rank, other.message.position if other.message else 0
        if hit.message is not None and any(near.id == hit.id for near in other.neighbours):
            return rank, hit.message.position
    return len(hits), 0


def _fitted(hit: Hit, words: Collection[str], room: int) -> str | None:
    """The text of a hit in at most `room` tokens; None where that is too little to say anything."""
    text = _body(hit)
    if count_tokens(text) <= room:
        return text
    return excerpt(text, words, room) if room >= LEAST_TOKENS else None


def excerpt(text: str, words: Collection[str], max_tokens: int) -> str:
    """The sentences that share most words with a question, in their order, " … " between what is not adjacent."""
    listed = sentence_spans(text)
    wanted = set(words)
    by_worth = sorted(range(len(listed)), key=lambda i: (-len(wanted & set(tokens(text[slice(*listed[i])]))), i))
    chosen: list[int] = []
    left = max_tokens
    for index in by_worth:
        cost = count_tokens(text[slice(*listed[index])]) + 1
        if cost <= left:
            chosen.append(index)
            left -= cost
    if not chosen:
        return clip_to_tokens(text, max_tokens).rstrip() + " …"
    parts = []
    for before, index in zip([-1, *sorted(chosen)], sorted(chosen), strict=False):
        parts.append(("… " if index > before + 1 else "") + text[slice(*listed[index])].strip())
    return " ".join(parts) + (" …" if max(chosen) < len(listed) - 1 else "")


def _body(hit: Hit) -> str:
    if hit.message is not None:
        local = hit.message.at.astimezone(ZoneInfo(hit.message.timezone))
        return neutralise(annotate(hit.message.text, local, hit.message.timezone))
    if isinstance(hit.record, VaultRecord):
        return f"{{{{vault:{hit.record.reference}}}}}"
    return neutralise(hit.record.body()) if hit.record is not None else ""


def render_hit(number: int, hit: Hit, timezone: str) -> str:
    """A hit whole, as a model is shown it."""
    return _render(number, hit, _body(hit), timezone)


def _frame_tokens(hit: Hit, timezone: str) -> int:
    return count_tokens(_render(99, hit, "", timezone))


def _render(number: int, hit: Hit, text: str, timezone: str) -> str:
    values = {"n": str(number)}
    if hit.message is not None:
        values |= _of_message(hit.message)
    elif hit.record is not None:
        values |= _of_record(hit.record, timezone)
    values |= {"outdated": "true"} if hit.outdated else {}
    return f"<item {attributes(values)}>{text}</item>"


def _of_message(message: Message) -> dict[str, str]:
    """Few words, for many messages stand in a context: the time is that of the place where it was said."""
    local = message.at.astimezone(ZoneInfo(message.timezone)).replace(tzinfo=None)
    values = {"at": local.isoformat(timespec="minutes"), "role": "" if message.role == "user" else message.role}
    values["speaker"] = message.speaker
    return values | {"app": message.application or "", "title": message.title or ""}


def _of_record(record: Record, timezone: str) -> dict[str, str]:
    when = (record.occurred_at or record.valid_from).astimezone(ZoneInfo(timezone))
    return {"type": record.memory_kind.value, "at": when.date().isoformat()} | record.attributes()


def _core(core: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "<core_memory>"
    for label, lines in core.items():
        yield f"<block {attributes({'label': label})}>\n{neutralise(render_block(lines))}\n</block>"
    yield "</core_memory>"
