"""Compiles the index that `search_tools` reads."""

from collections.abc import Iterable
from pathlib import Path

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.search.index import SearchIndex
from mailgun_mcp.catalogue.search.searched_text import document_of
from mailgun_mcp.catalogue.search.thesaurus import Thesaurus
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS, listing
from mailgun_mcp.text.compact_json import compact
from mailgun_mcp.text.yaml import YamlError, read

THESAURUS = Path("search", "thesaurus.yaml")
FEWEST_PHRASES = 6
"""Each of our own operations has so many phrases at least."""


def compile_search(sources: Path, records: Iterable[Node]) -> str:
    """Return the index of all `records`, and of the workflow tools, as the text of its data file.

    Raises CatalogueError for a thesaurus that cannot be read, and for an operation that nobody would find.
    """
    documents = {}
    for record in records:
        tool, asked = record["tool"], record["asked"]
        if len(asked) < FEWEST_PHRASES:
            raise CatalogueError(
                f"{record['path']}: {record['method'].lower()}: asked needs {FEWEST_PHRASES} phrases or more"
            )
        documents[tool["name"]] = document_of(tool, record["path"], asked)
    documents |= {name: document_of(listing(name), name, workflow.asked) for name, workflow in WORKFLOW_TOOLS.items()}
    index = SearchIndex.build(documents, _thesaurus(sources / THESAURUS))
    return compact(index.to_record()) + "\n"


def _thesaurus(path: Path) -> Thesaurus:
    try:
        entries = read(path.read_text(encoding="utf-8")).checked().value
    except (OSError, YamlError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    if not isinstance(entries, dict):
        raise CatalogueError(f"{path.name}: a mapping is needed: phrase -> the words that it means")
    wrong = [phrase for phrase, meaning in entries.items() if not isinstance(meaning, str)]
    if wrong:
        raise CatalogueError(f"{path.name}: {wrong[0]}: the meaning must be text")
    try:
        return Thesaurus.build(entries)
    except ValueError as error:
        raise CatalogueError(f"{path.name}: {error}") from error
