"""Previews what a call would affect, through the read that the catalogue names for it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import items_of
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import NAME, OTHERS, as_text, in_words, join_bounded, shorten
from mailgun_mcp.confirm.form import NOTHING, Preview
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.output.json_paths import replace, tree_of
from mailgun_mcp.request.validate import validate
from mailgun_mcp.undo.contents import Contents, read_contents
from mailgun_mcp.undo.page_reader import PageReader, largest_page
from mailgun_mcp.undo.preview_words import answer_words, item_words, resource_words
from mailgun_mcp.undo.records import ResourceRef, Value

UNREADABLE = Preview("The target could not be read.", "unreadable")
NOTHING_TEXT = "Nothing is there now."
NOTHING_FOUND = Preview(NOTHING_TEXT, "nothing")
SELECTED = {
    "delete_api_key": ("id", "key_id"),
    "delete_smtp_credential": ("login", "spec"),
    "update_smtp_credential": ("login", "spec"),
}
"""Call about one item of a list -> the field of the item, and the argument with the same value."""
MAX_ITEMS = 10_000
"""Most items that are counted. For more, the person sees `at least`."""
EXAMPLES = 5
NAMING = ("address", "name", "value", "id", "url", "tag", "domain", "ip", "login")
"""Fields that can name an item in an example, best first."""


@dataclass(frozen=True, slots=True)
class PreviewReader:
    """Reads what calls in one account would affect."""

    catalogue: Catalogue
    client: Client
    subaccount: str | None
    notify: Notify

    async def preview(self, operation: Operation, arguments: Arguments) -> Preview:
        """Return the current state of what the call would affect. Raises MailgunError if it cannot be read."""
        if operation.preview is None:
            return NOTHING
        read = self.catalogue.find(operation.preview.tool)
        arguments_of_read = _read_arguments(operation, read, arguments)
        if validate(read, arguments_of_read):
            return UNREADABLE
        items: list[Any] = []
        complete = True
        reader = PageReader(self.client, self.subaccount, self.notify)
        async for page in reader.pages(read, arguments_of_read):
            if page.body is None:
                return NOTHING_FOUND
            body = replace(page.body, tree_of(read.secrets), _withheld)
            if operation.name in SELECTED:
                return _describe_selected(read, body, SELECTED[operation.name], arguments)
            if not isinstance(body, dict):
                return _describe_result(read, {"result": body}, Contents())
            if read.pages is None:
                contents = await read_contents(self.catalogue, reader, operation.name, arguments)
                return _describe_result(read, body, contents)
            items += items_of(read.pages, body)
            complete = page.last
            if len(items) >= MAX_ITEMS:
                break
            if not page.last:
                await self.notify(f"reading what {operation.name} would affect: {len(items):,} so far")
        return _describe_list(read, items, complete=complete)


def describe_capture(
    counts: list[str],
    examples: list[tuple[ResourceRef, Value]],
    records: int,
    *,
    absent: list[ResourceRef],
    limit: int | None,
) -> str:
    """Return the current state that a snapshot saves: how many of what, and a few examples, one per line.

    `absent` is what the call names but does not exist. `limit` is how many would be saved, if there are more.
    """
    if limit is not None:
        return f"Now there: more than {limit:,} records."
    if records == 0:
        return (
            f"Not there now: {join_bounded([str(ref) for ref in absent], OTHERS, 'more')}." if absent else NOTHING_TEXT
        )
    described = [_described(ref, value) for ref, value in examples]
    if records == 1:
        return f"Now there: {described[0]}."
    lines = [f"Now there: {', '.join(counts)}{', such as' if records > len(examples) else ''}:"]
    return "\n".join([*lines, *(f"- {one}" for one in described)])


def _described(ref: ResourceRef, value: Value) -> str:
    words = resource_words(ref.resource, value)
    return f"{shorten(str(ref))}{f' ({words})' if words else ''}"


def _read_arguments(operation: Operation, read: Operation, arguments: Arguments) -> Arguments:
    """Return the arguments that the read needs, under its own names, for the largest possible page."""
    renamed = operation.preview.arguments if operation.preview else {}
    names = {name: name for name in read.input_schema.get("required", [])} | renamed
    return {**{theirs: arguments[ours] for theirs, ours in names.items() if ours in arguments}, **largest_page(read)}


def _withheld(*_: object) -> str:
    """Hide a password: a person needs none of the target's passwords to confirm a call."""
    return "(withheld)"


def _describe_result(read: Operation, body: dict[str, Any], contents: Contents) -> Preview:
    words = ", ".join([answer_words(read.name, body), *contents.words])
    return Preview(f"Now there: {words}.", _digest([body, contents.bound]))


def _describe_selected(read: Operation, body: Any, fields: tuple[str, str], arguments: Arguments) -> Preview:
    """Describe the list item that the call names. Mailgun has no read for a single item."""
    field, argument = fields
    listed = body.get("items") if isinstance(body, dict) else None
    items = [item for item in listed or [] if isinstance(item, dict) and _same(item.get(field), arguments[argument])]
    return _describe_list(read, items, complete=True) if items else NOTHING_FOUND


def _same(value: Any, argument: Any) -> bool:
    """Return whether a login is the call's argument, which may omit the domain."""
    return str(value) == str(argument) or str(value).partition("@")[0] == str(argument)


def _describe_list(read: Operation, items: list[Any], *, complete: bool) -> Preview:
    described = [item_words(read.name, item) or _item_name(item) for item in items[:EXAMPLES]]
    digest = _digest([items, len(items) if complete else None])
    if len(items) == 1:
        return Preview(f"Now there: {described[0]}.", digest)
    count = f"{len(items):,}" if complete else f"at least {len(items):,}"
    lines = [f"Now there: {count}{', such as' if len(items) > EXAMPLES else ''}{':' if items else '.'}"]
    return Preview("\n".join([*lines, *(f"- {one}" for one in described)]), digest)


def _digest(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _item_name(item: Any) -> str:
    if isinstance(item, dict):
        named = next((item[field] for field in NAMING if item.get(field)), None)
        return in_words(item, NAME) if named is None else shorten(as_text(named))
    return shorten(as_text(item))
