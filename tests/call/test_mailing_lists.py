"""The mailing lists that a send addresses are read into the facts of the call."""

import httpx
import pytest

from mailgun_mcp.call.mailing_lists import NO_PERMISSION, TOO_MANY_MEMBERS, MailingLists
from mailgun_mcp.errors import MailgunError
from mailgun_mcp.policy.facts import Context
from mailgun_mcp.undo.page_reader import PageReader
from tests.support.operations import catalogue
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

TEAM, INNER = "team@x.example", "inner@x.example"
ANN = "ann@x.example"


def account_of(sizes: dict[str, int], members: dict[str, list[str]], status: int = 200) -> Recorder:
    def answer(line: str) -> httpx.Response:
        for name, addresses in members.items():
            if f"/{name.replace('@', '%40')}/members" in line:
                return httpx.Response(200, json={"items": [{"address": address} for address in addresses]})
        listed = [{"address": address, "members_count": size} for address, size in sizes.items()]
        return httpx.Response(status, json={"items": listed})

    return Recorder(answer)


async def lists(mailgun: Recorder, *addresses: str, read_addresses: bool = False) -> Context:
    async with recorded_services(mailgun) as services:
        reading = MailingLists(catalogue(), PageReader(services.client), read_addresses=read_addresses)
        return await reading.add_to(Context(), addresses)


async def test_an_address_that_is_not_a_list_needs_one_read() -> None:
    mailgun = account_of({TEAM: 3}, {})
    assert await lists(mailgun, ANN) == Context()
    assert mailgun.lines == ["GET /v3/lists?limit=100"]


async def test_the_only_list_is_counted_without_its_members() -> None:
    mailgun = account_of({TEAM: 3}, {})
    assert (await lists(mailgun, TEAM)).list_members == {TEAM: 3}
    assert mailgun.lines == ["GET /v3/lists?limit=100"]


async def test_members_are_read_where_a_rule_asks_who_they_are() -> None:
    context = await lists(account_of({TEAM: 1}, {TEAM: ["Ann@X.example"]}), TEAM, read_addresses=True)
    assert context.list_addresses == {TEAM: (ANN,)}


async def test_a_list_inside_counts_as_its_members() -> None:
    mailgun = account_of(
        {TEAM: 2, INNER: 3}, {TEAM: [ANN, INNER], INNER: ["a@x.example", "b@x.example", "c@x.example"]}
    )
    context = await lists(mailgun, TEAM)
    assert (context.list_members, context.unknown_lists) == ({TEAM: 4}, {})


async def test_a_list_too_large_to_search_for_lists_is_unknown() -> None:
    context = await lists(account_of({TEAM: 2000, INNER: 3}, {}), TEAM)
    assert (context.list_members, context.unknown_lists) == ({TEAM: 2000}, {TEAM: TOO_MANY_MEMBERS})


@pytest.mark.parametrize("status", [401, 403])
async def test_without_permission_every_address_is_unknown(status: int) -> None:
    context = await lists(account_of({}, {}, status), TEAM, ANN)
    assert context.unknown_lists == {TEAM: NO_PERMISSION, ANN: NO_PERMISSION}


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_another_failure_ends_the_call(status: int) -> None:
    with pytest.raises(MailgunError):
        await lists(account_of({}, {}, status), TEAM)
