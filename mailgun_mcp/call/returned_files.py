"""Files that calls return: attachments and raw MIME. They are shown, written to disk, or offered as a resource."""

import re
from hashlib import sha256
from typing import Any

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.results import ReturnedFile
from mailgun_mcp.catalogue.saved_files import SAVE_AS, SAVED
from mailgun_mcp.errors import CallError
from mailgun_mcp.mailgun.response import Response
from mailgun_mcp.request.build import Request
from mailgun_mcp.request.files import CONTENT_TYPE, FileError
from mailgun_mcp.request.formats import storage_host
from mailgun_mcp.request.new_files import NewFiles
from mailgun_mcp.store.database import in_thread

INLINE = 16_000
"""Most characters of base64 that a result shows. A model can do little with more."""
URI = "mailgun-mcp://domains/{domain}/messages/{storage_key}/attachments/{index}"
PLAIN = re.compile(r"[A-Za-z0-9_.=-]+")
"""Text that needs no escaping in a URI: true of every storage key and domain."""


async def save_file(call: Call, request: Request, result: dict[str, Any], response: Response) -> dict[str, Any]:
    """Write the file that a call returns, if the call asks for that, and return where it was written.

    The file is removed from the result. Raises CallError if it cannot be written.
    """
    if request.save_as is None:
        return {}
    content = response.content if call.operation.file else str(result.get("body-mime", "")).encode()
    for field in SAVED[call.operation.name]:
        result.pop(field, None)
    try:
        path = await in_thread(NewFiles(call.services.files.directories).write, request.save_as, content)
    except FileError as error:
        raise CallError(f"The file was read but not written. save_as: {error}.") from error
    # Only the person who runs the server sees where the file is on its disk.
    own = call.caller.principal.access.scopes is None
    shown = str(path) if own else request.save_as
    return {"saved": {"path": shown, "size": len(content), "sha256": sha256(content).hexdigest()}}


def returned_file(call: Call, result: dict[str, Any], response: Response) -> ReturnedFile | None:
    """Return the file that the call returns, if any, for a client that reads it as a resource."""
    if not call.operation.file:
        return None
    content_type = response.headers.get("content-type", "")
    mime_type = content_type if CONTENT_TYPE.fullmatch(content_type) else "application/octet-stream"
    arguments = call.arguments
    places = {name: str(arguments[name]) for name in ("domain", "storage_key", "index")}
    uri = URI.format(**places) if all(map(PLAIN.fullmatch, places.values())) else None
    if uri and "storage_host" in arguments:
        uri += f"?storage_host={storage_host(arguments['storage_host'])}"
    return ReturnedFile(uri, mime_type, response.content, is_text="text" in result)


def without_long_base64(call: Call, result: dict[str, Any], file: ReturnedFile | None) -> dict[str, Any]:
    """Return the result without a file that is too large to show. It can be read as a resource instead."""
    if file is None or file.uri is None or len(result.get("base64", "")) <= INLINE:
        return result
    ways = [f"Read the resource {file.uri}"]
    if any(argument.name == SAVE_AS for argument in call.operation.arguments):
        ways.append("call again with save_as to write it to a file")
    file.linked = True
    how = f"It is not text, and too large to show. {', or '.join(ways)}."
    rest = {name: value for name, value in result.items() if name != "base64"}
    return {**rest, "left_out": {"fields": ["base64"], "how": how}}
