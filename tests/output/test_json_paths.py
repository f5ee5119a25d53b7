"""Places in results."""

from typing import Any

import pytest

from mailgun_mcp.output.json_paths import pointer, replace, tree_of


@pytest.mark.parametrize(
    ("places", "value", "found"),
    [
        pytest.param(("/a/b",), {"a": {"b": 1, "c": 2}}, {"/a/b": "/a/b"}, id="keys"),
        pytest.param(("/*/b",), {"a": {"b": 1}, "c": [{"b": 2}]}, {"/a/b": "/*/b"}, id="any-key"),
        pytest.param(("/a/*/b",), {"a": [{"b": 1}, {"c": 2}, 3]}, {"/a/0/b": "/a/*/b"}, id="any-item"),
        pytest.param(("/a/b.c-d@e",), {"a": {"b.c-d@e": 1}}, {"/a/b.c-d@e": "/a/b.c-d@e"}, id="dots-and-hyphens"),
        pytest.param(("/a", "/a/b"), {"a": {"b": 1}}, {"/a": "/a"}, id="the-outer-place-holds-the-inner"),
        pytest.param(("/*/b", "/a/c"), {"a": {"b": 1, "c": 2}}, {"/a/b": "/*/b", "/a/c": "/a/c"}, id="both-kinds"),
        pytest.param(("/",), {"a": 1}, {"/": "/"}, id="everything"),
        pytest.param(("/a",), {"b": 1, "unexpected": {"/a": 1}}, {"/unexpected": "/unexpected"}, id="misfits"),
        pytest.param((), {"a": 1, "unexpected": {}}, {}, id="no-places"),
        pytest.param(("/a/b",), {"a": None, "": {"b": 1}}, {}, id="another-shape"),
    ],
)
def test_each_place_is_visited_once(places: tuple[str, ...], value: Any, found: dict[str, str]) -> None:
    seen: dict[str, str] = {}

    def visit(item: Any, path: tuple[str, ...], place: str) -> Any:
        seen[pointer(path)] = place
        return item

    assert replace(value, tree_of(places), visit) == value
    assert seen == found
