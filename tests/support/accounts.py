"""The demo account and those of scenarios, at a clock: each is made once and copied, in a fraction of the time."""

import pickle
from functools import cache
from io import BytesIO
from typing import Any

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import Clock, ManualClock
from mailgun_mcp.simulator.worlds.demo import demo_account
from mailgun_mcp.simulator.worlds.scenario import Scenario, open_scenario
from mailgun_mcp.simulator.worlds.scenario_history import scenario_account


class _AtClock(pickle.Unpickler):
    """Reads an account that another clock is put into."""

    def __init__(self, pickled: bytes, clock: Clock) -> None:
        super().__init__(BytesIO(pickled))
        self._clock = clock

    def persistent_load(self, pid: Any) -> Clock:
        return self._clock


def _pickled(account: Account) -> bytes:
    written = BytesIO()
    pickler = pickle.Pickler(written)
    pickler.persistent_id = lambda item: "clock" if item is account.clock else None  # type: ignore[method-assign]
    pickler.dump(account)
    return written.getvalue()


@cache
def _demo(now: float) -> bytes:
    return _pickled(demo_account(ManualClock(now)))


_of_scenarios: dict[tuple[str, float], bytes] = {}


def _scenario(scenario: Scenario, now: float) -> bytes:
    # It cannot be hashed, but its text can.
    key = (scenario.model_dump_json(), now)
    if key not in _of_scenarios:
        _of_scenarios[key] = _pickled(scenario_account(scenario, ManualClock(now)))
    return _of_scenarios[key]


def demo_account_at(clock: Clock) -> Account:
    """Return the demo account of this clock."""
    account: Account = _AtClock(_demo(clock.now()), clock).load()
    return account


def scenario_account_at(name: str, clock: Clock) -> Account:
    """Return the account of a scenario that ships, of this clock."""
    return account_made_at(clock.now(), open_scenario(name), clock)


def account_made_at(now: float, scenario: Scenario, clock: Clock) -> Account:
    """Return the account that the scenario describes at that time, of a clock that may be ahead of it."""
    account: Account = _AtClock(_scenario(scenario, now), clock).load()
    return account
