"""Configuration files as people have them, for every client: edited in place or refused, and nothing else is lost.

An uninstall gives each file back byte for byte.
"""

import argparse
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.cli import install
from mailgun_mcp.cli.clients import CLIENTS, ClientProgram, entry
from mailgun_mcp.cli.config_edit import installed
from mailgun_mcp.settings import SettingsError

NAME = "mailgun"
HERE = "HERE"
"""Stands for the member of a JSON text that holds the client's servers."""

JSON = {
    "comments": '// top\n{\n  /* before */\n  "a": 1, // beside\n  HERE{\n    // none\n    "x": {} // last\n  }\n  // end\n}\n// after\n',
    "trailing commas": '{\n  "a": [1,2,],\n  HERE{\n    "x": {"command": "y",},\n  },\n}\n',
    "trailing commas on one line": '{ "a": 1, HERE{ "x": {"command": "y"}, }, }',
    "byte order mark": '\ufeff{\n  "a": 1,\n  HERE{}\n}\n',
    "line ends of Windows": '{\r\n\t"a": 1,\r\n\tHERE{\r\n\t\t"x": {}\r\n\t}\r\n}\r\n',
    "mixed line ends": '{\r\n  "a": 1,\n  HERE{\n    "x": {}\r\n  }\n}\r\n',
    "line ends of old Macs": '{\r  "a": 1,\r  HERE{}\r}\r',
    "tabs": '{\n\t"a": 1\n}',
    "numbers that no float holds": '{"n": 123456789012345678901234567890, "f": 1e400, "z": -0.0, "p": 1.10, "e": 1E+2, HERE{}}',
    "empty": "",
    "blank": " \n\t\n",
    "only a comment": "// nothing yet\n",
    "an empty object": "{}",
    "an empty object with a comment": "{\n  // add servers here\n}\n",
    "escapes": '{"\\u0061": "\\ud83d\\ude00\\/ \\u0000 \\ud800", HERE{"m\\u0061ilgun2": {"command": "x"}}}',
    "what looks like comments": '{"u": "http://x//y/*z*/", HERE{ /* a */ }}',
    "minified": '{"a":1,HERE{"x":{"command":"y"}},"b":2}',
    "comments around the comma": '{\n  HERE{\n    "x": {} /* c */, // d\n    /* e */\n  }\n}\n',
    "no line end at the end": '{\n  "a": 1,\n  HERE{\n    "x": {}\n  }\n}',
    "sections of other versions": '{"zzz": {"q": [[{"w": null}]]}, HERE{"x": {"command": "y", "future": {"a": [1, 2.50]}}}}',
}
JSON_REFUSED = {
    "the same key twice": ('{"a": 1, "a": 2, HERE{}}', "the same key twice"),
    "our server twice": ('{HERE{"mailgun": {}, "mailgun": {"command": "b"}}}', "the same key twice"),
    "another server of our name": (
        '{HERE{"mailgun": {"command": "npx"}}}',
        "'mailgun' is there already, with other settings",
    ),
    "a list": ("[]\n", "does not contain a JSON object"),
    "a list of servers": ("{HERE[]}", "is not an object"),
    "no servers": ("{HEREnull}", "is not an object"),
    "a text for the servers": ('{HERE"x"}', "is not an object"),
    "broken": ('{"a": 1,, HERE{}}', "line 1"),
    "a space that JSON has not": ('{\u00a0"a": 1}', "not valid JSON"),
    "bottomless": ('{"a": ' + "[" * 3000 + "]" * 3000 + "}", "nested too deep"),
}
TOML = {
    "comments": '# c\nmodel = "o3" # m\n\n[mcp_servers.x] # [mcp_servers.mailgun]\ncommand = "y" # z\n# end\n',
    "dotted keys": 'mcp_servers.x.command = "y"\nmodel = "a"\n',
    "dotted keys in a table": '[mcp_servers]\nx.command = "y"\n',
    "an inline table": 'mcp_servers = { x = { command = "y" } }\n[t]\na=1\n',
    "texts of several lines": 'a = """\n[mcp_servers.mailgun]\ncommand = "trap"\n"""\nb = \'\'\'\n[x]\n\'\'\'\n',
    "lists of several lines": 'a = [\n  "[mcp_servers.mailgun]",\n  [1,\n  2],\n]\n[mcp_servers.x]\nargs = [\n "a", # c\n]\n',
    "line ends of Windows": 'a = 1\r\n\r\n[mcp_servers.x]\r\ncommand = "y"\r\n',
    "mixed line ends in a text": 'a = 1\r\ns = """x\ny\r\nz"""\r\n',
    "byte order mark": "\ufeffa = 1\n",
    "unusual values": "a = 1_000_000\nb = 0xDEADBEEF\nc = inf\nd = -nan\ne = 1e400\nf = 1979-05-27T07:32:00Z\ng = 1.10\n",
    "quoted names": "[mcp_servers.\"my server\"]\ncommand = 'y'\n[ \"mcp_servers\" . 'q' ]\ncommand = 'z'\n",
    "names that start like ours": '[mcp_servers."mailgun.eu"]\ncommand = "y"\n[mcp_servers.mailgun-2]\ncommand = "z"\n',
    "a part before the whole": '[mcp_servers.x.env]\nA = "1"\n[mcp_servers.x]\ncommand = "c"\n',
    "unknown sections": "[zzz]\nq = { w = [ { e = 1 } ] }\n[[zzz.l]]\nr = 1\n",
    "tabs": '\ta = 1\n\t[mcp_servers.x]\n\tcommand = "y"\n',
    "an empty table": "[mcp_servers]\n",
    "an empty inline table": "mcp_servers = {}\n",
    "only a comment": "# only\n",
    "empty": "",
    "no line end at the end": "a = 1",
}
TOML_REFUSED = {
    "the same key twice": ("a = 1\na = 2\n", "not valid TOML"),
    "a text for the servers": ('mcp_servers = "x"\n', "is not an object"),
    "a list of servers": ('[[mcp_servers]]\nname = "x"\n', "is not an object"),
    "another server of our name": ("[mcp_servers.'mailgun']\ncommand = 'y'\n", "'mailgun' is there already"),
    "another of our name with dots": ('mcp_servers.mailgun.command = "y"\n', "'mailgun' is there already"),
    "broken": ("a = \n", "not valid TOML"),
}
YAML = {
    "comments": "# c\nextensions:\n  # before\n  dev:\n    enabled: true # x\n  # in\n# after\nGOOSE: a\n",
    "on one line": "extensions: {dev: {enabled: true}}\na: 1\n",
    "documents": "---\na: 1\n...\n",
    "line ends of Windows": "a: 1\r\nextensions:\r\n  dev:\r\n    enabled: true\r\n",
    "mixed line ends": "a: 1\r\nextensions:\n  dev:\n    enabled: true\r\n",
    "byte order mark": "\ufeffa: 1\n",
    "texts of several lines": "t: |\n  extensions:\n    mailgun:\n      trap\n\nextensions:\n  dev:\n    t: |\n      keep\n\n",
    "anchors": "base: &b\n  enabled: true\nextensions:\n  dev:\n    <<: *b\n    name: x\nother: *b\n",
    "an alias at the end": "d: &d {enabled: true}\nextensions:\n  a: {b: 1}\n  c: *d\n# after\nz: [*d]\n",
    "a merge at the end": "d: &d {enabled: true}\nextensions:\n  b:\n    <<: *d\nz: 1\n",
    "a list with an alias at the end": "d: &d x\nextensions:\n  b:\n    args:\n    - a\n    - *d\n",
    "four spaces": "extensions:\n    dev:\n        enabled: true\n",
    "lists without a margin": "extensions:\n  dev:\n    args:\n    - a\n    - b\n  z:\n    b: 1\nq: 2\n",
    "quoted names": "'extensions':\n  \"dev\": {a: 1}\n",
    "unusual values": "n: 123456789012345678901234567890\nf: 1e400\ni: .inf\nd: 2026-01-01\nv: 010\n1: 2\n",
    "only a comment": "# only\n",
    "empty": "",
    "no line end at the end": "extensions:\n  dev:\n    enabled: true",
}
YAML_REFUSED = {
    "a list of servers": ("extensions:\n- a\n", "is not an object"),
    "a text for the servers": ("extensions: x\n", "is not an object"),
    "no servers": ("extensions:\n", "is not a mapping"),
    "another server of our name": ("extensions:\n  mailgun:\n    cmd: x\n", "'mailgun' is there already"),
    "two documents": ("a: 1\n---\nb: 2\n", "not valid YAML"),
    "tabs": ("extensions:\n\tdev: 1\n", "not valid YAML"),
    "a tag": ("a: !custom x\n", "not valid YAML"),
}
TEXTS: Mapping[str, Mapping[str, str]] = {"json": JSON, "toml": TOML, "yaml": YAML}
REFUSED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "json": JSON_REFUSED,
    "toml": TOML_REFUSED,
    "yaml": YAML_REFUSED,
}


