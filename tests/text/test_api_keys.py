"""Texts that people set as an API key."""

import pytest

from mailgun_mcp.text.api_keys import checked_key, has_key_characters


@pytest.mark.parametrize("key", ["key-0123456789abcdef", "0123-4567-89ab", "a" * 500])
def test_a_key_is_returned_as_it_is(key: str) -> None:
    assert has_key_characters(key)
    assert checked_key(key) == key


@pytest.mark.parametrize(
    "text", ["two words", "line\nbreak", "tab\tkey", "schlüssel", "nul\x00", "$MAILGUN_API_KEY", "${KEY}"]
)
def test_what_cannot_be_a_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        checked_key(text)
    assert text not in str(caught.value)
