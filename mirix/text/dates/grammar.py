"""The one grammar of both languages: their rules, and what joins any two expressions side by side."""

from __future__ import annotations

from functools import cache

from mirix.text.dates.chart import Grammar
from mirix.text.dates.chinese import add_chinese_rules
from mirix.text.dates.english import add_english_rules
from mirix.text.dates.relations import intersect

# Kinds that mean a time. In running text only the first counts by itself; `loose` does where no noun follows ("on
# the 5th floor"); the others need company ("may", "spring", 一点).
STRONG, LOOSE = "<time>", ("<loose>", "<at>")
WEAK = ("<mon>", "<yr>", "<dom>", "<hr>", "<wd>", "<part>", "<season>", "<weekend>", "<hint>")


@cache
def time_grammar() -> Grammar:
    grammar = Grammar(
        {"t": [kind.strip("<>") for kind in (STRONG, *LOOSE, *WEAK)], "u": ["unit", "units"], "n": ["num", "zhnum"]}
    )
    add_english_rules(grammar)
    add_chinese_rules(grammar)
    joined = ["<t> <t>", "<t> of|in|on|at|during|for|,|的 the? <t>", "<t> , on|at|in|during the? <t>"]
    grammar.add("<time>", joined, intersect, rank=-1)
    return grammar
