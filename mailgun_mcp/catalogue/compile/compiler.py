"""Compiles `tools/*.yaml`: what is listed, and how each call is sent.

Raises CatalogueError, with file, path and method, for whatever is not right.
"""

from dataclasses import dataclass
from pathlib import Path

from mailgun_mcp.catalogue.compile.authors import state_authors
from mailgun_mcp.catalogue.compile.glossary import describe_arguments
from mailgun_mcp.catalogue.compile.resources import check_resources, compile_resources
from mailgun_mcp.catalogue.compile.search_hints import add_client_hints
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node, digest, read_document
from mailgun_mcp.catalogue.openapi.extension import DocumentExtension, extension_of
from mailgun_mcp.catalogue.openapi.operations import compile_document
from mailgun_mcp.text.compact_json import compact

PACKAGE = Path(__file__).resolve().parents[2]
SOURCES = PACKAGE.parent / "tools"
PROMPTS = PACKAGE.parent / "prompts"
DATA = PACKAGE / "_data"
SUGGESTED = {"GET": "read", "DELETE": "destructive"}
"""Method -> the risk that it suggests. Of the others, a write."""


@dataclass(frozen=True)
class CompiledDocument:
    """One toolset: its head, its source, and the records of its resources and operations."""

    head: DocumentExtension
    path: Path
    resources: dict[str, Node]
    records: list[Node]


def compile_all(sources: Path = SOURCES) -> dict[str, str]:
    """Return the text of each toolset's data file by its name. Raises what `compile_documents` raises."""
    return render_documents(compile_documents(sources))


def compile_documents(sources: Path) -> list[CompiledDocument]:
    """Return the compiled documents of `sources`, in their order.

    Raises CatalogueError, with file, path and method, for anything that is not right.
    """
    documents = []
    for path in sorted(sources.glob("*.yaml")):
        document = read_document(path)
        head = extension_of(DocumentExtension, document, path.name)
        if head.toolset != path.stem:
            raise CatalogueError(f"{path.name}: x-mailgun-mcp: toolset {head.toolset!r} is not the file's name")
        records = compile_document(document, path.name, head.toolset)
        for record in records:
            describe_arguments(record["tool"])
            state_authors(record, path.name)
        documents.append(CompiledDocument(head, path, compile_resources(head, path.name), records))
    documents.sort(key=lambda document: document.head.order)
    together = [record for document in documents for record in document.records]
    _check_together(together)
    add_client_hints(together)
    check_resources({name: record for document in documents for name, record in document.resources.items()}, together)
    return documents


def render_documents(documents: list[CompiledDocument]) -> dict[str, str]:
    """Return the text of each document's data file by its name."""
    return {
        f"{document.head.toolset}.json": _render(
            {
                **{"toolset": document.head.toolset, "title": document.head.title, "order": document.head.order},
                **{"source": digest(document.path), "resources": document.resources},
            },
            [{key: value for key, value in record.items() if key != "asked"} for record in document.records],
        )
        for document in documents
    }


def _check_together(records: list[Node]) -> None:
    """What one operation alone cannot show: unique names and calls, previews that exist and read."""
    by_name: dict[str, Node] = {}
    calls: set[tuple[str, str]] = set()
    for record in records:
        name, call = record["tool"]["name"], (record["method"], record["path"])
        where = _where(record)
        if name in by_name:
            raise CatalogueError(f"{where}: the tool name {name} is taken by {by_name[name]['path']}")
        if call in calls:
            raise CatalogueError(f"{where}: described twice")
        by_name[name] = record
        calls.add(call)
    for record in records:
        _check_risk_reason(record)
        if record["preview"]:
            _check_preview(record, by_name)


def _check_risk_reason(record: Node) -> None:
    """A risk that the method does not suggest says why. Such an entry was looked at by somebody."""
    suggested = SUGGESTED.get(record["method"], "write")
    if record["risk"] != suggested and not record["risk_reason"]:
        raise CatalogueError(
            f"{_where(record)}: risk {record['risk']} needs a risk_reason: {record['method']} suggests {suggested}"
        )


def _where(record: Node) -> str:
    return f"{record['tool']['_meta']['mailgun-mcp/toolset']}.yaml: {record['path']}: {record['method'].lower()}"


def _check_preview(record: Node, by_name: dict[str, Node]) -> None:
    where = _where(record)
    preview = by_name.get(record["preview"]["tool"])
    if preview is None:
        raise CatalogueError(f"{where}: preview names an unknown tool {record['preview']['tool']}")
    if preview["risk"] != "read":
        raise CatalogueError(f"{where}: preview {record['preview']['tool']} is not a read")
    theirs = preview["tool"]["inputSchema"].get("properties", {})
    ours = record["tool"]["inputSchema"].get("properties", {})
    for name in preview["tool"]["inputSchema"].get("required", []):
        if record["preview"]["arguments"].get(name, name) not in ours:
            raise CatalogueError(f"{where}: preview {preview['tool']['name']} needs {name}")
    for name in record["preview"]["arguments"]:
        if name not in theirs:
            raise CatalogueError(f"{where}: preview {preview['tool']['name']} has no argument {name}")


def _render(head: Node, records: list[Node]) -> str:
    """One operation a line: a change to one tool is one line of a diff."""
    lines = ",\n".join(map(compact, records))
    start = compact(head)[:-1]
    return f'{start},"operations":[\n{lines}\n]}}\n'
