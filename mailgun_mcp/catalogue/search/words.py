"""Words of a text as the index counts them: without case, accents and endings."""

import re
import unicodedata
from functools import cache
from typing import Protocol

WORD = re.compile(r"[^\W_]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ACCENT = re.compile(r"[\u0300-\u036f]")
"""Marks on Latin, Greek and Cyrillic letters. Those of Japanese make another letter."""
ADDRESS = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "get",
        "gets",
        "got",
        "had",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "its",
        "let",
        "may",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "please",
        "shall",
        "should",
        "so",
        "some",
        "than",
        "that",
        "the",
        "their",
        "them",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "us",
        "was",
        "we",
        "were",
        "what",
        "when",
        "which",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
"""Words that say nothing about what is wanted. `who`, `where`, `why` and `all` do."""


class Stemmer(Protocol):
    """What is used of a stemmer."""

    def stemWord(self, word: str) -> str:  # noqa: N802  # the library's name
        """Return the stem of a word in lower case."""


def words(text: str) -> list[str]:
    """Return the stems of the words of `text` in order, without stop words."""
    return [stem(word) for word in plain_words(text) if word not in STOP_WORDS]


def plain_words(text: str) -> list[str]:
    """Return the words of `text` in lower case and without accents. `camelCase` and `snake_case` are two words each.

    An e-mail address is a value and no words: it counts as the word `address`.
    """
    decomposed = unicodedata.normalize("NFKD", CAMEL.sub(" ", ADDRESS.sub(" address ", text)))
    return WORD.findall(unicodedata.normalize("NFC", ACCENT.sub("", decomposed)).casefold())


@cache
def stem(word: str) -> str:
    """Return the English stem of a word: `bounced` and `bounces` are `bounc`."""
    return _stemmer().stemWord(word)


def grams(text: str) -> list[str]:
    """Return the runs of three characters of the words of `text`, the edges of a word marked by a space."""
    return [
        padded[start : start + 3]
        for word in plain_words(text)
        if word not in STOP_WORDS
        for padded in (f" {word} ",)
        for start in range(len(padded) - 2)
    ]


@cache
def _stemmer() -> Stemmer:
    from snowballstemmer.english_stemmer import EnglishStemmer  # type: ignore[import-untyped]  # it has no types

    stemmer: Stemmer = EnglishStemmer()
    return stemmer
