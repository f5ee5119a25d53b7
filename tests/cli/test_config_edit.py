"""Editing a client's configuration: only the server's entry changes, and what cannot be edited safely is refused."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.cli import jsonc
from mailgun_mcp.cli.clients import CLIENTS, INPUT, entry
from mailgun_mcp.cli.config_edit import installed, snippet, with_server, without_server
from mailgun_mcp.settings import SettingsError

JSON, TOML, VSCODE = CLIENTS["cursor"], CLIENTS["codex"], CLIENTS["vscode"]
PATH = Path("config")
ENTRY = {"command": "run", "args": ["serve", "--simulator"]}
OTHER = {"command": "other"}


def edited(text: str, *, toml: bool = False, made: dict[str, Any] | None = None, force: bool = False) -> str:
    return with_server(text, PATH, TOML if toml else JSON, "mailgun", made or ENTRY, force=force)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text().filter(lambda key: key != "mcpServers"), values, max_size=4),
    st.sampled_from([None, 2, "\t"]),
)
def test_everything_else_in_a_json_file_stays(document: dict[str, Any], indent: int | str | None) -> None:
    text = json.dumps(document, indent=indent)
    new = json.loads(edited(text))
    assert new == {**document, "mcpServers": {"mailgun": ENTRY}}
    assert [key for key in new if key != "mcpServers"] == list(document)


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_an_empty_file_becomes_a_whole_one(text: str) -> None:
    assert json.loads(edited(text)) == {"mcpServers": {"mailgun": ENTRY}}
    assert tomllib.loads(edited(text, toml=True)) == {"mcp_servers": {"mailgun": ENTRY}}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        pytest.param(
            '{\n    "a": "ü"\n}\n', '{\n    "a": "ü",\n    "mcpServers": {\n        "mailgun"', id="four-spaces"
        ),
        pytest.param(
            '{\n\t"a": "\\u00fc"\n}', '{\n\t"a": "\\u00fc",\n\t"mcpServers": {\n\t\t"mailgun"', id="tabs-ascii"
        ),
        pytest.param('{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "mcpServers": {\r\n    "mailgun"', id="windows"),
    ],
)
def test_indentation_line_ends_and_escapes_stay(text: str, start: str) -> None:
    new = edited(text)
    assert new.startswith(start)
    assert new.endswith("\n") is text.endswith("\n")


def test_the_servers_that_are_there_stay_in_their_order() -> None:
    new = json.loads(edited(json.dumps({"mcpServers": {"z": OTHER, "a": OTHER}})))
    assert list(new["mcpServers"].items()) == [("z", OTHER), ("a", OTHER), ("mailgun", ENTRY)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{\n  // mine\n  "a": 1 // one\n}\n', id="line-comments"),
        pytest.param('{"a": 1 /* mine */}', id="block-comment"),
        pytest.param('{\n  "a": 1, // one\n}\n', id="trailing-comma"),
        pytest.param("{\n  // nothing yet\n}\n", id="only-a-comment"),
        pytest.param('{\n  "mcpServers": {\n    // none yet\n  },\n  "a": 1e400,\n}\n', id="a-number-beyond-a-float"),
        pytest.param('{\n  "mcpServers": {\n    "other": {"command": "x"}, // theirs\n  }\n}\n', id="another-server"),
        pytest.param('{"mcpServers": {"other": {"command": "x"}, "b": {}}}', id="one-line"),
        pytest.param('{\r\n\t"a": [1, 2,], // é\r\n}\r\n', id="windows"),
    ],
)
def test_comments_commas_and_numbers_stay_as_they_are(text: str) -> None:
    new = edited(text)
    assert jsonc.parse(new).value["mcpServers"]["mailgun"] == ENTRY
    rest = iter(new)
    assert all(character in rest for character in text), "something of the old text is gone"
    assert ("\r\n" in new, "\n" in new.replace("\r\n", "")) == ("\r\n" in text, "\n" in text.replace("\r\n", ""))
    assert edited(new) == new


def test_a_forced_json_entry_replaces_its_value_and_nothing_else() -> None:
    text = '{\n  "mcpServers": {\n    "mailgun": {"command": "old"}, // ours\n    "b": {} // theirs\n  }\n}\n'
    new = edited(text, made={"command": "run"}, force=True)
    assert new == text.replace('{"command": "old"}', '{\n      "command": "run"\n    }')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param('{"a": "http://x"', "line 1: expected a comma or }", id="cut-off"),
        pytest.param('{\n"a" 1}', "line 2: expected a colon", id="no-colon"),
        pytest.param('{"a": 1} x', "text after the end", id="text-after-it"),
        pytest.param("[]", "does not contain a JSON object", id="list"),
        pytest.param('{"a": 1, "a": 2}', "the same key twice", id="doubled-key"),
        pytest.param('{"a": NaN}', "expected a value", id="nan"),
        pytest.param('{"mcpServers": []}', "'mcpServers' in it is not an object", id="servers-in-a-list"),
        pytest.param('{"mcpServers": null}', "'mcpServers' in it is not an object", id="no-servers"),
        pytest.param("[" * 100_000, "Nothing was changed", id="nested-too-deep"),
    ],
)
def test_a_json_file_that_is_not_valid_is_refused_with_what_to_add(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        edited(text)
    assert json.loads(str(caught.value).partition("\n\n")[2]) == {"mcpServers": {"mailgun": ENTRY}}


def test_an_input_is_added_beside_those_that_are_there() -> None:
    mine = {"id": "mine", "type": "promptString"}
    made = entry(VSCODE, ["run"], None, keyless=False)
    new = with_server(json.dumps({"inputs": [mine], "servers": {}}), PATH, VSCODE, "mailgun", made, force=False)
    assert json.loads(new) == {"inputs": [mine, INPUT], "servers": {"mailgun": made}}
    assert with_server(new, PATH, VSCODE, "mailgun", made, force=False) == new


def test_an_input_of_the_same_id_is_left_as_it_is() -> None:
    mine = {"id": "mailgun-api-key", "type": "promptString", "description": "mine"}
    made = entry(VSCODE, ["run"], None, keyless=False)
    new = with_server(json.dumps({"inputs": [mine]}), PATH, VSCODE, "mailgun", made, force=False)
    assert json.loads(new)["inputs"] == [mine]


CODEX = """\
# my settings
model = "o3"  # the good one

