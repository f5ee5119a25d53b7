"""What is wrong with the model: for a person in a sentence, and whether it is worth another attempt."""

from typing import TYPE_CHECKING

from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)

from mailgun_mcp.errors import CallError
from mailgun_mcp.output.logs import logger

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model

FAILED = "The model did not answer: {}. Nothing is lost; send a message to continue."
UNFINISHED = "The model did not finish its answer: {}. Nothing is lost; send a message to continue."
RETRYING = "The model did not answer: {}. Trying again in {:.0f} s."
ATTEMPTS = 3
LONGEST_PAUSE = 20.0
"""Seconds that a run waits for a provider. If the provider asks for more time, the person decides."""
SAYS_WHY_IT_ENDS = ("anthropic", "google")
"""Providers that end each answer with a reason. A proxy that dies may end the stream without one."""

REFUSED_KEY = "its provider refused the API key"
UNKNOWN_MODEL = "its provider does not know this model"
NO_CREDIT = "the credit or the quota at its provider is used up"
RATE_LIMIT = "its provider's rate limit is reached, or the credit there is used up"
PROVIDER_FAILED = "its provider failed"
REJECTED = "its provider rejected the request, and the server's log says why"
TOO_LONG = "the conversation is longer than it can read: start a new one, or lower --context-tokens"
TIMED_OUT = "it took too long"
BROKE_OFF = "the connection to its provider broke off"
UNREACHABLE = "its provider cannot be reached"
KINDS: tuple[tuple[type[ModelAPIError], str], ...] = (
    (ModelContextWindowExceededError, TOO_LONG),
    (ModelAuthenticationError, REFUSED_KEY),
    (ModelNotFoundError, UNKNOWN_MODEL),
    (ModelQuotaExceededError, NO_CREDIT),
    (ModelRateLimitError, RATE_LIMIT),
    (ModelOverloadedError, "its provider is overloaded"),
    (ModelUnavailableError, PROVIDER_FAILED),
    (ModelServerError, PROVIDER_FAILED),
    (ModelRequestRejectedError, REJECTED),
    (ModelTimeoutError, TIMED_OUT),
    (ModelConnectionError, BROKE_OFF),
)
"""The first that fits."""
STATUSES = {401: REFUSED_KEY, 403: REFUSED_KEY, 404: UNKNOWN_MODEL, 429: RATE_LIMIT}
"""For errors that come without a kind."""
TEMPORARY = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)


class CutShortError(ModelConnectionError):
    """The stream ended before the answer did."""


def check_complete(model: "Model", response: "ModelResponse") -> None:
    """Raise CutShortError if the stream ended before the answer did: what is missing may be half of a call."""
    reason = response.finish_reason or (response.provider_details or {}).get("finish_reason")
    if reason is None and model.system in SAYS_WHY_IT_ENDS:
        raise CutShortError(model.model_name, "the stream ended without a reason", phase="read")


def pause_before_retry(error: Exception, attempt: int, pause: float) -> float | None:
    """Return the seconds until the next attempt, or None if there should be none. `attempt` counts from 0."""
    if attempt + 1 >= ATTEMPTS or not isinstance(error, TEMPORARY) or isinstance(error, ModelTimeoutError):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_PAUSE else None
    return pause * (1 << attempt)


def retrying(error: Exception, pause: float) -> str:
    """Return the sentence for a person who waits for another attempt."""
    return RETRYING.format(_reason(error), max(1.0, pause))


def why(error: Exception) -> str:
    """Return for a person what is wrong with the model. The full error is logged."""
    logger().warning("the model failed", error=repr(error)[:2000])
    later = getattr(error, "retry_after", None)
    if isinstance(later, float | int) and later > 0 and isinstance(error, TEMPORARY):
        return f"{_reason(error)}, and it asks to wait {later:,.0f} s"
    return _reason(error)


def _reason(error: Exception) -> str:
    code = getattr(error, "status_code", None)
    status = f" (HTTP {code})" if isinstance(code, int) else ""
    if (
        isinstance(error, ModelConnectionError)
        and error.phase == "connect"
        and not isinstance(error, ModelTimeoutError)
    ):
        return UNREACHABLE
    for kind, reason in KINDS:
        if isinstance(error, kind):
            return f"{reason}{'' if reason == TOO_LONG else status}"
    if isinstance(code, int):
        return f"{STATUSES.get(code, PROVIDER_FAILED)}{status}"
    if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
        return TIMED_OUT
    if isinstance(error, ConnectionError):
        return BROKE_OFF
    if isinstance(error, ModelAPIError):
        return "its provider failed during the answer"
    if isinstance(error, CallError | AgentRunError | UserError):
        return str(error)[:300]
    return type(error).__name__
