"""Takes operations from an OpenAPI document that was not written for this project (`--spec`).

Every operation is prepared so that the one compiler can take it, with the worst risk that its
verb allows. What a request cannot carry is refused with file, path and method.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.arguments import ArgumentNames, Parameters
from mailgun_mcp.catalogue.openapi.bodies import request_body
from mailgun_mcp.catalogue.openapi.documents import Node, parse_document
from mailgun_mcp.catalogue.openapi.naming import tool_name
from mailgun_mcp.catalogue.openapi.operations import METHODS, compile_document
from mailgun_mcp.catalogue.openapi.references import References
from mailgun_mcp.catalogue.openapi.simplify import simplify
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.text.suggest import unknown

TOOLSET = "spec"
OTHER_METHODS = ("head", "options", "trace", "query")
PLAIN_PATH = re.compile(r"/[!-~]*")
RISKS = ("read", "write", "send", "destructive", "credential", "billing")
REPEATABLE = frozenset({"PUT", "DELETE"})
"""Methods that change something and do the same when called twice (RFC 9110, section 9.2.2)."""


def records_of(path: Path, catalogue: Catalogue) -> list[Record]:
    """Return the compiled record of every operation in the file `path` that `catalogue` lacks.

    Raises CatalogueError, with file, path and method, for what is not OpenAPI 3.x or cannot
    become a tool.
    """
    document = ImportedDocument(path)
    existing = {(operation.method, path_shape(operation.path)) for operation in catalogue}
    taken = set(catalogue.names)
    records = []
    for call in document.calls():
        if call.key not in existing:
            record = document.record(call, taken)
            taken.add(record["tool"]["name"])
            records.append(record)
    return records


def path_shape(path: str) -> str:
    """Return the path template without the names of its parameters."""
    return re.sub(r"{[^}]*}", "{}", path)


@dataclass(frozen=True, slots=True)
class ImportedOperation:
    """One operation of a foreign document, as written there."""

    method: str
    path: str
    operation: Any
    shared: Any
    """Parameters of the whole path."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two operations the same one."""
        return self.method, path_shape(self.path)


