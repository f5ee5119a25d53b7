"""The bodies that programs send to the API: a small JSON object with known fields, each a string."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from mailgun_mcp.text.json_faults import json_fault
from mailgun_mcp.web.bodies import BodyTooLargeError, read_bounded
from mailgun_mcp.web.query import unknown_name

LARGEST = 64 * 1024
"""Maximum size of a body in bytes."""
LONGEST = 2_000
"""Maximum length of a field in characters."""


class ApiError(Exception):
    """Ends a request with an error response. `str()` says what is wrong, and what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> JSONResponse:
        """Return the response."""
        return JSONResponse({"error": {"code": self.code, "message": str(self)}}, self.status)


async def read_body(request: Request, fields: Sequence[str]) -> Mapping[str, str]:
    """Return the fields of the body, without null ones. An empty body has none. Raises ApiError."""
    try:
        body = await read_bounded(request, LARGEST)
    except BodyTooLargeError as error:
        raise ApiError(413, "too_large", f"The body has more than {LARGEST:,} bytes.") from error
    if not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "not_json", "Send the body as application/json.")
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "not_json", f"The body cannot be read: {json_fault(body)}.") from error
    if not isinstance(value, dict):
        raise ApiError(400, "invalid", "The body must be a JSON object.")
    return _checked({name: item for name, item in value.items() if item is not None}, fields)


def _checked(value: Mapping[str, Any], fields: Sequence[str]) -> Mapping[str, str]:
    for name, item in value.items():
        if name not in fields:
            raise ApiError(400, "invalid", unknown_name("field", name, fields))
        if not isinstance(item, str):
            raise ApiError(400, "invalid", f"{name} must be text.")
        if len(item) > LONGEST or not _is_text(item):
            raise ApiError(400, "invalid", f"{name} must be at most {LONGEST:,} characters of valid text.")
    return value


def seconds(text: str | None, default: float, most: float) -> float:
    """Return the value of a query parameter in seconds. Raises ApiError."""
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise ApiError(400, "invalid", f"seconds must be a number from 0 to {most:g}.")
    return number


def _is_text(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text
