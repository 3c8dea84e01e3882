"""What the answering model is shown: core memory, and the best of what was found within a budget of tokens.

Every item has a number that the answer cites. Hits come in order of rank; a long one is cut to the sentences that
bear on the question. A memory is shown by its summary first, so that many fit where many are counted. Room that is left
goes to messages that a memory retells, to the details of memories, and to the messages beside the best hits: most turns
that a search misses stand within two turns of one that it found. Text is data: our own tags are neutralised in it, and
a vault entry shows its caption and reference, never more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from mirix.memory.core import render_block
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record
from mirix.retrieval.hits import Hit
from mirix.retrieval.screen_excerpt import screen_excerpt, words_shown
from mirix.text.analyser import tokens
from mirix.text.chunks import clip_to_tokens, count_tokens, sentence_spans
from mirix.text.dates import annotate
from mirix.text.markup import attributes, neutralise, one_line

MAX_TOKENS = 1_000  # of the items; core memory comes on top of it, as it always does
ITEM_SHARE = 0.4  # of the budget that one item may take
SCREEN_SHARE = 0.18  # of a screen: the lines that matter are few, and more screens are looked at
SCREEN_TOKENS = 150  # that a screen may take of a small budget
_SUMMED_UP = frozenset({MemoryKind.EPISODIC, MemoryKind.SEMANTIC})  # one line tells what happened or is known
_SAY_NOTHING = frozenset({"event", "human"})  # as most are: they cost room
LEAST_TOKENS = 40  # below this an excerpt says nothing


@dataclass(frozen=True, kw_only=True)
class ContextItem:
    n: int  # the number it is cited by, from 1
    hit: Hit
    text: str  # as the model sees it, without what stands before it
    rendered: str  # with number, time, speaker and the like


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
    seen: set[tuple[str, ...]] = set()  # lines of screens
    own, retold = _retold([hit for hit in hits if hit.id not in shown], words)
    for hit in [*own, *retold]:
        frame = _frame_tokens(hit, timezone)
        if _is_screen(hit):
            lines = _of_screen(hit, words, min(left - frame, max(int(max_tokens * SCREEN_SHARE), SCREEN_TOKENS)))
            told = words_shown(lines, words)
            # A screen changes little from one picture to the next: what only shows the same lines again says nothing.
            if lines and not (told and told <= seen):
                chosen[hit.id] = (hit, lines)
                left -= count_tokens(lines) + frame
                seen |= told
            continue
        wanted = _brief(hit, words)
        if any(wanted in said for _, said in chosen.values()):
            wanted = _body(hit)  # its details are what it adds
        text = _fitted(wanted, words, min(left - frame, max(int(max_tokens * ITEM_SHARE), LEAST_TOKENS)))
        if text is not None:
            chosen[hit.id] = (hit, text)
            left -= count_tokens(text) + frame
    for hit, text in [each for each in chosen.values() if not _is_screen(each[0])]:
        cost = count_tokens(_body(hit)) - count_tokens(text)
        if text == _brief(hit, words) and 0 < cost <= left:
            chosen[hit.id] = (hit, _body(hit))
            left -= cost
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


def _retold(hits: Sequence[Hit], words: Collection[str]) -> tuple[list[Hit], list[Hit]]:
    """The hits, and the messages that come behind them all: a memory before such a one rests on it and holds all words
    of the question that it holds. What it says beside them fills what room is left."""
    told: dict[UUID, set[str]] = {}  # by message: the words that memories tell of it
    own: list[Hit] = []
    retold: list[Hit] = []
    for hit in hits:
        held = set(tokens(hit.text))
        if hit.record is not None and not hit.outdated:
            for source in hit.source_ids:
                told.setdefault(source, set()).update(held)
        is_retold = hit.message is not None and hit.id in told and held & set(words) <= told[hit.id]
        (retold if is_retold else own).append(hit)
    return own, retold


def _is_screen(hit: Hit) -> bool:
    """Whether a hit is the text of a screen, not what was made of it."""
    if hit.message is not None:
        return hit.message.mime.startswith("image/")
    is_kept = hit.record is not None and hit.record.memory_kind is MemoryKind.RESOURCE
    return is_kept and hit.record is not None and hit.record.source_kind == "screen"


def _of_screen(hit: Hit, words: Collection[str], room: int) -> str:
    """The lines of a screen that bear on a question, its days resolved; "" where there is no room for them."""
    if room < LEAST_TOKENS:
        return ""
    message = hit.message
    if message is None:
        return screen_excerpt(_body(hit), words, room)
    local = message.at.astimezone(ZoneInfo(message.timezone))
    shown = annotate(screen_excerpt(message.text, words, room), local, message.timezone)
    cost = count_tokens(shown)
    if cost > room:  # the resolved days cost room as well
        shown = annotate(screen_excerpt(message.text, words, room * room // cost), local, message.timezone)
    return neutralise(shown)


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


def _fitted(text: str, words: Collection[str], room: int) -> str | None:
    """A text in at most `room` tokens; None where that is too little to say anything."""
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
    return neutralise(hit.record.told()) if hit.record is not None else ""


def _brief(hit: Hit, words: Collection[str]) -> str:
    """A memory without its details, where they hold no further word of the question; else the whole."""
    if hit.record is None or hit.record.memory_kind not in _SUMMED_UP:
        return _body(hit)
    further = set(tokens(hit.record.details)) & set(words) - set(tokens(hit.record.summary))
    return _body(hit) if further else neutralise(replace(hit.record, details="").body())


def render_hit(number: int, hit: Hit, timezone: str) -> str:
    """A hit whole, as a model is shown it."""
    return _render(number, hit, _body(hit), timezone)


def _frame_tokens(hit: Hit, timezone: str) -> int:
    return count_tokens(_render(99, hit, "", timezone))


def _render(number: int, hit: Hit, text: str, timezone: str) -> str:
    """`[2] 2026-11-13 09:14 Anna (app="Mail"): text`: the words of a chat weigh little, and so must what stands round
    them. Nothing in a text looks like another item, for its further lines are set in."""
    values: dict[str, str] = {}
    if hit.message is not None:
        values = _of_message(hit.message)
    elif hit.record is not None:
        values = _of_record(hit, hit.record, timezone)
    head = [f"[{number}]", values.pop("at", ""), one_line(values.pop("speaker", "") if hit.message else "")]
    further = attributes(values | ({"outdated": "true"} if hit.outdated else {}))
    head += [f"({further})"] if further else []
    return f"{' '.join(filter(None, head))}: {_set_in(text)}"


def _set_in(text: str) -> str:
    return "\n  ".join(text.splitlines())


def _of_message(message: Message) -> dict[str, str]:
    """Few words, for many messages stand in a context: the time is that of the place where it was said."""
    local = message.at.astimezone(ZoneInfo(message.timezone)).replace(tzinfo=None)
    values = {"at": local.isoformat(" ", timespec="minutes"), "role": "" if message.role == "user" else message.role}
    values["speaker"] = message.speaker
    return values | {"app": message.application or "", "title": message.title or ""}


def _of_record(hit: Hit, record: Record, timezone: str) -> dict[str, str]:
    zone = ZoneInfo(timezone)
    when = (record.occurred_at or record.valid_from).astimezone(zone)
    values = {"type": record.memory_kind.value, "at": when.date().isoformat()}
    if hit.outdated and record.valid_to is not None:
        values["until"] = record.valid_to.astimezone(zone).date().isoformat()
    if record.source_kind == "screen" and not isinstance(record, VaultRecord):
        values["source"] = "screen"
    own = {name: value for name, value in record.attributes().items() if value not in {hit.speaker, *_SAY_NOTHING}}
    return values | {"speaker": "" if isinstance(record, VaultRecord) else hit.speaker} | own


def _core(core: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "<core_memory>"
    for label, lines in core.items():
        body = neutralise(render_block([_set_in(line) for line in lines]))
        yield f"<block {attributes({'label': label})}>\n{body}\n</block>"
    yield "</core_memory>"
