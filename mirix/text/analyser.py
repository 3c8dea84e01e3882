"""Text to terms: the one analyser for documents and queries of the lexical (BM25) search.

Sits under the posting table: `memory` stores `analyse(text)` of every message and memory, `retrieval` looks up
`query_terms(question)`. Both go through `tokens`, so what a text is asked for is always among what it was filed under.

What becomes a token, after NFKC and case folding:

- A word of a spaced script: stemmed by Snowball (English for Latin letters unless told otherwise, Russian for Cyrillic
  and so on), accents cut from Latin letters, English function words left out. `not` and `no` stay, and so do `will` and
  `may`: they are also names, and BM25 weighs down what is common anyway.
- A compound (`wi-fi`, `ERR_5127`, `2026-11-06`, `anna@post.example`, a link): whole, without `-`, `_` and `'`, so that
  `wi-fi` and `wifi` meet, and in parts. `06` is `6`; `10km` is also `10` and `km`; decimals, versions and IP addresses
  stay whole; `EM20260430X7` is one token.
- A run of an unspaced script (Chinese, Japanese, Korean, Thai …), cut at Chinese particles and question words: its
  bigrams, and each single Han or Hangul character that is not a function word, so that a one-character question finds
  the middle of a run. A numeral of two or more characters is also its digits: 三十四 is also `34`.
- An emoji, without skin tone and variant.

Changing any of this changes what is stored: raise `ANALYSER_VERSION`, and the postings are rebuilt.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

import regex
import Stemmer

ANALYSER_VERSION = 1

_SMALLINT_MAX = 32767  # frequencies and lengths are smallint in the posting table
_LONGEST_WORD = 64  # characters; what is longer is a key or a blob: neither stemmed nor cached

_FUNCTION_WORDS = """
    a an the this that these those and or but if so than then as of in on at to for from by with about into
    i me my mine myself you your yours he him his she her hers it its we us our ours they them their theirs
    am is are was were be been being do does did doing done have has had having would could should shall can must
    what when where which who whom whose why how there here just also too very
    isnt arent wasnt werent dont doesnt didnt havent hasnt hadnt wouldnt couldnt shouldnt cant cannot wont
    http https www
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
_NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve"  # "one" is a pronoun as often
_NUMBERS = {word: str(value) for value, word in enumerate(_NUMBER_WORDS.split(), start=2)}

# Runs are cut here: particles and question words stand in every question and tell nothing of its subject.
_CHINESE_BREAK = re.compile("为什么|怎么样|什么|怎么|怎样|如何|多少|哪里|哪儿|哪个|哪些|哪|谁|[的了吗呢吧啊呀嘛么]")
# Too common to stand alone or beside each other; a pair with another character stays (成都 is a city, 都 is "all").
_CHINESE_STOP = frozenset("是我你您他她它们这那在和与也都就很有不个上下来去说要会")

