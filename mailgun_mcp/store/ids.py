"""Names that a person reads off one screen and types into another."""

from secrets import choice

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks alike."""


def new_id(length: int) -> str:
    """Return a name that nobody can guess."""
    return "".join(choice(ALPHABET) for _ in range(length))
