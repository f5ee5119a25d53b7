"""Looks at what a call would touch, with the read that the catalogue names for it."""

from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import items_of, next_page
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Notify
from mailgun_mcp.confirm.form import NOTHING, Preview, summarize
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.response import parse_json
from mailgun_mcp.output.json_paths import replace, tree_of
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.request.validate import validate

UNSEEN = Preview("What it would touch could not be looked at.", "unseen")
MAX_ITEMS = 10_000
"""What is counted one by one; beyond it the person is told `at least`."""


async def look(
    catalogue: Catalogue,
    client: Client,
    operation: Operation,
    arguments: Arguments,
    *,
    subaccount: str | None,
    notify: Notify,
) -> Preview:
    """Return what is there now. Raises MailgunError when it cannot be seen."""
    if operation.preview is None:
        return NOTHING
    reader = catalogue.find(operation.preview.tool)
    asked = _arguments(operation, reader, arguments)
    if validate(reader, asked):
        return UNSEEN
    acting = arguments.get("on_behalf_of") or subaccount
    items: list[Any] = []
    while True:
        try:
            response = await client.send(
                build(reader, asked, Files(), subaccount=acting), repeatable=True, notify=notify
            )
        except MailgunError as fault:
            if fault.status == 404:
                return summarize(reader.name, None, None, None)
            raise
        body = replace(_parsed(response.content), tree_of(reader.secrets), _withheld)
        if reader.pages is None or not isinstance(body, dict):
            return summarize(reader.name, body if isinstance(body, dict) else {"result": body}, None, None)
        items += items_of(reader.pages, body)
        following = next_page(reader, asked, body)
        if following is None or len(items) >= MAX_ITEMS:
            return summarize(reader.name, body, items, len(items) if following is None else None)
        await notify(f"looking at what {operation.name} would touch: {len(items):,} so far")
        asked = {**asked, **following}


def _arguments(operation: Operation, reader: Operation, arguments: Arguments) -> Arguments:
    """What the read needs, under its own names; a page as large as it can be."""
    schema = reader.input_schema
    names = {name: name for name in schema.get("required", [])} | (
        operation.preview.arguments if operation.preview else {}
    )
    asked = {theirs: arguments[ours] for theirs, ours in names.items() if ours in arguments}
    most = schema.get("properties", {}).get("limit", {}).get("maximum")
    return {**asked, "limit": most} if most else asked


def _withheld(*_: object) -> str:
    """A person confirms what is touched; its passwords tell nothing of that."""
    return "(withheld)"


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content)
    except (ValueError, UnicodeDecodeError) as error:
        raise UnreadableError("What the call would touch cannot be read", "Try again.") from error