_NUMERAL = re.compile("[〇零一二两三四五六七八九十][〇零一二两三四五六七八九十百千万亿]+")
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_LONGEST_NUMERAL = 20  # characters; with units in it, more is no number, and its value could have any size
_SMALL_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE_UNITS = {"万": 10_000, "亿": 100_000_000}

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]"
_PIECE = regex.compile(
    rf"(?P<run>[{_UNSPACED}]+)|(?P<word>{_LETTER}++(?:[-_'./:@&=#?%+~]{_LETTER}++)*+)"
    r"|(?P<emoji>[\U0001F1E6-\U0001F1FF]{2}|[\p{Extended_Pictographic}])",
    regex.V1,
)
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:[-_'./:@&=#?%+~][a-z0-9]+)*")
_SINGLES = regex.compile(r"[\p{Han}\p{Hangul}]")
_THOUSANDS = re.compile(r"(?<![0-9,.])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")
_SEPARATOR = re.compile(r"[-_'./:@&=#?%+~]|(?<=[0-9])t(?=[0-9]{2}:)")  # the t of 2026-11-06t09:05 parts too
_JOINED_AWAY = str.maketrans("", "", "-_'")
_CLITIC = re.compile(r"'(?:s|m|d|re|ve|ll)$")
_DOTTED_NUMBER = re.compile(r"v?([0-9]{1,3}(?:\.[0-9]{1,3})+)")
_QUANTITY = re.compile(r"([0-9]+)([a-z]{1,3})")
# Typographic apostrophes and hyphens, and characters that only steer the display (soft hyphen, joiners, variants).
_NORMAL_FORMS = str.maketrans(
    dict.fromkeys("’‘ʼ", "'")
    | dict.fromkeys("‐‑", "-")
    | dict.fromkeys(
        "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
    )
)

# First code point of each block of letters and its stemmer; the last block that begins before a letter is the one.
_LATIN = "latin"  # the language that was asked for
_STEMMERS_BY_BLOCK: tuple[tuple[int, str | None], ...] = (
    (0x0000, _LATIN),
    (0x0370, "greek"),
    (0x0400, "russian"),
    (0x0530, "armenian"),
    (0x0590, None),
    (0x0600, "arabic"),
    (0x0700, None),
    (0x0900, "hindi"),
    (0x0980, None),
    (0x0B80, "tamil"),
    (0x0C00, None),
    (0x1E00, _LATIN),
    (0x1F00, "greek"),
    (0x2000, None),
)

_local = threading.local()


@dataclass(frozen=True, kw_only=True)
class Analysis:
    terms: tuple[int, ...]  # distinct, ascending; signed 32-bit
    frequencies: tuple[int, ...]  # of each term, 1 to 32767
    length: int  # all tokens of the text, at most 32767


def tokens(text: str, *, language: str = "english") -> list[str]:
    """The tokens of any text, in order, repeats kept; a compound's parts follow the whole.

    `language` names the Snowball stemmer for words in Latin letters; it must be the same for documents and queries.
    Raises KeyError if Snowball has no such language.
    """
    text = _normal(text)
    if text.isascii():
        return [token for word in _ASCII_WORD.findall(text) for token in _word_tokens(word, language)]
    found: list[str] = []
    for piece in _PIECE.finditer(text):
        if piece.lastgroup == "word":
            found.extend(_word_tokens(piece.group(), language))
        elif piece.lastgroup == "run":
            found.extend(_run_tokens(piece.group()))
        else:
            found.append(piece.group())
    return found


def term_id(token: str, *, key: bytes = b"") -> int:
    """The token as a signed 32-bit integer: the first four bytes of its (keyed) BLAKE2b.

    With a key (at most 64 bytes) the index tells nothing of the words to those who do not have it. Two of 60,000
    distinct tokens share an id about half of the time, which costs a search nothing that could be noticed.
    """
    return _cached_hash(token, key) if len(token) <= _LONGEST_WORD else _hash(token, key)


def analyse(text: str, *, extra: Iterable[str] = (), key: bytes = b"") -> Analysis:
    """What is stored for a document: its terms, how often each stands in it, and its length in tokens.

    `extra` are further texts it is to be found by, such as keywords; they count like the text itself.
    """
    by_term = Counter([term_id(token, key=key) for words in (text, *extra) for token in tokens(words)])
    terms = tuple(sorted(by_term))
    return Analysis(
        terms=terms,
        frequencies=tuple(min(by_term[term], _SMALLINT_MAX) for term in terms),
        length=min(by_term.total(), _SMALLINT_MAX),
    )


def query_terms(text: str, *, key: bytes = b"") -> list[int]:
    """The distinct terms of a question, in order of first appearance; empty if it holds function words only."""
    return [term_id(token, key=key) for token in dict.fromkeys(tokens(text))]


def _hash(token: str, key: bytes) -> int:
    digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=4, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)


# Words repeat: the caches save two thirds of the time. They are bounded in number and in the length of an entry.
_cached_hash = lru_cache(maxsize=1 << 16)(_hash)


def _normal(text: str) -> str:
    if text.isascii():
        text = text.lower()
    else:
        # Folding and cutting can undo the normal form, so it is made again.
        folded = unicodedata.normalize("NFKC", text).casefold().translate(_NORMAL_FORMS)
        text = unicodedata.normalize("NFKC", folded)
    if "," in text:
        text = _THOUSANDS.sub(lambda number: number.group().replace(",", ""), text)
    return text


