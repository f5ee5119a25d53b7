"""Compiles `tools/*.yaml` and `prompts/*.md` into `_data/`: what is listed, and how each call is sent.

Run as `python -m mailgun_mcp.catalogue.compile.__main__`, with `--check` to only compare. Start-up
reads what this writes, so no YAML is parsed and no schema is checked there.
"""

import json
import sys
from pathlib import Path

from mailgun_mcp.catalogue.compile.documents import Node, digest, read_document
from mailgun_mcp.catalogue.compile.extension import DocumentExtension
from mailgun_mcp.catalogue.compile.operations import compile_document, extension_of
from mailgun_mcp.catalogue.compile.resources import check_resources, compile_resources
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.prompts import compile_prompts, render_prompts

PACKAGE = Path(__file__).resolve().parents[2]
SOURCES = PACKAGE.parent / "tools"
PROMPTS = PACKAGE.parent / "prompts"
DATA = PACKAGE / "_data"


def compile_all(sources: Path = SOURCES) -> dict[str, str]:
    """Return the text of each data file by its name, compiled from `sources`.

    Raises CatalogueError, with file, path and method, for anything that is not right.
    """
    documents = []
    for path in sorted(sources.glob("*.yaml")):
        document = read_document(path)
        head = extension_of(DocumentExtension, document, path.name)
        if head.toolset != path.stem:
            raise CatalogueError(f"{path.name}: x-mailgun-mcp: toolset {head.toolset!r} is not the file's name")
        records = compile_document(document, path.name, head.toolset)
        documents.append((head, path, compile_resources(head, path.name), records))
    documents.sort(key=lambda item: item[0].order)
    together = [record for *_, records in documents for record in records]
    _check_together(together)
    check_resources({name: record for *_, found, _ in documents for name, record in found.items()}, together)
    return {
        f"{head.toolset}.json": _render(
            {
                **{"toolset": head.toolset, "title": head.title, "order": head.order, "source": digest(path)},
                "resources": resources,
            },
            records,
        )
        for head, path, resources, records in documents
    }


def _check_together(records: list[Node]) -> None:
    """What one operation alone cannot show: unique names and calls, previews that exist and read."""
    by_name: dict[str, Node] = {}
    calls: set[tuple[str, str]] = set()
    for record in records:
        name, call = record["tool"]["name"], (record["method"], record["path"])
        where = f"{record['tool']['_meta']['mailgun-mcp/toolset']}.yaml: {record['path']}: {record['method'].lower()}"
        if name in by_name:
            raise CatalogueError(f"{where}: the tool name {name} is taken by {by_name[name]['path']}")
        if call in calls:
            raise CatalogueError(f"{where}: described twice")
        by_name[name] = record
        calls.add(call)
    for record in records:
        if record["preview"]:
            _check_preview(record, by_name)


def _check_preview(record: Node, by_name: dict[str, Node]) -> None:
    where = f"{record['tool']['_meta']['mailgun-mcp/toolset']}.yaml: {record['path']}: {record['method'].lower()}"
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
    lines = ",\n".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records)
    start = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    return f'{start},"operations":[\n{lines}\n]}}\n'


def _write(rendered: dict[str, str], folder: Path, check: bool, pattern: str = "*.json") -> list[str]:
    """Return the names of the files that differ from `rendered`; write them unless `check`."""
    present = {path.name: path for path in folder.glob(pattern)} if folder.exists() else {}
    stale = sorted(present.keys() - rendered.keys())
    changed = [
        name
        for name, text in rendered.items()
        if name not in present or present[name].read_text(encoding="utf-8") != text
    ]
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            present[name].unlink()
        for name in changed:
            (folder / name).write_text(rendered[name], encoding="utf-8", newline="\n")
    return sorted(stale + changed)


def _check_files(paths: list[Path]) -> int:
    for path in paths:
        document = read_document(path)
        head = extension_of(DocumentExtension, document, path.name)
        records = compile_document(document, path.name, head.toolset)
        sys.stdout.write(f"{path}: {len(records)} operations\n")
    return 0


def main(arguments: list[str]) -> int:
    """Compile, with `--check` only compare, with file names only check those. Returns the exit code."""
    check = arguments == ["--check"]
    try:
        if arguments and not check:
            return _check_files([Path(argument) for argument in arguments])
        rendered = compile_all()
        names = {record["tool"]["name"] for text in rendered.values() for record in json.loads(text)["operations"]}
        prompts = render_prompts(compile_prompts(PROMPTS, names))
        differing = _write(rendered, DATA / "tools", check)
        differing += _write({"prompts.json": prompts}, DATA, check, "prompts.json")
    except CatalogueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if check and differing:
        sys.stderr.write(f"stale: {', '.join(differing)}; run `python -m mailgun_mcp.catalogue.compile.__main__`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
