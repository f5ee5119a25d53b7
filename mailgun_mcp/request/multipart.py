"""multipart/form-data with a boundary derived from the content, so that the same request always has the same digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Part:
    """A form field; with a filename, a file."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str | None = None


def encode_multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """Return the body and its content type. Names are escaped as browsers do (WHATWG HTML, 4.10.21.8)."""
    boundary = _boundary(parts)
    chunks: list[bytes] = []
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(part.name)}"'
        if part.filename is not None:
            head += f'; filename="{_escaped(part.filename)}"'
            head += f"\r\nContent-Type: {part.content_type or 'application/octet-stream'}"
        chunks += [head.encode(), b"\r\n\r\n", part.data, b"\r\n"]
    chunks.append(f"--{boundary}--\r\n".encode())
    return b"".join(chunks), f"multipart/form-data; boundary={boundary}"


def _boundary(parts: Sequence[Part]) -> str:
    digest = sha256()
    for part in parts:
        for piece in (part.name, part.filename or "", part.content_type or ""):
            digest.update(piece.encode() + b"\0")
        digest.update(len(part.data).to_bytes(8, "big"))
        digest.update(part.data)
    return digest.hexdigest()[:40]


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
