"""Names that a person reads off one screen and types into another."""

from secrets import token_bytes

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks alike."""
FAIR = 256 - 256 % len(ALPHABET)


def new_id(length: int) -> str:
    """Return a name that nobody can guess. Every character is equally likely: bytes that would favour some are left out."""
    name = ""
    while len(name) < length:
        # One request to the system, not one for each character: a call would wait for a dozen of them.
        name += "".join(ALPHABET[byte % len(ALPHABET)] for byte in token_bytes(2 * length) if byte < FAIR)
    return name[:length]
