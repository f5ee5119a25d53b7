"""Turns Mailgun's errors, in all their shapes, into one clear sentence and a next step."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from mailgun_mcp.mailgun.endpoint import Endpoint

SHOWN = 400
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
AFTER = re.compile(r"try again after (\d+) second")


class MailgunFault(Exception):
    """A call that did not succeed. `str()` is the sentence; `step` says what to do next."""

    def __init__(self, sentence: str, step: str, *, status: int | None = None, unknown: bool = False) -> None:
        super().__init__(sentence)
        self.step = step
        self.status = status
        self.unknown = unknown
        """Whether it is unknown if the call took effect."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of Mailgun's, read to its end."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    attempts: int = 1

    @property
    def is_json(self) -> bool:
        """Whether the answer says that it is JSON."""
        return "json" in self.headers.get("content-type", "")


def parse_json(content: bytes) -> Any:
    """Return the JSON value in `content`. Raises ValueError when there is none, or one that is not JSON (NaN)."""
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def said(response: Response) -> str:
    """Return what Mailgun says in an error, bounded and free of markup and control characters.

    Keys by the API's own habits: message, Error, error, Reason, Description, Field with Value;
    else plain text; HTML is reduced to its text.
    """
    try:
        body = parse_json(response.content)
    except (ValueError, UnicodeDecodeError):
        body = response.content[: 8 * SHOWN].decode("utf-8", "replace")
    text = _from_json(body) if not isinstance(body, str) else TAG.sub(" ", body)
    text = " ".join(CONTROL.sub(" ", text).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _from_json(body: Any) -> str:
    if not isinstance(body, dict):
        return "" if body is None else json.dumps(body)
    for key in ("message", "Error", "error", "Reason", "Description"):
        value = body.get(key)
        if isinstance(value, str) and value:
            field = body.get("Field")
            return f"{value} ({field}: {body.get('Value')})" if field else value
        if isinstance(value, (dict, list)) and value:
            return json.dumps(value)
    if body.get("Field"):
        return f"{body['Field']}: {body.get('Value')}"
    return json.dumps(body) if body else ""


def wait_seconds(response: Response, now: float) -> float | None:
    """Return how long the answer asks to wait, or None when it does not say.

    Read in turn: Retry-After (seconds or a date), X-RateLimit-Reset (seconds since 1970),
    `retry-seconds` in the body, "try again after N seconds" in its text.
    """
    after = response.headers.get("retry-after", "")
    if after.strip().isdigit():
        return float(after)
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - now)
        except (ValueError, TypeError):
            pass
    try:
        return max(0.0, float(response.headers["x-ratelimit-reset"]) - now)
    except (KeyError, ValueError):
        pass
    return _wait_in_body(response)


def _wait_in_body(response: Response) -> float | None:
    try:
        body = parse_json(response.content)
    except (ValueError, UnicodeDecodeError):
        body = None
    if isinstance(body, dict) and isinstance(body.get("retry-seconds"), (int, float)):
        return float(body["retry-seconds"])
    found = AFTER.search(said(response))
    return float(found[1]) if found else None


def explain(response: Response, endpoint: Endpoint, *, now: float) -> MailgunFault:
    """Return the fault that an answer which is no success stands for."""
    status, words = response.status, said(response)
    quoted = f': "{words}"' if words else ""
    sentence = f"{MEANINGS.get(status, _meaning(status))} (HTTP {status}){quoted}"
    return MailgunFault(sentence, _step(response, words, endpoint, now), status=status, unknown=status >= 500)


MEANINGS = {
    400: "Mailgun refused the request",
    401: "Mailgun refused the API key",
    402: "The Mailgun plan does not include this",
    403: "Mailgun forbids this",
    404: "Mailgun found nothing there",
    409: "It conflicts with what exists",
    410: "Mailgun no longer has it",
    413: "The request is too large for Mailgun",
    415: "Mailgun refused the content type",
    429: "Mailgun's rate limit is reached",
}


def _meaning(status: int) -> str:
    if 300 <= status < 400:
        return "Mailgun's host answered with a redirect, which is not followed"
    return "Mailgun failed" if status >= 500 else "Mailgun refused the request"


def _step(response: Response, words: str, endpoint: Endpoint, now: float) -> str:
    status = response.status
    region = _region_hint(endpoint)
    if status == 401:
        return f"Check MAILGUN_API_KEY.{region}"
    if status == 404 and ("domain" in words.lower() or not response.is_json):
        return f"Check the name.{region}"
    if status == 404:
        return "Check the name or id; what was just made can take a moment to appear."
    if status == 429:
        wait = wait_seconds(response, now)
        return f"Try again in {wait:.0f} seconds." if wait is not None else "Try again later, with fewer calls."
    if status >= 500:
        return "For a read, try again. For anything else, look first whether it took effect."
    return STEPS.get(status, "Check the base URL (MAILGUN_API_URL)." if status < 400 else "Check the arguments.")


STEPS = {
    402: "Change the plan, or do without.",
    403: "The key's role may not allow it, or the plan's limit is reached; `mailgun-mcp doctor` shows what the key may do.",
    409: "Look at what exists, then change or delete that.",
    413: "Send less: smaller attachments, fewer records.",
}


def _region_hint(endpoint: Endpoint) -> str:
    other = endpoint.other_region
    if other is None:
        return f" The server asks {endpoint.url}."
    return (
        f" The server asks the {endpoint.region.upper() if endpoint.region else ''} region; a domain of the "
        f"{other.upper()} region is not found there: set MAILGUN_API_REGION={other} for it."
    )
