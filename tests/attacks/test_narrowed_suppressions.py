"""The attacker wants mail to reach somebody who said no, by a call that only seems to say no for them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.call.services import Services
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.suppressions import Unsubscribe
from mailgun_mcp.undo.narrowed import Narrowed
from mailgun_mcp.undo.records import ResourceRef
from tests.support.calls import run
from tests.support.operations import find
from tests.support.policies import policy
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio

KIM = "kim@example.org"


@pytest.fixture
def account() -> Account:
    account = account_to_change()
    account.domains[NAME].unsubscribes[KIM] = Unsubscribe(KIM, account.clock.now() - 1000, "7", ["*"])
    return account


@pytest.fixture
async def services(account: Account) -> AsyncIterator[Services]:
    async with services_on(Mailgun(account), account, policy=policy("extends: guarded\n")) as opened:
        yield opened


def unsubscribing(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"domain": NAME, "unsubscribes": list(entries)}


@pytest.mark.parametrize("address", [KIM, "KIM@example.org", "kim@EXAMPLE.ORG"])
async def test_an_unsubscription_from_everything_is_not_narrowed_to_a_tag_unasked(
    services: Services, account: Account, address: str
) -> None:
    outcome = await run(services, "add_unsubscribes", unsubscribing({"address": address, "tags": ["unused"]}))
    assert outcome.approval is not None
    assert "Narrowed: unsubscribe kim@example.org, tags: *. From now on: unused." in outcome.approval["form"]
    assert "so mail goes to someone who said no" in outcome.approval["form"]
    assert account.domains[NAME].unsubscribes[KIM].tags == ["*"]


@pytest.mark.parametrize("address", ['"kim"@example.org', "kim@example.org.", "kim@b\u00fcse.example"])
async def test_an_address_in_an_unusual_form_is_taken_for_the_worst(services: Services, address: str) -> None:
    """Mailgun may store it in the plain form, under which somebody said no to more."""
    outcome = await run(services, "add_unsubscribes", unsubscribing({"address": address, "tags": ["unused"]}))
    assert outcome.approval is not None
    assert "Mailgun may read" in outcome.approval["form"]


def test_an_address_in_an_unusual_form_that_gets_nothing_any_more_is_not_asked_about() -> None:
    narrowed = Narrowed(find("add_unsubscribes"), unsubscribing({"address": '"kim"@example.org'}))
    assert (narrowed.raises, narrowed.lines) == ((), [])


async def test_one_narrowed_address_among_others_is_enough(services: Services, account: Account) -> None:
    entries: list[dict[str, Any]] = [{"address": "new@example.org"}, {"address": KIM, "tags": ["news"]}]
    assert (await run(services, "add_unsubscribes", unsubscribing(*entries))).approval is not None
    assert "new@example.org" not in account.domains[NAME].unsubscribes


async def test_the_wide_entry_after_the_narrow_one_hides_nothing(services: Services) -> None:
    entries: list[dict[str, Any]] = [{"address": KIM, "tags": ["news"]}, {"address": KIM}]
    assert (await run(services, "add_unsubscribes", unsubscribing(*entries))).approval is not None


async def test_what_narrows_nothing_is_made_without_a_question(services: Services, account: Account) -> None:
    entries: list[dict[str, Any]] = [
        {"address": KIM, "tags": ["*"]},
        {"address": "ben@example.com", "tags": ["news", "offers", "tips"]},
    ]
    assert not (await run(services, "add_unsubscribes", unsubscribing(*entries))).is_error
    assert account.domains[NAME].unsubscribes["ben@example.com"].tags == ["news", "offers", "tips"]


async def test_a_rule_on_the_risk_sees_what_is_there(account: Account) -> None:
    rules = policy("extends: unguarded\nrules: [{match: {risk: destructive}, decision: deny, reason: not here}]\n")
    async with services_on(Mailgun(account), account, policy=rules) as services:
        outcome = await run(services, "add_unsubscribes", unsubscribing({"address": KIM, "tags": ["news"]}))
    assert outcome.is_error
    assert "not here" in outcome.text
    assert account.domains[NAME].unsubscribes[KIM].tags == ["*"]


async def test_an_undo_that_puts_a_narrow_one_over_a_wide_one_asks(services: Services, account: Account) -> None:
    widened = await run(services, "add_unsubscribes", unsubscribing({"address": "ben@example.com"}))
    assert widened.structured is not None
    outcome = await run(services, "undo_operation", {"id": widened.structured["undo"]["id"]})
    assert outcome.approval is not None
    assert account.domains[NAME].unsubscribes["ben@example.com"].tags == ["*"]


TAGS = st.lists(st.sampled_from(["*", "news", "offers"]), max_size=3)


@given(TAGS.filter(bool), st.lists(TAGS, min_size=1, max_size=3))
def test_a_call_narrows_exactly_where_mail_gets_through_that_did_not_before(
    old: list[str], entries: list[list[str]]
) -> None:
    arguments = unsubscribing(*({"address": KIM, "tags": tags} if tags else {"address": KIM} for tags in entries))
    narrowed = Narrowed(find("add_unsubscribes"), arguments)
    narrowed.add(ResourceRef("unsubscribe", (("domain", NAME),), KIM), {"address": KIM, "tags": old})

    def blocks(tags: list[str], mail: str) -> bool:
        return not tags or "*" in tags or mail in tags

    gets_through = any(
        blocks(old, mail) and not blocks(tags, mail) for mail in ("news", "offers", "other") for tags in entries
    )
    assert bool(narrowed.raises) >= gets_through
    assert bool(narrowed.raises) == gets_through or "*" not in old