[mcp_servers.other]
command = "other"

[profiles.x]
model = "y"
"""


@pytest.mark.parametrize(
    "text", [CODEX, CODEX.rstrip("\n"), CODEX.replace("\n", "\r\n")], ids=["unix", "no-end", "windows"]
)
def test_a_toml_file_keeps_its_every_character(text: str) -> None:
    new = edited(text, toml=True)
    assert new.startswith(text)
    expected = tomllib.loads(CODEX)
    expected["mcp_servers"]["mailgun"] = ENTRY
    assert tomllib.loads(new) == expected


@pytest.mark.parametrize("value", ['C:\\Programs\\"x"', "tab\there", "ünï\U0001f4e7", "line\nbreak", "\x01"])
def test_any_value_survives_toml(value: str) -> None:
    made = {"command": value, "args": [value], "env": {"MAILGUN_API_KEY_FILE": value}}
    assert tomllib.loads(edited("", toml=True, made=made)) == {"mcp_servers": {"mailgun": made}}


THERE = """\
a = 1
[mcp_servers.mailgun]
command = "old"
# about env
[mcp_servers.mailgun.env]
A = "b"

# about the next
[mcp_servers.mailgun2]
command = "x"
"""


def test_a_forced_toml_entry_replaces_all_its_tables_and_no_others() -> None:
    table = snippet(TOML, "mailgun", ENTRY)
    assert edited(THERE, toml=True, force=True) == (
        f'a = 1\n{table}# about env\n\n# about the next\n[mcp_servers.mailgun2]\ncommand = "x"\n'
    )


@pytest.mark.parametrize(
    "header", ["[ mcp_servers . mailgun ]", '[mcp_servers."mailgun"]', "  [mcp_servers.'mailgun']"]
)
def test_a_toml_table_is_found_however_it_is_written(header: str) -> None:
    assert edited(f'{header}\ncommand = "old"\n', toml=True, force=True) == snippet(TOML, "mailgun", ENTRY)


@pytest.mark.parametrize(
    ("text", "force"),
    [
        pytest.param("mcp_servers = 1", False, id="no-table"),
        pytest.param("a = ", False, id="not-toml"),
    ],
)
def test_a_toml_file_that_cannot_be_edited_safely_is_refused_with_what_to_add(text: str, force: bool) -> None:
    with pytest.raises(SettingsError, match="Nothing was changed") as caught:
        edited(text, toml=True, force=force)
    assert str(caught.value).endswith(snippet(TOML, "mailgun", ENTRY))


UNUSUAL_TOML = [
    pytest.param("mcp_servers = {}", id="inline-servers"),
    pytest.param("mcp_servers = { a = {x = 1} } # mine\n", id="inline-servers-with-another"),
    pytest.param("mcp_servers.a.x = 1\n", id="dotted-keys"),
    pytest.param("[mcp_servers]\na.x = 1\n[z]\n", id="dotted-in-a-table"),
    pytest.param("[mcp_servers.a]\n[o]\n[mcp_servers.b]\n", id="tables-apart"),
    pytest.param('b = """\n[mcp_servers.mailgun]\n"""\n[mcp_servers.a]\n', id="in-a-text"),
    pytest.param("big = 1e400\nnone = nan\nday = 2026-11-27\nhex = 0xdead_beef\n", id="numbers"),
]


@pytest.mark.parametrize("text", UNUSUAL_TOML)
def test_unusual_toml_gets_loses_and_keeps_what_it_should(text: str) -> None:
    new = edited(text, toml=True)
    assert tomllib.loads(new)["mcp_servers"]["mailgun"] == ENTRY
    other = edited(new, toml=True, made=OTHER, force=True)
    assert tomllib.loads(other)["mcp_servers"]["mailgun"] == OTHER
    gone = without_server(other, PATH, TOML, "mailgun")
    assert not installed(gone, TOML, "mailgun")
    for kept in ("# mine", "1e400", "0xdead_beef", "nan", '"""'):
        assert (kept in gone) is (kept in text)


