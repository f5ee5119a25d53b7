"""An entry of a JSON file, set and removed in place."""

import json

import pytest

from mailgun_mcp.cli.config_json import JsonFileError, append, put, read, remove, remove_item, render

PATH = ("mcp", "servers", "mailgun")


def test_what_is_missing_on_the_way_is_made() -> None:
    assert (
        read(put("", PATH, {"a": 1})) == read(put('{"mcp": {}}', PATH, {"a": 1})) == json.loads(render(PATH, {"a": 1}))
    )


@pytest.mark.parametrize("text", ["// mine\n", "// mine", "/* mine */ \n", " \n", "// mine\r\n"])
def test_a_file_of_comments_alone_is_an_empty_one_and_keeps_them(text: str) -> None:
    assert read(text) == {}
    made = put(text, PATH, {"a": 1})
    assert made.startswith(text.strip())
    assert read(made) == json.loads(render(PATH, {"a": 1}))


def test_an_object_between_two_comments_is_not_blank() -> None:
    text = '/* c */{"a": 1}/* c */'
    assert read(text) == {"a": 1}
    assert read(put(text, ("b",), {})) == {"a": 1, "b": {}}


def test_a_removed_entry_leaves_the_others() -> None:
    text = put(put("{}", PATH, {"a": 1}), ("mcp", "servers", "b"), {})
    assert read(remove(text, PATH)) == {"mcp": {"servers": {"b": {}}}}


def test_an_item_is_appended_and_removed() -> None:
    text = append("{}", "inputs", {"id": "a"})
    assert read(append(text, "inputs", {"id": "b"})) == {"inputs": [{"id": "a"}, {"id": "b"}]}
    assert read(remove_item(text, "inputs", 0)) == {"inputs": []}


@pytest.mark.parametrize("text", ["[]", "{"])
def test_what_is_not_an_object_is_an_error(text: str) -> None:
    with pytest.raises(JsonFileError):
        read(text)
