"""Secrets in what a text recogniser read: values are misread, parted, and stand away from their labels."""

from __future__ import annotations

import pytest

from mirix.text.secrets import find_read_secrets, find_secrets

HEIGHT = 14
Row = tuple[str, int, int]  # text, left, top


def values(text: str) -> list[str]:
    return [span.value for span in find_read_secrets(text)]


def on_screen(*rows: Row) -> list[str]:
    boxes = [(left, top, left + 8 * len(text), top + HEIGHT) for text, left, top in rows]
    return [span.value for span in find_read_secrets("\n".join(text for text, _, _ in rows), boxes)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Card number  5391 2O47 8816 30Z4", "5391 2O47 8816 30Z4"),  # no check digit is right any more
        ("卡号：5391 20478816 3054", "5391 20478816 3054"),
        ("5391 2047 8816 305", "5391 2047 8816 305"),  # one digit was lost
        ("Guest wifi passwora: Gannet! 4821kCairn", "Gannet! 4821kCairn"),
        ("共享盘 密 码 :Gannet%4821w", "Gannet%4821w"),
        ("Pa5sword Skua#7702 wRope", "Skua#7702 wRope"),
        ("the note says Gannet%4821wCairn", "Gannet%4821wCairn"),  # nothing announces it
        ("—® =€voor PIN: 6/3091 until Friday.", "6/3091"),
        ("验证码 8O 4417", "8O 4417"),
        ("Recovery coces  7QKD-M2XA", "7QKD-M2XA"),
        ("恢复码：HWXQ-RBKE", "HWXQ-RBKE"),
        ("AWS_ACCESS KEY _ID=AKlA7QZ2 XDMV4RTW8LPN", "AKlA7QZ2 XDMV4RTW8LPN"),
        ("ghp_7hQe2VnTz4LmXw9KsRb3 eYc8JdHf6Pg0 Za1Ut5", "ghp_7hQe2VnTz4LmXw9KsRb3 eYc8JdHf6Pg0 Za1Ut5"),
        ("7hQe2VnTz4LmXw9KsRb3 eYc8 JdHf6Pg0", "7hQe2VnTz4LmXw9KsRb3 eYc8 JdHf6Pg0"),
        ("访问令牌  n4V7sK2mQx8ZpR", "n4V7sK2mQx8ZpR"),
    ],
)
def test_a_misread_value_is_found_whole(text: str, value: str) -> None:
    assert values(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "Order no. 5391 2047 8816 3054 is on its way",
        "订单号 8836 4471 2905 1187",
        "Card ending in 3054, valid until 08/29, paid €85.95",
        "Use the test card 4242 4242 4242 4242",
        "Password changed on 12 March 2026 at 14:05",
        "密码 修改于 2026年3月12日",
        "Pin to taskbar   Ctrl+P",
        "A four-digit PIN has 10000 combinations.",
        "Token usage: 12,480 of 200,000",
        "Call the desk: +47 400 12 387, extension 6836",
        "电话 010-6552 8841",
        "version 6.32.3 of all-MiniLM-L6-v2",
        "commit 9f1c2ab47d03e5518860aa4bb71c9d2e3f405162",
        "2026-11-16 2026-11-17  4 rows",
        'password = os.environ["DB_PASSWORD"]',
        "OLLAMA_CONTEXT_LENGTH=16384",
    ],
)
def test_other_numbers_and_names_stay(text: str) -> None:
    assert values(text) == []


def test_typed_text_is_not_looked_through_as_if_it_were_read() -> None:
    text = "5391 2047 8816 3055 and Gannet%4821wCairn"
    assert find_secrets(text) == [] and len(find_read_secrets(text)) == 2


def test_a_value_is_found_in_the_next_cell() -> None:
    assert on_screen(("Password", 40, 100), ("Menu", 900, 20), ("Skua7702w", 300, 102)) == ["Skua7702w"]


def test_a_value_is_found_on_the_line_below_in_its_column() -> None:
    label, other, value = ("PIN", 400, 100), ("Opening hours 9 to 5", 10, 118), ("40 77", 400, 122)
    assert on_screen(label, other, value) == ["40 77"]
    assert on_screen(label, other, ("40 77", 400, 300)) == [], "too far below"


def test_a_column_of_a_table_is_read_to_its_end() -> None:
    rows = [("Site  Password  Owner", 10, 10), ("Mail  Skua7702w  Ida", 10, 30), ("Bank  Tern#55q1  Ola", 10, 50)]
    assert on_screen(*rows) == ["Skua7702w", "Tern#55q1"]


def test_recovery_codes_are_read_to_the_last_one() -> None:
    codes = ["7QKD-M2XA", "HW9Q-RBKE", "ZZ2P-4LMB"]
    rows = [("Recovery codes", 10, 10), *((code, 10, 30 + 20 * n) for n, code in enumerate(codes))]
    assert on_screen(*rows) == codes


def test_a_key_that_was_broken_at_the_end_of_its_line_is_found_in_both_parts() -> None:
    first, rest = "sk_live_7hQe2VnTz4LmXw9KsRb3", "eYc8JdHf6Pg0"
    assert on_screen((f"Secret key: {first}", 10, 10), (rest, 10, 28)) == [first, rest]


def test_what_is_found_is_told_in_places_of_the_text_as_it_was_given() -> None:
    text = "备注​\n密码： Ｓｋｕａ７７０２ｗ\n再见"
    [span] = find_read_secrets(text)
    assert text[span.start : span.end] == span.value == "Ｓｋｕａ７７０２ｗ"
    assert span.value not in span.caption
