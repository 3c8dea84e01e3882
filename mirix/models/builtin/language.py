"""Words, stems, sentences and n-grams of English and Chinese text, for the built-in model.

Everything the rules and the nearest examples compare goes through here. Pure and fast (no dictionary, no model):
English is stemmed words, Chinese is character bigrams, mixed text is both.
"""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

BRACKET = re.compile(r"\s*\[(?:[~≈]?\d{4}(?:-\d{2}){0,2}|\d{1,2}:\d{2})[^\]]*\]")
VAULT_REFERENCE = re.compile(r"\{\{vault:[^}]*\}\}")
HAN = re.compile(r"[\u3400-\u9fff]")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][A-Za-z]+)*|\d+(?:[.,:/-]\d+)*|[\u3400-\u9fff]+")
_SENTENCE_END = re.compile(
    r"(?<=[!?。!?;;])[\"'”’»)】」』]*\s*|(?<=\.)[\"'”’)]*\s+(?=[\"'“‘(A-Z0-9À-Þ{\u4e00-\u9fff]|i\b)|\n+"
)
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|No|Prof|vs|approx|ext|[A-Z])\.$")

_STOPWORDS_TEXT = """
a about above after again all also am an and any are as at be because been before being but by can could did
do does doing done down during each few for from further get go got had has have having he her here hers him
his how i i'd i'll i'm i've if in into is it it's its just let me more most my no nor not now of off on once
one only or other our out over own please s same say says she should so some such t tell than that that's the
their them then there these they they're this those through to too under until up us use used user very was we
we're were what what's when where which while who whose why will with would you your yours yourself name names
named called many much kind does's assistant currently current present happen happened ever
"""
STOPWORDS = frozenset(_STOPWORDS_TEXT.split())
HAN_STOP = frozenset(
    "的了是在和就都也很还吗呢吧啊么这那个着过把被给让跟与及或并而但所以因为如果它他她我你您们有没不上下里"
)
_HAN_QUESTION = re.compile(
    r"什么时候|什么地方|是不是|有没有|叫什么|为什么|怎么样|怎么|怎样|如何|哪一天|哪天|哪里|哪儿|"
    r"哪个|哪位|哪些|哪家|哪种|哪一|几点|几号|几月|多少钱|多少|多久|多大|多长|多高|几个|"
    r"几次|几天|几年|几只|什么|是谁|谁|请问|告诉我|各自|各是|名字|姓名|名称|日期|时间|地点|现在|目前|如今|最近"
)


_IRREGULAR_TEXT = """
brought/bring bought/buy told/tell gave/give given/give took/take taken/take went/go gone/go came/come
left/leave made/make saw/see seen/see said/say sent/send met/meet paid/pay sold/sell found/find lost/lose
broke/break broken/break began/begin begun/begin ate/eat eaten/eat drank/drink drove/drive driven/drive
flew/fly flown/fly wrote/write written/write wore/wear spoke/speak spoken/speak taught/teach thought/think
kept/keep felt/feel heard/hear built/build won/win ran/run sang/sing swam/swim chose/choose chosen/choose
grew/grow grown/grow knew/know known/know fell/fall fallen/fall held/hold spent/spend stood/stand stole/steal
stolen/steal threw/throw caught/catch lent/lend slept/sleep sat/sit rode/ride woke/wake shot/shoot hid/hide
hidden/hide bit/bite dug/dig fed/feed led/lead slid/slide swept/sweep understood/understand forgot/forget
forgotten/forget became/become proposed/propose children/child men/man women/woman feet/foot teeth/tooth
knives/knife shelves/shelf wives/wife
"""
_IRREGULAR = dict(pair.split("/") for pair in _IRREGULAR_TEXT.split())


_SAME_IN_PAST = frozenset(
    {"read", "put", "cut", "let", "hit", "set", "shut", "spread", "hurt", "burst", "rang", "swore", "shook", "grew"}
)


def is_past_form(word: str) -> bool:
    """Whether an English verb form may tell what happened once."""
    lowered = word.lower()
    return lowered in _IRREGULAR or lowered in _SAME_IN_PAST or (lowered.endswith("ed") and len(lowered) > 4)


_WIDE = "\uff0c\uff1a\uff1b\uff01\uff1f\uff08\uff09"
_NARROW = ",:;!?()"
_TO_NARROW = str.maketrans(_WIDE, _NARROW)
_NARROW_BESIDE_HAN = re.compile(r"(?<=[\u3400-\u9fff\u201d\u300d\u300b])[,:;!?()](?![\d/])|[()](?=[\u3400-\u9fff])")


def narrow(text: str) -> str:
    """The text with full-width Chinese punctuation as its ASCII twin, one character for one: rules know only these."""
    return text.translate(_TO_NARROW)


