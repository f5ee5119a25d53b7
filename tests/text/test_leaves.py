"""The ends of the branches of a JSON value."""

from mailgun_mcp.text.leaves import leaves, texts

VALUE = {"to": ["ann@example.com", {"name": "Ann", "age": 7}], "empty": [], "nested": ((True, None),)}


def test_every_leaf_is_found() -> None:
    assert list(leaves(VALUE)) == ["ann@example.com", "Ann", 7, True, None]
    assert list(leaves("text")) == ["text"]


def test_names_of_fields_are_found_if_asked_for() -> None:
    assert list(texts(VALUE, names=True)) == ["to", "ann@example.com", "name", "Ann", "age", "empty", "nested"]


def test_texts_are_the_leaves_that_are_text() -> None:
    assert list(texts(VALUE)) == ["ann@example.com", "Ann"]
    assert list(texts(None)) == []
