"""HTML as text: whatever the markup, the reader only moves forward."""

import itertools

import pytest

from mailgun_mcp.text import html_text
from mailgun_mcp.text.html_text import LONGEST_TEXT, html_to_text

FLOODS = ["<a ", "<a b='", "</", "<!--", "<p>", "<style>", "<script></", "<td>", "<", "&#", "<li><ol>"]


@pytest.mark.parametrize("piece", FLOODS)
def test_no_character_of_the_markup_is_read_twice(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[tuple[int, int]] = []
    read_markup = html_text._markup

    def counted(html: str, begin: int) -> tuple[object, int]:
        tag, end = read_markup(html, begin)
        spans.append((begin, max(end, begin + 1)))
        return tag, end

    monkeypatch.setattr(html_text, "_markup", counted)
    html = piece * 8_000
    html_to_text(html)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert sum(end - begin for begin, end in spans) <= len(html)


def test_links_lists_and_paragraphs_stay_readable() -> None:
    html = '<h1>News</h1><ul><li>one<li>two</ul><p>See <a href="https://x.example/">the site</a>'
    assert html_to_text(html) == "News\n\n- one\n- two\n\nSee the site <https://x.example/>"


def test_a_long_document_is_cut_with_a_note() -> None:
    text = html_to_text("<p>word</p>" * 50_000)
    assert len(text) < LONGEST_TEXT + 100
    assert text.endswith("[cut: the HTML has 550,000 characters]")
