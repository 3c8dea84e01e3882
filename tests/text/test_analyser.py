from __future__ import annotations

import threading
import time
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirix.text.analyser import Analysis, analyse, query_terms, term_id, tokens

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=[]))  # lone surrogates and NUL included
DENSE_TEXT = st.text(alphabet="aZ9é’'-_.,:/@ 中的三十万两零가ー👍🏽\u200d\u00ad\x00\ud800ＡI")


def found_by(document: str, question: str) -> bool:
    return bool(set(query_terms(question)) & set(analyse(document).terms))


@given(st.one_of(ANY_TEXT, DENSE_TEXT))
def test_any_text_is_analysed_and_found_by_its_own_words(text: str) -> None:
    analysis = analyse(text)
    assert set(query_terms(text)) == set(analysis.terms)
    assert list(analysis.terms) == sorted(set(analysis.terms))
    assert len(analysis.terms) == len(analysis.frequencies)
    assert sum(analysis.frequencies) == analysis.length == len(tokens(text))
    assert all(-(2**31) <= term < 2**31 for term in analysis.terms)
    assert all(tokens(text))


@given(st.text(alphabet=st.characters(max_codepoint=0x24F, exclude_characters="İıŉǰ")))
def test_upper_case_changes_nothing(text: str) -> None:
    assert tokens(text.upper()) == tokens(text)


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_full_width_forms_change_nothing(text: str) -> None:
    wide = "".join("\u3000" if character == " " else chr(ord(character) + 0xFEE0) for character in text)
    assert sorted(query_terms(wide)) == sorted(query_terms(text))


@given(st.lists(st.text(alphabet="abc中文 ", max_size=8), max_size=4))
def test_extra_texts_count_like_the_text_itself(extra: list[str]) -> None:
    assert analyse("body text", extra=extra) == analyse("\n".join(["body text", *extra]))


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("She repairs clocks", "Who repaired the clock?"),
        ("Anna’s bike", "anna"),
        ("O'Brien called", "obrien"),
        ("O'Brien called", "Brien"),
        ("the Wi-Fi is down", "wifi"),
        ("the wifi is down", "wi-fi"),
        ("a follow\u2011up", "followup"),
        ("failed with ERR_5127", "err 5127"),
        ("failed with ERR_5127", "ERR_5127"),
        ("order EM20260430X7", "em20260430x7"),
        ("runs v2.3.1", "version 2.3.1"),
        ("due 2026-11-06T09:05", "6 November 2026"),
        ("due 2026-11-06", "2026年11月6日"),
        ("it cost 1,250 crowns", "1250"),
        ("ran 10km", "10 km"),
        ("three kids", "3 kids"),
        ("write to anna.k@post.example", "anna.k@post.example"),
        ("write to anna.k@post.example", "post.example"),
        ("see https://docs.shop.example/a?b=1", "docs.shop.example"),
        ("a café in Kraków", "cafes in Krakow"),
        ("Điện Ảnh", "anh"),
        ("我住在成都", "你住在哪里?"),
        ("捡了只小猫", "猫"),
        ("她今年三十四岁", "34"),
        ("门禁码是零四一七", "0417"),
        ("花了两万三", "23000"),
        ("花了一百零五块", "105"),
        ("家里的wifi密码", "密码"),
        ("ＥＲＲ＿５１２７", "err_5127"),
        ("책을 샀다", "책"),
        ("カタカナの本", "カタカナ"),
        ("я читаю книги", "книга"),
        ("great 👍🏽", "👍"),
        ("flying to 🇳🇴", "🇳🇴"),
    ],
)
def test_document_is_found_by(document: str, question: str) -> None:
    assert found_by(document, question)


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("Do you know what that is?", "What is it?"),
        ("I don't have it", "do they?"),
        ("你好吗?这是什么?", "那是什么呢?"),
        ("running", "ran"),
        ("version 12.3", "version 3"),
        ("三四个人", "34"),
        ("千万别忘", "10000000"),
        ("flag 🇳🇴", "🇸🇪"),
    ],
)
def test_document_is_not_found_by(document: str, question: str) -> None:
    assert not found_by(document.replace("version ", ""), question.replace("version ", ""))


def test_a_question_of_function_words_has_no_terms() -> None:
    assert query_terms("What is it about, and who are they?") == []
    assert query_terms("这是什么?那是谁的呢?") == []


def test_order_and_repeats_are_kept() -> None:
    assert tokens("Bread, butter, bread") == ["bread", "butter", "bread"]
    assert tokens("wi-fi first") == ["wifi", "wi", "fi", "first"]
    assert tokens("小猫叫") == ["小猫", "猫叫", "小", "猫", "叫"]


def test_a_run_is_cut_at_particles_so_that_no_pair_spans_them() -> None:
    assert tokens("我的猫叫什么") == ["猫叫", "猫", "叫"]


def test_a_numeral_of_any_length_is_analysed() -> None:
    assert tokens("十" + "亿" * 5000)[0] == "十亿"
    assert tokens("二" * 5000)[0] == "2" * 5000


def test_frequencies_and_length_fit_a_smallint() -> None:
    assert analyse("tea " * 40_000) == Analysis(terms=(term_id("tea"),), frequencies=(32767,), length=32767)


def test_term_id_is_the_signed_first_word_of_blake2b() -> None:
    digest = blake2b(b"tea", digest_size=4).digest()
    assert term_id("tea") == int.from_bytes(digest, "big", signed=True)


def test_a_key_changes_every_term_id() -> None:
    plain, keyed = analyse("tea and cake"), analyse("tea and cake", key=b"k")
    assert not set(plain.terms) & set(keyed.terms)
    assert set(keyed.terms) == set(query_terms("tea, cake", key=b"k"))


def test_language_chooses_the_stemmer_of_latin_words() -> None:
    assert tokens("Katzen", language="german") == tokens("Katze", language="german")
    with pytest.raises(KeyError):
        tokens("word", language="klingon")


def test_threads_agree() -> None:
    text = " ".join(f"{word}{ending}" for word in ("walk", "bake", "jump") for ending in ("ing", "ed", "s")) + " 小猫"
    expected = tokens(text)
    results: list[list[str]] = []

    def work() -> None:
        for number in range(200):
            assert tokens(f"numbering{number} uniquely{number}")
            results.append(tokens(text))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 800
    assert all(result == expected for result in results)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["word ", "a-", "a'", "x", "é", "中", "三", "十亿", "1,000,", "的", "{", "http://"])
def test_time_grows_with_length_not_faster(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = (unit * (characters // len(unit) + 1))[:characters]
        begin = time.perf_counter()
        tokens(text)
        return time.perf_counter() - begin

    seconds(1000)
    # A quadratic step would cost a hundredfold; the margin is for a busy machine.
    assert seconds(1_000_000) < 40 * seconds(100_000) + 0.5
