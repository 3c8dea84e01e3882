"""Sentence borders in English and Chinese, token estimates, and chunks that lose nothing."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mirix.text.chunks import chunk_text, clip_to_tokens, count_tokens, is_cjk, sentence_spans, split_sentences

# Texts made of the signs that borders are made of, so that they meet in every order.
_SIGNS = """Anna . ! ? … 。 ！ ； ; ” " 他来了 Dr 3 - # ``` | : ： no"""
_PARTS = [*_SIGNS.split(), " ", "\n", "\n\n", "\r\n", "\t", "- ", "# ", "i said no", "word " * 9]
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(_PARTS), max_size=60).map("".join))
SETTINGS = settings(deadline=None)  # other work on the machine is no error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved. Now I live in Bergen.", ["I moved.", "Now I live in Bergen."]),
        ("i moved. now i live in bergen", ["i moved.", "now i live in bergen"]),
        ("Dr. Lund and Mrs. Berg met. They agreed.", ["Dr. Lund and Mrs. Berg met.", "They agreed."]),
        ("Bring fruit, e.g. apples, i.e. food. Thanks!", ["Bring fruit, e.g. apples, i.e. food.", "Thanks!"]),
        ("It costs 3.50 at example.com today. Cheap?", ["It costs 3.50 at example.com today.", "Cheap?"]),
        ("We met at 5 p.m. on Friday. Good.", ["We met at 5 p.m. on Friday.", "Good."]),
        ("We met at 5 p.m. Then we ate.", ["We met at 5 p.m.", "Then we ate."]),
        ("Take bus No. 5 on Nov. 13. Get off at the end.", ["Take bus No. 5 on Nov. 13.", "Get off at the end."]),
        ("oh no. i lost it", ["oh no.", "i lost it"]),
        ("J. K. Berg wrote it. So did I. You too.", ["J. K. Berg wrote it.", "So did I.", "You too."]),
        ("I was born in 1990. Then we moved.", ["I was born in 1990.", "Then we moved."]),
        ('"Really?" she asked. "Yes." He left.', ['"Really?" she asked.', '"Yes."', "He left."]),
        ("Well... maybe. Wait!! Why?!", ["Well... maybe.", "Wait!!", "Why?!"]),
        ("1. Open the lid.\n2. Pour.", ["1. Open the lid.", "2. Pour."]),
        ("我上周搬家了。现在住在卑尔根！你呢？", ["我上周搬家了。", "现在住在卑尔根！", "你呢？"]),
        ("他说：“好的。”然后走了；她没走。", ["他说：“好的。”", "然后走了；", "她没走。"]),
        ("等等……我想想。圆周率是3.14左右。", ["等等……", "我想想。", "圆周率是3.14左右。"]),
        ("明天开会.别忘了! 带护照;还有票", ["明天开会.", "别忘了!", "带护照;", "还有票"]),
        ("我喜欢 Python。I like tea. 你呢？", ["我喜欢 Python。", "I like tea.", "你呢？"]),
        ("Name: Anna\nCity: Bergen", ["Name: Anna", "City: Bergen"]),
        (
            "This line was wrapped by an editor at the width of a page and\ngoes on here.",
            ["This line was wrapped by an editor at the width of a page and\ngoes on here."],
        ),
        ("- eggs\n- milk\n\nThanks", ["- eggs", "- milk", "Thanks"]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


@SETTINGS
@given(TEXTS)
def test_sentence_spans_lie_end_to_end(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])] if text else spans == []


@SETTINGS
@given(TEXTS, st.integers(8, 60))
def test_chunks_lie_end_to_end_and_keep_the_limit(text: str, limit: int) -> None:
    chunks = chunk_text(text, max_tokens=limit)
    assert "".join(chunk.text for chunk in chunks) == text
    assert all(chunk.text == text[chunk.start : chunk.end] and chunk.text for chunk in chunks)
    assert all(count_tokens(chunk.text) <= limit for chunk in chunks)


@SETTINGS
@given(TEXTS, st.integers(8, 60), st.integers(1, 3))
def test_chunks_with_overlap_cover_the_text_and_keep_the_limit(text: str, limit: int, overlap: int) -> None:
    chunks = chunk_text(text, max_tokens=limit, overlap_sentences=overlap)
    position = 0
    for chunk in chunks:
        assert chunk.start <= position < chunk.end
        assert chunk.text == text[chunk.start : chunk.end] and count_tokens(chunk.text) <= limit
        position = chunk.end
    assert position == len(text)


@SETTINGS
@given(TEXTS, TEXTS)
@example(":!", ":÷:")
@example("!", "×!")
def test_joined_texts_never_count_more_than_their_parts(one: str, other: str) -> None:
    assert count_tokens(one + other) <= count_tokens(one) + count_tokens(other)