def _word_tokens(word: str, language: str) -> tuple[str, ...]:
    return _cached_split(word, language) if len(word) <= _LONGEST_WORD else _split_word(word, language)


def _split_word(word: str, language: str) -> tuple[str, ...]:
    word = _CLITIC.sub("", word)
    if dotted := _DOTTED_NUMBER.fullmatch(word):
        return (dotted.group(1),)
    whole = word.translate(_JOINED_AWAY)
    if whole in _STOP_WORDS:
        return ()
    quantity = _QUANTITY.fullmatch(whole)
    parts = list(quantity.groups()) if quantity else _SEPARATOR.split(word)
    if len(parts) == 1:
        return (_stem(whole, language),)
    if "'" in word:  # the single letter of o'brien or l'eau is no word
        parts = [part for part in parts if len(part) > 1]
    return (_stem(whole, language), *(_stem(part, language) for part in parts if part not in _STOP_WORDS))


_cached_split = lru_cache(maxsize=1 << 16)(_split_word)


def _stem(word: str, language: str) -> str:
    if len(word) > _LONGEST_WORD:
        return word
    if language == "english" and word in _NUMBERS:
        return _NUMBERS[word]
    if word.isdecimal():
        return word[1:] if len(word) == 2 and word[0] == "0" else word
    name = _stemmer_of(word[0])
    if name != _LATIN:
        return _stemmed(word, name) if name else word
    if language == "english":  # its stemmer knows ASCII only; the others need their accents
        return _stemmed(_without_accents(word), language)
    return _without_accents(_stemmed(word, language))


def _stemmed(word: str, language: str) -> str:
    """The stem of a word, by one stemmer for each thread: PyStemmer's objects must not be shared between threads."""
    if word.isascii() and not word.isalpha():
        return word
    stemmers: dict[str, Stemmer.Stemmer] = _local.__dict__.setdefault("stemmers", {})
    if language not in stemmers:
        stemmers[language] = Stemmer.Stemmer(language)
    stem: str = stemmers[language].stemWord(word)
    return stem or word  # the Arabic stemmer leaves nothing of a lone vowel sign


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(mark for mark in unicodedata.normalize("NFKD", word) if not unicodedata.combining(mark)) or word


def _stemmer_of(letter: str) -> str | None:
    code = ord(letter)
    return next((name for first, name in reversed(_STEMMERS_BY_BLOCK) if code >= first), None)


def _run_tokens(run: str) -> list[str]:
    found = [digits for numeral in _NUMERAL.findall(run) if (digits := _numeral_digits(numeral))]
    for part in _CHINESE_BREAK.split(run):
        if len(part) == 1 and part not in _CHINESE_STOP:
            found.append(part)
        elif len(part) > 1:
            found.extend(a + b for a, b in pairwise(part) if a not in _CHINESE_STOP or b not in _CHINESE_STOP)
            found.extend(single for single in _SINGLES.findall(part) if single not in _CHINESE_STOP)
    return found


def _numeral_digits(numeral: str) -> str:
    """三十四 → 34, 二〇二六 → 2026, 零四一七 → 0417, 一百零五 → 105, 两万三 → 23000; "" for 三四, "some"."""
    if all(character in _DIGITS for character in numeral):
        return "".join(str(_DIGITS[character]) for character in numeral) if len(numeral) > 2 else ""
    if len(numeral) > _LONGEST_NUMERAL:
        return ""
    total = section = digit = 0
    unit = 1  # of the character before, so that the last digit of 两万三 counts thousands
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
            unit = unit if digit else 1
            continue
        if character in _SMALL_UNITS:
            unit = _SMALL_UNITS[character]
            section += (digit or 1) * unit
        else:
            unit = _LARGE_UNITS[character]
            total = (total + section + digit or 1) * unit
            section = 0
        digit = 0
    return str(total + section + digit * max(unit // 10, 1))
