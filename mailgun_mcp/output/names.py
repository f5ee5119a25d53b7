"""Names, ids, numbers and times: texts too short to give a model instructions, so they need no fence."""

import re

LOCAL_PART = r"(?![^@]{31})[A-Za-z0-9]++(?:[._%+-][A-Za-z0-9]++){0,2}"
LABEL = r"(?![A-Za-z0-9-]{31})[A-Za-z0-9]++(?:-[A-Za-z0-9]++){0,2}"
HOST = rf"{LABEL}(?:\.{LABEL}){{1,4}}"
MAIL_HOST = re.compile(rf"[0-9]{{1,5}} {HOST}")
"""The value of an MX record."""
UP_TO_SEVEN_PARTS = "(?!(?:[A-Za-z0-9]*+[._%+@-]){7})"
WORDLESS = re.compile(rf"[0-9 .,:+/-]{{0,60}}|[A-Za-z]{{1,20}}|{UP_TO_SEVEN_PARTS}(?:{LOCAL_PART}@)?{HOST}")
"""Numbers and times, a single word, or an address or host name of few parts: too short to give instructions.

A fence costs 30 tokens. Names of many parts are fenced, because they can spell out an instruction.
"""
ID_OR_TIME = re.compile(
    r"[0-9a-f]{8,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9-]{8,10}T[0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?"
    r"|[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{5,8} (?:[A-Z]{1,4}|[+-][0-9]{4})"
)
"""An id of hexadecimal digits, or a time."""
NAME = re.compile(rf"{UP_TO_SEVEN_PARTS}[A-Za-z0-9]++(?:[._%+:@-][A-Za-z0-9]++){{0,6}}")
"""A name of few parts."""


def is_name(text: str) -> bool:
    """Return whether a text is a name of few parts, an id or a number: too short to give instructions."""
    return len(text) <= 64 and bool(WORDLESS.fullmatch(text) or NAME.fullmatch(text) or ID_OR_TIME.fullmatch(text))
