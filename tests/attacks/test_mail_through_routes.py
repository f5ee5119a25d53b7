"""The attacker wants mail to many, and sends one mail to an address that new routes forward to all of them."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.model.account import Account
from tests.support.calls import run
from tests.support.empty_lists import empty_lists
from tests.support.recorder import Recorder, recorded_services
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio
VICTIMS = [f"person{number}@victims.example" for number in range(11)]


@pytest.fixture
def account() -> Account:
    return account_to_change()


def route(*actions: str, to: str = f"x@{NAME}") -> dict[str, Any]:
    """Return the arguments of a route after those that exist."""
    return {"expression": f'match_recipient("{to}")', "action": list(actions), "priority": 10}


async def outcome(account: Account, *routes: dict[str, Any]) -> list[str]:
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        return [(await run(services, "create_route", each)).text for each in routes]


@pytest.mark.parametrize(
    "actions",
    [
        [f'forward("{victim}")' for victim in VICTIMS],
        [f'forward("{", ".join(VICTIMS)}")'],
        [f'forward("{",".join(VICTIMS[:6])}")', f'forward("{",".join(VICTIMS[6:])}")', "stop()"],
        [f'forward("all@{NAME}")'],
        [f'forward("All@{NAME.upper()}.")'],
        ['forward("ann@example.org")', f'forward("later@{NAME}")'],
    ],
    ids=["one by one", "in one action", "in two actions", "a list", "a list in other letters", "a list to be made"],
)
async def test_a_person_is_asked_about_a_route_that_multiplies_mail(account: Account, actions: list[str]) -> None:
    assert "Pending approval" in (await outcome(account, route(*actions)))[0]


async def test_a_route_to_somebody_outside_is_a_plain_write(account: Account) -> None:
    assert "Route has been created" in (await outcome(account, route('forward("support@example.org")')))[0]


async def test_a_person_is_asked_about_routes_that_multiply_mail_together(account: Account) -> None:
    six, more = (f'forward("{", ".join(victims)}")' for victims in (VICTIMS[:6], VICTIMS[6:]))
    together = await outcome(account, route(six), route(more, to=f".*@{NAME}"))
    assert ["Pending approval" in text for text in together] == [False, True]
    assert sum("victims" in str(each.actions) for each in account.routes.by_id.values()) == 1


async def test_routes_for_different_addresses_are_plain_writes(account: Account) -> None:
    six, more = (f'forward("{", ".join(victims)}")' for victims in (VICTIMS[:6], VICTIMS[6:]))
    apart = await outcome(account, route(six), route(more, to=f"y@{NAME}"))
    assert ["Pending approval" in text for text in apart] == [False, False]


async def test_a_key_that_may_not_read_domains_has_to_ask() -> None:
    def forbids_domains(path: str) -> httpx.Response:
        return httpx.Response(401, json={}) if "/domains" in path else httpx.Response(200, json=empty_lists())

    recorder = Recorder(forbids_domains)
    async with recorded_services(recorder, policy=profile("guarded")) as services:
        arguments = route('forward("support@example.org")')
        assert "Pending approval" in (await run(services, "create_route", arguments)).text
    assert recorder.changes == []
