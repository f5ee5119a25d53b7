"""Compact JSON has no spaces, and is read back as the same value."""

import json

from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.text.compact_json import compact


def test_it_is_short() -> None:
    assert compact({"name": ["größe", 1, None, {"deep": True}]}) == '{"name":["größe",1,null,{"deep":true}]}'


@given(st.text() | st.floats(allow_nan=False))
def test_it_is_read_back_as_the_same_value(value: object) -> None:
    assert json.loads(compact([value, {"a": value}])) == [value, {"a": value}]
