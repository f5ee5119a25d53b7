"""Previews what a call would affect, with the read that the catalogue names for it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import items_of
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import NAME, as_text, in_words, shorten
from mailgun_mcp.confirm.caller import Notify
from mailgun_mcp.confirm.form import NOTHING, Preview
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.output.json_paths import replace, tree_of
from mailgun_mcp.request.validate import validate
from mailgun_mcp.undo.page_reader import PageReader, largest_page
from mailgun_mcp.undo.records import Value

UNREADABLE = Preview("The target could not be read.", "unreadable")
MAX_ITEMS = 10_000
"""Items that are counted; above that the person is told `at least`."""
EXAMPLES = 5
NAMING = ("address", "name", "value", "id", "url", "tag", "domain", "ip", "login")
"""Fields by which an item is named in an example, the best first."""


@dataclass(frozen=True, slots=True)
class PreviewReader:
    """Reads what calls in one account would affect."""

    catalogue: Catalogue
    client: Client
    subaccount: str | None
    notify: Notify

    async def preview(self, operation: Operation, arguments: Arguments) -> Preview:
        """Return the current state of what the call would affect. Raises MailgunError when it cannot be read."""
        if operation.preview is None:
            return NOTHING
        read = self.catalogue.find(operation.preview.tool)
        arguments_of_read = _read_arguments(operation, read, arguments)
        if validate(read, arguments_of_read):
            return UNREADABLE
        items: list[Any] = []
        complete = True
        async for page in PageReader(self.client, self.subaccount, self.notify).pages(read, arguments_of_read):
            if page.body is None:
                return _nothing(read)
            body = replace(page.body, tree_of(read.secrets), _withheld)
            if read.pages is None or not isinstance(body, dict):
                return _describe_result(read, body)
            items += items_of(read.pages, body)
            complete = page.last
            if len(items) >= MAX_ITEMS:
                break
            if not page.last:
                await self.notify(f"reading what {operation.name} would affect: {len(items):,} so far")
        return _describe_list(read, items, complete=complete)


def describe_capture(counts: list[str], examples: list[tuple[str, Value]], records: int, *, limit: int | None) -> str:
    """Return the current state that a snapshot saves: how many of what, and a few examples.

    `limit` is how many would be saved, where there are more.
    """
    if limit is not None:
        return f"Currently there: more than {limit:,} records."
    if records == 0:
        return "Nothing is there now."
    if records == 1:
        name, value = examples[0]
        return f"Currently there: {shorten(name)} ({in_words(value)})."
    names = ", ".join(shorten(name) for name, _ in examples)
    return f"Currently there: {', '.join(counts)}, such as {names}."


def _read_arguments(operation: Operation, read: Operation, arguments: Arguments) -> Arguments:
    """Return what the read needs, under its own names, for as large a page as possible."""
    renamed = operation.preview.arguments if operation.preview else {}
    names = {name: name for name in read.input_schema.get("required", [])} | renamed
    return {**{theirs: arguments[ours] for theirs, ours in names.items() if ours in arguments}, **largest_page(read)}


def _withheld(*_: object) -> str:
    """A person who confirms a call needs none of the target's passwords for that."""
    return "(withheld)"


def _nothing(read: Operation) -> Preview:
    return Preview(f"Nothing found ({read.name}).", "nothing")


def _describe_result(read: Operation, body: Any) -> Preview:
    result = body if isinstance(body, dict) else {"result": body}
    return Preview(f"Currently ({read.name}): {in_words(result)}.", _digest([result, None]))


def _describe_list(read: Operation, items: list[Any], *, complete: bool) -> Preview:
    count = f"{len(items):,}" if complete else f"at least {len(items):,}"
    examples = ", ".join(_item_name(item) for item in items[:EXAMPLES])
    such_as = f", such as {examples}" if examples else ""
    text = f"Currently there ({read.name}): {count}{such_as}."
    return Preview(text, _digest([items, len(items) if complete else None]))


def _digest(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _item_name(item: Any) -> str:
    if isinstance(item, dict):
        named = next((item[field] for field in NAMING if item.get(field)), None)
        return in_words(item, NAME) if named is None else shorten(as_text(named))
    return shorten(as_text(item))
