"""Tests for mailgun_mcp.text.option_values."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.text.option_values import READERS, Kind, read

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.one_of(st.integers(), st.text(max_size=5)), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
TYPES: dict[Kind, type] = {"text": str, "url": str, "list": tuple, "switch": bool, "integer": int, "number": float}


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        ("list", " domains , ,routes", ("domains", "routes")),
        ("list", ["a,b", " c "], ("a,b", "c")),
        ("switch", "Off", False),
        ("integer", " 12 ", 12),
        ("number", "2.5", 2.5),
        ("text", "", ""),
        ("url", "http://mail-admin.example.com:8080/mailgun", "http://mail-admin.example.com:8080/mailgun"),
    ],
)
def test_values_are_read_as_people_write_them(kind: Kind, value: Any, meant: Any) -> None:
    assert read(kind, value) == meant


@pytest.mark.parametrize(
    "value", ["mail-admin", "ftp://a.example", "https://", "https://a.example:x", "https://u@a.example"]
)
def test_what_is_not_a_whole_url_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be a URL that starts with https:// or http://"):
        read("url", value)


@given(st.sampled_from(sorted(READERS)), VALUES)
def test_whatever_stands_there_is_read_as_its_kind_or_refused_with_what_it_must_be(kind: Kind, value: Any) -> None:
    fault = ""
    try:
        result = read(kind, value)
    except ValueError as error:
        fault = str(error)
    assert (
        re.search(r"must be (text|a URL|a list|true|a whole|a number)", fault) if fault else type(result) is TYPES[kind]
    )
