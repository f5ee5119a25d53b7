"""Reads the mailing lists that a send addresses: a send to a list of 5,000 is a send to 5,000.

The lists are read again for every decision on a send and never cached: a list that was small a minute ago may have
grown since.
"""

from dataclasses import replace
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.policy.facts import Context
from mailgun_mcp.text.addresses import find_addresses
from mailgun_mcp.undo.page_reader import PageReader

PAGE = 100
SINGLE_READS = 10
"""Most addresses to look up one by one if the account has more than a page of lists."""
MAX_LISTS = 10_000
MAX_MEMBERS = 1_000
"""Most members to read for one call, over all its lists."""
FORBIDDEN = (401, 403)
NO_PERMISSION = "the API key may not read mailing lists"
TOO_MANY_LISTS = f"the account has more than {MAX_LISTS:,} mailing lists"
TOO_MANY_MEMBERS = f"more than {MAX_MEMBERS:,} members would have to be read to find the lists among them"
GONE = "its members cannot be read"


class MailingLists:
    """The lists that one send addresses. Created for a single decision."""

    def __init__(self, catalogue: Catalogue, reader: PageReader, *, read_addresses: bool) -> None:
        """`read_addresses` means that a rule needs to know who the members are."""
        self._catalogue = catalogue
        self._reader = reader
        self._read_addresses = read_addresses
        self._sizes: dict[str, int] = {}
        self._complete = False
        self._members_left = MAX_MEMBERS

    async def add_to(self, context: Context, addresses: tuple[str, ...]) -> Context:
        """Return the context with those of `addresses` that are lists.

        If the key may not read lists, they stay unknown. Raises MailgunError if a read fails in another way.
        """
        try:
            unknown = await self._find(addresses)
            context = replace(context, unknown_lists=unknown)
            for address in addresses:
                if address in self._sizes:
                    context = await self._add_list(context, address)
        except MailgunError as error:
            if error.status not in FORBIDDEN:
                raise
            return replace(context, unknown_lists=dict.fromkeys(addresses, NO_PERMISSION))
        return context

    async def _find(self, addresses: tuple[str, ...]) -> dict[str, str]:
        """Read the lists among `addresses`. Return the addresses that may or may not be lists, with the reason.

        If one is a list, all lists are read, because a member can be a list as well.
        """
        operation = self._catalogue.find("list_mailing_lists")
        async for page in self._reader.pages(operation, {"limit": PAGE}):
            self._sizes |= _sizes(page.body)
            self._complete = page.last
            if page.last or len(self._sizes) > MAX_LISTS:
                break
            if len(addresses) <= SINGLE_READS and not await self._any_is_list(addresses):
                return {}
        return {} if self._complete else {one: TOO_MANY_LISTS for one in addresses if one not in self._sizes}

    async def _any_is_list(self, addresses: tuple[str, ...]) -> bool:
        """Look the addresses up one by one."""
        for address in addresses:
            if address in self._sizes:
                return True
            body = await self._reader.read(self._catalogue.find("get_mailing_list"), {"list_address": address})
            if body is not None:
                self._sizes |= _sizes({"items": [body.get("list") if isinstance(body, dict) else body]})
                return True
        return False

    async def _add_list(self, context: Context, address: str) -> Context:
        """Return the context with the size of one list, including the lists inside it, and its members."""
        seen, pending = {address}, [address]
        size, people, all_read, doubt = 0, list[str](), True, ""
        while pending:
            current = pending.pop()
            size += self._sizes[current]
            may_nest = not self._complete or not self._sizes.keys() <= seen
            if not may_nest and not self._read_addresses:
                all_read = False
                continue
            members, why_not = await self._members(current)
            all_read = all_read and not why_not
            if may_nest:
                doubt = doubt or why_not or ("" if self._complete else TOO_MANY_LISTS)
            nested = [member for member in members if member in self._sizes]
            size -= len(nested)
            people += (member for member in members if member not in self._sizes)
            pending += (member for member in nested if member not in seen)
            seen.update(nested)
        return replace(
            context,
            list_members={**context.list_members, address: size},
            list_addresses={**context.list_addresses, **({address: tuple(people)} if all_read else {})},
            unknown_lists={**context.unknown_lists, **({address: doubt} if doubt else {})},
        )

    async def _members(self, address: str) -> tuple[list[str], str]:
        """Return the addresses on the list, or why they were not read."""
        if self._sizes[address] > self._members_left:
            return [], TOO_MANY_MEMBERS
        members: list[str] = []
        operation = self._catalogue.find("list_mailing_list_members")
        async for page in self._reader.pages(operation, {"list_address": address, "limit": PAGE}):
            if page.body is None:
                return [], GONE
            members += (_canonical(item["address"]) for item in _items(page.body))
            if len(members) > self._members_left:
                return [], TOO_MANY_MEMBERS
        self._members_left -= len(members)
        if len(members) < self._sizes[address]:
            return members, GONE
        return members, ""


def _sizes(body: Any) -> dict[str, int]:
    """Return the number of members by address of the list. Raises UnreadableError."""
    try:
        return {_canonical(item["address"]): int(item["members_count"]) for item in _items(body)}
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise UnreadableError("The mailing lists cannot be read", "Try again.") from error


def _items(body: Any) -> list[dict[str, Any]]:
    """Return the items of a page. Raises UnreadableError if the body is not a page of a list."""
    items = body.get("items") or [] if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) and "address" in item for item in items):
        raise UnreadableError("The mailing lists cannot be read", "Try again.")
    return items


def _canonical(address: Any) -> str:
    """Return the address in the form that the facts of a call use."""
    text = str(address)
    addresses = find_addresses(text).addresses
    return addresses[0] if len(addresses) == 1 else text.strip().lower()
