"""Reads a word that nobody listed as words that are: another ending, another spelling of an umlaut, or a compound.

German writes a compound as one word, such as `Bounceliste`. English, French and Spanish words differ in their endings.
"""

from collections.abc import Callable, Iterable

ENDINGS = (
    *("ungen", "ieren", "iendo", "ement", "ungs"),
    *("ados", "adas", "ando", "ung", "ado", "ada", "ees", "ent", "ten", "tes", "ter", "est", "aba"),
    *("en", "er", "em", "es", "et", "te", "ar", "ir", "ez", "ee", "os", "as", "is"),
    *("e", "n", "s", "t", "a", "o", "i"),
)
"""What is cut off a word, the longest first."""
LINKS = ("", "s", "n", "es", "en", "e")
"""What stands between the parts of a compound."""
UMLAUTS = ("a", "o", "u")
"""Letters after which an `e` may stand for two dots."""
SHORTEST_ROOT = 4
SHORTEST_PART = 3
SHORTEST_COMPOUND = 7

IsWord = Callable[[str], bool]
"""Whether a word is one that means something here."""


class WordForms:
    """Words by their roots."""

    def __init__(self, words: Iterable[str]) -> None:
        self._roots: dict[str, str] = {}
        for word in words:
            self._roots.setdefault(root(word), word)

    def read(self, word: str, is_word: IsWord) -> list[str]:
        """Return the words that `word` is a form of, or made of; none where there are none."""
        for spelling in dict.fromkeys((word, _without_umlauts(word))):
            one = self._one(spelling, is_word)
            if one is not None:
                return [one]
            parts = self._parts(spelling, is_word)
            if parts:
                return parts
        return []

    def _one(self, word: str, is_word: IsWord) -> str | None:
        if is_word(word):
            return word
        bare = root(word)
        return bare if is_word(bare) else self._roots.get(bare)

    def _parts(self, word: str, is_word: IsWord) -> list[str]:
        if len(word) < SHORTEST_COMPOUND:
            return []
        for cut in range(len(word) - SHORTEST_PART, SHORTEST_PART - 1, -1):
            head = self._head(word[:cut], is_word)
            if head is None:
                continue
            tail = self._one(word[cut:], is_word)
            tails = [tail] if tail is not None else self._parts(word[cut:], is_word)
            if tails:
                return [head, *tails]
        return []

    def _head(self, head: str, is_word: IsWord) -> str | None:
        for link in LINKS:
            bare = head.removesuffix(link) if link else head
            if len(bare) >= SHORTEST_PART and (bare != head or not link):
                one = self._one(bare, is_word)
                if one is not None:
                    return one
        return None


def root(word: str) -> str:
    """Return a word without its ending: `vorlage` and `vorlagen` are `vorlag`."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_ROOT:
            return word[: -len(ending)]
    return word


def _without_umlauts(word: str) -> str:
    for letter in UMLAUTS:
        word = word.replace(f"{letter}e", letter)
    return word
