"""Turns Mailgun's errors, in all their shapes, into one clear sentence and a next step."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from mailgun_mcp.mailgun.endpoint import Endpoint

RETRIED = frozenset({429, 502, 503, 504})
SHOWN = 400
MAX_DEPTH = 64
"""Levels of an answer. pydantic cannot write more than 255."""
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
READ = 8 * SHOWN
"""Characters of an error that are looked at."""
MAX_PARSED = 1024 * 1024
"""Bytes. An error that is larger is not read as JSON."""
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e0fff]+"
)
"""Control, invisible and direction characters."""
TAG = re.compile(r"<(script|style)\b.*?(</\1>|\Z)|<[^>]*>", re.DOTALL | re.IGNORECASE)
LOOK_FIRST = (
    "Do not repeat it blindly: look first whether it took effect (for mail in the logs by recipient, else in the "
    "matching list)."
)
AFTER = re.compile(r"try again after (\d+) second")


class MailgunFault(Exception):
    """A call that did not succeed. `str()` is the sentence; `step` says what to do next."""

    def __init__(
        self,
        sentence: str,
        step: str,
        *,
        status: int | None = None,
        unknown: bool = False,
        transient: bool = False,
        reached: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.step = step
        self.status = status
        self.unknown = unknown
        """Whether it is unknown if a call that may not be repeated took effect."""
        self.transient = transient
        """Whether the same call may succeed a little later."""
        self.reached = reached
        """Whether any try of the call may have reached Mailgun and taken effect."""
        self.wait = wait
        """Seconds after which Mailgun asks to try again."""


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
    body = _body(response)
    text = _from_json(body)[:READ] if not isinstance(body, str) else TAG.sub(" ", body[:READ])
    text = " ".join(CONTROL.sub(" ", text).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _body(response: Response) -> Any:
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


def wait_seconds(response: Response, now: float) -> float | None:
    """Return how long the answer asks to wait, or None when it does not say.

    Read in turn: Retry-After (seconds or a date), X-RateLimit-Reset (seconds since 1970),
    `retry-seconds` in the body, "try again after N seconds" in its text.
    """
    after = response.headers.get("retry-after", "")
    for wait in (
        _seconds(after),
        _until(_date(after), now),
        _until(_seconds(response.headers.get("x-ratelimit-reset")), now),
    ):
        if wait is not None:
            return wait
    body = _body(response)
    asked = _seconds(body.get("retry-seconds")) if isinstance(body, dict) else None
    found = AFTER.search(said(response)) if asked is None else None
    return _seconds(found[1]) if found else asked


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _until(moment: float | None, now: float) -> float | None:
    return None if moment is None else max(0.0, moment - now)


def explain(response: Response, endpoint: Endpoint, *, now: float, repeatable: bool = False) -> MailgunFault:
    """Return the fault that an answer which is no success stands for.

    Without `repeatable` a failure of Mailgun's leaves it unknown whether the call took effect.
    """
    status, words = response.status, said(response)
    unknown = status >= 500 and not repeatable
    wait = wait_seconds(response, now) if status in RETRIED else None
    # A quotation mark of Mailgun's would end the quotation early.
    quoted = ': "{}"'.format(words.replace('"', "'")) if words else ""
    sentence = f"{MEANINGS.get(status, _meaning(status))} (HTTP {status}){quoted}"
    if unknown:
        sentence += "; whether the call took effect is unknown"
    step = LOOK_FIRST if unknown else _step(response, words, endpoint, wait)
    return MailgunFault(
        sentence,
        step,
        status=status,
        unknown=unknown,
        transient=status in RETRIED,
        reached=status >= 500,
        wait=wait,
    )


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


def _step(response: Response, words: str, endpoint: Endpoint, wait: float | None) -> str:
    status = response.status
    region = _region_hint(endpoint)
    if status == 401:
        return f"Check MAILGUN_API_KEY.{region}"
    if status == 404 and ("domain" in words.lower() or not response.is_json):
        return f"Check the name.{region}"
    if status == 404:
        return "Check the name or id; what was just made can take a moment to appear."
    if wait is not None:
        return f"Try again in {wait:.0f} seconds."
    if status == 429:
        return "Try again later, with fewer calls."
    if status >= 500:
        return "Try again later."
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
