"""Characters that nobody sees, and texts made of what attacks are made of."""

import unicodedata

from hypothesis import strategies as st

BOUNDARY = "a1b2c3d4"
VISIBLE_FORMATS = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Signs of Arabic, Syriac and Kaithi numbers: Unicode calls them formats, and they are drawn."""
FILLERS = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f\ufffe\uffff") | {
    chr(number) for number in (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0), *range(0x1BCA0, 0x1BCA4))
}
"""Drawn as nothing or as space, though Unicode calls them letters, marks or symbols."""


def unseen(text: str) -> set[str]:
    """The characters of the text that no reader sees."""
    return {
        character
        for character in text
        if character in FILLERS
        or (unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in VISIBLE_FORMATS | set("\n\t"))
    }


PIECES = st.sampled_from(
    [
        *(
            "&",
            "#",
            "x",
            "0",
            "8203",
            ";",
            "202e",
            "amp;",
            "zwnj",
            "shy",
            "zw",
            "nj;",
            "\\",
            "u",
            "{",
            "}",
            "\\u",
            "\\x",
        ),
        *(
            "1b",
            "[",
            "]",
            "m",
            "\x1b",
            "\x9b",
            "\x07",
            "\x9c",
            "\r",
            "\n",
            "\u200b",
            "\ufe0f",
            "\ufe0e",
            "😀",
            "❤",
            "©",
        ),
        *("d83d", "db40", "dc41", "\ud83d", "\udc00", "\U000e0041", "⟦", "⟧", "a1b2", "c3d4", BOUNDARY, "A1B2C3D4"),
        *("<p>", "</p>", "<b", "<!--", "-->", "<a href='", '"', "'", ">", "<script>", "<td>", "<li>", " ", "word"),
        *(".", "@", "-", "example"),
    ]
)
NASTY = st.one_of(st.text(), st.lists(PIECES).map("".join))