GOOSE = CLIENTS["goose"]
GOOSE_ENTRY = entry(GOOSE, ["run", "serve"], None, keyless=False)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("# nothing yet\n", id="only-a-comment"),
        pytest.param("GOOSE_MODEL: x # mine\n", id="no-extensions"),
        pytest.param("extensions: {}\n# after\nb: 1\n", id="empty-flow"),
        pytest.param("extensions: {a: {cmd: x,},} # mine\n", id="flow"),
        pytest.param("extensions: # mine: all\n  a: # one\n    cmd: x # two\n\n# after\nb: 1e400\n", id="block"),
        pytest.param("extensions:\n    a:\n        text: |\n            many\n            lines\nb: no\n", id="text"),
        pytest.param("extensions:\n  a:\n    args: [1, 2]\n    envs: {}\n  z:\n    args:\n    - x", id="no-newline"),
        pytest.param("extensions:\r\n  a:\r\n    cmd: x\r\nb: 1\r\n", id="windows"),
    ],
)
def test_a_yaml_file_keeps_its_comments_and_its_form(text: str) -> None:
    new = with_server(text, PATH, GOOSE, "mailgun", GOOSE_ENTRY, force=False)
    assert yaml.safe_load(new)["extensions"]["mailgun"] == GOOSE_ENTRY
    rest = iter(new)
    lost = [character for character in text.replace(",}", "}").replace(",}", "}") if character not in rest]
    assert lost == []
    assert with_server(new, PATH, GOOSE, "mailgun", GOOSE_ENTRY, force=False) == new
    other = {**GOOSE_ENTRY, "cmd": "other"}
    forced = with_server(new, PATH, GOOSE, "mailgun", other, force=True)
    assert yaml.safe_load(forced)["extensions"]["mailgun"] == other
    gone = without_server(forced, PATH, GOOSE, "mailgun")
    assert "mailgun" not in gone
    assert [mark for mark in ("# mine", "# one", "# two", "# after") if mark in text and mark not in gone] == []
    assert ("\r\n" in gone, "\n" in gone.replace("\r\n", "")) == ("\r\n" in text, "\n" in new.replace("\r\n", ""))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "it is not valid YAML: line 1"),
        ("- a", "does not contain a mapping"),
        ("extensions: [a]", "'extensions' in it is not an object"),
        ("a: 1\n---\nb: 2\n", "it is not valid YAML"),
    ],
)
def test_a_yaml_file_that_cannot_be_edited_is_refused_with_what_to_add(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        with_server(text, PATH, GOOSE, "mailgun", GOOSE_ENTRY, force=False)
    assert str(caught.value).endswith(snippet(GOOSE, "mailgun", GOOSE_ENTRY))


def test_an_input_goes_with_the_last_server_that_asks_for_it() -> None:
    made = entry(VSCODE, ["run"], None, keyless=False)
    text = '{\n  // mine\n  "inputs": [{"id": "mine"}],\n  "servers": {"a": {}}\n}\n'
    one = with_server(text, PATH, VSCODE, "mailgun", made, force=False)
    two = with_server(one, PATH, VSCODE, "second", made, force=False)
    assert "mailgun-api-key" in without_server(two, PATH, VSCODE, "second")
    assert without_server(without_server(two, PATH, VSCODE, "second"), PATH, VSCODE, "mailgun") == text


def test_a_file_that_cannot_be_edited_is_not_uninstalled_from() -> None:
    with pytest.raises(SettingsError, match=r"Remove mcpServers\.mailgun from the file yourself"):
        without_server('{"mcpServers": {"mailgun": {}, "mailgun": {}}}', PATH, JSON, "mailgun")


@pytest.mark.parametrize("toml", [False, True], ids=["json", "toml"])
def test_an_entry_that_differs_is_shown_without_its_secrets(toml: bool) -> None:
    secret = "0123456789abcdef0123456789abcdef-01234567-89abcdef"
    old = {"command": "old", "args": [f"--key={secret}"], "env": {"MAILGUN_API_KEY": "hunter2", "MY_TOKEN": "hunter3"}}
    text = edited("", toml=toml, made=old)
    with pytest.raises(SettingsError, match="Use --force to replace it, or choose another --name") as caught:
        edited(text, toml=toml)
    message = str(caught.value)
    assert [word for word in (secret, "hunter2", "hunter3") if word in message] == []
    assert '-  "command": "old"' in message


@pytest.mark.parametrize("toml", [False, True], ids=["json", "toml"])
def test_the_same_entry_leaves_the_text_as_it_is(toml: bool) -> None:
    text = edited("", toml=toml) + "\n\n"
    assert edited(text, toml=toml) == text
