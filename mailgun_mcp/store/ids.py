"""Names that a person reads off one screen and types into another."""

from secrets import token_bytes

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks alike."""
FAIR = 256 - 256 % len(ALPHABET)
LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
"""Byte -> letter."""
UNFAIR = bytes(range(FAIR, 256))


def new_id(length: int) -> str:
    """Return a name that nobody can guess. Every character is equally likely: bytes that would favour some are left out."""
    name = ""
    while len(name) < length:
        # One request to the system, not one for each character: a call would wait for a dozen of them.
        name += token_bytes(2 * length).translate(LETTERS, UNFAIR).decode("ascii")
    return name[:length]
