"""Adds a server to a client's configuration file and loses nothing of what is there.

What cannot be changed without a loss (comments in JSON, doubled keys, a file that is not valid) is
refused, and the error holds the text to add by hand.
"""

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailgun_mcp.cli.clients import Client
from mailgun_mcp.settings import SettingsError

INDENT = re.compile(r"^\{\s*?\n([ \t]+)\"")
HEADER = re.compile(r"^\s*\[")
SECRET = re.compile(r"(?:key-)?[0-9a-f]{32}(?:-[0-9a-f]{8}-[0-9a-f]{8})?")
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


class _Unusable(ValueError):
    """The file is not what its client would read, or cannot be written again as it was."""


def snippet(client: Client, name: str, entry: Mapping[str, Any]) -> str:
    """Return what a person would add to the file by hand."""
    if client.form == "toml":
        return _toml_table(client, name, entry)
    document: dict[str, Any] = {client.servers: {name: entry}}
    if _asks(entry) and client.inputs:
        document = {"inputs": list(client.inputs), **document}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def with_server(text: str, path: Path, client: Client, name: str, entry: Mapping[str, Any], *, force: bool) -> str:
    """Return the file's `text` with the server in it; the same text when it already is.

    Raises SettingsError, which shows the difference or the text to add by hand, when another entry
    has the name and `force` is off, or when the file cannot be changed without a loss.
    """
    edit = _edit_toml if client.form == "toml" else _edit_json
    try:
        return edit(text, path, client, name, dict(entry), force)
    except (_Unusable, RecursionError) as error:
        raise SettingsError(
            f"{path}: {error}; nothing was changed. Add this to it yourself:\n\n{snippet(client, name, entry)}"
        ) from error


def _edit_json(text: str, path: Path, client: Client, name: str, entry: dict[str, Any], force: bool) -> str:
    document = _read_json(text)
    servers = _member(document, client.servers, dict)
    inputs = _member(document, "inputs", list) if _asks(entry) and client.inputs else []
    missing = (
        [item for item in client.inputs if item["id"] not in [_id(known) for known in inputs]] if _asks(entry) else []
    )
    if servers.get(name) == entry and not missing:
        return text
    if name in servers and servers[name] != entry and not force:
        raise _differs(path, name, servers[name], entry)
    servers[name] = entry
    inputs += missing
    return _write_json(document, text)


def _read_json(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        comments = " (comments would be lost)" if re.search(r"^\s*//|/\*|[,{}\[\]\"]\s*//", text, re.MULTILINE) else ""
        raise _Unusable(f"it is not plain JSON{comments}: {error}") from error
    if not isinstance(document, dict):
        raise _Unusable("it does not hold a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Unusable("an object in it has the same key twice")
    return made


def _no_constant(name: str) -> Any:
    raise _Unusable(f"{name} is not JSON")


def _member(document: dict[str, Any], key: str, kind: type[Any]) -> Any:
    value = document.setdefault(key, kind())
    if not isinstance(value, kind):
        raise _Unusable(f"{key!r} in it is not {'an object' if kind is dict else 'a list'}")
    return value


def _id(known: Any) -> Any:
    return known.get("id") if isinstance(known, dict) else None


def _asks(entry: Mapping[str, Any]) -> bool:
    return any("${input:" in str(value) for value in entry.get("env", {}).values())


def _write_json(document: dict[str, Any], text: str) -> str:
    indent = INDENT.match(text)
    written = json.dumps(
        document,
        ensure_ascii=text.isascii() and bool(text.strip()),
        indent=indent[1] if indent else 2,
    )
    if text.endswith("\n") or not text.strip():
        written += "\n"
    return _line_ends(written, text)


def _line_ends(written: str, text: str) -> str:
    return written.replace("\n", "\r\n") if "\r\n" in text else written


def _edit_toml(text: str, path: Path, client: Client, name: str, entry: dict[str, Any], force: bool) -> str:
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
        raise _Unusable(f"{client.servers} is not written as tables in it")
    return new


def _read_toml(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _Unusable(f"it is not valid TOML: {error}") from error


def _toml_table(client: Client, name: str, entry: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_toml_value(value)}" for key, value in entry.items()]
    return "\n".join([f"[{client.servers}.{name}]", *lines, ""])


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml_value(item)}' for key, item in value.items())} }}"
    # A JSON string is a basic string of TOML, but for DEL, which the reading back would find.
    return json.dumps(value, ensure_ascii=False)


def _gap(text: str) -> str:
    if not text.strip():
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _replaced(text: str, client: Client, name: str, table: str) -> str:
    """Put `table` where the server's first table is, and leave out its others. Comments after a table stay."""
    own = re.compile(rf"\s*\[\s*{client.servers}\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*[.\]]")
    kept: list[str] = []
    section: list[str] = []
    placed = False
    for line in [*text.splitlines(keepends=True), "["]:
        if not HEADER.match(line):
            section.append(line)
            continue
        if section and own.match(section[0]):
            kept += [*([] if placed else [table]), *_trailing(section)]
            placed = True
        else:
            kept += section
        section = [line]
    return "".join(kept)


def _trailing(section: list[str]) -> list[str]:
    body = len(section)
    while body > 1 and (not section[body - 1].strip() or section[body - 1].lstrip().startswith("#")):
        body -= 1
    return section[body:]


def _differs(path: Path, name: str, old: Any, new: Any) -> SettingsError:
    lines = difflib.unified_diff(_shown(old), _shown(new), "there", "new", lineterm="")
    difference = "\n".join(lines)
    return SettingsError(
        f"{path}: another server is called {name!r}; nothing was changed. "
        f"Give --force to replace it, or another --name.\n{difference}"
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
