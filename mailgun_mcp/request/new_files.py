"""Files that calls write: always new, inside a directory that the operator allowed.

A model chooses the name, perhaps one that a received mail suggested. So no file is replaced, none is hidden or
executable, and none is larger than a mail.
"""

import os
import re
from pathlib import Path

from mailgun_mcp.request.files import MAX_FILE, FileError
from mailgun_mcp.text.characters import clean

LONGEST_PART = 200
"""Longest name of a file or directory, in bytes."""
SPECIAL = re.compile(r'[<>:"|?*\\]')
"""Characters that have a special meaning on Windows: a drive, a stream, a pattern."""
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, with any extension."""


class NewFiles:
    """Writes files into the given directories. A relative name refers to the first one."""

    def __init__(self, directories: tuple[Path, ...] = ()) -> None:
        self._directories = tuple(directory.resolve() for directory in directories)

    def path(self, name: str) -> Path:
        """Return the path for a new file of that name. Raises FileError, before anything is written."""
        if not self._directories:
            raise FileError("the server is not allowed to write files; start it with --files DIR")
        root, parts = self._root(name)
        _check(parts)
        try:
            parent = root.joinpath(*parts[:-1]).resolve(strict=True)
            path = parent / parts[-1]
            if not any(parent.is_relative_to(directory) for directory in self._directories):
                raise FileError("is outside the directory given with --files")
            if not parent.is_dir():
                raise FileError("its directory does not exist, and is not created")
            if os.path.lexists(path):
                raise FileError("already exists, and files are never replaced; give another name")
        except FileNotFoundError as error:
            raise FileError("its directory does not exist, and is not created") from error
        # `resolve` raises RuntimeError for a loop of links before Python 3.13.
        except (OSError, ValueError, RuntimeError) as error:
            raise FileError("cannot be used as a path") from error
        return path

    def write(self, name: str, content: bytes) -> Path:
        """Write a new file and return its path. Raises FileError; then there is no such file, or it is not ours."""
        if len(content) > MAX_FILE:
            raise FileError(f"{len(content):,} bytes is more than the limit of {MAX_FILE:,}")
        path = self.path(name)
        try:
            # Exclusive creation follows no link, and fails if somebody else has just created the file.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise FileError(f"cannot be written: {error.strerror}") from error
        try:
            with open(handle, "wb") as file:
                file.write(content)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise FileError(f"cannot be written: {error.strerror}") from error
        return path

    def _root(self, name: str) -> tuple[Path, list[str]]:
        """Return the directory for a name, and the name's parts below it. An absolute path must lie in one of them."""
        for directory in self._directories:
            inside = name.removeprefix(f"{directory.as_posix()}/")
            if inside != name:
                return directory, inside.split("/")
        return self._directories[0], name.split("/")


def _check(parts: list[str]) -> None:
    for part in parts:
        if part in ("", ".", ".."):
            raise FileError(
                "must be the name of a file under --files, such as invoice.pdf, without .. or an empty part"
            )
        if part.startswith(".") or part != part.strip() or part.endswith("."):
            raise FileError("has a part that begins with a dot or a space, or ends with one")
        if clean(part) != part or "\n" in part or "\t" in part:
            raise FileError("has an invisible or control character")
        if SPECIAL.search(part) or DEVICE.fullmatch(part):
            raise FileError("has a character or name that is not allowed in the name of a file")
        try:
            length = len(part.encode())
        except UnicodeEncodeError as error:
            raise FileError("has invalid text") from error
        if length > LONGEST_PART:
            raise FileError(f"has a part of more than {LONGEST_PART} bytes")
