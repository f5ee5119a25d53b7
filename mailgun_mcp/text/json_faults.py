"""Says why a text is not JSON, for every route and transport, without the words of a parser."""

import json
from typing import Any

DEEPEST = 200
"""Levels of values in each other that pydantic reads. Python reads many more, and from 3.14 on tens of thousands."""


def json_fault(text: bytes | bytearray | str) -> str:
    """Return why the text is not JSON, such as `it is not valid JSON (line 1, column 2)`."""
    if not text.strip():
        return "it is empty"
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return f"it is not valid JSON (line {error.lineno}, column {error.colno})"
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except RecursionError:
        return "its values are nested too deeply"
    except ValueError:
        return "it contains a number that is too long"
    if _is_deep(value):
        return "its values are nested too deeply"
    # Python reads more than JSON, such as NaN, and half of a surrogate pair.
    return "it contains a number or an escape that JSON does not have"


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [item for each in level for item in _items(each)]
    return bool(level)


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
