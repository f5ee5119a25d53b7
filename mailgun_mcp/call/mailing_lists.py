"""Knows how many members a mailing list has: a send to a list of 5,000 is a send to 5,000."""

from collections.abc import Callable
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.pagination import next_page
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.response import parse_json
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files

FRESH = 60.0
"""Seconds for which the lists of an account are believed to be as they were."""
LISTING = "list_mailing_lists"
PAGE = 100


class MailingLists:
    """The account's mailing lists, read when a send asks and not for every send."""

    def __init__(self, catalogue: Catalogue, client: Client, clock: Callable[[], float]) -> None:
        self._catalogue = catalogue
        self._client = client
        self._clock = clock
        self._known: dict[str | None, tuple[float, dict[str, int]]] = {}

    async def members(self, subaccount: str | None) -> dict[str, int]:
        """Return the number of members by the list's address.

        A key that may not read lists (401, 403) leaves them unknown: each then counts as one address.
        Raises MailgunError when they cannot be read for another reason.
        """
        known = self._known.get(subaccount)
        if known is None or self._clock() - known[0] > FRESH:
            known = (self._clock(), await self._read(subaccount))
            self._known[subaccount] = known
        return known[1]

    async def _read(self, subaccount: str | None) -> dict[str, int]:
        operation = self._catalogue.find(LISTING)
        asked: Arguments = {"limit": PAGE}
        found: dict[str, int] = {}
        while True:
            try:
                request = build(operation, asked, Files(), subaccount=subaccount)
                body: Any = parse_json((await self._client.send(request, repeatable=True)).content)
                found.update(_members(body))
            except MailgunError as fault:
                if fault.status in (401, 403):
                    return {}
                raise
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                raise UnreadableError("The mailing lists cannot be read", "Try again.") from error
            following = next_page(operation, asked, body)
            if following is None:
                return found
            asked = {**asked, **following}


def _members(body: Any) -> dict[str, int]:
    """Raises one of many errors when the body isn't a page of mailing lists."""
    return {str(item["address"]).lower(): int(item.get("members_count") or 0) for item in body.get("items") or []}
