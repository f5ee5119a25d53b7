"""A part of a collection is JSON in its shortest form."""

from mailgun_mcp.simulator.model.parts import Part, to_text


def test_json_is_short_and_ascii() -> None:
    assert to_text({"a": [1, "ü"]}) == b'{"a":[1,"\\u00fc"]}'


def test_a_part_without_an_index_is_read_at_once() -> None:
    assert Part(b"1").index is None
