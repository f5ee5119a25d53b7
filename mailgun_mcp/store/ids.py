"""Ids that a person reads on one screen and types into another."""

from secrets import token_bytes

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits without those that look alike."""
FAIR = 256 - 256 % len(ALPHABET)
LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
"""Byte -> letter."""
UNFAIR = bytes(range(FAIR, 256))


def new_id(length: int) -> str:
    """Return an id that nobody can guess. Every character is equally likely: bytes that would bias it are skipped."""
    name = ""
    while len(name) < length:
        # One system call for the whole id instead of one per character, because a call of a tool waits for a dozen ids.
        name += token_bytes(2 * length).translate(LETTERS, UNFAIR).decode("ascii")
    return name[:length]
