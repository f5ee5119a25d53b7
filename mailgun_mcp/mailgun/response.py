"""A response from Mailgun: its JSON, and the text of an error in any of the forms that the API uses."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 400
"""Longest error text that is returned, in characters."""
MAX_DEPTH = 64
"""Deepest nesting of an answer. pydantic cannot write more than 255 levels."""
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
BOM = "\ufeff"
"""A mark at the start of some texts in UTF-8, which is not part of them."""
READ = 8 * MAX_TEXT
"""How many characters of an error are examined."""
MAX_PARSED = 1024 * 1024
"""Largest error, in bytes, that is parsed as JSON."""
TAG = re.compile(r"<(script|style)\b.*?(</\1>|\Z)|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer from Mailgun, read to its end."""

    status: int
    headers: Mapping[str, str]
    """The headers that are used (`client.KEPT_HEADERS`), with names in lower case."""
    content: bytes
    attempts: int = 1

    @property
    def request_id(self) -> str | None:
        """Mailgun's id for this request, if it gives one."""
        return self.headers.get("x-mailgun-request-id") or self.headers.get("x-request-id")

    @property
    def is_json(self) -> bool:
        """Whether the answer declares itself as JSON."""
        return "json" in self.headers.get("content-type", "").lower()


def parse_json(content: bytes) -> Any:
    """Return the JSON value in `content`, in a form that can be written again.

    A number too large for a float becomes text, a lone surrogate the replacement character.
    Raises ValueError if there is none, if it is not JSON (NaN), or if it is nested deeper than MAX_DEPTH.
    """
    try:
        value = DECODE(content.decode().removeprefix(BOM))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    # Most answers have no escapes at all, and looking for one is faster than the pattern.
    return _without_lone_surrogates(value) if b"\\u" in content and SURROGATE.search(content) else value


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


DECODE = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode
"""Parses JSON. The decoder is made once: `json.loads` would make one for each answer, which takes longer than parsing."""


def error_text(response: Response) -> str:
    """Return the message in an error, limited in length and without markup and control characters.

    The API uses these keys: message, Error, error, Reason, Description, Field with Value;
    otherwise plain text. HTML is reduced to its text.
    """
    from mailgun_mcp.text.characters import excerpt, one_line

    body = error_body(response)
    text = _from_json(body)[:READ] if not isinstance(body, str) else TAG.sub(" ", body[:READ])
    return excerpt(one_line(text), MAX_TEXT)


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
