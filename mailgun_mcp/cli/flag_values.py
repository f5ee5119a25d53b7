"""Reads the values of flags that several commands take."""

from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.durations import duration


def seconds(flag: str, text: str) -> float:
    """Return a duration such as `15m` in seconds. Raises SettingsError, which names the flag."""
    try:
        return duration(text)
    except ValueError as error:
        raise SettingsError(f"--{flag}: {error}") from error


def positive_integer(flag: str, text: str) -> int:
    """Return a number of 1 or more. Raises SettingsError, which names the flag."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise SettingsError(f"--{flag}: {text!r} must be a positive integer")
    return int(text)
