"""Nothing is cut silently: what is left out is counted, and what cannot be seen is marked."""

from mailgun_mcp.confirm.bounded_text import (
    digest,
    first_lines,
    in_words,
    join_bounded,
    one_line,
    shorten,
    value_in_line,
    whole_line,
)


def test_a_text_becomes_one_line_of_visible_characters() -> None:
    assert one_line("a\nIt can be undone.") == "a ⏎ It can be undone."
    assert one_line("a\u202eb\u200bc\td") == "a<U+202E>b<U+200B>c d"


def test_a_long_name_keeps_its_start_and_its_end() -> None:
    short = shorten("a" * 300 + "@evil.example", 60)
    assert len(short) <= 60
    assert short.startswith("aaa")
    assert "(313 characters)" in short
    assert short.endswith("@evil.example")


def test_a_value_that_fits_is_shown_whole() -> None:
    assert value_in_line("a" * 600) == "a" * 600
    assert value_in_line({"a": [1]}) == '{"a": [1]}'
    assert value_in_line("") == ""


def test_a_long_text_shows_its_first_and_last_lines_its_size_and_a_digest() -> None:
    text = "first\n" + "middle\n" * 500 + "last"
    line = value_in_line(text)
    assert line.startswith("first ⏎ middle")
    assert line.endswith("middle ⏎ last")
    assert f"(3,510 characters, 502 lines, SHA-256 {digest(text)})" in line
    assert len(line) <= 620


def test_two_texts_that_differ_in_the_middle_have_two_lines() -> None:
    assert value_in_line("a" * 900 + "b" + "a" * 900) != value_in_line("a" * 900 + "c" + "a" * 900)


def test_a_long_list_says_how_many_items_it_has() -> None:
    assert "(500 items, SHA-256 " in value_in_line([f"a{number}@example.com" for number in range(500)])
    assert value_in_line(["a" * 90] * 5, 40).startswith("(5 items, SHA-256 ")


def test_marks_count_as_well() -> None:
    assert whole_line("\u202e" * 50, 100) is None
    assert len(value_in_line("\u202e" * 5_000, 200)) <= 200


def test_names_that_are_left_out_are_counted() -> None:
    assert join_bounded(["a", "b"], 100, "domains") == "a, b"
    assert join_bounded([f"d{number}.example" for number in range(9)], 30, "domains") == (
        "d0.example, d1.example and 7 more domains"
    )


def test_lines_that_are_left_out_are_counted() -> None:
    assert first_lines(["one", "two", "three"], 8) == ["one", "two", "(and 1 more line)"]
    assert first_lines(["one", "two"], -5) == ["(and 2 more lines)"]


def test_an_answer_is_told_in_words() -> None:
    body = {"domain": {"name": "mail.example.com", "is_disabled": False, "keys": [1, 2], "note": None}}
    assert in_words(body) == "name: mail.example.com, is disabled: no, keys: 2 items"
    assert in_words({f"field_{number}": "x" * 20 for number in range(30)}, 60).endswith(" and 29 more fields")
