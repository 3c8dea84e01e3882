"""General linguistic signals in a message: the hand-made half of what the built-in model compares.

A signal is a named pattern (or count) that says something about form, never about one subject: "a first-person
lasting fact", "an ordered list of steps", "an advertisement". Routing weighs them with the nearest labelled
examples; filing uses some of them to choose sentences.
"""

from __future__ import annotations

import re

from mirix.models.builtin.language import BRACKET, HAN, VAULT_REFERENCE, is_chinese, plain, spelled
from mirix.models.builtin.patterns import CASE_MATTERS, KIN, KIN_ZH, PATTERNS

_COMPILED = {
    name: re.compile(pattern, (0 if name in CASE_MATTERS else re.IGNORECASE) | (re.DOTALL if name == "ordered" else 0))
    for name, pattern in PATTERNS.items()
}
SIGNAL_NAMES: tuple[str, ...] = (
    *_COMPILED,
    "vault_reference",
    "bracket",
    "very_short",
    "short",
    "long",
    "very_long",
    "many_lines",
    "all_questions",
    "no_first_person",
    "chinese",
)


_RELATIVE_SUBJECT = re.compile(
    rf"^\W*(?:my|our) (?:\w+ )?({KIN}|boss|manager|colleague|neighbou?r|landlord|landlady|teacher"
    r"|friend|cousin|uncle|aunt)\b"
    rf"|^\W*我(?:们)?(?:家)?(?:的)?({KIN_ZH}|老板|同事|邻居|房东|老师"
    r"|朋友|表[哥姐弟妹]|堂[哥姐弟妹]|舅舅|叔叔|阿姨|姑姑|闺蜜)",
    re.IGNORECASE,
)


def relative_subject(text: str) -> str:
    """The relation a sentence is about when it opens with one ("my sister", 我表妹); "" for anything else."""
    match = _RELATIVE_SUBJECT.search(text)
    return (match.group(1) or match.group(2)).lower() if match else ""


def has(name: str, text: str) -> bool:
    """Whether the pattern called `name` occurs in `text`."""
    return _COMPILED[name].search(spelled(text)) is not None


def read_signals(text: str) -> dict[str, float]:
    """Every signal of a text, 0.0 or 1.0, in the order of `SIGNAL_NAMES`."""
    bare = spelled(plain(text)).strip()
    found = {name: float(pattern.search(bare) is not None) for name, pattern in _COMPILED.items()}
    size = len(HAN.findall(bare)) / 1.6 + len(re.findall(r"[A-Za-z0-9]+", bare))
    found["vault_reference"] = float(VAULT_REFERENCE.search(bare) is not None)
    found["bracket"] = float(BRACKET.search(text) is not None)
    if found["bracket"]:
        found["time"] = 1.0
    found["very_short"] = float(size < 6)
    found["short"] = float(6 <= size < 14)
    found["long"] = float(size >= 45)
    found["very_long"] = float(size >= 90)
    found["many_lines"] = float(bare.count("\n") >= 3)
    marks = re.findall(r"[.!?。!?]", bare)
    found["all_questions"] = float(bool(marks) and all(mark in "??" for mark in marks))
    found["no_first_person"] = 1.0 - found["first_person"]
    found["chinese"] = float(is_chinese(bare))
    return found
