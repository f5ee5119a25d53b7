"""The compiler refuses an operation that nobody would find, and a thesaurus that says nothing."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.catalogue.compile.compiler import DATA, SOURCES, compile_documents
from mailgun_mcp.catalogue.compile.search import compile_search
from mailgun_mcp.catalogue.errors import CatalogueError


def record(asked: list[str]) -> dict[str, Any]:
    tool = {
        "name": "get_a",
        "title": "Get a",
        "description": "Shows a.",
        "inputSchema": {"type": "object"},
        "_meta": {"mailgun-mcp/toolset": "a"},
    }
    return {"tool": tool, "path": "/a", "method": "GET", "asked": asked}


def sources(folder: Path, thesaurus: str) -> Path:
    (folder / "search").mkdir()
    (folder / "search" / "thesaurus.yaml").write_text(thesaurus, encoding="utf-8")
    return folder


def test_an_operation_needs_phrases(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"/a: get: asked needs 6 phrases or more"):
        compile_search(sources(tmp_path, "a: b"), [record(["one", "two", "three", "four", "five"])])


@pytest.mark.parametrize(
    ("thesaurus", "message"),
    [
        ("a: [b]", "a: the meaning must be text"),
        ("opt: b\nopts: c", "opts: there is another phrase"),
        ("a: b\na: c", "duplicate key"),
        ("- a", "a mapping is needed"),
    ],
)
def test_a_wrong_thesaurus_stops_the_compile(tmp_path: Path, thesaurus: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        compile_search(sources(tmp_path, thesaurus), [])


def test_a_missing_thesaurus_stops_the_compile(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"thesaurus\.yaml"):
        compile_search(tmp_path, [])


def test_the_index_is_what_the_sources_say() -> None:
    records = [record for document in compile_documents(SOURCES) for record in document.records]
    assert compile_search(SOURCES, records) == (DATA / "search.json").read_text(encoding="utf-8")
