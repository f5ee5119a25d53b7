"""An account with everything around it that can be switched on and off."""

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.control.faults import Fault
from mailgun_mcp.simulator.control.harness import Environment, Harness, movable
from mailgun_mcp.simulator.http.router import Router
from mailgun_mcp.simulator.model.clock import ManualClock, MovableClock, SystemClock
from tests.simulator.conftest import PLAIN
from tests.support.everything import account_with_everything
from tests.support.operations import catalogue


async def app(*_: object) -> None:
    """An application that is never asked."""


@pytest.fixture
def harness(account: Account) -> Harness:
    environment = Environment(faults=(Fault("reset"),), seed=3, rate_limits=True, visible_after=5.0)
    return Harness(Router(catalogue()), account, lambda _: app, environment)


def state(harness: Harness) -> tuple[int, int, bool, float]:
    return len(harness.faults.records()), harness.faults.seed, bool(harness.limits), harness.visible_after


def test_a_reset_brings_back_account_and_environment(harness: Harness) -> None:
    del harness.account.domains[PLAIN]
    harness.faults.set(())
    harness.limit_rates(())
    harness.delay_reads(0.0)
    assert state(harness) == (0, 0, False, 0.0)
    harness.reset()
    assert PLAIN in harness.account.domains
    assert state(harness) == (1, 3, True, 5.0)


def test_another_account_meets_the_same_environment(harness: Harness) -> None:
    other = Account(harness.clock)
    harness.replace_account(other)
    assert (harness.account, state(harness)) == (other, (1, 3, True, 5.0))


def test_a_clock_is_made_one_that_moves_in_every_account() -> None:
    account = account_with_everything()
    for owner in account.with_subaccounts(all_regions=True):
        owner.clock = SystemClock()
    clock = movable(account)
    assert isinstance(clock, MovableClock)
    assert {id(owner.clock) for owner in account.with_subaccounts(all_regions=True)} == {id(clock)}


def test_a_clock_that_moves_stays(account: Account, clock: ManualClock) -> None:
    assert movable(account) is clock
