"""A response of Mailgun: its JSON, and the text of an error in any of the forms that the API uses."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 400
"""Characters of an error that are returned."""
MAX_DEPTH = 64
"""Levels of an answer. pydantic cannot write more than 255."""
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
READ = 8 * MAX_TEXT
"""Characters of an error that are looked at."""
MAX_PARSED = 1024 * 1024
"""Bytes. An error that is larger is not read as JSON."""
TAG = re.compile(r"<(script|style)\b.*?(</\1>|\Z)|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of Mailgun's, read to its end."""

    status: int
    headers: Mapping[str, str]
    """Those that are read (`client.KEPT_HEADERS`), names in lower case."""
    content: bytes
    attempts: int = 1

    @property
    def request_id(self) -> str | None:
        """What Mailgun calls this request, where it says so."""
        return self.headers.get("x-mailgun-request-id") or self.headers.get("x-request-id")

    @property
    def is_json(self) -> bool:
        """Whether the answer says that it is JSON."""
        return "json" in self.headers.get("content-type", "").lower()


def parse_json(content: bytes) -> Any:
    """Return the JSON value in `content`, one that can be written again.

    A number too large for a float becomes its text, a lone surrogate the replacement character.
    Raises ValueError when there is none, one that is not JSON (NaN), or one nested deeper than MAX_DEPTH.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    return _without_lone_surrogates(value) if SURROGATE.search(content) else value


def _finite(text: str) -> float | str:
    number = float(text)
    return text if math.isinf(number) else number


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        containers = [
            item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))
        ]
        level = [item for items in containers for item in items]
        if not level:
            return
    raise ValueError("nested too deep")


def _without_lone_surrogates(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def said(response: Response) -> str:
    """Return what Mailgun says in an error, bounded and free of markup and control characters.

    Keys by the API's own habits: message, Error, error, Reason, Description, Field with Value;
    else plain text; HTML is reduced to its text.
    """
    from mailgun_mcp.text.characters import one_line

    body = error_body(response)
    text = _from_json(body)[:READ] if not isinstance(body, str) else TAG.sub(" ", body[:READ])
    text = one_line(text)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def error_body(response: Response) -> Any:
    """Return the JSON value of an error, or the start of its text."""
    if len(response.content) <= MAX_PARSED:
        try:
            return parse_json(response.content)
        except ValueError:
            pass
    return response.content[:READ].decode("utf-8", "replace")


def _from_json(body: Any) -> str:
    if not isinstance(body, dict):
        return "" if body is None else _text(body)
    for key in ("message", "Error", "error", "Reason", "Description"):
        value = body.get(key)
        if isinstance(value, str) and value:
            field = body.get("Field")
            return f"{value} ({field}: {body.get('Value')})" if field else value
        if isinstance(value, (dict, list)) and value:
            return _text(value)
    if body.get("Field"):
        return f"{body['Field']}: {body.get('Value')}"
    return _text(body) if body else ""


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
