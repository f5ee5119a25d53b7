"""Checks whether a text can be an API key. No message repeats the text: it may be a secret pasted by mistake."""


def has_key_characters(key: str) -> bool:
    """Return whether the text has only characters that occur in API keys."""
    return key.isascii() and key.isprintable() and " " not in key


def checked_key(key: str) -> str:
    """Return the key. Raises ValueError if it cannot be one."""
    if key.startswith("$"):
        raise ValueError(
            "the API key is a reference to a variable, which the client did not resolve: set that variable"
        )
    if not has_key_characters(key):
        raise ValueError("the API key contains a space or another character that API keys do not contain")
    return key