class ImportedDocument:
    """An OpenAPI 3.x document whose operations can be compiled one by one."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises CatalogueError when it is not an OpenAPI 3.x document."""
        document = parse_document(path)
        self.file = path.name
        self._references = References(document)
        self._paths = document["paths"]
        self._base = _base_path(document.get("servers"))

    def calls(self) -> Iterator[ImportedOperation]:
        """Yield the operations in the document's order. Raises CatalogueError for one that is there twice."""
        seen: dict[tuple[str, str], str] = {}
        for template, item in self._paths.items():
            if str(template).startswith("x-"):
                continue
            for call in self._calls_of(str(template), item):
                if call.key in seen:
                    raise CatalogueError(f"{self._where(call)}: the same operation as {seen[call.key]}")
                seen[call.key] = call.path
                yield call

    def record(self, call: ImportedOperation, taken: Container[str], *, prefer: str | None = None) -> Record:
        """Return the compiled record of `call`, under a tool name that is not `taken`.

        `prefer` names the kind of body to take where the document offers several. Raises
        CatalogueError for what a request cannot carry.
        """
        where = self._where(call)
        try:
            prepared = self._prepared(call, taken, prefer)
            (record,) = compile_document(
                {"paths": {call.path: {call.method.lower(): prepared}}}, self.file, TOOLSET, strict=False
            )
        except CatalogueError as error:
            message = str(error)
            raise CatalogueError(message if message.startswith(where) else f"{where}: {message}") from error
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
            # Nothing checked the document's own form: what is missing or of another kind shows here.
            raise CatalogueError(f"{where}: not valid OpenAPI: {error!r}") from error
        return record

    def _calls_of(self, template: str, item: Any) -> Iterator[ImportedOperation]:
        path = self._base + template
        try:
            item = self._references.follow(item)
        except CatalogueError as error:
            raise CatalogueError(f"{self.file}: {path}: {error}") from error
        if not isinstance(item, dict):
            raise CatalogueError(f"{self.file}: {path}: not valid OpenAPI: a path item is an object")
        more = item.get("additionalOperations") or {}
        for method, operation in [*item.items(), *more.items()]:
            if method in METHODS or method in OTHER_METHODS or method in more:
                yield ImportedOperation(str(method).upper(), path, operation, item.get("parameters") or [])

    def _where(self, call: ImportedOperation) -> str:
        return f"{self.file}: {call.path}: {call.method.lower()}"

    def _prepared(self, call: ImportedOperation, taken: Container[str], prefer: str | None) -> Node:
        """Return the operation as the compiler wants one."""
        operation = call.operation
        if call.method.lower() not in METHODS:
            raise CatalogueError(f"the method {call.method} is not supported")
        if not PLAIN_PATH.fullmatch(call.path) or set("?#\\") & set(call.path):
            raise CatalogueError("the path contains characters not allowed in a path")
        summary = " ".join(str(operation.get("summary") or "").split())
        name = tool_name(call.method, call.path, summary, operation.get("operationId"), taken)
        names = ArgumentNames()
        prepared = {
            "operationId": name,
            "summary": summary or name.replace("_", " ").capitalize(),
            "description": str(operation.get("description") or "").strip() or summary or f"{call.method} {call.path}",
            "deprecated": operation.get("deprecated") is True,
            "parameters": self._parameters(call, names),
            "responses": self._responses(operation.get("responses") or {}),
            "x-mailgun-mcp": unreviewed_extension(call.method, operation.get("x-mailgun-mcp")),
        }
        body = self._references.follow(operation.get("requestBody"))
        if body is not None:
            content = self._references.resolve({"content": body.get("content") or {}})["content"]
            prepared["requestBody"] = request_body(content, body.get("required") is True, names, prefer)
        return {key: value for key, value in prepared.items() if value is not None}

    def _parameters(self, call: ImportedOperation, names: ArgumentNames) -> list[Node]:
        parameters = Parameters(names)
        for written in (call.shared, call.operation.get("parameters") or []):
            for parameter in written:
                parameters.add(self._references.resolve(parameter))
        return parameters.prepared()

    def _responses(self, responses: Node) -> Node:
        """Return the first success that has a body; its examples, headers and links say nothing here."""
        successes = sorted((str(status), answer) for status, answer in responses.items() if str(status).startswith("2"))
        for _, answer in successes:
            content = self._references.follow(answer).get("content") or {}
            for media, described in content.items():
                return {"200": {"content": {"application/json": {"schema": self._result(media, described)}}}}
        return {"204": {"description": "Done"}}

    def _result(self, media: str, described: Any) -> Node:
        if "json" not in media and "*" not in media:
            return {"type": "string"}
        schema = self._references.resolve(self._references.follow(described)).get("schema")
        return simplify(schema, loose=True)


def unreviewed_extension(method: str, claimed: Any) -> Node:
    """Return the worst that the verb allows. What the document claims can make it worse, not better.

    Raises CatalogueError for a claimed risk that does not exist.
    """
    risk = claimed.get("risk", "read") if isinstance(claimed, dict) else "read"
    if risk not in RISKS:
        raise CatalogueError(f"x-mailgun-mcp: {unknown('risk', str(risk), RISKS)}")
    if method != "GET" or risk == "write":
        risk = "destructive"
    return {
        "risk": risk,
        "bulk": risk != "read",
        "idempotent": risk == "read" or method in REPEATABLE,
        "reversible": None if risk == "read" else "no",
        "undo": None if risk == "read" else {"why": "what it does has not been reviewed"},
        "preview": None,
        "pages": None,
        "secrets": [],
        "personal": [],
        "price": {"unit": "call"} if risk == "billing" else None,
    }


def _base_path(servers: Any) -> str:
    """Return the path below which a document's own paths lie. Its hosts are not asked: the key is not theirs."""
    first = servers[0] if isinstance(servers, list) and servers else None
    url = first.get("url") if isinstance(first, dict) else None
    if not isinstance(url, str):
        return ""
    variables = first.get("variables") or {} if isinstance(first, dict) else {}
    for name, variable in variables.items():
        url = url.replace("{" + str(name) + "}", str(variable.get("default", "")))
    path = urlsplit(url).path.rstrip("/")
    return path if path.startswith("/") else ""