def texts_of(client: ClientProgram) -> dict[str, str]:
    """Return the texts that fit the client. A path of several keys needs its own closing brackets."""
    texts = TEXTS[client.form]
    if len(client.servers) == 1:
        return {name: text.replace(HERE, f'"{client.servers[0]}": ') for name, text in texts.items()}
    return {name: _nested(text, client.servers) for name, text in texts.items()}


def _nested(text: str, keys: tuple[str, ...]) -> str:
    head, here, rest = text.partition(HERE)
    if not here:
        return text
    end = _end_of_object(rest)
    outer = "".join(f'"{key}": {{' for key in keys[:-1])
    return f'{head}{outer}"{keys[-1]}": {rest[:end]}{"}" * (len(keys) - 1)}{rest[end:]}'


def _end_of_object(text: str) -> int:
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return position + 1
    raise AssertionError(text)


def server_of(client: ClientProgram) -> dict[str, Any]:
    return entry(client, ["/opt/mailgun mcp/bin/mailgun-mcp", "serve"], None, keyless=False)


def add(client: ClientProgram, path: Path) -> None:
    plan = install._Plan(client, path, "user", NAME, server_of(client))
    install._write(plan, force=False)


def take_away(client: ClientProgram, path: Path) -> None:
    install._uninstall(client, argparse.Namespace(file=str(path), scope=None, all=False, name=NAME))


