"""Shapes Mailgun's answer into a tool's result: an object that satisfies the output schema."""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import page_after
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import RejectedError, UnreadableError
from mailgun_mcp.mailgun.response import Response, error_text, parse_json
from mailgun_mcp.request.coerce import EXACT, coerce_scalar, declared_type

UNEXPECTED = "unexpected"
Fit = Callable[[Any], bool]
"""Returns True if a value has the types that a schema declares."""


def shape(operation: Operation, arguments: Arguments, response: Response) -> dict[str, Any]:
    """Return the result of a successful call, with `next` if there is a next page.

    What the schema does not expect is returned under `unexpected`. Raises UnreadableError if the
    answer cannot be read.
    """
    body = _file(response) if operation.file else _body(operation, response)
    following = page_after(operation, arguments, body)
    whole = body if isinstance(body, dict) else {operation.wrap or "result": body}
    misfits: dict[str, Any] = {}
    # Most answers match the schema, and checking that costs less than converting them.
    result = dict(whole) if _fit(operation)(whole) else _conform_object(whole, operation.output_schema, "", misfits)
    if operation.absence and operation.absence.flag not in result:
        result = {operation.absence.flag: True, **result}
    if following:
        result["next"] = following
    if misfits:
        result[UNEXPECTED] = misfits
    return result


def _file(response: Response) -> dict[str, Any]:
    """Return a file: as text if it is text, else as base64."""
    content_type = response.headers.get("content-type", "application/octet-stream")
    file = {"content_type": content_type, "size": len(response.content)}
    try:
        text = response.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is not None and "\0" not in text:
        return {**file, "text": text}
    return {**file, "base64": b64encode(response.content).decode()}


def _body(operation: Operation, response: Response) -> Any:
    content = response.content.strip()
    if not content:
        return {"message": f"Done (HTTP {response.status}, empty response)."}
    try:
        return parse_json(content)
    except (ValueError, UnicodeDecodeError):
        pass
    if response.is_json or content.startswith((b"<", b"{", b"[")):
        raise _unreadable(operation, response)
    text = error_text(response)
    if "Magnificent API" in text:
        raise RejectedError(
            f'Mailgun\'s router did not know the path (HTTP {response.status}): "{text}"',
            "Check the base URL (MAILGUN_API_URL): it is the API's root, without a version.",
            status=response.status,
            quoted=[text],
        )
    return {"message": text}


def _unreadable(operation: Operation, response: Response) -> UnreadableError:
    what = "a web page" if response.content.lstrip().startswith(b"<") else "broken or truncated JSON"
    done = "" if operation.risk == "read" else ", so the call most likely took effect"
    step = "Try again." if operation.risk == "read" else "Check whether it took effect before you try again."
    sentence = f"Mailgun answered HTTP {response.status} with {what}{done}"
    return UnreadableError(sentence, step, status=response.status)


@lru_cache(maxsize=512)
def _fit(operation: Operation) -> Fit:
    return _object_fit(operation.output_schema)


def _fit_of(schema: dict[str, Any]) -> Fit:
    """Return a check of whether `_conform` would return a value as it is."""
    kind = declared_type(schema)
    if kind is None:
        return _anything
    if kind == "object":
        return _object_fit(schema)
    if kind == "array":
        fit = _fit_of(schema.get("items") or {})
        return lambda value: value is None or (isinstance(value, list) and all(map(fit, value)))
    expected = EXACT.get(kind)
    return lambda value: value is None or type(value) is expected


def _object_fit(schema: dict[str, Any]) -> Fit:
    properties = {name: each for name, each in (schema.get("properties") or {}).items() if each}
    extra = schema.get("additionalProperties")
    types = {name: EXACT.get(declared_type(each) or "") for name, each in properties.items()}
    fits = {name: _fit_of(each) for name, each in properties.items()}
    other = _fit_of(extra) if isinstance(extra, dict) and extra else _anything

    def fit(value: Any) -> bool:
        if value is None:
            return True
        if not isinstance(value, dict):
            return False
        for key, item in value.items():
            # Most fields are texts and numbers. Comparing them here saves a call for each.
            if type(item) is not types.get(key) and not fits.get(key, other)(item):
                return False
        return True

    return fit


def _anything(_: Any) -> bool:
    return True


def _conform(value: Any, schema: dict[str, Any], pointer: str, misfits: dict[str, Any]) -> Any:
    """Return `value` with the types that `schema` declares; clients reject a result that differs.

    A scalar of another type is converted if nothing is lost; anything else moves to `misfits`.
    """
    kind = declared_type(schema)
    if kind is None or value is None:
        return value
    if kind == "object" and isinstance(value, dict):
        return _conform_object(value, schema, pointer, misfits)
    if kind == "array" and isinstance(value, list):
        items = schema.get("items")
        return (
            [_conform(item, items, f"{pointer}/{index}", misfits) for index, item in enumerate(value)]
            if items
            else value
        )
    converted = coerce_scalar(value, schema)
    if converted is None:
        misfits[pointer] = value
    return converted


def _conform_object(
    value: dict[str, Any], schema: dict[str, Any], pointer: str, misfits: dict[str, Any]
) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    extra = schema.get("additionalProperties")
    other = extra if isinstance(extra, dict) else None
    conformed = {}
    for key, item in value.items():
        expected = properties.get(key, other)
        conformed[key] = _conform(item, expected, f"{pointer}/{key}", misfits) if expected else item
    return conformed
