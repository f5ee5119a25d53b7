"""Tests for mailgun_mcp.text.validation_words."""

import pytest

from mailgun_mcp.text.validation_words import fault_in_words, in_words


@pytest.mark.parametrize(
    ("kind", "message", "words"),
    [
        ("string_type", "Input should be a valid string", "should be text"),
        ("tuple_type", "Input should be a valid tuple", "should be a list"),
        ("value_error", "Value error, no such day", "no such day"),
        ("missing", "Field required", "is missing"),
        ("model_type", "Input should be a valid dictionary or instance of TaskFile", "should be a mapping"),
    ],
)
def test_a_fault_is_told_without_the_words_of_python(kind: str, message: str, words: str) -> None:
    assert in_words(kind, message) == words


@pytest.mark.parametrize(
    ("kind", "path", "message", "words"),
    [
        ("extra_forbidden", ("a", 0, "b"), "Extra inputs are not permitted", "a.0.b: unknown key"),
        ("model_type", (), "Input should be a valid dictionary or instance of A", "the file should be a mapping"),
        ("value_error", (), "Value error, one of both is needed", "one of both is needed"),
    ],
)
def test_a_fault_names_its_key(kind: str, path: tuple[str | int, ...], message: str, words: str) -> None:
    assert fault_in_words({"type": kind, "loc": path, "msg": message}) == words


def test_a_kind_that_does_not_exist_is_told_with_the_nearest() -> None:
    context = {"discriminator": "'kind'", "tag": "brokn_dkim", "expected_tags": "'blocklisting', 'broken_dkim'"}
    fault = {"type": "union_tag_invalid", "loc": ("incidents", 0), "msg": "", "ctx": context}
    assert fault_in_words(fault) == "incidents.0: unknown kind 'brokn_dkim': did you mean 'broken_dkim'?"
    missing = {**fault, "type": "union_tag_not_found", "ctx": {"discriminator": "'kind'"}}
    assert fault_in_words(missing) == "incidents.0: kind is missing"
