"""Sentences, token estimates and chunks: how a long text is cut so that each part can be stored, embedded and shown.

Pure and linear in the length of the text. English and Chinese borders are known alike. Nothing is lost: the spans of
sentences and of chunks (without overlap) lie end to end and cover the text, white space included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK = HAN + "\u3041-\u30ff\u31f0-\u31ff\uac00-\ud7af"

_CJK_CHARACTER = re.compile(rf"[{CJK}]")

Span = tuple[int, int]  # start and end offset in characters, end excluded


@dataclass(frozen=True, kw_only=True)
class Chunk:
    start: int  # offset of its first character in the whole text
    end: int  # offset behind its last character
    text: str  # text[start:end] of the whole text


def is_cjk(character: str) -> bool:
    """A Chinese, Japanese or Korean character, without punctuation."""
    return _CJK_CHARACTER.match(character) is not None


# One match is one token: a word of up to nine letters, three digits, a run of signs, a line end with the white space
# behind it, two letters of another alphabet, one CJK character: the groups into which the tokenisers of byte-pair
# vocabularies cut first. The lengths are set so that English chat gives as many tokens as WordPiece (measured: 13,651
# against 13,602 on 10,428 words; Markdown 8 % and Python code 10 % fewer). One token for a Chinese character is what
# WordPiece gives, too; vocabularies of today's models are said to need between 0.7 and 1.2 (not measured here).
_TOKEN = re.compile(
    rf"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]{{1,9}}|[0-9]{{1,3}}|[{CJK}]|\n\s*|[^\w\s]{{1,3}}|_+|[^\W_]{{1,2}}"
)


def count_tokens(text: str) -> int:
    """About how many tokens a language model sees; 0 for an empty text. Joined texts have at most the sum of theirs."""
    return sum(1 for _ in _TOKEN.finditer(text))


def clip_to_tokens(text: str, max_tokens: int) -> str:
    """The longest beginning of the text with at most `max_tokens` estimated tokens."""
    beyond = next(islice(_TOKEN.finditer(text), max_tokens, None), None)
    return text if beyond is None else text[: beyond.start()]


# A possible end: signs that end a sentence with the quotes or brackets that close behind them, or the end of a line.
# (The signs begin where none stands before them and are taken whole, so that no run of them is looked at twice.)
_END = re.compile(
    r"(?P<wide>[。！？；｡]++[。！？；｡….!?]*+|…{2,}+|⋯{2,}+)[”’」』）》】\"')\]]*+"
    rf"|(?<![.!?…])(?P<narrow>[.!?…]++)(?P<close>[\"'”’)\]»]*+)(?=\s|$|[{CJK}])"
    rf"|(?P<semicolon>;)(?=\s*[{CJK}])"
    r"|(?P<line>\r?\n)"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never the end when they are written with a capital: a name follows.
_TITLES = _words("dr mr mrs ms mx prof st rev hon capt sgt lt gen gov sen rep messrs mme mlle")
# Never the end.
_LINKING = _words("vs cf viz e.g eg i.e ie approx ca")
# Not the end when a number follows: "No. 5", "Nov. 13".
_COUNTING = _words("no nos p pp vol fig figs eq ch sec art tel ext jan feb mar apr jun jul aug sep sept oct nov dec")
# Not the end when the next word is small: "at 5 p.m. on Friday", "Acme Inc. has".
_SHORTENED = _words(
    "etc al a.m p.m inc ltd co corp bros dept est jr sr ph.d m.d b.a m.a u.s u.k u.n e.u d.c ave blvd rd"
)
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t]*(?:\d{1,3}|[A-Za-z])$")
_LIST_MARK = re.compile(
    r"[ \t]*(?:[-*+•·▪◦–]|\d{1,3}[.)、．]|[(（]?\d{1,3}[)）]|[A-Za-z][.)]|[一二三四五六七八九十]+、|\|)[ \t]*\S"
)
# White space and underscores hardly count as tokens, but storing a chunk takes time by the character. A token of
# letters has nine at most, so that ordinary text never comes near this.
CHARACTERS_PER_TOKEN = 16
_WRAPPED_AT = 50  # columns; a shorter line was ended on purpose


def split_sentences(text: str) -> list[str]:
    """The sentences in order, without the white space around them; lines of a list or a form are sentences too."""
    return [sentence for start, end in sentence_spans(text) if (sentence := text[start:end].strip())]


def sentence_spans(text: str) -> list[Span]:
    """Spans that lie end to end and cover the text; white space belongs to the sentence before it."""
    spans: list[Span] = []
    start = 0
    line_start = _skip_space(text, 0)
    for match in _END.finditer(text, line_start):
        if match.end() <= start:
            continue
        if match["line"] is not None:
            ends = _line_ends_sentence(text, line_start, match)
            line_start = match.end()
        else:
            ends = _sign_ends_sentence(text, match)
        if not ends:
            continue
        end = _skip_space(text, match.end())
        spans.append((start, end))
        start = end
    if start < len(text):
        spans.append((start, len(text)))
    return spans


_SPACE = re.compile(r"\s*")


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _sign_ends_sentence(text: str, match: re.Match[str]) -> bool:
    following = _character_after(text, match.end())
    if match["wide"] is not None:
        return not following or following not in "，、,：:"
    if match["semicolon"] is not None:
        return True
    signs = match["narrow"]
    if signs != ".":
        # "Really?" she said. / Well... maybe.
        return not (following.islower() and (match["close"] or signs[0] in ".…"))
    before = text[max(0, match.start() - 24) : match.start()]
    if _LIST_NUMBER.search(before):
        return False
    if match["close"]:
        return True
    word = _last_word(before)
    small = word.lower()
    # A single capital is an initial ("J. Smith"), but for the word I.
    if small in _LINKING or (word[:1].isupper() and (small in _TITLES or (len(word) == 1 and word != "I"))):
        return not following
    if small in _COUNTING and following.isdigit():
        return False
    return not (small in _SHORTENED and following.islower())


def _last_word(before: str) -> str:
    words = before.split()
    return words[-1].lstrip("([\"'“‘") if words and not before[-1].isspace() else ""


def _character_after(text: str, position: int) -> str:
    position = _skip_space(text, position)
    return text[position : position + 1]


def _line_ends_sentence(text: str, line_start: int, match: re.Match[str]) -> bool:
    """A line end ends the sentence too, unless the line looks wrapped: long, unfinished, and going on alike."""
    if text[match.end() : match.end() + 1] in ("\n", "\r", ""):
        return True
    if _LIST_MARK.match(text, match.end()):
        return True
    line = text[max(line_start, match.start() - 2 * _WRAPPED_AT) : match.start()]
    if len(line) + len(_CJK_CHARACTER.findall(line)) < _WRAPPED_AT:
        return True
    last, following = line[-1:], _character_after(text, match.end())
    goes_on = following.islower() or (_CJK_CHARACTER.match(last) and _CJK_CHARACTER.match(following))
    return not goes_on


def chunk_text(text: str, *, max_tokens: int = 350, overlap_sentences: int = 0) -> list[Chunk]:
    """Cut a text into chunks of at most `max_tokens` estimated tokens.

    A chunk closes between paragraphs where it can, else between sentences, else (in a sentence longer than a chunk)
    between words. Code blocks, lists and tables that fit into one chunk are not cut, and a heading stays with what
    follows it. No chunk has more than CHARACTERS_PER_TOKEN * max_tokens characters. With `overlap_sentences` each chunk
    begins with so many sentences of the one before, as far as they fit into a quarter of it.

    Raises ValueError if max_tokens < 8 or overlap_sentences < 0.
    """
    if max_tokens < 8 or overlap_sentences < 0:
        raise ValueError("max_tokens must be at least 8 and overlap_sentences at least 0")
    overlap_tokens = max_tokens // 4 if overlap_sentences else 0
    spans = list(_packed(text, max_tokens - overlap_tokens))
    chunks = []
    for index, (start, end) in enumerate(spans):
        if index and overlap_sentences:
            start = _overlap_start(text, spans[index - 1], overlap_sentences, overlap_tokens)
        chunks.append(Chunk(start=start, end=end, text=text[start:end]))
    return chunks


def _packed(text: str, budget: int) -> Iterator[Span]:
    start, used, end = 0, 0, 0
    for piece_start, piece_end, tokens in _pieces(text, budget):
        if piece_start > start and (used + tokens > budget or piece_end - start > CHARACTERS_PER_TOKEN * budget):
            yield start, piece_start
            start, used = piece_start, 0
        used += tokens
        end = piece_end
    if end > start:
        yield start, end


def _pieces(text: str, budget: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, tokens) of what is kept whole: blocks that fit, else their sentences or lines, else word runs."""
    for start, end, by_line in _blocks(text):
        tokens = count_tokens(text[start:end])
        if tokens <= budget and end - start <= CHARACTERS_PER_TOKEN * budget:
            yield start, end, tokens
            continue
        block = text[start:end]
        for part_start, part_end in _line_spans(block) if by_line else sentence_spans(block):
            part = block[part_start:part_end]
            for cut_start, cut_end, cut_tokens in _word_runs(part, budget):
                yield start + part_start + cut_start, start + part_start + cut_end, cut_tokens


