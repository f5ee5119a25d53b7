"""What people say -> the words of the catalogue, in several languages."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from mailgun_mcp.catalogue.search.word_forms import WordForms
from mailgun_mcp.catalogue.search.words import EAST_ASIAN, STOP_WORDS, plain_words, stem, words
from mailgun_mcp.catalogue.types import Record

SYNONYM_WEIGHT = 0.5
"""Weight of a word that a synonym brings, beside a word of the query itself."""
TRANSLATION_WEIGHT = 1.0
"""Weight of a word that a synonym brings for a word which the catalogue lacks, such as one of another language."""
LONGEST_PHRASE = 3


@dataclass(frozen=True)
class Thesaurus:
    """Synonyms of words and short phrases."""

    phrases: Mapping[str, tuple[str, ...]]
    """Stems of a phrase, with a space between them -> the stems that it also means."""
    east_asian: Mapping[str, tuple[str, ...]]
    """A phrase of a script without spaces -> the stems that it means."""

    @classmethod
    def build(cls, entries: Mapping[str, str]) -> "Thesaurus":
        """Return the thesaurus of `entries`: a phrase -> the words that it also means, none for a word that says nothing.

        Raises ValueError for a phrase that says the same as another: the meaning of one would be lost.
        """
        phrases: dict[str, tuple[str, ...]] = {}
        east_asian: dict[str, tuple[str, ...]] = {}
        for phrase, meaning in entries.items():
            if EAST_ASIAN.search(phrase):
                east_asian[phrase] = tuple(words(meaning))
            else:
                key = _key(plain_words(phrase))
                if key in phrases:
                    raise ValueError(f"{phrase}: there is another phrase that differs only in its endings")
                phrases[key] = tuple(words(meaning))
        return cls(phrases, east_asian)

    @classmethod
    def from_record(cls, record: Record) -> "Thesaurus":
        """Return the thesaurus of a compiled record."""
        return cls(
            {phrase: tuple(stems) for phrase, stems in record["phrases"].items()},
            {phrase: tuple(stems) for phrase, stems in record["east_asian"].items()},
        )

    def to_record(self) -> Record:
        """Return the thesaurus as it is compiled."""
        return {
            "phrases": {phrase: list(stems) for phrase, stems in sorted(self.phrases.items())},
            "east_asian": {phrase: list(stems) for phrase, stems in sorted(self.east_asian.items())},
        }

    def expand(self, query: str, vocabulary: Container[str] = ()) -> dict[str, float]:
        """Return the stems of the query and of what its words also mean, each with its weight.

        `vocabulary` are the stems that the catalogue has: what the others mean is all that there is of them.
        """
        plain = [part for word in plain_words(query) for part in self._read(word, vocabulary)]
        weights = dict.fromkeys((stem(word) for word in plain if word not in STOP_WORDS), 1.0)
        for word in [word for word in weights if word not in vocabulary and word in self.phrases]:
            # Its meaning is all that is searched: it is not a misspelling.
            del weights[word]
        for size in range(1, LONGEST_PHRASE + 1):
            for start in range(len(plain) - size + 1):
                key = _key(plain[start : start + size])
                weight = SYNONYM_WEIGHT if all(word in vocabulary for word in key.split(" ")) else TRANSLATION_WEIGHT
                for meaning in self.phrases.get(key, ()):
                    weights[meaning] = max(weights.get(meaning, 0.0), weight)
        for run in EAST_ASIAN.findall(query):
            for phrase, meanings in self.east_asian.items():
                if phrase in run:
                    # Such a run is one word for `plain_words`, so its meanings are all that there is of it.
                    weights.update(dict.fromkeys(meanings, 1.0))
        return weights

    def _read(self, word: str, vocabulary: Container[str]) -> list[str]:
        """Return the words to look up for a word of a query."""

        def means(other: str) -> bool:
            return other in STOP_WORDS or stem(other) in self.phrases or (len(other) > 3 and stem(other) in vocabulary)

        if stem(word) in vocabulary or means(word) or not vocabulary:
            return [word]
        return self._forms.read(word, means) or [word]

    @cached_property
    def _forms(self) -> WordForms:
        return WordForms(phrase for phrase in self.phrases if " " not in phrase)


def _key(plain: list[str]) -> str:
    return " ".join(stem(word) for word in plain)
