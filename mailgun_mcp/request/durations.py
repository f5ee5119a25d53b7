"""Durations as people write them, and as Mailgun requires them: its `m` means months in one place, minutes in another.

Accepted: `30s`, `10min`, `12h`, `7d`, `2w`, `3mo`, their English names, and ISO 8601 (`PT12H`, `P7D`). A bare `m` is
refused.
"""

import re
from typing import Literal

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
NAMES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("mo", "mon", "month", "months"), "mo"),
}
WRITTEN = re.compile(r"([0-9]{1,6})\s?([A-Za-z]+)")
ISO = re.compile(r"P(?:([0-9]{1,6})([MWD])|T([0-9]{1,6})([HMS]))")
ISO_DATE = {"M": "mo", "W": "w", "D": "d"}
ISO_TIME = {"H": "h", "M": "min", "S": "s"}
Scale = Literal["months", "minutes"]
UNITS: dict[Scale, tuple[tuple[str, int], ...]] = {
    "months": (("d", 86_400), ("h", 3600)),
    "minutes": (("h", 3600), ("m", 60), ("s", 1)),
}
"""What `m` means to Mailgun -> the units that it accepts there, longest first."""


def for_mailgun(text: str, scale: Scale) -> str:
    """Return the duration in the units of a field whose `m` means `scale`. Raises ValueError, saying what to write."""
    number, unit = _parsed(text.strip())
    if unit == "mo":
        if scale == "months":
            return f"{number}m"
        raise ValueError(f"{text!r} is in months, which are not accepted here: write days or hours, such as 30d")
    seconds = number * SECONDS[unit]
    if seconds and (unit, SECONDS[unit]) in UNITS[scale]:
        # 48h is not converted to 2d: for Mailgun, a period in days starts at midnight.
        return f"{number}{unit}"
    for name, length in UNITS[scale]:
        if seconds and seconds % length == 0:
            return f"{seconds // length}{name}"
    if not seconds:
        raise ValueError(f"{text!r} has no length: write a duration such as 12h")
    raise ValueError(f"{text!r} is too precise: the smallest unit here is the hour, such as 1h")


def is_duration(text: str) -> bool:
    """Return whether the text is a length of time, such as `7d`."""
    try:
        _parsed(text.strip())
    except ValueError:
        return False
    return True


def _parsed(text: str) -> tuple[int, str]:
    if match := ISO.fullmatch(text):
        number, unit = (match[1], ISO_DATE[match[2]]) if match[1] else (match[3], ISO_TIME[match[4]])
        return int(number), unit
    match = WRITTEN.fullmatch(text)
    if match and match[2] in ("m", "M"):
        raise ValueError(f"{text!r} is unclear: write {match[1]}min for minutes or {match[1]}mo for months")
    unit = NAMES.get(match[2].lower(), "") if match else ""
    if not match or not unit:
        raise ValueError(f"{text[:40]!r} is not a duration: write 30min, 12h, 7d or 2mo")
    return int(match[1]), unit