_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_INDENTED = re.compile(r"(?: {4,}|\t)\S")


def _blocks(text: str) -> Iterator[tuple[int, int, bool]]:
    """(start, end, is cut by lines) of paragraphs, code blocks, lists and tables, with the blank lines behind them."""
    held: int | None = None  # start of a heading, or of a line ending in a colon, that waits for its block
    for start, end in _paragraphs(text):
        block = text[start:end].strip("\r\n")
        begin = start if held is None else held
        one_line = "\n" not in block
        if one_line and held is None and end < len(text) and _introduces(block):
            held = start
            continue
        held = None
        yield begin, end, _is_cut_by_lines(block)
    if held is not None:
        yield held, len(text), False


def _introduces(line: str) -> bool:
    return line.startswith("#") or line.rstrip().endswith((":", "："))


def _is_cut_by_lines(block: str) -> bool:
    if _FENCE.match(block):
        return True
    lines = block.splitlines()
    marked = sum(1 for line in lines if _LIST_MARK.match(line) or _INDENTED.match(line))
    return 2 * marked >= len(lines) and marked > 1


def _paragraphs(text: str) -> Iterator[Span]:
    """Runs of lines up to and with the blank lines behind them; a fenced code block is one run, whatever it holds."""
    start = 0
    fence = ""
    blank = False  # a blank line was seen: the next other line begins a new run
    for line_start, line_end in _line_spans(text):
        line = text[line_start:line_end]
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence, blank = "", True
            continue
        if not line.strip():
            blank = line_start > start or blank
            continue
        if (blank or mark) and line_start > start:
            yield start, line_start
            start = line_start
        blank = False
        if mark:
            fence = mark[1]
    if start < len(text):
        yield start, len(text)


