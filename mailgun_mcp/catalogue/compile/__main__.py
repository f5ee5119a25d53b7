"""Compiles `tools/*.yaml`, `prompts/*.md` and `prompts/skills/*.md` into `_data/`, in a checkout.

Run as `python -m mailgun_mcp.catalogue.compile`, with `--check` to only compare. Start-up
reads what this writes, so no YAML is parsed and no schema is checked there.
"""

import json
import sys
from pathlib import Path

from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS
from mailgun_mcp.catalogue.compile.compiler import DATA, PROMPTS, SOURCES, compile_documents, render_documents
from mailgun_mcp.catalogue.compile.prompts import compile_prompts, render_prompts
from mailgun_mcp.catalogue.compile.search import compile_search
from mailgun_mcp.catalogue.compile.skills import compile_skills
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node, read_document
from mailgun_mcp.catalogue.openapi.extension import DocumentExtension, extension_of
from mailgun_mcp.catalogue.openapi.operations import compile_document


def main(arguments: list[str]) -> int:
    """Compile, with `--check` only compare, with file names only check those. Returns the exit code."""
    check = arguments == ["--check"]
    try:
        if arguments and not check:
            return _check_documents([Path(argument) for argument in arguments])
        differing = _compile(check)
    except CatalogueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if check and differing:
        sys.stderr.write(f"stale: {', '.join(differing)}; run `python -m mailgun_mcp.catalogue.compile`\n")
        return 1
    return 0


def _check_documents(paths: list[Path]) -> int:
    for path in paths:
        document = read_document(path)
        head = extension_of(DocumentExtension, document, path.name)
        records = compile_document(document, path.name, head.toolset)
        sys.stdout.write(f"{path}: {len(records)} operations\n")
    return 0


def _compile(check: bool) -> list[str]:
    """Return the names of the data files that differ from the sources; write them unless `check`."""
    _refuse_missing_sources(SOURCES, "*.yaml", "tool documents")
    _refuse_missing_sources(PROMPTS, "*.md", "prompts")
    documents = compile_documents(SOURCES)
    toolsets = render_documents(documents)
    records = [record for document in documents for record in document.records]
    prompts = compile_prompts(PROMPTS, names := _current_tools(records))
    skills = compile_skills(PROMPTS / "skills", [prompt["name"] for prompt in prompts], names)
    folder = DATA / "tools"
    stale = sorted(path for path in folder.glob("*.json") if path.name not in toolsets)
    for path in stale:
        _refuse_foreign_file(path)
    texts = {folder / name: text for name, text in toolsets.items()}
    texts |= {
        DATA / "prompts.json": render_prompts(prompts),
        DATA / "skills.json": render_prompts(skills),
        DATA / "search.json": compile_search(SOURCES, records),
    }
    changed = [path for path, text in texts.items() if not _holds(path, text)]
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for path in changed:
            path.write_text(texts[path], encoding="utf-8", newline="\n")
        for path in stale:
            path.unlink()
    return sorted(path.name for path in (*changed, *stale))


def _current_tools(records: list[Node]) -> list[str]:
    """Return the tools that a prompt may name: those that are not deprecated, and the server's own."""
    tools = [record["tool"] for record in records]
    return [*(tool["name"] for tool in tools if not tool["_meta"]["mailgun-mcp/deprecated"]), *OWN_TOOLS]


def _refuse_missing_sources(folder: Path, pattern: str, kind: str) -> None:
    """An installed package has no sources: compiling nothing would empty its catalogue."""
    if not any(folder.glob(pattern)):
        raise CatalogueError(f"no {kind} ({pattern}) in {folder}: run this in a checkout of mailgun-mcp")


def _refuse_foreign_file(path: Path) -> None:
    """Only what an earlier run wrote, for a toolset that is gone, may be deleted."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("toolset") != path.stem or "source" not in document:
        raise CatalogueError(f"{path} was not written by this compiler: move it somewhere else")


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
