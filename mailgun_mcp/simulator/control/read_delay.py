"""Simulates eventual consistency, if switched on: reads see the account as it was some seconds ago.

A write changes the account at once. After the delay it is repeated, in order, on a copy that answers reads.
Ids come from counters, so both runs give the same ids.
"""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from starlette.types import ASGIApp, Scope

from mailgun_mcp.simulator.http.asgi import RoutedRequest, discard, read_body, replayed
from mailgun_mcp.simulator.mail.delivery import deliver_due
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import Clock


@dataclass(slots=True)
class _LateClock:
    """A clock that is `seconds` behind. While a write is repeated, it shows the time of that write."""

    clock: Clock
    seconds: float
    moment: float | None = None

    def now(self) -> float:
        return self.clock.now() - self.seconds if self.moment is None else self.moment


@dataclass(frozen=True, slots=True)
class _Write:
    at: float
    scope: Scope
    content: bytes
    serials: dict[str, int]
    """The id counters of the accounts before the write."""


class ReadDelay:
    """An account, and a delayed copy of it that answers reads."""

    def __init__(self, account: Account, build: Callable[[Account], ASGIApp], seconds: float) -> None:
        self.seconds = seconds
        self._account = account
        self._clock = _LateClock(account.clock, seconds)
        # The memo replaces every reference to the clock, also in subaccounts, with the late clock.
        self._late: Account = deepcopy(account, {id(account.clock): self._clock})
        self._apps = build(account), build(self._late)
        self._writes: deque[_Write] = deque()

    async def __call__(self, request: RoutedRequest) -> None:
        """Answer a request: writes from the account, reads from the delayed copy."""
        deliver_due(self._account)
        await self._catch_up()
        on_time, late = self._apps
        if request.operation is None or request.operation.risk == "read":
            await late(request.scope, request.receive, request.send)
            return
        content = await read_body(request.receive)
        now, serials = self._account.clock.now(), _serials(self._account)
        self._writes.append(_Write(now, dict(request.scope), content, serials))
        await on_time(request.scope, replayed(content), request.send)

    async def _catch_up(self) -> None:
        visible = self._account.clock.now() - self.seconds
        while self._writes and self._writes[0].at <= visible:
            write = self._writes.popleft()
            self._clock.moment = write.at
            deliver_due(self._late)
            _set_serials(self._late, write.serials)
            await self._apps[1](write.scope, replayed(write.content), discard)
            self._clock.moment = None


def _serials(account: Account) -> dict[str, int]:
    return {owner.id: owner.serial for owner in account.with_subaccounts(all_regions=True)}


def _set_serials(account: Account, serials: dict[str, int]) -> None:
    for owner in account.with_subaccounts(all_regions=True):
        owner.serial = serials.get(owner.id, owner.serial)