def _line_spans(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield start, end
        start = end


def _word_runs(text: str, budget: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, tokens) of parts with at most `budget` tokens, cut behind white space where there is some."""
    longest = CHARACTERS_PER_TOKEN * budget
    start, used = 0, 0
    for match in _TOKEN.finditer(text):
        while match.end() - start > longest:
            end = start + longest
            yield start, end, min(count_tokens(text[start:end]), budget)
            start, used = end, count_tokens(text[end : match.start()]) if end < match.start() else 0
        if used == budget:
            cut = _last_space(text, start, match.start())
            yield start, cut, budget
            start, used = cut, count_tokens(text[cut : match.start()])
        used += 1
    while len(text) - start > longest:
        yield start, start + longest, min(count_tokens(text[start : start + longest]), budget)
        start, used = start + longest, 0
    if start < len(text):
        yield start, len(text), used


_WHITE = re.compile(r"\s\S*$")


def _last_space(text: str, start: int, end: int) -> int:
    """Behind the last white space in the second half of the part, or its end."""
    half = (start + end) // 2
    match = _WHITE.search(text, half, end)
    return match.start() + 1 if match else end


def _overlap_start(text: str, previous: Span, sentences: int, budget: int) -> int:
    start, end = previous
    position = end
    for sentence_start, _ in reversed(sentence_spans(text[start:end])[-sentences:]):
        if count_tokens(text[start + sentence_start : end]) > budget:
            break
        position = start + sentence_start
    return position