def is_kept(before: str, after: str) -> bool:
    """Say whether all that stood in the file is still there, in its order, whatever was added between."""
    rest = iter(after)
    return all(character in rest for character in before)


def fresh(tmp_path: Path, text: str) -> Path:
    for old in tmp_path.iterdir():
        old.unlink()
    path = tmp_path / "config"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


@pytest.mark.parametrize("client", CLIENTS)
def test_each_file_is_edited_in_place_and_an_uninstall_gives_it_back(client: str, tmp_path: Path) -> None:
    program, wrong = CLIENTS[client], []
    for name, text in texts_of(program).items():
        path = fresh(tmp_path, text)
        add(program, path)
        added = path.read_bytes().decode()
        add(program, path)
        if path.read_bytes().decode() != added or not installed(added, program, NAME):
            wrong.append(f"{name}: not installed once")
        if text.strip() and not is_kept(text, added):
            wrong.append(f"{name}: {added!r} has not all of {text!r}")
        take_away(program, path)
        if path.read_bytes().decode() != text:
            wrong.append(f"{name}: {path.read_bytes().decode()!r} is not {text!r}")
    assert wrong == []


@pytest.mark.parametrize("client", CLIENTS)
def test_what_cannot_be_edited_safely_is_refused_and_stays(client: str, tmp_path: Path) -> None:
    program, wrong = CLIENTS[client], []
    key = "".join(f'"{name}": ' for name in program.servers[:1])
    for name, (text, reason) in REFUSED[program.form].items():
        whole = _nested(text, program.servers) if len(program.servers) > 1 and f"{HERE}{{" in text else text
        path = fresh(tmp_path, whole.replace(HERE, key))
        before = path.read_bytes()
        try:
            add(program, path)
            wrong.append(f"{name}: was edited")
        except SettingsError as error:
            if reason not in str(error) or "Nothing was changed" not in str(error):
                wrong.append(f"{name}: {str(error)[:200]}")
        if path.read_bytes() != before or len(list(tmp_path.iterdir())) != 1:
            wrong.append(f"{name}: something was written")
    assert wrong == []