@SETTINGS
@given(TEXTS, st.integers(0, 40))
def test_clipped_text_is_the_longest_beginning_that_fits(text: str, limit: int) -> None:
    clipped = clip_to_tokens(text, limit)
    assert text.startswith(clipped) and count_tokens(clipped) <= limit
    assert clipped == text or count_tokens(text) > limit


def test_token_estimate_is_near_for_english_and_chinese() -> None:
    # 12 words, 14 tokens in most vocabularies; 16 characters with their punctuation.
    assert count_tokens("The quarterly review moved to Thursday at 14:30 in room B2.") in range(13, 19)
    assert count_tokens("我上周五搬到了卑尔根,天气很好。") == 16
    assert count_tokens("") == count_tokens(" ") == 0


def _paragraphs(count: int, words: int = 40) -> str:
    return "\n\n".join(f"Paragraph {i} begins. " + "It says some more words. " * (words // 5) for i in range(count))


def test_chunks_close_between_paragraphs_where_they_can() -> None:
    chunks = chunk_text(_paragraphs(12), max_tokens=120)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("Paragraph") for chunk in chunks)


def test_long_paragraph_is_cut_between_sentences() -> None:
    text = "Anna went to the market with her brother. " * 100
    chunks = chunk_text(text, max_tokens=100)
    assert all(chunk.text.rstrip().endswith("brother.") for chunk in chunks)
    chinese = chunk_text("安娜和她的弟弟一起去了市场。" * 100, max_tokens=100)
    assert all(chunk.text.endswith("市场。") for chunk in chinese)
    assert len(chinese) == 100 // 7 + 1


def test_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    chunks = chunk_text("memory " * 500, max_tokens=50)
    assert all(re.fullmatch(r"(memory )+", chunk.text) for chunk in chunks)
    assert len(chunk_text("x" * 5000, max_tokens=50)) == 12


def test_code_block_that_fits_is_not_cut() -> None:
    code = "```python\n" + "def f(x):\n\n    return x + 1\n" * 6 + "```\n"
    text = _paragraphs(3) + "\n\n" + code + "\n" + _paragraphs(3)
    assert sum(1 for chunk in chunk_text(text, max_tokens=130) if code in chunk.text) == 1


def test_list_that_fits_stays_whole_with_the_line_that_introduces_it() -> None:
    items = "".join(f"- item number {i}\n" for i in range(12))
    text = _paragraphs(2) + "\n\nTo buy:\n\n" + items + "\n" + _paragraphs(2)
    assert sum(1 for chunk in chunk_text(text, max_tokens=110) if "To buy:\n\n" + items in chunk.text) == 1


def test_list_that_does_not_fit_is_cut_between_its_lines() -> None:
    text = "".join(f"- item {i}: ask Dr. Lund. Then call again\n" for i in range(60))
    assert all(chunk.text.startswith("- item") for chunk in chunk_text(text, max_tokens=80))


def test_heading_stays_with_what_follows_it() -> None:
    text = "\n\n".join(f"# Part {i}\n\n" + "Some words stand here. " * 12 for i in range(8))
    assert all(chunk.text.startswith("# Part") for chunk in chunk_text(text, max_tokens=80))


def test_overlap_repeats_the_last_sentences() -> None:
    text = " ".join(f"Sentence number {i} is here." for i in range(60))
    chunks = chunk_text(text, max_tokens=60, overlap_sentences=1)
    for before, after in pairwise(chunks):
        assert after.text.startswith(split_sentences(before.text)[-1])


@pytest.mark.parametrize(("max_tokens", "overlap"), [(7, 0), (100, -1)])
def test_senseless_limits_are_refused(max_tokens: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        chunk_text("text", max_tokens=max_tokens, overlap_sentences=overlap)


@pytest.mark.parametrize(
    "part", ["a. ", "word ", "。", "\n", " ", " \n", ".", "- x\n", "```\n", "“好。”", "x", "…", ";", "# a\n\n"]
)
def test_time_grows_with_the_length_only(part: str) -> None:
    def seconds(repeats: int) -> float:
        text = part * repeats
        start = time.process_time()
        sentence_spans(text)
        chunk_text(text)
        clip_to_tokens(text, 10**9)
        return time.process_time() - start

    # Twenty times the text: linear work takes twenty times as long, quadratic four hundred times.
    assert seconds(60_000) < 90 * max(seconds(3_000), 0.002)


def test_cjk_characters_are_known_and_punctuation_is_none() -> None:
    assert all(is_cjk(character) for character in "我々あア한")
    assert not any(is_cjk(character) for character in "a1。，é ")
