"""Reads of a filled account: each list is walked to its end, as a model follows `next`, and each result is short."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import items_of
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.server.server import create_server
from mailgun_mcp.settings import Settings
from tests.support.calls import LOCAL_USER
from tests.support.operations import catalogue
from tests.support.people import Desk
from tests.support.tokens import count_tokens

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DOMAIN, LIST, TEMPLATE = "mail.example.com", "team@mail.example.com", "paged"
PEOPLE = [f"person{number}@x.example" for number in range(5)]
IN_PATHS = {
    "domain": DOMAIN,
    "list_address": LIST,
    "template_name": TEMPLATE,
    "duration": "7d",
    "ip": "192.0.2.10",
}
PAGED = [operation for operation in catalogue() if operation.pages]
FENCE = re.compile("⟦[0-9a-f]{8}")
NOT_THERE = ("get_tracking_certificate", "list_dynamic_pool_domain_history")
"""Reads of what the account does not have."""
MOST_TOKENS = 4_000
EPOCH = re.compile(r"(?<![0-9a-f.])1[678][0-9]{8}(?![0-9a-f])")
OLD_TIME = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}")


class Reader:
    """A model that reads at the official client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.known: Arguments = dict(IN_PATHS)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self._client.call_tool(tool, arguments)
        assert not result.is_error, (tool, arguments, result.content)
        return dict(result.structured_content or {})

    def first(self, operation: Operation, limit: int | None) -> Arguments:
        """Return the arguments of the call for the first page."""
        properties = operation.input_schema["properties"]
        names = [*operation.input_schema.get("required", ()), *({"duration", "rule_id"} & set(properties))]
        arguments: Arguments = {name: self.known[name] for name in names}
        if limit is None:
            return arguments
        least = max(limit, call_schema(operation)["properties"].get("limit", {}).get("minimum", 0))
        return {**arguments, **({"limit": least} if "limit" in properties else {"pagination": {"limit": least}})}

    async def pages(self, operation: Operation, arguments: Arguments) -> list[dict[str, Any]]:
        """Return all pages, as a model reads them that repeats each call with `next`."""
        pages: list[dict[str, Any]] = []
        while len(pages) < 120:
            pages.append(await self.call(operation.name, **arguments))
            if "next" not in pages[-1]:
                return pages
            arguments = {**arguments, **pages[-1]["next"]}
        raise AssertionError(f"{operation.name} does not end")


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    services = create_services(Settings(simulator=True, state=str(tmp_path)))
    async with Client(create_server(services, LOCAL_USER), elicitation_callback=Desk()) as client:
        reader = Reader(client)
        await fill(reader)
        reader.known["pool_id"] = (await reader.call("list_ip_pools"))["ip_pools"][0]["pool_id"]
        rules = await reader.call("list_bounce_entity_rules", domain=DOMAIN, entity_id="other")
        reader.known["rule_id"] = rules["items"][0]["rule-id"]
        yield reader


async def fill(reader: Reader) -> None:
    for kind in ("bounces", "complaints", "unsubscribes"):
        await reader.call(f"add_{kind}", domain=DOMAIN, **{kind: [{"address": person} for person in PEOPLE]})
    for number, person in enumerate(PEOPLE):
        await reader.call("add_allowlist_entry", domain=DOMAIN, address=person)
        await reader.call("create_smtp_credentials", domain=DOMAIN, login=f"login{number}", password="secret-enough")
        await reader.call("create_template", domain=DOMAIN, name=f"{TEMPLATE}{number or ''}")
        await reader.call("create_account_template", name=f"{TEMPLATE}{number or ''}")
        version = {"template_name": TEMPLATE, "version": f"v{number}", "template": "Hello"}
        await reader.call("create_template_version", domain=DOMAIN, **version)
        await reader.call("create_account_template_version", **version)
        mail = {"to": [f"mail-{person}"], "from": f"a@{DOMAIN}", "text": "Hello", "tags": [f"tag{number}"]}
        await reader.call("send_message", domain=DOMAIN, subject=f"Mail {number}", **mail)


async def test_a_walk_reads_everything_once_and_next_is_named_only_where_a_page_is_full(reader: Reader) -> None:
    for operation in PAGED:
        assert operation.pages
        walks = []
        for limit in (1, 2, 3):
            arguments = reader.first(operation, limit)
            size = arguments.get("limit") or arguments["pagination"]["limit"]
            *full, last = [items_of(operation.pages, page) for page in await reader.pages(operation, arguments)]
            assert [len(page) for page in full] == [size] * len(full), (operation.name, limit)
            walks.append(sorted(plain(item) for page in [*full, last] for item in page))
        assert len(set(walks[0])) == len(walks[0]), operation.name
        assert walks[0] == walks[1] == walks[2], operation.name


async def test_no_read_says_a_time_other_than_in_utc_or_takes_more_than_a_model_can_live_with(reader: Reader) -> None:
    reads = 0
    for operation in catalogue():
        needed = set(operation.input_schema.get("required", ()))
        if operation.risk == "read" and needed <= reader.known.keys() and operation.name not in NOT_THERE:
            result = await reader.call(operation.name, **reader.first(operation, None))
            text = json.dumps(result, ensure_ascii=False)
            assert not OLD_TIME.search(text), operation.name
            assert not EPOCH.search(text), operation.name
            assert count_tokens(text) < MOST_TOKENS, operation.name
            reads += 1
    assert reads > 60


def plain(item: Any) -> str:
    """Return an item without the random boundaries of third-party text."""
    return FENCE.sub("", json.dumps(item, ensure_ascii=False))
