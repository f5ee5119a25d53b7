"""Quoted local parts and names of domains in two forms: whichever key Mailgun stores them under, an undo puts all back.

Nobody knows whether Mailgun takes `"ben"@example.com` for ben@example.com. So each call is undone on two simulators: one
stores what it is sent, the other stores the shortest form. Both had entries of both forms before.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.undo.reader import MAX_SINGLE_READS
from tests.support.name_readers import A_LABEL, U_LABEL, Shortening, account_with_both_forms
from tests.support.one_thread import no_threads
from tests.support.undoing import ADDRESS, NAME, OTHER, Bench, Mailgun, differences, services_on

pytestmark = pytest.mark.anyio

SPELLINGS = (OTHER, f'"{OTHER.partition("@")[0]}"@example.com', f"al@{A_LABEL}", f"al@{U_LABEL}", f'"al"@{U_LABEL}')


def bounce(key: str) -> Arguments:
    return {"address": key, "code": "552"}


CALLS: dict[str, Any] = {
    "add_bounces": lambda keys: {"domain": NAME, "bounces": [bounce(key) for key in keys]},
    "add_complaints": lambda keys: {"domain": NAME, "complaints": [{"address": key} for key in keys]},
    "add_unsubscribes": lambda keys: {
        "domain": NAME,
        "unsubscribes": [{"address": key, "tags": ["x"]} for key in keys],
    },
    "add_allowlist_entry": lambda keys: {"domain": NAME, "address": keys[0]},
    "delete_bounce": lambda keys: {"domain": NAME, "address": keys[0]},
    "delete_complaint": lambda keys: {"domain": NAME, "address": keys[0]},
    "delete_unsubscribe": lambda keys: {"domain": NAME, "address": keys[0]},
    "delete_allowlist_entry": lambda keys: {"domain": NAME, "value": keys[0]},
    "add_mailing_list_member": lambda keys: {
        "list_address": ADDRESS,
        "address": keys[0],
        "name": "New",
        "upsert": True,
    },
    "bulk_add_mailing_list_members": lambda keys: {
        "list_address": ADDRESS,
        "members": [{"address": key, "name": "New", "vars": {"a": 1}} for key in keys],
        "upsert": True,
    },
    "update_mailing_list_member": lambda keys: {"list_address": ADDRESS, "member_address": keys[0], "name": "New"},
    "delete_mailing_list_member": lambda keys: {"list_address": ADDRESS, "member_address": keys[0]},
}


async def undone(kind: type[Mailgun], tool: str, keys: list[str]) -> list[str]:
    """Make the call and undo it, and return what is not as before."""
    there = account_with_both_forms()
    mailgun = kind(there)
    with no_threads():
        async with services_on(mailgun, there) as services:
            tried = Bench(there, mailgun, services)
            before = tried.state
            outcome = await tried.call(tool, CALLS[tool](keys))
            if outcome.structured is None:
                return differences(before, tried.state)
            result = await tried.undo(outcome.structured["undo"]["id"])
            return [f"{place}: {result}" for place in differences(before, tried.state)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Mailgun, Shortening])
async def test_every_call_is_undone_in_every_form_of_an_address(kind: type[Mailgun]) -> None:
    offenders = []
    for tool in CALLS:
        for key in SPELLINGS:
            offenders += [f"{tool} {key}: {fault}" for fault in await undone(kind, tool, [key])]
    assert offenders == []


FILL = [f"f{number}@example.com" for number in range(MAX_SINGLE_READS)]
"""So many that the whole list is read, instead of one resource after the other."""


@pytest.mark.parametrize(("kind", "key"), [(Mailgun, f"al@{U_LABEL}"), (Shortening, f'"al"@{U_LABEL}')])
async def test_every_form_of_an_address_is_found_in_a_list_that_was_read_whole(kind: type[Mailgun], key: str) -> None:
    assert await undone(kind, "bulk_add_mailing_list_members", [key, *FILL]) == []


@pytest.mark.parametrize("kind", [Mailgun, Shortening])
@pytest.mark.parametrize("tool", ["add_unsubscribes", "delete_bounce", "delete_mailing_list_member"])
async def test_a_call_is_undone_in_an_unusual_form_of_an_address(kind: type[Mailgun], tool: str) -> None:
    assert await undone(kind, tool, [f'"al"@{U_LABEL}']) == []


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([Mailgun, Shortening]),
    tool=st.sampled_from(sorted(CALLS)),
    keys=st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=4, unique=True),
)
async def test_calls_with_several_forms_of_an_address_are_undone(
    kind: type[Mailgun], tool: str, keys: list[str]
) -> None:
    assert await undone(kind, tool, keys) == []
