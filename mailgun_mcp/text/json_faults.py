"""Says why a text is not JSON, for every route and transport, without the words of a parser."""

import json


def json_fault(text: bytes | bytearray | str) -> str:
    """Return why the text is not JSON, such as `it is not valid JSON (line 1, column 2)`."""
    if not text.strip():
        return "it is empty"
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"it is not valid JSON (line {error.lineno}, column {error.colno})"
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except RecursionError:
        return "its values are nested too deeply"
    except ValueError:
        return "it contains a number that is too long"
    # Python reads more than JSON, such as NaN, and half of a surrogate pair.
    return "it contains a number or an escape that JSON does not have"
