"""Files in a call: given as text, as base64, or as a path inside a directory that the operator allowed."""

import base64
import binascii
import re
from pathlib import Path
from typing import Any

from mailgun_mcp.request.formats import control_character
from mailgun_mcp.request.multipart import Part
from mailgun_mcp.request.received_files import MARK, ReceivedFiles

MAX_FILE = 25 * 1024 * 1024
CONTENT_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;\s*[\w!#$&^.+-]+=[\w!#$&^.+-]+)*")


class FileError(Exception):
    """A file that cannot be used in a request."""


class Files:
    """Turns the files of a call into form parts. Without allowed directories, no path is read."""

    def __init__(self, directories: tuple[Path, ...] = ()) -> None:
        self.directories = tuple(directory.resolve() for directory in directories)
        self.received = ReceivedFiles()
        """Files received in large messages."""

    def part(self, field: str, file: dict[str, Any]) -> Part:
        """Return the form part of `file`. Raises FileError if it is not exactly one readable file."""
        sources = [key for key in ("text", "base64", "path") if file.get(key) is not None]
        if len(sources) != 1:
            raise FileError(f"needs exactly one of text, base64, path{f', not {len(sources)}' if sources else ''}")
        data, name = getattr(self, f"_{sources[0]}")(file[sources[0]])
        if len(data) > MAX_FILE:
            raise FileError(f"{len(data):,} bytes is more than the limit of {MAX_FILE:,}")
        filename = file.get("filename") or name or field
        if control_character(filename) or not _is_text(filename):
            raise FileError("filename contains a control character or invalid text")
        return Part(field, data, filename, self._content_type(file.get("content_type"), filename))

    def _text(self, text: str) -> tuple[bytes, None]:
        return text.encode(), None

    def _base64(self, text: str) -> tuple[bytes, None]:
        if text.startswith(MARK):
            data = self.received.find(text)
            if data is None:
                raise FileError("base64 names a file that is no longer here; make the call again with its content")
            return data, None
        try:
            return base64.b64decode("".join(text.split()), validate=True), None
        except (binascii.Error, ValueError) as error:
            raise FileError("base64 is not valid") from error

    def _path(self, text: str) -> tuple[bytes, str]:
        if not self.directories:
            raise FileError(
                "path: the server is not allowed to read files; start it with --files DIR, or give text or base64"
            )
        try:
            path = next(
                (
                    candidate
                    for directory in self.directories
                    if (candidate := (directory / text).resolve()).is_relative_to(directory) and candidate.is_file()
                ),
                None,
            )
            if path is None:
                raise FileError("path: no such file inside the directories given with --files")
            if path.stat().st_size > MAX_FILE:
                raise FileError(f"{path.stat().st_size:,} bytes is more than the limit of {MAX_FILE:,}")
            return path.read_bytes(), path.name
        # `resolve` raises RuntimeError for a loop of links before Python 3.13.
        except (OSError, ValueError, RuntimeError) as error:
            raise FileError("path: cannot be read") from error

    def _content_type(self, content_type: str | None, filename: str) -> str:
        if content_type is not None:
            if not CONTENT_TYPE.fullmatch(content_type):
                raise FileError(f"content_type {content_type!r} is not a media type")
            return content_type
        from mimetypes import guess_type

        return guess_type(filename)[0] or "application/octet-stream"


def _is_text(name: str) -> bool:
    """Return whether `name` can be sent: a file name on disk may contain bytes that are not text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
