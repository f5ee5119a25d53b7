"""Adds a server to a client's configuration file, or removes it, and changes nothing else in the file.

A file that cannot be edited safely (an invalid file, the same key twice) is refused, and the error contains the text to
add by hand: after each edit the file is read again and compared with what it should be.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from mailgun_mcp.cli.clients import INPUT, ClientProgram
from mailgun_mcp.cli.config_json import append, remove_item
from mailgun_mcp.settings import SettingsError

SECRET = re.compile(r"(?:key-)?[0-9a-f]{32}(?:-[0-9a-f]{8}-[0-9a-f]{8})?")
BEARER = re.compile(r"Bearer [A-Za-z0-9_-]+")
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|AUTHORIZATION", re.IGNORECASE)
INPUTS = "inputs"
"""The key under which VS Code lists the inputs that it asks the person for."""


BOM = "\ufeff"
"""The byte order mark with which some Windows programs start a file. It is preserved."""


class _Unusable(ValueError):
    """The file is invalid for its client, or cannot be edited without changing something else in it."""


def snippet(client: ClientProgram, name: str, entry: Mapping[str, Any]) -> str:
    """Return the text that a person would add to the file by hand."""
    text: str = _format(client).render((*client.servers, name), entry)
    if _asks(entry):
        return json.dumps({INPUTS: [INPUT], **json.loads(text)}, ensure_ascii=False, indent=2) + "\n"
    return text


def installed(text: str, client: ClientProgram, name: str) -> bool:
    """Return whether the file's `text` has a server with that name. Raises SettingsError if the file is invalid."""
    try:
        return name in _servers(_read(text.removeprefix(BOM), client), client)
    except (ValueError, RecursionError) as error:
        raise SettingsError(_problem(error)) from error


def is_of_another_version(text: str, client: ClientProgram) -> bool:
    """Return whether the file's `text` has the form of another version of the client."""
    try:
        return bool(client.foreign and client.foreign(_format(client).read(text.removeprefix(BOM))))
    except (ValueError, RecursionError):
        return False


def with_server(
    text: str, path: Path, client: ClientProgram, name: str, entry: Mapping[str, Any], *, force: bool
) -> str:
    """Return the file's `text` with the server added, or unchanged if the server is already there.

    Raises SettingsError if a different entry has the name and `force` is off, or if the file cannot be edited safely.
    The message shows the difference, or the text to add by hand.
    """
    try:
        body = text.removeprefix(BOM)
        return text[: len(text) - len(body)] + _added(body, path, client, name, dict(entry), force=force)
    except (ValueError, RecursionError) as error:
        if isinstance(error, SettingsError):
            raise
        addition = BEARER.sub("Bearer TOKEN", snippet(client, name, entry))
        raise SettingsError(
            f"{path}: {_problem(error)}. Nothing was changed. Add this to the file yourself:\n\n{addition}"
        ) from error


def without_server(text: str, path: Path, client: ClientProgram, name: str) -> str:
    """Return the file's `text` without the server, or unchanged if the server is not there.

    Raises SettingsError if the file cannot be edited safely.
    """
    try:
        body = text.removeprefix(BOM)
        return text[: len(text) - len(body)] + _removed(body, client, name)
    except (ValueError, RecursionError) as error:
        entry = ".".join((*client.servers, name))
        raise SettingsError(
            f"{path}: {_problem(error)}. Nothing was changed. Remove {entry} from the file yourself."
        ) from error


def before_install(text: str, earlier: Iterable[str], path: Path, client: ClientProgram, name: str) -> str | None:
    """Return the one of the `earlier` versions of the file to which only the server was added to make `text`, or None.

    Restoring that version leaves no trace of the server, not even a blank line.
    """
    try:
        entry = _servers(_read(text.removeprefix(BOM), client), client).get(name)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    for version in earlier:
        try:
            if not installed(version, client, name) and text == with_server(
                version, path, client, name, entry, force=False
            ):
                return version
        except SettingsError:
            continue
    return None


def _problem(error: Exception) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)


def _added(text: str, path: Path, client: ClientProgram, name: str, entry: dict[str, Any], *, force: bool) -> str:
    document = _read(text, client)
    servers = _servers(document, client)
    if name in servers and servers[name] != entry and not force:
        raise _differs(path, name, servers[name], entry)
    new = text
    if servers.get(name) != entry:
        new = _format(client).put(text, (*client.servers, name), entry)
        servers[name] = entry
    if _asks(entry) and INPUT["id"] not in _input_ids(document):
        new = append(new, INPUTS, INPUT)
        document[INPUTS].append(INPUT)
    return _checked(new, document, client)


def _removed(text: str, client: ClientProgram, name: str) -> str:
    document = _read(text, client)
    servers = _servers(document, client)
    if name not in servers:
        return text
    new = _format(client).remove(text, (*client.servers, name))
    entry = servers.pop(name)
    if isinstance(entry, dict) and _asks(entry) and not any(map(_asks, servers.values())):
        inputs = document.get(INPUTS)
        if isinstance(inputs, list) and INPUT in inputs:
            new = remove_item(new, INPUTS, inputs.index(INPUT))
            inputs.remove(INPUT)
    return _checked(new, document, client)


def _checked(new: str, document: dict[str, Any], client: ClientProgram) -> str:
    """Return the edited text if it equals `document`. A TOML table may disappear with its last entry."""
    edited = _read(new, client)
    _servers(edited, client)
    _servers(document, client)
    if not _same(edited, document):
        raise _Unusable("it cannot be edited safely")
    return new


def _same(one: Any, other: Any) -> bool:
    """Return whether two documents are equal. Unlike with `==`, NaN equals NaN."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and (one == other or (one != one and other != other))


def _format(client: ClientProgram) -> ModuleType:
    """Return the module that edits the file format of the client."""
    from importlib import import_module

    return import_module(f"mailgun_mcp.cli.config_{client.form}")


def _read(text: str, client: ClientProgram) -> dict[str, Any]:
    document: dict[str, Any] = _format(client).read(text)
    return document


def _servers(document: dict[str, Any], client: ClientProgram) -> dict[str, Any]:
    """Return the mapping of servers in the document. If there is none, an empty one is added."""
    level = document
    for index, key in enumerate(client.servers):
        if client.form == "yaml" and level.get(key) is None:
            level[key] = {}
        level = level.setdefault(key, {})
        if not isinstance(level, dict):
            raise _Unusable(f"{'.'.join(client.servers[: index + 1])!r} in it is not an object")
    if client.foreign is not None and (problem := client.foreign(document)):
        raise _Unusable(problem)
    return level


def _input_ids(document: dict[str, Any]) -> list[Any]:
    inputs = document.setdefault(INPUTS, [])
    if not isinstance(inputs, list):
        raise _Unusable(f"{INPUTS!r} in it is not a list")
    return [item.get("id") if isinstance(item, dict) else None for item in inputs]


def _asks(entry: Any) -> bool:
    variables = entry.get("env") if isinstance(entry, dict) else None
    return isinstance(variables, dict) and any(
        f"${{input:{INPUT['id']}}}" in str(value) for value in variables.values()
    )


def _differs(path: Path, name: str, old: Any, new: Any) -> SettingsError:
    lines = difflib.unified_diff(_shown(old), _shown(new), "present", "new", lineterm="")
    difference = "\n".join(lines)
    return SettingsError(
        f"{path}: {name!r} is there already, with other settings. Nothing was changed. "
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
