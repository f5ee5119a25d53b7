"""The index over tools: two rankings, by words and by runs of characters, made one.

Words are ranked by BM25F (Robertson and Zaragoza 2009): a word in a tool's name counts more than one in the description of
an argument. Runs of three characters find what is misspelled. Both are joined by reciprocal rank fusion (Cormack 2009).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.resources import files
from math import log, sqrt

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.search.searched_text import document_of
from mailgun_mcp.catalogue.search.thesaurus import Thesaurus
from mailgun_mcp.catalogue.search.words import grams, words
from mailgun_mcp.catalogue.types import Record

FIELDS = {
    "name": 4.0,
    "title": 3.0,
    "asked": 3.0,
    "toolset": 2.0,
    "description": 1.5,
    "path": 1.0,
    "arguments": 0.7,
    "texts": 0.4,
    "values": 0.4,
}
"""Field of a document -> how much a word in it counts."""
REPLACED_WEIGHT = 0.9
"""How much a word in a tool counts that Mailgun has replaced by another."""
GRAM_FIELDS = ("name", "title", "asked")
LENGTH_WEIGHT = 0.5
"""How much a long field lowers the weight of each of its words: 0 not at all, 1 in full (`b` of BM25)."""
SATURATION = 10.0
"""How soon further occurrences of a word stop counting (`k1` of BM25)."""
FUSION = 10
"""Ranks further down count for less the smaller this is (`k` of reciprocal rank fusion)."""
WORDS_SHARE = 0.9
"""Share of the ranking by words in the fused rank."""

SHORTEST_CORRECTED = 4
CLOSE = 0.72
"""How alike a misspelling and a word are at least, from 0 to 1."""
CORRECTION_WEIGHT = 0.7

Entries = list[tuple[int, float]]
"""For each tool that has a term: the number of the tool, and the weight of the term there."""
Postings = dict[str, str]
"""Term -> its entries as text, such as `3 1.25 17 0.4`: a search reads few of them, and text loads eight times faster."""


@dataclass(frozen=True)
class SearchIndex:
    """Tools by their words and runs of characters."""

    names: tuple[str, ...]
    words: Postings
    grams: Postings
    thesaurus: Thesaurus

    @classmethod
    def build(cls, documents: Mapping[str, Mapping[str, str]], thesaurus: Thesaurus) -> "SearchIndex":
        """Return the index of `documents`: tool name -> field of FIELDS -> its text."""
        return cls(tuple(documents), _word_postings(documents), _gram_postings(documents), thesaurus)

    @classmethod
    def from_record(cls, record: Record) -> "SearchIndex":
        """Return the index of a compiled record, as it stands: to load it is most of the time of a first search."""
        return cls(tuple(record["names"]), record["words"], record["grams"], Thesaurus.from_record(record["thesaurus"]))

    def extended(self, documents: Mapping[str, Mapping[str, str]]) -> "SearchIndex":
        """Return this index with more documents in it."""
        if not documents:
            return self
        other = SearchIndex.build(documents, self.thesaurus)
        return SearchIndex(
            (*self.names, *other.names),
            _merged(self.words, other.words, len(self.names)),
            _merged(self.grams, other.grams, len(self.names)),
            self.thesaurus,
        )

    def to_record(self) -> Record:
        """Return the index as it is compiled."""
        return {
            "names": list(self.names),
            "words": dict(sorted(self.words.items())),
            "grams": dict(sorted(self.grams.items())),
            "thesaurus": self.thesaurus.to_record(),
        }

    def rank(self, query: str, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """Return the tools that fit `query`, the best first, with their scores. Only those `among`, if it is given."""
        rankings = (
            (WORDS_SHARE, self._by_words(query)),
            (1 - WORDS_SHARE, self._by_grams(query)),
        )
        fused: defaultdict[str, float] = defaultdict(float)
        for share, scores in rankings:
            scored = {self.names[number]: score for number, score in scores.items()}
            chosen = scored if among is None else {name: score for name, score in scored.items() if name in among}
            for position, name in enumerate(sorted(chosen, key=lambda name: (-chosen[name], name))):
                fused[name] += share / (FUSION + position)
        return sorted(fused.items(), key=lambda item: (-item[1], item[0]))

    def _by_words(self, query: str) -> dict[int, float]:
        scores: defaultdict[int, float] = defaultdict(float)
        for term, weight in self._corrected(self.thesaurus.expand(query, self.words)).items():
            entries = _entries(self.words.get(term, ""))
            rarity = _rarity(len(self.names), len(entries))
            for number, frequency in entries:
                scores[number] += weight * rarity * frequency / (SATURATION + frequency)
        return scores

    def _corrected(self, terms: dict[str, float]) -> dict[str, float]:
        """Return the terms, and for each that no tool has the one that it may be a misspelling of."""
        corrected = dict(terms)
        for term, weight in terms.items():
            if term not in self.words and term.isascii() and len(term) >= SHORTEST_CORRECTED:
                for near in get_close_matches(term, self._vocabulary, 1, CLOSE):
                    corrected.setdefault(near, weight * CORRECTION_WEIGHT)
        return corrected

    @cached_property
    def _vocabulary(self) -> list[str]:
        return [term for term in self.words if len(term) >= SHORTEST_CORRECTED]

    def _by_grams(self, query: str) -> dict[int, float]:
        scores: defaultdict[int, float] = defaultdict(float)
        for gram, count in Counter(grams(query)).items():
            for number, weight in _entries(self.grams.get(gram, "")):
                scores[number] += count * weight
        return scores


@cache
def compiled_index() -> SearchIndex:
    """Return the index of the catalogue that ships with the package."""
    path = files("mailgun_mcp") / "_data" / "search.json"
    return SearchIndex.from_record(json.loads(path.read_text(encoding="utf-8")))


def index_of(catalogue: Catalogue) -> SearchIndex:
    """Return an index that has every tool of the catalogue, also those that are not compiled, and the workflow tools."""
    index = compiled_index()
    compiled = set(index.names)
    # An operation is only made where it is needed: most servers add none.
    added = [catalogue.find(name) for name in catalogue.names if name not in compiled]
    return index.extended({operation.name: document_of(operation.tool, operation.path) for operation in added})


def _merged(one: Postings, other: Postings, offset: int) -> Postings:
    added = {
        term: _text([(offset + number, weight) for number, weight in _entries(text)]) for term, text in other.items()
    }
    return {**one, **{term: f"{one[term]} {text}" if term in one else text for term, text in added.items()}}


def _entries(text: str) -> Entries:
    parts = text.split()
    return [(int(number), float(weight)) for number, weight in zip(parts[::2], parts[1::2], strict=True)]


def _text(entries: Iterable[tuple[int, float]]) -> str:
    return " ".join(f"{number} {round(weight, 2)}" for number, weight in entries)


def _rarity(documents: int, having: int) -> float:
    return log(1 + (documents - having + 0.5) / (having + 0.5))


def _word_postings(documents: Mapping[str, Mapping[str, str]]) -> Postings:
    counts = {
        (name, field): Counter(words(text))
        for name, fields in documents.items()
        for field, text in fields.items()
        if field in FIELDS
    }
    lengths = {field: _mean(counts.get((name, field), Counter()).total() for name in documents) for field in FIELDS}
    weights: dict[str, dict[int, float]] = {}
    numbers = {name: number for number, name in enumerate(documents)}
    for (name, field), word_counts in counts.items():
        length = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * word_counts.total() / (lengths[field] or 1)
        weight = FIELDS[field] * (REPLACED_WEIGHT if documents[name].get("replaced") else 1)
        for word, count in word_counts.items():
            entries = weights.setdefault(word, {})
            entries[numbers[name]] = entries.get(numbers[name], 0.0) + weight * count / length
    return {word: _text(entries.items()) for word, entries in weights.items()}


def _gram_postings(documents: Mapping[str, Mapping[str, str]]) -> Postings:
    counts = {
        name: Counter(grams(" ".join(fields.get(field, "") for field in GRAM_FIELDS)))
        for name, fields in documents.items()
    }
    spread = Counter(gram for gram_counts in counts.values() for gram in gram_counts)
    postings: dict[str, Entries] = {}
    for number, gram_counts in enumerate(counts.values()):
        weights = {gram: sqrt(count) * _rarity(len(documents), spread[gram]) for gram, count in gram_counts.items()}
        norm = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for gram, weight in weights.items():
            # Once for the document and once for the query, as in a cosine of TF-IDF vectors.
            entry = (number, 10 * weight * _rarity(len(documents), spread[gram]) / norm)
            postings.setdefault(gram, []).append(entry)
    return {gram: _text(entries) for gram, entries in postings.items()}


def _mean(numbers: Iterable[int]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed) if listed else 0.0
