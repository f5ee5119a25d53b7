"""The attacker wants to stop the mail of thousands, or mail to reach them, by calls that are each too small to ask about.

Ten addresses a call on a suppression list, a few members of a mailing list, routes to a few people each.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.profiles import profile
from tests.support.calls import run
from tests.support.policies import facts, policy
from tests.support.recorder import Clock, Recorder, recorded_services

pytestmark = pytest.mark.anyio

DOMAIN = "mg.example.com"
TEAM = "team@mg.example.com"
HOUR = 3600.0


def people(number: int, first: int = 0) -> list[str]:
    return [f"person{index}@example.org" for index in range(first, first + number)]


def suppressed(tool: str, addresses: list[str]) -> tuple[str, dict[str, Any]]:
    return tool, {"domain": DOMAIN, tool.removeprefix("add_"): [{"address": address} for address in addresses]}


def members(addresses: list[str]) -> tuple[str, dict[str, Any]]:
    return "bulk_add_mailing_list_members", {"list_address": TEAM, "members": [{"address": one} for one in addresses]}


def route(addresses: list[str]) -> tuple[str, dict[str, Any]]:
    action = [f'forward("{address}")' for address in addresses]
    return "create_route", {"expression": f'match_recipient("{addresses[0]}")', "action": action}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder(lambda line: httpx.Response(404 if line.startswith("GET /v3/mg") else 200, json={"items": []}))


@pytest.fixture
async def services(mailgun: Recorder, clock: Clock, tmp_path: Any) -> AsyncIterator[Services]:
    async with recorded_services(mailgun, state=tmp_path / "state", clock=clock, policy=profile("guarded")) as opened:
        yield opened


@pytest.mark.parametrize(
    "call",
    [
        suppressed("add_unsubscribes", people(10)),
        suppressed("add_bounces", people(10)),
        suppressed("add_complaints", people(10)),
        members(people(10)),
        ("add_mailing_list_member", {"list_address": TEAM, "address": "eve@evil.example"}),
        route(people(10)),
    ],
    ids=["unsubscribes", "bounces", "complaints", "members", "one member", "routes"],
)
def test_small_calls_are_asked_about_once_they_add_up_within_an_hour(call: tuple[str, dict[str, Any]]) -> None:
    tool, arguments = call
    few = facts(tool, arguments, addresses_last_hour=40)
    many = facts(tool, arguments, addresses_last_hour=50)

    assert decide(profile("guarded"), few).effect == "allow"
    assert decide(profile("guarded"), many).rule == "limits/confirm_addresses_per_hour"
    assert decide(profile("guarded"), many).effect == "confirm"
    assert decide(profile("unguarded"), many).effect == "allow"


def test_lists_of_all_kinds_are_counted_together() -> None:
    call = facts(*suppressed("add_bounces", people(10)), addresses_last_hour=45)

    assert decide(profile("guarded"), call).reason == (
        "with this call, 55 addresses are put on suppression lists, mailing lists or routes within an hour; "
        "a person is asked above 50"
    )


def test_a_file_whose_addresses_nobody_counted_is_asked_about() -> None:
    call = facts("import_mailing_list_members", {"list_address": TEAM, "members": {"path": "members.csv"}})

    assert decide(profile("guarded"), call).effect == "confirm"
    assert "it is not known how many addresses" in decide(profile("guarded"), call).reason


def test_a_file_of_the_operator_sets_where_a_person_is_asked() -> None:
    higher = policy("extends: guarded\nlimits: {confirm_addresses_per_hour: 500}\n")
    other = policy("extends: guarded\nlimits: {principal_calls_per_hour: 5000}\n")

    def call(before: int) -> Any:
        return facts(*suppressed("add_bounces", people(10)), addresses_last_hour=before)

    assert [decide(higher, call(before)).effect for before in (490, 491)] == ["allow", "confirm"]
    assert [decide(other, call(before)).effect for before in (40, 41)] == ["allow", "confirm"]


async def test_the_sixth_call_of_an_hour_waits_for_a_person(
    services: Services, mailgun: Recorder, clock: Clock
) -> None:
    outcomes = [await run(services, *suppressed("add_bounces", people(10, n * 10))) for n in range(6)]
    assert [outcome.kind for outcome in outcomes] == ["done"] * 5 + ["refused"]
    assert outcomes[-1].approval is not None
    assert "60 addresses are put on suppression lists" in outcomes[-1].approval["form"]
    clock.now += HOUR + 1
    assert (await run(services, *suppressed("add_unsubscribes", people(10)))).kind == "done"


async def test_calls_at_the_same_moment_do_not_pass_together(services: Services, mailgun: Recorder) -> None:
    both = [services, replace(services)]
    outcomes = await asyncio.gather(
        *(run(both[n % 2], *suppressed("add_bounces", people(10, n * 10))) for n in range(8))
    )
    assert sorted(outcome.kind for outcome in outcomes) == ["done"] * 5 + ["refused"] * 3
    assert len(mailgun.changes) == 5


async def test_a_call_that_mailgun_refused_does_not_count(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda line: httpx.Response(404 if line.startswith("GET") else 400, json={"message": "no"})
    outcomes = [await run(services, *suppressed("add_bounces", people(10, n * 10))) for n in range(8)]
    assert {outcome.kind for outcome in outcomes} == {"failed"}


async def test_another_process_counts_the_same_calls(services: Services, mailgun: Recorder, tmp_path: Any) -> None:
    async with recorded_services(
        mailgun, state=tmp_path / "state", clock=services.clock, policy=profile("guarded")
    ) as other:
        outcomes = [
            await run(each, *suppressed("add_bounces", people(10, n * 10)))
            for n, each in enumerate((services, other, services, other, services, other))
        ]
    assert [outcome.kind for outcome in outcomes] == ["done"] * 5 + ["refused"]
