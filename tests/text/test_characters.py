"""Invisible characters: removed, shown as their code, or named."""

import pytest
from hypothesis import given

from mailgun_mcp.text.characters import clean, encodable, excerpt, first_invisible, one_line, show_invisible
from tests.support.characters import FILLERS, NASTY, unseen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain words, 100%: <b> & \\ [x]\n\tend", "plain words, 100%: <b> & \\ [x]\n\tend", id="plain"),
        pytest.param(
            "Zürich · 東京 · Ελλάδα · שלום · ❤️ 👍🏽", "Zürich · 東京 · Ελλάδα · שלום · ❤️ 👍🏽", id="languages"
        ),
        pytest.param("a\r\nb\rc\u2028d\u2029e\x85f", "a\nb\nc\nd\ne\nf", id="line-breaks"),
        pytest.param("\x1b[1;31mred\x1b[0m \x9b2Kx", "red x", id="colours"),
        pytest.param("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b]open", "abopen", id="terminal-titles-and-links"),
        pytest.param("\x1b\x1b[0m[31mx", "[31mx", id="a-sequence-around-a-sequence"),
        pytest.param("a\x00b\x07c\x7fd\x9de", "abcde", id="controls"),
        pytest.param("a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg", "abcdefg", id="zero-width"),
        pytest.param("a\u202eb\u2066c\u2069d\u200fe\u061cf", "abcdef", id="directions"),
        pytest.param("a\U000e0041\U000e007fb\ufff9c\ufffad\ufffbe", "abcde", id="tags-and-annotations"),
        pytest.param("a\ufe0fb\U000e0100 😀\ufe0f\ufe0f", "ab 😀\ufe0f", id="lone-variation-selectors"),
        pytest.param("a\ud83db\udc00c", "abc", id="halves-of-characters"),
        pytest.param("&#x202e;&zwnj;&#8203;x&shy", "   x ", id="character-references"),
        pytest.param("&amp;amp;#x202E;x &#0000000000008203;", " x  ", id="references-behind-references"),
        pytest.param("&#x20\u200b2e;x", " x", id="a-reference-completed-by-cleaning"),
        pytest.param("\\u202ex\\x1b[2J\\u{200b}\\e[0m\\udb40\\udc41", " x [2J  [0m ", id="escapes"),
        pytest.param("\\ud83d\\ude00 \\u00e9 C:\\new", "\\ud83d\\ude00 \\u00e9 C:\\new", id="escapes-of-what-is-seen"),
        pytest.param(
            "&lt;b&gt; &eacute; &nosuch; &#128; R&D",
            "&lt;b&gt; &eacute; &nosuch; &#128; R&D",
            id="references-to-what-is-seen",
        ),
        pytest.param("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";", id="a-reference-beyond-all-numbers"),
    ],
)
def test_what_a_reader_cannot_see_is_removed_and_the_rest_stays(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_no_invisible_character_of_unicode_survives() -> None:
    everything = "a".join(map(chr, range(0x110000)))
    assert unseen(everything) > FILLERS
    assert unseen(clean(everything)) == set()


@given(NASTY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert unseen(cleaned) == set()


@given(NASTY)
def test_what_is_shown_hides_nothing_and_loses_nothing(text: str) -> None:
    shown = show_invisible(text)
    assert unseen(shown) == set()
    assert show_invisible(shown) == shown


def test_every_invisible_character_of_unicode_is_shown_as_its_code() -> None:
    everything = "a".join(map(chr, range(0x110000)))
    shown = show_invisible(everything)
    assert unseen(shown) == set()
    assert all(f"<U+{ord(character):04X}>" in shown for character in unseen(everything))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u202eb\u200b\u2066c@x.example", "a<U+202E>b<U+200B><U+2066>c@x.example"),
        ("plain & simple \\ text\n\tend", "plain & simple \\ text\n\tend"),
        ("a\r\nb\rc\u2028d", "a\nb<U+000D>c<U+2028>d"),
        ("\x1b[31mred", "<U+001B>[31mred"),
        ("&#x202e;x &zwnj; \\u200b", "<U+202E>x <U+200C> <U+200B>"),
        ("❤\ufe0f a\ufe0f", "❤\ufe0f a<U+FE0F>"),
        ("Zürich 東京 👍🏽", "Zürich 東京 👍🏽"),
    ],
)
def test_what_a_reader_cannot_see_is_shown_as_its_code(text: str, expected: str) -> None:
    assert show_invisible(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("plain", None),
        ("é", None),
        ("a\u202eb", "U+202E"),
        ("a\nb", "U+000A"),
        ("é\tb", "U+0009"),
        ("\u3164", "U+3164"),
    ],
)
def test_the_first_invisible_character_is_named(text: str, code: str | None) -> None:
    assert first_invisible(text) == code


def test_one_line_is_one_line() -> None:
    assert one_line("a\u200b\r\n b\u2029c ") == "a b c"


def test_only_halves_of_characters_are_replaced_for_writing() -> None:
    assert encodable("a\ud83d b\x00 \N{GRINNING FACE}") == "a\ufffd b\x00 \N{GRINNING FACE}"


def test_an_excerpt_is_the_beginning_of_a_long_text() -> None:
    assert [excerpt("abcd", most) for most in (3, 4)] == ["abc…", "abcd"]
