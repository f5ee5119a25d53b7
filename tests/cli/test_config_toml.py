"""A table of a TOML file, set and removed in place."""

import tomllib

import pytest

from mailgun_mcp.cli.config_toml import TomlFileError, put, read, remove, render

PATH = ("servers", "mailgun")
TEXT = """\
# first
[servers.mailgun]
a = 1
# about b
[servers.mailgun.b]
c = 2

# about the next
[servers.other]
"""


def test_a_removed_table_takes_its_own_tables_along_and_leaves_comments() -> None:
    assert remove(TEXT, PATH) == "# first\n# about b\n\n# about the next\n[servers.other]\n"


def test_a_replaced_table_stays_where_it_is() -> None:
    new = put(TEXT, PATH, {"d": "x"})
    assert new.startswith('# first\n[servers.mailgun]\nd = "x"\n')
    assert tomllib.loads(new) == {"servers": {"mailgun": {"d": "x"}, "other": {}}}


def test_a_new_table_comes_last() -> None:
    assert put("a = 1", PATH, {"b": [1]}) == f"a = 1\n\n{render(PATH, {'b': [1]})}"


def test_what_is_not_a_table_cannot_be_edited() -> None:
    with pytest.raises(TomlFileError):
        put("servers = 1\n", PATH, {"a": 1})


def test_what_is_not_toml_is_an_error() -> None:
    with pytest.raises(TomlFileError, match="not valid TOML"):
        read("a = ")
