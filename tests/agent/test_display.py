"""What a chat shows: no image, and no link that leads elsewhere than to Mailgun, however the text is cut up."""

import pytest

from mailgun_mcp.agent.display import SafeText, safe

CASES = {
    "![x](https://evil.example/a.png)": "[x] (https[:]//evil[.]example/a.png)",
    "[click here](https://evil.example)": "[click here] (https[:]//evil[.]example)",
    "[a][1]\n\n[1]: //evil.example/x": "[a][1]\n\n[1] : //evil.example/x",
    "<img src=https://evil.example/a>": "< img src=https[:]//evil[.]example/a>",
    "<https://evil.example/a>": "< https[:]//evil[.]example/a>",
    "see HTTPS://EVIL.example?q=secret": "see HTTPS[:]//EVIL[.]example?q=secret",
    "see www.evil.example": "see www[.]evil.example",
    "https://mailgun.com.evil.example/": "https[:]//mailgun[.]com[.]evil[.]example/",
    "https://mailgun.com@evil.example/": "https[:]//mailgun[.]com@evil[.]example/",
    "https://documentation.mailgun.com/docs stays": "https://documentation.mailgun.com/docs stays",
    "[docs](https://www.mailgun.com/docs)": "[docs](https://www.mailgun.com/docs)",
    "3 < 4, 20:30, a/b and c@example.com": "3 < 4, 20:30, a/b and c@example.com",
    "from \u202emoc.elpmaxe\u202c": "from moc.elpmaxe",
    "[a]\u200e(\u2066javascript:x)": "[a] (javascript:x)",
    "gopher://evil.example": "gopher[:]//evil[.]example",
}


@pytest.mark.parametrize("text", CASES)
def test_links_and_images_are_defused(text: str) -> None:
    assert safe(text) == CASES[text]
    assert safe(safe(text)) == CASES[text]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_text_that_streams_is_defused_alike(size: int) -> None:
    for text, expected in CASES.items():
        pieces = list[str]()
        stream = SafeText(pieces.append)
        for start in range(0, len(text), size):
            stream.add(text[start : start + size])
        stream.end()
        # A word that is whole as it stands may be shown before it grows into an address: that one is no link then either.
        assert "".join(pieces) == expected


def test_plain_words_do_not_wait() -> None:
    pieces = list[str]()
    stream = SafeText(pieces.append)
    stream.add("Two")
    assert pieces == ["Two"]
    stream.add(" ht")
    assert "".join(pieces) == "Two "


def test_a_word_without_end_is_not_held_for_ever() -> None:
    pieces = list[str]()
    stream = SafeText(pieces.append)
    stream.add("[" + "x" * 10_000)
    assert pieces
