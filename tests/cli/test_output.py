"""Results go to stdout, everything else to stderr, and colours only where somebody sees them."""

import io
import json
import sys

import pytest

from mailgun_mcp.cli.output import as_json, display_width, fitted, note, out, paint, paint_state, table, words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_results_and_notes_have_streams_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    out("a result")
    note("a note")
    assert capsys.readouterr() == ("a result\n", "a note\n")


def test_json_keeps_letters_beyond_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    as_json({"name": "Zoë"})
    assert capsys.readouterr().out == '{\n  "name": "Zoë"\n}\n'


def test_columns_are_aligned_and_lines_end_without_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    table([("id", "tool", ""), ("3r5u", "clear_bounces", "done")])
    assert capsys.readouterr().out == "id    tool\n3r5u  clear_bounces  done\n"


def test_only_a_terminal_gets_colours() -> None:
    assert paint("text", "red", "bold", stream=Terminal()) == "\033[31;1mtext\033[0m"
    assert paint("text", "red", stream=io.StringIO()) == "text"


def test_the_environment_decides_before_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert paint("text", "green", stream=io.StringIO()) == "\033[32mtext\033[0m"
    assert paint_state("deny", "deny") == "\033[31mdeny\033[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("text", "green", stream=Terminal()) == "text"


def test_long_lines_are_continued_with_an_indent_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = "short\n  to: " + ", ".join(f"person{number}@x.example" for number in range(4)) + "\n" + "y" * 90
    lines = fitted(text, Terminal()).split("\n")
    assert lines[:3] == ["short", "  to: person0@x.example,", "      person1@x.example,"]
    assert max(map(len, lines)) == 40
    assert "".join(fitted(text, Terminal()).split()) == "".join(text.split())
    assert fitted(text, io.StringIO()) == text


def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("id", "x" * 30, "y " * 100), ("other", "z", "short")]
    table(rows)
    assert max(map(len, capsys.readouterr().out.splitlines())) > 190, "a program gets everything"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    table(rows)
    first, second = capsys.readouterr().out.splitlines()
    assert (len(first), first.endswith("…")) == (60, True)
    assert second.startswith("other  z")


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_what_a_person_copies_is_never_cut(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        ("2026-11-28T03:26:03Z", "8fh84nq2wxqz", "allow guarded/reads-and-writes", "production", "domain,from,to"),
        ("2026-11-28T03:26:04Z", "zrzcnt34x3ux", "", "staging", "some words about what was done there"),
    ]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    table(rows)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= columns
    assert [name for row in rows for name in (*row[:2], row[3]) if name not in text] == []


def test_wide_and_combining_characters_keep_the_columns_aligned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("例え.jp", "a"), ("u\u0308ber", "b"), ("plain", "日本語の件名 " * 9)]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    table(rows)
    lines = capsys.readouterr().out.splitlines()
    assert [display_width(line[: line.rindex("  ")]) for line in lines[:2]] == [7, 7]
    assert max(map(display_width, lines)) <= 40


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"effect": "deny", "hard": True}, "effect: deny, hard: yes"),
        (["a", None, 1.5], "a, , 1.5"),
        ({}, "none"),
        ({"rule_name": ["a", {"b": False}]}, "rule name: a, b: no"),
        ("\x1b[31mred\u202e\n", "\\u001b[31mred\\u202e\\n"),
    ],
)
def test_a_value_is_shown_in_words_and_cannot_steer_the_terminal(value: object, text: str) -> None:
    assert words(value) == text


def test_hostile_characters_in_a_table_are_escaped_and_letters_stay(capsys: pytest.CaptureFixture[str]) -> None:
    table([("件名\u3000🎉", "x\u202eevil\x1b[31m\nid"), ("a", "b")])
    first, second = capsys.readouterr().out.splitlines()
    assert first == "件名\u3000🎉  x\\u202eevil\\u001b[31m\\nid"
    assert display_width(second.removesuffix("b")) == display_width("件名\u3000🎉  ")
    assert words("こんにちは\n") == "こんにちは\\n"


def test_hostile_characters_in_json_are_escaped_and_the_value_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"subject": "x\u202eevil\x7f\u200b 件名", "list": ["\ud800", "a\\u202eb"]}
    as_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "\\u202eevil\\u007f\\u200b 件名" in printed


def test_marks_and_joiners_take_no_column() -> None:
    assert [display_width(text) for text in ("e\u0301", "\u2764\ufe0f", "a\u200db", "日本")] == [1, 1, 2, 4]
