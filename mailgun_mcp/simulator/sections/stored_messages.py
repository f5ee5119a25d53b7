"""Stored messages and their attachments."""

from typing import Any

from mailgun_mcp.simulator.mail.composing import to_mime
from mailgun_mcp.simulator.mail.record_events import storage_location
from mailgun_mcp.simulator.mail.stripping import strip_bodies
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage, find_header
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

RAW = "message/rfc2822"


@handles(
    "get_stored_message", fidelity="stateful", note="as sent or received, as JSON or MIME, until its retention ends"
)
def get_stored_message(account: Account, request: SimulatedRequest) -> Reply:
    message = find_stored(account, request)
    if RAW in request.accept:
        return Reply(_summary(message) | {"body-mime": to_mime(message)})
    return Reply(_parsed(account, message))


@handles("get_stored_attachment", fidelity="stateful", note="as it was attached")
def get_stored_attachment(account: Account, request: SimulatedRequest) -> Reply:
    attachments = find_stored(account, request).attachments
    if request["index"] >= len(attachments):
        raise ApiError(404, "Attachment not found")
    item = attachments[request["index"]]
    return Reply(item.data, content_type=item.content_type)


def find_stored(account: Account, request: SimulatedRequest) -> StoredMessage:
    """Return the stored message that a request names. Raises ApiError when there is none."""
    message = request.domain.messages.get(request["storage_key"])
    if message is None or message.at + request.domain.retention < account.clock.now():
        raise ApiError(404, "Message not found")
    return message


def _summary(message: StoredMessage) -> dict[str, Any]:
    return {
        "sender": message.sender,
        "from": find_header(message.headers, "From"),
        "recipients": ", ".join(message.recipients),
        "subject": message.subject,
    }


def _parsed(account: Account, message: StoredMessage) -> dict[str, Any]:
    kind = "html" if message.html else "plain"
    of_body = {"Content-Type": f"text/{kind}; charset=utf-8", "Content-Transfer-Encoding": "7bit"}
    lines = [*((name, value) for name, value in message.header_lines if name not in of_body), *of_body.items()]
    stripped = strip_bodies(message.text, message.html)
    files = [_listed(account, message, index, item) for index, item in enumerate(message.attachments)]
    ids = {f"<{item.cid}>": file for item, file in zip(message.attachments, files, strict=True) if item.cid}
    return {
        **message.headers,
        **of_body,
        **_summary(message),
        "message-headers": lines,
        "body-plain": message.text,
        "body-html": message.html,
        "stripped-text": stripped.text,
        "stripped-html": stripped.html,
        "stripped-signature": stripped.signature,
        "attachments": files,
        "content-id-map": ids,
    }


def _listed(account: Account, message: StoredMessage, index: int, item: Attachment) -> dict[str, Any]:
    url = f"{storage_location(account, message)['url']}/attachments/{index}"
    return {"name": item.filename, "content-type": item.content_type, "size": len(item.data), "url": url}
