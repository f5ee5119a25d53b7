"""The attacker has a model ask for approvals without end, so that the one they want is approved among the others."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from tests.support.apps import with_key
from tests.support.calls import LOCAL, run
from tests.support.policies import policy
from tests.support.recorder import Clock, Recorder, recorded_services

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(clock: Clock, tmp_path: Path) -> Services:
    return recorded_services(Recorder(), state=tmp_path / "state", clock=clock)


async def asks(services: Services, number: int, caller: Caller = LOCAL) -> str:
    """Make a call of which no other has the target, and return what the model is told."""
    return (await run(services, "delete_domain", {"domain": f"d{number}.example.com"}, caller)).text


async def test_more_than_twenty_do_not_wait_and_the_model_is_told_why(services: Services) -> None:
    told = [await asks(services, number) for number in range(22)]
    assert [text.startswith("Pending approval ") for text in told] == [True] * 20 + [False] * 2
    assert told[20].startswith("Not made: 20 calls of local are already waiting for an approval")
    assert len(services.approvals.list(services.clock(), "pending")) == 20


async def test_a_call_that_waits_already_may_be_repeated(services: Services) -> None:
    first, *_ = [await asks(services, number) for number in range(20)]
    assert (await asks(services, 0)) == first


async def test_neither_another_account_nor_a_new_name_of_the_client_makes_room(services: Services) -> None:
    for number in range(20):
        await asks(services, number, replace(LOCAL, client=f"client {number}"))
    other = with_key(services, "another")
    for server in (services, other):
        assert (await asks(server, 20, replace(LOCAL, client="fresh"))).startswith("Not made: 20 calls")


async def test_others_still_get_theirs(services: Services) -> None:
    for number in range(20):
        await asks(services, number)
    assert (await asks(services, 0, Caller(Principal("ben")))).startswith("Pending approval ")


@pytest.mark.parametrize("end", ["answered", "expired"])
async def test_room_comes_from_answers_and_from_time(services: Services, clock: Clock, end: str) -> None:
    for number in range(20):
        await asks(services, number)
    if end == "answered":
        waiting = services.approvals.list(clock(), "pending")[0]
        services.approvals.deny(waiting.id, by="olga", now=clock())
    else:
        clock.now += services.policy.confirmation.ttl
    assert (await asks(services, 20)).startswith("Pending approval ")


async def test_the_policy_sets_the_number(services: Services) -> None:
    strict = replace(services, policy=policy("extends: guarded\nconfirmation: {max_pending: 2}\n"))
    told = [await asks(strict, number) for number in range(3)]
    assert [text.startswith("Pending approval ") for text in told] == [True, True, False]
