"""Counts what is lost with a domain or a subaccount: keys, mail of the last 30 days, mailing lists, domains."""

from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.pagination import items_of
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import MailgunError
from mailgun_mcp.request.target_keys import values_at
from mailgun_mcp.text.sizes import count_of
from mailgun_mcp.undo.page_reader import PageReader

PAGE = 1_000
DAYS = 30


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a domain or subaccount in words, and the part of them that a confirmation is bound to."""

    words: tuple[str, ...] = ()
    bound: tuple[Any, ...] = ()
    """The part without values that change all the time, such as the number of messages."""


async def read_contents(catalogue: Catalogue, reader: PageReader, tool: str, arguments: Arguments) -> Contents:
    """Return what is lost with the target of `tool`. What cannot be read is called unknown."""
    counter = _Counter(catalogue, reader)
    if tool == "delete_domain":
        domain = str(arguments["domain"])
        keys = await counter.names("list_domain_keys", {"domain": domain}, "selector")
        lists = await counter.names("list_mailing_lists", {"limit": 100}, "address")
        of_domain = None if lists is None else [name for name in lists if name.lower().endswith(f"@{domain.lower()}")]
        more = "" if lists is None or len(lists) < PAGE else "at least "
        return Contents(
            (
                _counted(keys, "key"),
                await counter.messages(domain),
                f"{more}{_counted(of_domain, 'mailing list')}",
            ),
            (keys, of_domain),
        )
    if tool == "delete_subaccount":
        inside = PageReader(reader.client, str(arguments["subaccount_id"]), reader.notify)
        domains = await _Counter(catalogue, inside).names("list_domains", {"limit": PAGE}, "name")
        return Contents((_counted(domains, "domain"),), (domains,))
    return Contents()


@dataclass(frozen=True, slots=True)
class _Counter:
    catalogue: Catalogue
    reader: PageReader

    async def names(self, tool: str, arguments: Arguments, field: str) -> list[str] | None:
        """Return the names of the first items of a list; None if they cannot be read."""
        operation = self.catalogue.find(tool)
        names: list[str] = []
        try:
            async for page in self.reader.pages(operation, arguments):
                items = items_of(operation.pages, page.body) if operation.pages else (page.body or {}).get("items")
                names += [str(item.get(field)) for item in items or [] if isinstance(item, dict)]
                if len(names) >= PAGE:
                    break
        except (MailgunError, AttributeError):
            return None
        return names

    async def messages(self, domain: str) -> str:
        """Return how many messages the domain sent in the last days."""
        arguments = {"domain": domain, "event": ["accepted"], "duration": f"{DAYS}d"}
        try:
            body = await self.reader.read(self.catalogue.find("get_domain_stats"), arguments)
            counts = list(values_at(body, "stats/*/accepted/outgoing"))
            return f"{sum(map(int, counts)):,} messages in the last {DAYS} days"
        except (MailgunError, ValueError, TypeError):
            return f"an unknown number of messages in the last {DAYS} days"


def _counted(names: list[str] | None, word: str) -> str:
    return f"an unknown number of {word}s" if names is None else count_of(len(names), word)
