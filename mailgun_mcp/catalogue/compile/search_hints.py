"""Adds hints for clients to the tools: each tool's search hint is made from the phrases of people who want it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log

from mailgun_mcp.catalogue.client_hints import hints_of
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.search.words import STOP_WORDS, plain_words, stem

HINT_WORDS = 10
SHORTEST = 3
"""Characters of a word."""


def add_client_hints(records: Sequence[Node]) -> None:
    """Add the hints to the tool of every record, in place."""
    hints = search_hints({record["tool"]["name"]: record["asked"] for record in records})
    for record in records:
        tool = record["tool"]
        tool["_meta"] |= hints_of(tool["name"], reads=record["risk"] == "read", found_by=hints[tool["name"]])


def search_hints(asked: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return tool -> the words of its phrases that tell it best from other tools. Those of its name are left out."""
    counts = {name: _counted(phrases) for name, phrases in asked.items()}
    spread = Counter(word for counted in counts.values() for word in counted)
    return {
        name: " ".join(_chosen(name, counted, {word: log(len(asked) / spread[word]) for word in counted}, asked[name]))
        for name, counted in counts.items()
    }


def _chosen(name: str, counted: Counter[str], rarity: Mapping[str, float], phrases: Iterable[str]) -> list[str]:
    in_name = {stem(word) for word in plain_words(name)}
    # Words that are alike are in the order of the phrases, so that the result is always the same.
    ranked = sorted((word for word in counted if word not in in_name), key=lambda word: -counted[word] * rarity[word])
    as_written = {stem(word): word for phrase in reversed(list(phrases)) for word in reversed(_words(phrase))}
    return [as_written[word] for word in ranked[:HINT_WORDS]]


def _counted(phrases: Iterable[str]) -> Counter[str]:
    """Return the stem of each word -> how many phrases have it."""
    return Counter(word for phrase in phrases for word in dict.fromkeys(stem(word) for word in _words(phrase)))


def _words(phrase: str) -> list[str]:
    return [word for word in plain_words(phrase) if word not in STOP_WORDS and len(word) >= SHORTEST]
