"""Reads Mailgun's answers: a single answer as JSON, or a list to its last page. All reads go through it.

It is here rather than in `mailgun` because it builds requests from operations, which the HTTP client must not know.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import items_of, next_page
from mailgun_mcp.catalogue.types import Arguments, Record
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.mailgun.response import parse_json
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read."""

    body: Any
    """The JSON value of the answer, or None if Mailgun says that nothing exists (HTTP 404)."""
    last: bool


@dataclass(frozen=True, slots=True)
class PageReader:
    """Reads in one account."""

    client: Client
    subaccount: str | None = None
    notify: Notify = quiet

    async def pages(self, operation: Operation, arguments: Arguments) -> AsyncIterator[Page]:
        """Yield the pages, beginning with the one that `arguments` ask for.

        Raises MailgunError if a read fails, and UnreadableError if an answer lacks the list: that is not an
        empty one.
        """
        while True:
            body = await self.read(operation, arguments)
            if body is not None and operation.pages is not None:
                check_list(operation, body, operation.pages.items)
            following = next_page(operation, arguments, body)
            yield Page(body, last=following is None)
            if following is None:
                return
            arguments = {**arguments, **following}

    async def items(self, operation: Operation) -> AsyncIterator[Record]:
        """Yield the items of a list of the account to its last page, read in the largest pages.

        Raises MailgunError if a read fails, and UnreadableError if an answer is not a list of records.
        """
        assert operation.pages is not None  # noqa: S101 - only what has pages is a list
        async for page in self.pages(operation, largest_page(operation)):
            if page.body is None:
                raise UnreadableError(f"Mailgun says that there is no {operation.name}", "Check the endpoint.")
            for item in items_of(operation.pages, page.body):
                if not isinstance(item, dict):
                    raise UnreadableError(f"An item in the answer of {operation.name} is not a record", "Try again.")
                yield item

    async def read(self, operation: Operation, arguments: Arguments) -> Any:
        """Return the body of one answer, or None if nothing exists. Raises MailgunError if the read fails."""
        request = build(operation, arguments, Files(), subaccount=self.subaccount)
        try:
            response = await self.client.send(request, repeatable=True, notify=self.notify)
            return parse_json(response.content)
        except MailgunError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        except (ValueError, UnicodeDecodeError) as error:
            raise UnreadableError(f"The answer of {operation.name} cannot be read", "Try again.") from error


def check_list(operation: Operation, body: Any, path: str) -> None:
    """Raise UnreadableError if an answer has no list at the path `a/b`. One that is null is empty.

    A record that is there, such as a template, may leave out its empty list.
    """
    head, _, rest = path.partition("/")
    if not isinstance(body, dict) or head not in body:
        raise UnreadableError(f"The answer of {operation.name} has no list of {head}", "Try again.")
    listed = body[head]
    if rest and listed is not None:
        listed = listed.get(rest) if isinstance(listed, dict) else path
    if not isinstance(listed, list | dict | None):
        raise UnreadableError(f"The answer of {operation.name} has no list of {rest or head}", "Try again.")


def largest_page(operation: Operation) -> Arguments:
    """Return the argument that asks for the largest page that Mailgun allows."""
    most = call_schema(operation).get("properties", {}).get("limit", {}).get("maximum")
    return {"limit": most} if most else {}
