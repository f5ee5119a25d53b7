"""Operations to test with: the real ones by name, and made-up ones from a line of OpenAPI."""

from functools import lru_cache
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.openapi.operations import compile_document
from mailgun_mcp.catalogue.operation import Operation

REVIEWED: dict[str, Any] = {
    "risk": "write",
    "bulk": False,
    "idempotent": True,
    "reversible": "whole",
    "undo": {"nothing": "the same call again"},
    "preview": None,
    "pages": None,
    "secrets": [],
    "personal": [],
}
"""An `x-mailgun-mcp` with all that must be written out."""


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the catalogue that ships, loaded once for all tests."""
    return Catalogue.load()


def find(name: str) -> Operation:
    """Return the operation of the shipped catalogue."""
    return catalogue().find(name)


def described(**changes: Any) -> dict[str, Any]:
    """Return the OpenAPI description of an operation, right as it is, with `changes`."""
    return {
        "operationId": "do_thing",
        "summary": "Do a thing",
        "description": "Does a thing.",
        "responses": {"204": {"description": "Done"}},
        "x-mailgun-mcp": {**REVIEWED},
        **changes,
    }


def document(operation: dict[str, Any], *, path: str = "/v3/things", method: str = "post") -> dict[str, Any]:
    """Return an OpenAPI document of one operation."""
    return {"openapi": "3.1.0", "paths": {path: {method: operation}}}


def made(operation: dict[str, Any], *, path: str = "/v3/things", method: str = "post") -> Operation:
    """Return the compiled operation of one description."""
    (record,) = compile_document(document(operation, path=path, method=method), "things.yaml", "things")
    return Operation.from_record(record)


def with_query(name: str, schema: dict[str, Any], **parameter: Any) -> Operation:
    """Return an operation with one query parameter."""
    return made(described(parameters=[{"name": name, "in": "query", "schema": schema, **parameter}]), method="get")


def with_body(media: str, schema: dict[str, Any], encoding: dict[str, Any] | None = None, **changes: Any) -> Operation:
    """Return an operation with a body of one media type."""
    content = {media: {"schema": schema, **({"encoding": encoding} if encoding else {})}}
    return made(described(requestBody={"content": content}, **changes))
