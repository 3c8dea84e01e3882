"""The terms of a query and how much each of them counts. Pure.

A question carries words that tell nothing of its subject: those that speak to whoever is asked ("remind me", 帮我想想),
and those every question is built of. English function words are no terms at all; in Chinese a run is cut into pairs and
single characters, and what is left of such words finds whatever else is built of them, which in a long memory is much.

The analyser files a Chinese text under its bigrams and its single characters. In a query a single character beside the
bigrams that hold it is mostly noise (the 明 of 小明 finds every 明天), yet it is all there is where the memory
says 搬 and the question 搬家: so it counts, for less.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mirix.text.analyser import term_id, tokens
from mirix.text.names import cut_names

# Trial on a Chinese life log: evidence recall at 10 is 0.97 from 0.3 to 0.5, 0.955 at 1 (as any other term) and at 0.2.
SINGLE_SHARE = 0.5
# Trial on a long English life of which half of the questions name somebody: recall 0.77 at 1, 0.80 at 2, 0.81 at 3; on
# two conversations of LoCoMo, whose people speak for themselves, 0.811 at 1, 0.809 at 1.5 (231 questions: the same).
NAME_SHARE = 1.5
# They stand in the turns of those who greet them; the same on LoCoMo: 0.818 at 1, 0.823 at 0.3, 0.822 at 0.
SPEAKER_SHARE = 0.3
# Of a term made of nothing but function characters, which still decides where nothing else does. Trial on two long
# Chinese lives: recall 0.743 and 0.713 at 0.1, 0.759 and 0.731 at 0.02.
FUNCTION_SHARE = 0.02

# Pronouns, copulas, prepositions, auxiliaries, adverbs of degree and time, measure words, and the verbs that any
# question may be asked with. A pair of two of them (现在, 那个, 给我) or one alone tells nothing of a subject.
_FUNCTION = frozenset(
    "我你您他她它咱们自己这那哪某各每谁何什么几多少"
    "的地得了着过吗呢吧啊呀嘛是在有没无不非别未给把被让叫使对跟同和与及或向从到往由于以为因"
    "能会可该应当要想得须肯敢就都也还又再才只更最很太真挺好比较"
    "现今目眼前后时候刚已曾经正将先次回遍趟种样些点位件条个只"
    "上下来去里中做用说问知道记忘人一"
)
_MENTAL = "我你您请能可以吗不再还又帮想问说讲看查一下忘记了得着起来告诉提醒知道麻烦回忆有点来呀吧啊呢"
_LEAD_WORDS = """
    please tell remind help me out quick quickly one question i ive i've have had forgot forgotten forget can cant can't
    cannot could would will you do dont don't remember recall know again just so hey hi ok okay well sorry to need
    wonder wondering was am i'm im let lets let's us see think say now then for of my mind about a the
"""
_LEAD_SET = frozenset(_LEAD_WORDS.split())
_HAN_LEAD = re.compile(rf"\s*[{_MENTAL}]{{1,10}}[，,：:、。！!?？\s]+(?=\S)")
_LEAD = re.compile(r"\s*([A-Za-z'’ ]{2,60})[,:;.!?—–-]+\s+(?=\S)")
_NAME = re.compile(r"(?<=[\w,;:'’)] )[\"“]?([A-Z][\w'’-]+)")


def without_lead(question: str) -> str:
    """The question without a first clause that only speaks to whoever is asked; whole where nothing else is there."""
    if found := _HAN_LEAD.match(question):
        return question[found.end() :]
    found = _LEAD.match(question)
    if found and all(word in _LEAD_SET for word in found[1].casefold().replace("’", "'").split()):
        return question[found.end() :]
    return question


def term_shares(text: str, *, apart_from: Collection[str] = ()) -> dict[int, float]:
    """The distinct terms of a query in order of first appearance, each with its share: 1 is what any word has.

    A name written as one in the middle of a sentence counts more, for it tells of whom everything else is asked; but
    not the names of who speaks in the memory (`apart_from`): they hardly name themselves, and are found as speakers.
    """
    listed = list(dict.fromkeys(tokens(text)))
    in_longer = {character for token in listed if len(token) > 1 and not token.isascii() for character in token}
    bare = cut_names(text, apart_from)
    kept = set(listed if bare == text else tokens(bare))
    names = {token for name in _NAME.findall(bare) for token in tokens(name)}

    def share(token: str) -> float:
        if token not in kept:
            return SPEAKER_SHARE
        return NAME_SHARE if token in names else _share(token, is_part=token in in_longer)

    return {term_id(token): share(token) for token in listed}


def _share(token: str, *, is_part: bool) -> float:
    if not token.isascii() and all(character in _FUNCTION for character in token):
        return FUNCTION_SHARE
    return SINGLE_SHARE if is_part else 1.0
