"""The token of an HTTP server. Whoever can read it is the user who runs the server, or got it from them."""

from pathlib import Path

from mailgun_mcp.store.owner_file import read_or_create_secret

FILE = "http-token"


def start_token(state: Path) -> str:
    """Return the token in the state directory. It is created at the first start, and stays until its file is deleted.

    Raises StateError if the file can be neither read nor created, or others than its owner can read it.
    """
    return read_or_create_secret(state, FILE)
