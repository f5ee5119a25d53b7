"""The connection breaks at every request of a call and of its undo, before and after the request has its effect.

Afterwards the undo, made again by another process, puts all back, and nothing is there twice.
"""

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.sending_ips import SendingSource, assign_source
from mailgun_mcp.simulator.model.suppressions import Bounce
from tests.support.undo_calls import REMAINING
from tests.support.undoing import (
    ADDRESS,
    HOST,
    NAME,
    OTHER,
    TEXT,
    Bench,
    Mailgun,
    account_to_change,
    bench,
    differences,
    services_on,
)

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

LIST = {"list_address": ADDRESS}
CALLS: dict[str, Arguments] = {
    "clear_bounces": {"domain": NAME},
    "delete_bounce": {"domain": NAME, "address": OTHER},
    "delete_route": {"id": TEXT},
    "update_route": {"id": TEXT, "priority": 1, "action": ["stop()"]},
    "create_route": {"expression": "catch_all()", "action": ["stop()"]},
    "bulk_delete_account_webhooks": {"all": True},
    "delete_mailing_list": LIST,
    "update_mailing_list": {**LIST, "address": f"renamed@{HOST}", "name": "Renamed"},
    "create_mailing_list": {"address": f"new@{HOST}"},
    "update_mailing_list_member": {**LIST, "member_address": OTHER, "address": "benjamin@example.com", "name": "B"},
    "clear_templates": {"domain": NAME},
    "delete_ip_pool": {"pool_id": TEXT, "replacement_ip": "shared"},
}
WAYS = ("before", "after")
MANY = 1_100
"""Bounces that are cleared: they are read and put back in several requests."""


def account(tool: str) -> Account:
    made = account_to_change()
    bounces = made.domains[NAME].bounces
    for number in range(MANY if tool == "clear_bounces" else 0):
        bounces[f"p{number:04}@x.example"] = Bounce(f"p{number:04}@x.example", made.clock.now() - number)
    pool = made.administration.ips.pools[TEXT]
    assign_source(made.domains[HOST], SendingSource(pool.ips, pool.id))
    return made


def cut(mailgun: Mailgun, way: str, at: int) -> None:
    """Break the connection at a request, and keep it broken."""
    first = len(mailgun.lines) + at
    mailgun.cut_before = lambda number: number > first or (way == "before" and number == first)
    mailgun.cut_after = lambda number: way == "after" and number == first


def mend(mailgun: Mailgun) -> None:
    mailgun.cut_before = mailgun.cut_after = lambda _: False


def reopened(tried: Bench) -> Bench:
    """Another process on the same state."""
    return Bench(tried.account, tried.mailgun, services_on(tried.mailgun, tried.account, state=tried.services.state))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tool", CALLS)
async def test_an_undo_that_broke_off_is_gone_on_with(tool: str, way: str) -> None:
    for at in range(1_000):
        async with bench(account(tool)) as tried:
            before = tried.state
            call = (await tried.made(tool, CALLS[tool]))["undo"]["id"]
            cut(tried.mailgun, way, at)
            first = await tried.call("undo_operation", {"id": call})
            mend(tried.mailgun)
            async with (again := reopened(tried)).services:
                await again.undo(call)
                assert set(differences(before, tried.state)) == REMAINING.get(tool, set()), (at, first.text)
                assert (await again.undo(call))["put_back"] == 0
        if not first.is_error:
            break
    # The looks before and after alone are more.
    assert at > 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tool", CALLS)
async def test_what_a_call_that_broke_off_changed_is_put_back(tool: str, way: str) -> None:
    for at in range(1_000):
        async with bench(account(tool)) as tried:
            before = tried.state
            cut(tried.mailgun, way, at)
            first = await tried.call(tool, CALLS[tool])
            reached = len(tried.mailgun.lines)
            changed = differences(before, tried.state) != []
            mend(tried.mailgun)
            async with (again := reopened(tried)).services:
                kept = again.services.snapshots.list(again.services.clock())
                assert all(found.id in first.text for found in kept)
                for found in kept:
                    await again.undo(found.id)
                left = set(differences(before, tried.state))
                # The key of what was made stood in an answer that never came.
                assert left == (REMAINING.get(tool, set()) if changed else set()) or lost(tool, at, left), first.text
        if reached <= at:
            break
    assert at > 1


def lost(tool: str, at: int, left: set[str]) -> bool:
    # Before it, the routes that exist are read.
    return tool == "create_route" and at == 1 and left == {"/routes/by_id"}
