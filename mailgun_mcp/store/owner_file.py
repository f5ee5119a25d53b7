"""A file with a random secret that only its owner can read. It is created at first use."""

import os
import re
from pathlib import Path
from secrets import token_urlsafe

from mailgun_mcp.errors import StateError, reason_of
from mailgun_mcp.store.database import prepare_directory, refuse_others
from mailgun_mcp.text.atomic_write import draft_file

BYTES = 32
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def read_or_create_secret(directory: Path, name: str) -> str:
    """Return the secret in the file `name` of the state directory. If several processes start at once, one creates it.

    Raises StateError if it can be neither read nor created, is not a secret, or others than its owner can read it.
    """
    path = directory / name
    try:
        if not path.exists():
            prepare_directory(directory)
            _create(path)
        refuse_others(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{path} cannot be used: {reason_of(error)}") from error
    if not SECRET.fullmatch(secret):
        raise StateError(f"{path} is damaged: delete it, and a new one is created at the next start")
    return secret


def _create(path: Path) -> None:
    with draft_file(path, f"{token_urlsafe(BYTES)}\n".encode()) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            # Another process was faster, so its secret counts.
            return
