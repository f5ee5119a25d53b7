"""An entry of a YAML file, set and removed in place."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.cli.config_yaml import YamlFileError, put, read, remove, render

PATH = ("extensions", "mailgun")
words = st.text("abcxyz-", min_size=1).filter(lambda word: word.strip("-"))
values = st.recursive(
    st.booleans() | st.integers() | words | st.sampled_from(["many\nlines\n", "", "no", "# not a comment", "a: b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(words, values, max_size=3), st.dictionaries(words, values, max_size=3), st.booleans())
def test_everything_else_in_the_file_stays(top: dict[str, object], others: dict[str, object], flow: bool) -> None:
    document = {**top, "extensions": others, "last": 1}
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=flow)
    new = put(text, PATH, {"a": [1]})
    assert read(new) == {**document, "extensions": {**others, "mailgun": {"a": [1]}}}
    assert read(put(new, PATH, {"b": 2}))["extensions"]["mailgun"] == {"b": 2}
    assert read(remove(new, PATH)) == document


def test_a_removed_entry_leaves_the_comments_of_the_others() -> None:
    text = "extensions: # all: mine\n  mailgun:\n    a: 1\n  # about b\n  b: {}\n"
    assert remove(text, PATH) == "extensions: # all: mine\n  # about b\n  b: {}\n"
    alone = "extensions: # all: mine\n  mailgun:\n    a: 1\n"
    assert remove(alone, PATH) == "extensions: {} # all: mine\n"


def test_an_entry_that_is_missing_cannot_be_removed() -> None:
    with pytest.raises(YamlFileError):
        remove("extensions: {}\n", PATH)


def test_a_rendered_entry_is_a_document() -> None:
    assert yaml.safe_load(render(PATH, {"a": True})) == {"extensions": {"mailgun": {"a": True}}}
