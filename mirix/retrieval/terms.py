"""The terms of a query and how much each of them counts. Pure.

The analyser files a Chinese text under its bigrams and its single characters. In a query a single character beside the
bigrams that hold it is mostly noise (the 明 of 小明 finds every 明天), yet it is all there is where the memory
says 搬 and the question 搬家: so it counts, for less.
"""

from __future__ import annotations

from mirix.text.analyser import term_id, tokens

# Trial on a Chinese life log: evidence recall at 10 is 0.97 from 0.3 to 0.5, 0.955 at 1 (as any other term) and at 0.2.
SINGLE_SHARE = 0.5


def term_shares(text: str) -> dict[int, float]:
    """The distinct terms of a query in order of first appearance, each with its share from 0 to 1."""
    listed = list(dict.fromkeys(tokens(text)))
    in_longer = {character for token in listed if len(token) > 1 and not token.isascii() for character in token}
    return {term_id(token): SINGLE_SHARE if token in in_longer else 1.0 for token in listed}
