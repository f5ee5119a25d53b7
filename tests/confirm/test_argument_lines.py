"""Every argument has its line, whole where it fits, and in the order of the catalogue."""

from mailgun_mcp.confirm.argument_lines import SHORTENED, WITHHELD, argument_lines, full_lines, shown_arguments
from tests.support.operations import catalogue


def test_arguments_are_put_into_the_catalogues_order() -> None:
    operation = catalogue().find("send_message")
    given = {"text": "hi", "unknown": 1, "to": ["b@x.example"], "domain": "x.example"}
    assert list(shown_arguments(operation, given)) == ["domain", "to", "text", "unknown"]


def test_a_secret_is_withheld() -> None:
    operation = catalogue().find("create_smtp_credentials")
    assert shown_arguments(operation, {"password": "hunter2hunter2"}) == {"password": WITHHELD}


def test_short_values_are_complete() -> None:
    assert argument_lines({"a": "x", "b": [1]}, 1_000) == ["  a: x", "  b: [1]"]


def test_the_longest_values_are_shortened_first() -> None:
    lines = argument_lines({"a": "x" * 500, "b": "whole", "c": "y" * 500}, 600)
    assert lines[1] == "  b: whole"
    assert lines[-1] == SHORTENED
    assert sum(len(line) + 1 for line in lines) <= 600


def test_where_not_even_the_sizes_fit_all_arguments_are_named() -> None:
    arguments = {f"argument_{number}": "x" * 500 for number in range(40)}
    lines = argument_lines(arguments, 900)
    assert sum(len(line) + 1 for line in lines) <= 900
    assert lines[0].startswith("  40 arguments, SHA-256 ")


def test_in_full_every_line_of_a_text_and_every_item_is_shown() -> None:
    assert full_lines({"text": "a\nb\u202e", "to": ["x", "y"], "n": 1}) == [
        *("  text:", "  | a", "  | b<U+202E>"),
        *("  to: 2 items", "  | x", "  | y"),
        "  n: 1",
    ]
