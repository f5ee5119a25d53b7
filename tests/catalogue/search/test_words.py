"""Words of a text, without case, accents and endings."""

import pytest

from mailgun_mcp.catalogue.search.words import grams, plain_words, words


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("Bounced addresses", ["bounc", "address"]),
        ("list_bounces", ["list", "bounc"]),
        ("createdAt", ["creat"]),
        ("Öffnungsrate café", ["offnungsr", "cafe"]),
        ("the of and", []),
        ("mail to kim.o'neil+x@mail.example.org bounced", ["mail", "address", "bounc"]),
        ("", []),
        ("🙂 !?", []),
    ],
)
def test_endings_case_accents_and_stop_words_go(text: str, stems: list[str]) -> None:
    assert words(text) == stems


def test_a_word_of_another_script_is_one_word() -> None:
    assert plain_words("ドメインを削除 now") == ["ドメインを削除", "now"]


def test_grams_mark_the_edges_of_words() -> None:
    assert grams("the mail") == [" ma", "mai", "ail", "il "]
