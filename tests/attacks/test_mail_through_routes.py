"""The attacker wants mail to many, and sends one mail to an address that new routes forward to all of them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.model.account import Account
from tests.support.calls import run
from tests.support.empty_lists import empty_lists
from tests.support.recorder import Clock, Recorder, recorded_services
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


async def test_routes_made_at_the_same_moment_see_each_other(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    six, more = (f'forward("{", ".join(victims)}")' for victims in (VICTIMS[:6], VICTIMS[6:]))
    calls = [route(six), route(more, to=f".*@{NAME}")]
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        both_decided, reserve = asyncio.Barrier(2), services.history.reserve

        async def reserve_together(*arguments: Any) -> Any:
            await both_decided.wait()
            return await reserve(*arguments)

        monkeypatch.setattr(services.history, "reserve", reserve_together)
        texts = [each.text for each in await asyncio.gather(*(run(services, "create_route", call) for call in calls))]
        (refused,) = [text for text in texts if "because of a concurrent call" in text]
        assert "it sends one mail to more than 10 addresses" in refused
        assert sum("Route has been created" in text for text in texts) == 1
        again = await run(services, "create_route", calls[texts.index(refused)])
        assert again.approval is not None, "a person is asked, as the refusal says"


async def test_routes_for_different_addresses_are_made_at_the_same_moment(account: Account) -> None:
    six, more = (f'forward("{", ".join(victims)}")' for victims in (VICTIMS[:6], VICTIMS[6:]))
    calls = [route(six, to=f"a@{NAME}"), route(more, to=f"b@{NAME}")]
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        made = await asyncio.gather(*(run(services, "create_route", call) for call in calls))
    assert [each.kind for each in made] == ["done", "done"]


async def test_a_route_that_the_list_does_not_show_yet_counts(tmp_path: Path) -> None:
    recorder = Recorder(lambda line: httpx.Response(200, json=empty_lists()))
    clock = Clock()
    async with (
        recorded_services(recorder, policy=profile("guarded"), state=tmp_path / "state", clock=clock) as one,
        recorded_services(recorder, policy=profile("guarded"), state=tmp_path / "state", clock=clock) as other,
    ):
        assert (await run(one, "create_route", route(f'forward("{", ".join(VICTIMS[:6])}")'))).kind == "done"
        more = route(f'forward("{", ".join(VICTIMS[6:])}")')
        assert (await run(other, "create_route", more)).approval is not None, "in another process, too"
        clock.now += 601
        assert (await run(other, "create_route", more)).kind == "done", "by now the list has it"


async def test_a_route_that_mailgun_refused_does_not_count() -> None:
    recorder = Recorder(
        lambda line: httpx.Response(200, json=empty_lists()) if line.startswith("GET") else httpx.Response(400, json={})
    )
    async with recorded_services(recorder, policy=profile("guarded")) as services:
        for victims in (VICTIMS[:6], VICTIMS[6:]):
            outcome = await run(services, "create_route", route(f'forward("{", ".join(victims)}")'))
            assert outcome.kind == "failed"


async def test_a_key_that_may_not_read_domains_has_to_ask() -> None:
    def forbids_domains(path: str) -> httpx.Response:
        return httpx.Response(401, json={}) if "/domains" in path else httpx.Response(200, json=empty_lists())

    recorder = Recorder(forbids_domains)
    async with recorded_services(recorder, policy=profile("guarded")) as services:
        arguments = route('forward("support@example.org")')
        assert "Pending approval" in (await run(services, "create_route", arguments)).text
    assert recorder.changes == []
