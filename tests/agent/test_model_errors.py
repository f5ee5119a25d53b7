"""What a person reads when the model fails, and which requests are made again."""

import pytest
from pydantic_ai.exceptions import (
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelServerError,
    ModelTimeoutError,
)
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.test import TestModel

from mailgun_mcp.agent.model_errors import CutShortError, check_complete, pause_before_retry, retrying, why
from tests.support.chats import model


class Claude(TestModel):
    """A model whose provider says why each answer ends."""

    @property
    def system(self) -> str:
        return "anthropic"


@pytest.mark.parametrize(
    ("error", "attempt", "pause"),
    [
        (ModelServerError("m", "x"), 0, 1.0),
        (ModelServerError("m", "x"), 1, 2.0),
        (ModelServerError("m", "x"), 2, None),
        (ModelRateLimitError("m", "x", retry_after=3.0), 0, 3.0),
        (ModelRateLimitError("m", "x", retry_after=0.0), 0, 0.0),
        (ModelRateLimitError("m", "x", retry_after=21.0), 0, None),
        (ModelQuotaExceededError("m", "x"), 0, None),
        (ModelTimeoutError("m", "x"), 0, None),
        (ModelHTTPError(401, "m"), 0, None),
        (KeyError("x"), 0, None),
    ],
)
def test_what_may_pass_is_tried_again_unless_the_provider_wants_a_long_pause(
    error: Exception, attempt: int, pause: float | None
) -> None:
    assert pause_before_retry(error, attempt, 1.0) == pause


def test_a_provider_that_names_a_pause_is_quoted() -> None:
    error = ModelRateLimitError("m", "x", retry_after=90.0)
    assert (
        why(error) == "its provider's rate limit is reached, or the credit there is used up, and it asks to wait 90 s"
    )
    assert "Trying again in 1 s." in retrying(ModelServerError("m", "x"), 0.0)


def test_credit_that_is_used_up_is_told_apart_from_a_rate_limit() -> None:
    assert "credit or the quota" in why(ModelQuotaExceededError("m", "x"))


def test_an_answer_without_an_end_is_cut_short_where_the_provider_always_sends_one() -> None:
    whole = ModelResponse(parts=[TextPart("x")], finish_reason="stop")
    other = ModelResponse(parts=[TextPart("x")], provider_details={"finish_reason": "a_new_reason"})
    endless = ModelResponse(parts=[TextPart("x")])
    for response in (whole, other):
        check_complete(Claude(), response)
    check_complete(model(), endless)
    with pytest.raises(CutShortError):
        check_complete(Claude(), endless)
