"""Values of options as people write them, on a command line, in the environment or in TOML."""

from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import urlsplit

Kind = Literal["text", "url", "list", "switch", "integer", "number"]


def read(kind: Kind, value: Any) -> Any:
    """Return the value converted to its kind. Raises ValueError, which says what it must be."""
    reader, expected = READERS[kind]
    try:
        return reader(value)
    except (ValueError, TypeError) as error:
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        raise ValueError(f"{shown} must be {expected}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _url(value: Any) -> str:
    parts = urlsplit(_text(value))
    # The port is checked when it is read.
    rest = (parts.username, parts.query, parts.fragment, parts.port == 0)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(rest):
        raise ValueError
    return str(value)


def _list(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError
    return tuple(item.strip() for item in items if item.strip())


def _switch(value: Any) -> bool:
    values = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    text = str(value).lower()
    if text not in values:
        raise ValueError
    return values[text]


def _integer(value: Any) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "text": (_text, "text"),
    "url": (_url, "a URL that starts with https:// or http://, without user name, query and fragment"),
    "list": (_list, "a list of names, or names separated by commas"),
    "switch": (_switch, "true or false"),
    "integer": (_integer, "a whole number, 0 or more"),
    "number": (_number, "a number greater than 0"),
}
"""Kind -> the function that reads it, and a description of valid values."""
