"""What strangers wrote stays text, as content and as an attribute."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.control.markup import Markup, element, joined


class Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.words += data


HOSTILE = st.text() | st.text(alphabet="<>\"'&;=/ scriptonx#3")


@pytest.mark.slow
@given(HOSTILE, HOSTILE)
def test_any_text_is_read_back_as_it_was(content: str, value: str) -> None:
    read = Reader(element("p", content, title=value))
    assert (read.found, read.words) == ([("p", [("title", value)])], content)


def test_markup_within_markup_is_left_as_it_is() -> None:
    inner = element("b", "1 < 2")
    assert element("p", inner, " & ", class_="x", aria_label="y", hidden=True, open=False) == (
        '<p class="x" aria-label="y" hidden><b>1 &lt; 2</b> &amp; </p>'
    )
    assert joined([inner, Markup("<br>"), "<br>"]) == "<b>1 &lt; 2</b><br>&lt;br&gt;"
    assert element("input", type="search") == '<input type="search">'
