"""Opaque page tokens carry JSON values, and nothing else is taken for one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.replies.page_tokens import decode_token, encode_token
from mailgun_mcp.simulator.replies.reply import ApiError


@given(st.text(), st.integers(), st.dictionaries(st.text(), st.text()))
def test_a_token_gives_back_what_it_carries(text: str, number: int, mapping: dict[str, str]) -> None:
    token = encode_token([text, number, mapping])
    assert token.isascii()
    assert decode_token(token, (str, int, dict)) == [text, number, mapping]


@pytest.mark.parametrize(
    ("token", "types"),
    [
        pytest.param("nonsense", (str,), id="no Base64 of JSON"),
        pytest.param("", (str,), id="empty"),
        pytest.param("\u00e9", (str,), id="no Base64"),
        pytest.param(encode_token([1]), (str,), id="another type"),
        pytest.param(encode_token([True]), (int,), id="a flag for a number"),
        pytest.param(encode_token(["a", "b"]), (str,), id="too many values"),
        pytest.param(encode_token([]), (str,), id="too few values"),
    ],
)
def test_any_other_token_is_refused(token: str, types: tuple[Any, ...]) -> None:
    with pytest.raises(ApiError, match="Invalid page token"):
        decode_token(token, types)


def test_a_token_that_nests_without_end_is_refused() -> None:
    from base64 import urlsafe_b64encode

    with pytest.raises(ApiError, match="Invalid page token"):
        decode_token(urlsafe_b64encode(b"[" * 100_000).decode(), (str,))
