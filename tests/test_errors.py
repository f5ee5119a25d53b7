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
    reason_of,
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


def test_reasons_are_words_without_the_number_of_the_error() -> None:
    assert reason_of(FileNotFoundError(2, "No such file or directory", "a.txt")) == "No such file or directory"
    assert reason_of(OSError("it broke")) == "it broke"
    assert reason_of(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")) == "it is not UTF-8 text"
    assert reason_of(ValueError("line 1: no")) == "line 1: no"