@pytest.mark.parametrize("client", ["claude-code", "codex", "goose"])
def test_what_changed_since_the_install_stays_at_the_uninstall(client: str, tmp_path: Path) -> None:
    program = CLIENTS[client]
    before = {"json": '{"a": 1}', "toml": "a = 1\n", "yaml": "a: 1\n"}[program.form]
    path = fresh(tmp_path, before)
    add(program, path)
    changed = path.read_text().replace("1", "2", 1)
    path.write_text(changed)
    take_away(program, path)
    assert not installed(path.read_text(), program, NAME)
    assert "2" in path.read_text()


def test_an_uninstall_does_not_bring_back_a_server_that_was_replaced(tmp_path: Path) -> None:
    program = CLIENTS["claude-code"]
    path = fresh(tmp_path, '{"mcpServers": {"mailgun": {"command": "npx"}}}')
    install._write(install._Plan(program, path, "user", NAME, server_of(program)), force=True)
    take_away(program, path)
    assert json.loads(path.read_text()) == {"mcpServers": {}}


def test_a_link_stays_a_link_and_its_file_is_edited_and_given_back(tmp_path: Path) -> None:
    program = CLIENTS["cursor"]
    (tmp_path / "dotfiles").mkdir()
    target, link = tmp_path / "dotfiles" / "mcp.json", tmp_path / "mcp.json"
    target.write_text('{ "a": 1, }')
    link.symlink_to(target)
    add(program, link)
    assert link.is_symlink()
    assert installed(target.read_text(), program, NAME)
    take_away(program, link)
    assert (link.is_symlink(), target.read_text()) == (True, '{ "a": 1, }')


def test_a_read_only_file_is_refused_and_stays(tmp_path: Path) -> None:
    path = fresh(tmp_path, "{}")
    path.chmod(0o444)
    with pytest.raises(SettingsError, match="is read-only"):
        add(CLIENTS["cursor"], path)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode), os.listdir(tmp_path)) == ("{}", 0o444, ["config"])


@pytest.mark.parametrize("content", ["{}".encode("utf-16"), b'{"a": "\xe9"}'], ids=["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_refused_and_stays(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot read"):
        add(CLIENTS["cursor"], path)
    assert path.read_bytes() == content


SPACE = st.sampled_from(["", " ", "\n", "\r\n  ", "\t", " // c\n", " /* c */ "])
VALUE = st.sampled_from(["1", "1e400", "true", "null", '"x"', '"//"', "[]", "[1,]", "{}", '{"a": [1, {}],}'])


@st.composite
def json_files(draw: st.DrawFn) -> str:
    """Objects with other members and servers, spaced and commented at will."""

    def members(inner: list[str]) -> str:
        parts = [f"{draw(SPACE)}{member}{draw(SPACE)}" for member in inner]
        comma = draw(st.sampled_from(["", ","])) if parts else ""
        return f"{{{','.join(parts)}{comma}{draw(SPACE)}}}"

    others = [f'"k{number}":{draw(SPACE)}{draw(VALUE)}' for number in range(draw(st.integers(0, 3)))]
    servers = [f'"s{number}":{draw(SPACE)}{{"command": "x"}}' for number in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        others.insert(draw(st.integers(0, len(others))), f'"mcpServers":{draw(SPACE)}{members(servers)}')
    return f"{draw(SPACE)}{members(others)}{draw(SPACE)}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=json_files())
def test_any_json_with_comments_is_edited_and_given_back(text: str, tmp_path: Path) -> None:
    path = fresh(tmp_path, text)
    add(CLIENTS["cursor"], path)
    added = path.read_bytes().decode()
    assert installed(added, CLIENTS["cursor"], NAME)
    assert added.count("/* c */") == text.count("/* c */")
    assert added.count("// c") == text.count("// c")
    take_away(CLIENTS["cursor"], path)
    assert path.read_bytes().decode() == text
