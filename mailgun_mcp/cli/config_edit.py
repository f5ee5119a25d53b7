"""Adds a server to a client's configuration file and changes nothing else in it.

A file that cannot be edited safely (an invalid file, the same key twice, TOML servers that are not tables) is refused,
and the error contains the text to add by hand. TOML is edited here and not by tomlkit: only one table is added or
replaced, the result is parsed and compared, and one client's file is not worth a dependency of every installation.
"""

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailgun_mcp.cli import jsonc
from mailgun_mcp.cli.clients import ClientProgram
from mailgun_mcp.settings import SettingsError

HEADER = re.compile(r"^\s*\[")
SECRET = re.compile(r"(?:key-)?[0-9a-f]{32}(?:-[0-9a-f]{8}-[0-9a-f]{8})?")
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


class _Unusable(ValueError):
    """The file is invalid for its client, or cannot be edited without changing something else in it."""


def snippet(client: ClientProgram, name: str, entry: Mapping[str, Any]) -> str:
    """Return the text that a person would add to the file by hand."""
    if client.form == "toml":
        return _toml_table(client, name, entry)
    document: dict[str, Any] = {client.servers: {name: entry}}
    if _asks(entry) and client.inputs:
        document = {"inputs": list(client.inputs), **document}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def with_server(
    text: str, path: Path, client: ClientProgram, name: str, entry: Mapping[str, Any], *, force: bool
) -> str:
    """Return the file's `text` with the server in it, or the same text if it is already there.

    Raises SettingsError if another entry has the name and `force` is off, or if the file cannot be edited safely. The
    message shows the difference, or the text to add by hand.
    """
    edit = _edit_toml if client.form == "toml" else _edit_json
    try:
        return edit(text, path, client, name, dict(entry), force)
    except (_Unusable, RecursionError) as error:
        raise SettingsError(
            f"{path}: {error}. Nothing was changed. Add this to the file yourself:\n\n{snippet(client, name, entry)}"
        ) from error


def _edit_json(text: str, path: Path, client: ClientProgram, name: str, entry: dict[str, Any], force: bool) -> str:
    text = text if text.strip() else "{}\n"
    document = _parse_json(text).value
    servers = _member(document, client.servers, dict)
    inputs = _member(document, "inputs", list) if _asks(entry) and client.inputs else []
    present = [item.get("id") for item in inputs if isinstance(item, dict)]
    missing = [item for item in client.inputs if item["id"] not in present] if _asks(entry) else []
    if servers.get(name) == entry and not missing:
        return text
    if name in servers and servers[name] != entry and not force:
        raise _differs(path, name, servers[name], entry)
    if servers.get(name) != entry:
        text = _with_json_server(text, client.servers, name, entry)
    for item in missing:
        text = _with_json_input(text, item)
    servers[name] = entry
    inputs += missing
    if _parse_json(text).value != document:
        raise _Unusable("it cannot be edited safely")
    return text


def _with_json_server(text: str, key: str, name: str, entry: dict[str, Any]) -> str:
    root = _parse_json(text)
    if key not in root.members:
        return jsonc.with_member(text, root, key, {name: entry})
    return jsonc.with_member(text, root.members[key], name, entry)


def _with_json_input(text: str, item: Mapping[str, Any]) -> str:
    root = _parse_json(text)
    if "inputs" not in root.members:
        return jsonc.with_member(text, root, "inputs", [item])
    return jsonc.with_item(text, root.members["inputs"], item)


def _parse_json(text: str) -> jsonc.JsonNode:
    try:
        root = jsonc.parse(text)
    except jsonc.JsoncError as error:
        raise _Unusable(f"it is not valid JSON: {error}") from error
    if not isinstance(root.value, dict):
        raise _Unusable("it does not contain a JSON object")
    return root


def _member(document: dict[str, Any], key: str, kind: type[Any]) -> Any:
    value = document.setdefault(key, kind())
    if not isinstance(value, kind):
        raise _Unusable(f"{key!r} in it is not {'an object' if kind is dict else 'a list'}")
    return value


def _asks(entry: Mapping[str, Any]) -> bool:
    return any("${input:" in str(value) for value in entry.get("env", {}).values())


def _line_ends(written: str, text: str) -> str:
    return written.replace("\n", "\r\n") if "\r\n" in text else written


def _edit_toml(text: str, path: Path, client: ClientProgram, name: str, entry: dict[str, Any], force: bool) -> str:
    document = _read_toml(text)
    servers = _member(document, client.servers, dict)
    if servers.get(name) == entry:
        return text
    table = _toml_table(client, name, entry)
    if name not in servers:
        new = f"{text}{_gap(text)}{table}"
    elif force:
        new = _replaced(text, client, name, table)
    else:
        raise _differs(path, name, servers[name], entry)
    new = _line_ends(new.replace("\r\n", "\n"), text)
    servers[name] = entry
    if _read_toml(new) != document:
        raise _Unusable(f"{client.servers} must be written as tables, such as [{client.servers}.{name}]")
    return new


def _read_toml(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _Unusable(f"it is not valid TOML: {error}") from error


def _toml_table(client: ClientProgram, name: str, entry: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_toml_value(value)}" for key, value in entry.items()]
    return "\n".join([f"[{client.servers}.{name}]", *lines, ""])


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml_value(item)}' for key, item in value.items())} }}"
    # A JSON string is also a TOML basic string, except for DEL, which the comparison afterwards finds.
    return json.dumps(value, ensure_ascii=False)


def _gap(text: str) -> str:
    if not text.strip():
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _replaced(text: str, client: ClientProgram, name: str, table: str) -> str:
    """Replace the server's first table by `table` and remove its other tables. Comments after a table stay."""
    own = re.compile(rf"\s*\[\s*{client.servers}\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*[.\]]")
    lines: list[str] = []
    section: list[str] = []
    placed = False
    for line in [*text.splitlines(keepends=True), "["]:
        if not HEADER.match(line):
            section.append(line)
            continue
        if section and own.match(section[0]):
            lines += [*([] if placed else [table]), *_trailing(section)]
            placed = True
        else:
            lines += section
        section = [line]
    return "".join(lines)


def _trailing(section: list[str]) -> list[str]:
    body = len(section)
    while body > 1 and (not section[body - 1].strip() or section[body - 1].lstrip().startswith("#")):
        body -= 1
    return section[body:]


def _differs(path: Path, name: str, old: Any, new: Any) -> SettingsError:
    lines = difflib.unified_diff(_shown(old), _shown(new), "present", "new", lineterm="")
    difference = "\n".join(lines)
    return SettingsError(
        f"{path}: another server is already called {name!r}. Nothing was changed. "
        f"Use --force to replace it, or choose another --name.\n{difference}"
    )


def _shown(entry: Any) -> list[str]:
    return json.dumps(_without_secrets(entry), ensure_ascii=False, indent=2).splitlines()


def _without_secrets(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, str):
        return value
    if SECRET_NAME.search(name) and not name.endswith("_FILE") and not value.startswith("$"):
        return "[withheld]"
    return SECRET.sub("[withheld]", value)
