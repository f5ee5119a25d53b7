"""Each error says what happened, whether the call may have taken effect, and what the log calls it."""

from mailgun_mcp.errors import (
    ArgumentError,
    CallError,
    NoAnswerError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    ServerError,
    StateError,
    UnreachableError,
    UnreadableError,
)


def test_the_text_is_what_happened_and_the_next_step() -> None:
    assert CallError("It broke", "Try again.").text("get_bounce") == "It broke. Try again."
    assert CallError("It broke.").text("get_bounce") == "It broke."
    assert StateError("the disk is full").text("get_bounce") == "Nothing was sent: the disk is full"


def test_faults_are_listed_one_a_line() -> None:
    error = ArgumentError(["a: is required", "b: unknown"])
    assert error.text("get_bounce").splitlines()[1:] == ["- a: is required", "- b: unknown"]
    assert (error.kind, error.outcome) == ("invalid", "invalid")


def test_only_what_may_have_reached_mailgun_may_have_taken_effect() -> None:
    assert not UnreachableError("", "").reached
    assert not RejectedError("", "", status=400).reached
    assert NoAnswerError("", "", repeatable=False).reached
    assert ServerError("", "", status=500).reached
    assert UnreadableError("", "").reached
    assert (OutcomeUnknownError("", "").reached, OutcomeUnknownError("", "").outcome) == (True, "unknown")


def test_what_passes_by_itself_is_transient() -> None:
    assert UnreachableError("", "").transient
    assert RateLimitedError("", "", status=429, wait=2).transient
    assert ServerError("", "", status=503).transient
    assert not ServerError("", "", status=500).transient
    assert not NoAnswerError("", "", repeatable=False).transient