def as_written(text: str, written: str) -> str:
    """A text that was quoted from the narrow form of `written`, with its punctuation as it stands there.

    What is no quote gets full width beside Chinese characters where `written` has full width at all.
    """
    if not any(mark in written for mark in _WIDE):
        return text
    at = narrow(written).find(text)
    if at >= 0:
        return written[at : at + len(text)]
    return _NARROW_BESIDE_HAN.sub(lambda match: _WIDE[_NARROW.index(match.group())], text)


_CAREFUL = {
    "i": "I",
    "im": "I'm",
    "i'm": "I'm",
    "ive": "I've",
    "i've": "I've",
    "i'd": "I'd",
    "i'll": "I'll",
    "dont": "don't",
    "doesnt": "doesn't",
    "didnt": "didn't",
    "cant": "can't",
    "wont": "won't",
    "isnt": "isn't",
    "thats": "that's",
}
_LOOSE = re.compile(r"\b(?:i(?:'(?:m|ve|d|ll)|m|ve)?|(?:do|does|did|ca|wo|is)nt|thats)\b(?!\.)")


def is_chinese(text: str) -> bool:
    """True when Chinese characters carry the text: names and product words in Latin letters do not change the
    language.
    """
    han = len(HAN.findall(text))
    return han > 0 and han * 2 >= len(re.findall(r"[A-Za-z]+", text))


def plain(text: str) -> str:
    """The text without resolved dates in brackets."""
    return BRACKET.sub("", text)


def spelled(text: str) -> str:
    """The text with the pronoun "I" and its short forms as they are written with care ("im 16 and i dont" as "I'm 16
    and I don't"): rules know only these.
    """
    return _LOOSE.sub(lambda match: _CAREFUL.get(match.group().lower(), match.group()), text)


def split_sentences(text: str) -> list[str]:
    """Sentences with their end marks; line breaks end a sentence; abbreviations and initials do not."""
    sentences: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        piece = text[start : match.end()].strip()
        if not piece or _ABBREVIATION.search(piece):
            continue
        if _inside_bracket(text, match.start()):
            continue
        sentences.append(piece)
        start = match.end()
    rest = text[start:].strip()
    if rest:
        sentences.append(rest)
    return sentences


def _inside_bracket(text: str, position: int) -> bool:
    return text.rfind("[", 0, position) > text.rfind("]", 0, position) and "]" in text[position : position + 60]


def split_clauses(sentence: str, joint: str = "") -> list[str]:
    """Clauses of one sentence, cut at commas, semicolons, colons and dashes (never inside a resolved date).

    `joint`: a word that cuts too where a clause of the speaker's follows ("and I live …").
    """
    shielded = BRACKET.sub(lambda match: re.sub(r"[,;:,–-]", "\x00", match.group()), sentence)
    clauses, start = [], 0
    joining = rf"|,? \b{joint} (?=(?:I|we|my)\b)" if joint else ""
    for match in re.finditer(rf"[;,。!?]|:|\s[–—-]\s|——{joining}", shielded):
        clauses.append(sentence[start : match.start()].strip())
        start = match.end()
    clauses.append(sentence[start:].strip())
    return [clause for clause in clauses if clause]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of an English word in lower case; irregular past forms have the stem of their verb."""
    lowered = word.lower().replace("’", "'")
    return str(_stemmer().stemWord(_IRREGULAR.get(lowered, lowered)))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english", 0)


def words(text: str) -> list[str]:
    """Words in order: Latin words and numbers as they stand, each run of Chinese characters as one."""
    return _WORD.findall(plain(text))


def content_terms(text: str, *, question: bool = False) -> list[str]:
    """Comparable terms without function words: stems for Latin script, bigrams (or a lone character) for Chinese."""
    source = plain(text)
    if question:
        source = _HAN_QUESTION.sub(" ", source)
    terms: list[str] = []
    for token in _WORD.findall(source):
        if HAN.match(token):
            for run in _split_han(token):
                terms.extend(run[i : i + 2] for i in range(len(run) - 1)) if len(run) > 1 else terms.append(run)
        else:
            bare = re.sub(r"['’]s$", "", token).lower()
            if bare not in STOPWORDS and token.lower() not in STOPWORDS:
                terms.append(stem(bare))
    return terms


def _split_han(run: str) -> list[str]:
    kept = "".join(" " if character in HAN_STOP else character for character in run)
    return kept.split()


def ngrams(text: str) -> list[str]:
    """Features for comparing whole texts: word uni- and bigrams (English), character uni- to trigrams (Chinese),
    lower case.
    """
    source = VAULT_REFERENCE.sub(" vaultref ", plain(text)).lower()
    grams: list[str] = []
    previous = "^"
    for token in _WORD.findall(source)[:160]:
        if HAN.match(token):
            padded = f"^{token}$"
            grams.extend(padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1))
            previous = "^"
            continue
        unit = "#" if token[0].isdigit() else stem(token)
        grams.append(unit)
        grams.append(f"{previous} {unit}")
        previous = unit
    return grams
