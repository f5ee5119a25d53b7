"""Turns an unsuccessful answer into an error: one clear sentence and a next step."""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from mailgun_mcp.errors import RETRIED, MailgunError, RateLimitedError, RejectedError, ServerError
from mailgun_mcp.mailgun.endpoint import Endpoint
from mailgun_mcp.mailgun.response import Response, error_body, error_text
from mailgun_mcp.text.durations import in_words

LOOK_FIRST = (
    "Do not repeat it blindly. First check whether it took effect: for mail, in the logs by recipient; otherwise, in "
    "the matching list."
)
AFTER = re.compile(r"try again after (\d+) second")
AFTER_DATE = re.compile(r"try again after ([A-Z][a-z]{2}, [^,]{10,30} (?:UTC|GMT|[+-][0-9]{4}))")
LIMITED = (420, 429)
"""Statuses for a limit that was reached: 429 for calls, 420 for recipients."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a key or a region. It depends on where the account is configured."""

    key: str = "Check MAILGUN_API_KEY."
    region: str = "set MAILGUN_API_REGION={region}"
    """How to reach a domain of the other `{region}`."""
    only_here: str = ""
    """What to say of a domain that is not found, if there is no other region."""


IN_ENVIRONMENT = Advice()


def wait_seconds(response: Response, now: float) -> float | None:
    """Return how long the answer asks to wait, or None if it does not say.

    Tried in order: Retry-After (seconds or a date), X-RateLimit-Reset (seconds since 1970),
    `retry-seconds` in the body, "try again after N seconds" or a date in its text.
    """
    after = response.headers.get("retry-after", "")
    for wait in (
        _seconds(after),
        _until(_date(after), now),
        _until(_seconds(response.headers.get("x-ratelimit-reset")), now),
    ):
        if wait is not None:
            return wait
    body = error_body(response)
    asked = _seconds(body.get("retry-seconds")) if isinstance(body, dict) else None
    if asked is not None:
        return asked
    words = error_text(response)
    if match := AFTER.search(words):
        return _seconds(match[1])
    date = AFTER_DATE.search(words)
    return _until(_date(date[1]), now) if date else None


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


def explain(
    response: Response,
    endpoint: Endpoint,
    *,
    now: float,
    repeatable: bool = False,
    reached: bool = False,
    advice: Advice = IN_ENVIRONMENT,
) -> MailgunError:
    """Return the error for an unsuccessful answer.

    Without `repeatable`, it is unknown after a failure on Mailgun's side whether the call took effect. `reached` says
    that an earlier attempt may have taken effect.
    """
    status, words = response.status, error_text(response)
    wait = wait_seconds(response, now) if status in RETRIED or status in LIMITED else None
    # A quotation mark in Mailgun's text would end the quotation early.
    quoted = words.replace('"', "'")
    sentence = f"{MEANINGS.get(status, _meaning(status))} (HTTP {status})" + (f': "{quoted}"' if quoted else "")
    step = _step(response, words, _region_hint(endpoint, advice), wait, advice)
    if status < 500:
        error = RateLimitedError if status in LIMITED else RejectedError
        return error(sentence, step, status=status, wait=wait, reached=reached, quoted=[quoted])
    if not repeatable:
        sentence, step = f"{sentence}; whether the call took effect is unknown", LOOK_FIRST
    return ServerError(sentence, step, status=status, wait=wait, quoted=[quoted])


MEANINGS = {
    400: "Mailgun refused the request",
    401: "Mailgun refused the API key",
    402: "The Mailgun plan does not include this",
    403: "Mailgun forbids this",
    404: "Not found at Mailgun",
    409: "The request conflicts with something that exists",
    410: "It no longer exists at Mailgun",
    413: "The request is too large for Mailgun",
    415: "Mailgun refused the content type",
    420: "A Mailgun sending limit has been reached",
    429: "Mailgun's rate limit has been reached",
}


def _meaning(status: int) -> str:
    if 300 <= status < 400:
        return "Mailgun's host answered with a redirect, which this server does not follow"
    return "Mailgun failed" if status >= 500 else "Mailgun refused the request"


def _step(response: Response, words: str, region: str, wait: float | None, advice: Advice) -> str:
    status = response.status
    if status == 401:
        return f"{advice.key}{region}"
    if status == 404 and ("domain" in words.lower() or not response.is_json):
        return f"Check the name.{region}"
    if status == 404:
        return "Check the name or id. Something that was just created can take a moment to appear."
    if wait is not None:
        return f"Try again in {in_words(wait, up=True)}." if round(wait) else "Try again."
    if status in LIMITED:
        return "Try again later, with fewer calls." if status == 429 else "Try again later, with fewer recipients."
    if status >= 500:
        return "Try again later."
    for part, step in SAID_STEPS.get(status, {}).items():
        if part in words.lower():
            return step
    return STEPS.get(status, "Check the base URL (MAILGUN_API_URL)." if status < 400 else "Check the arguments.")


STEPS = {
    402: "Upgrade the Mailgun plan to use it.",
    403: "The key's role may not allow it, or a limit of the plan has been reached. `mailgun-mcp doctor` shows what "
    "the key may do.",
    410: "If the tool is marked as deprecated, use the one that its description prefers.",
    409: "Read what exists, then change or delete it.",
    413: "Send less: smaller attachments, fewer records.",
}


SAID_STEPS: dict[int, dict[str, str]] = {
    400: {
        **dict.fromkeys(("already exists", "duplicate key"), "It already exists. Read it, and update it instead."),
        "dns record is not valid": "Publish the DNS record that the key's listing shows, verify the domain, and try again.",
        "use urls as they are given": "The message is stored on another host: give the storage.url of its events as storage_host.",
    },
    403: {
        "sandbox subdomains": "Add the recipient to the sandbox domain's authorized recipients, or send from a domain of your own.",
        "large batches": "The domain is too new for so many recipients: send to fewer in one call.",
        "unverified": "Set the DNS records that the domain lists, then verify the domain.",
        "custom sending limit": "The account's own sending limit has been reached. Raise it, then enable the account "
        "again.",
        "is disabled": "The domain or account is disabled; the domain's details may say why.",
        "not activated": "The account is not activated: follow the link in Mailgun's activation mail.",
    },
}
"""What Mailgun says, in lower case -> what to do, if the status alone would mislead."""


def _region_hint(endpoint: Endpoint, advice: Advice) -> str:
    if advice.only_here:
        return f" {advice.only_here}"
    other = endpoint.other_region
    if other is None:
        return f" This server calls {endpoint.url}."
    return (
        f" This server calls the {endpoint.region.upper() if endpoint.region else ''} region, where no domain of the "
        f"{other.upper()} region is found. For such a domain, {advice.region.format(region=other)}."
    )
