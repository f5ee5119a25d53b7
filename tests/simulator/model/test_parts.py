"""A part of a collection is JSON in its shortest form."""

from copy import deepcopy

from mailgun_mcp.simulator.model.parts import Part, to_text


def test_json_is_short_and_ascii() -> None:
    assert to_text({"a": [1, "ü"]}) == b'{"a":[1,"\\u00fc"]}'


def test_a_part_without_an_index_is_read_at_once() -> None:
    assert Part(b"1").index is None


class Elsewhere:
    def read(self) -> bytes:
        return b"[1]"


def test_the_content_is_read_where_it_is() -> None:
    part = Part(Elsewhere(), ["a"])
    assert (part.content, Part(b"[1]").content, deepcopy(part) is part) == (b"[1]", b"[1]", True)
