"""The simulator together with its optional faults, rate limits and read delay."""

from asyncio import sleep as sleep_of_asyncio
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.simulator.control.faults import Fault, Faults, Sleep, fail
from mailgun_mcp.simulator.control.full_collections import forget_survivors
from mailgun_mcp.simulator.control.rate_limits import DOCUMENTED, Limit, limited
from mailgun_mcp.simulator.control.read_delay import ReadDelay
from mailgun_mcp.simulator.http.asgi import RoutedRequest, operation_of
from mailgun_mcp.simulator.http.regions import serve_storage_at
from mailgun_mcp.simulator.http.router import Router
from mailgun_mcp.simulator.http.unknown_parameters import IgnoredParameters
from mailgun_mcp.simulator.mail.outbox import Poster
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import Clock, ManualClock, MovableClock


@dataclass(frozen=True, slots=True)
class Environment:
    """The faults, limits and delays that the simulator starts with."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    rate_limits: bool = False
    visible_after: float = 0.0
    """Seconds until reads see a write."""


@dataclass(frozen=True, slots=True)
class HostAccess:
    """What the simulator may access on its host: webhooks to post, and a file for the account."""

    poster: Poster | None = None
    anywhere: bool = False
    """Whether webhooks are posted to any URL, not only to loopback."""
    state_file: Path | None = None


class Harness:
    """One account with its faults, limits and delays. All of it can be changed while it runs."""

    def __init__(
        self,
        router: Router,
        account: Account,
        build: Callable[[Account], ASGIApp],
        environment: Environment,
        sleep: Sleep | None = None,
        host_access: HostAccess | None = None,
        ignored: IgnoredParameters | None = None,
    ) -> None:
        self.ignored = ignored
        """The unknown parameters that were ignored; None if they are refused."""
        self.account = account
        self.host_access = host_access or HostAccess()
        self.clock = movable(account)
        self._router, self._build, self._at_start = router, build, environment
        self.operations = router.operations
        """The names of all operations."""
        self._sleep: Sleep = sleep or sleep_of_asyncio
        self._origin = self._copy(account)
        self.faults = Faults()
        self.limits: list[Limit] = []
        self._read_delay: ReadDelay | None = None
        self.on_change: list[Callable[[], None]] = []
        """Callbacks for changes that were not made by an HTTP request."""
        self._app = build(account)
        self._apply(environment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = RoutedRequest(scope, receive, send, operation_of(self._router, scope))
        faults = self.faults.draw(request.operation.name) if self.faults and request.operation else []
        if faults:
            await fail(request, faults, self.clock, self._sleep, self._within_limits)
        else:
            await self._within_limits(request)

    @property
    def visible_after(self) -> float:
        """Seconds until reads see a write."""
        return self._read_delay.seconds if self._read_delay else 0.0

    def delay_reads(self, seconds: float) -> None:
        """Make new writes visible to reads only after `seconds`. Earlier writes become visible at once."""
        self._read_delay = ReadDelay(self.account, self._build, seconds) if seconds else None

    def limit_rates(self, limits: Iterable[Limit]) -> None:
        """Replace the active rate limits."""
        self.limits = list(limits)

    def reset(self, account: Account | None = None) -> None:
        """Reset the clock, the environment, and the account to its initial state or to `account`."""
        if isinstance(self.clock, MovableClock):
            self.clock.reset()
        if self.ignored is not None:
            self.ignored.clear()
        self.account = account or self._copy(self._origin)
        forget_survivors()
        self._app = self._build(self.account)
        self._apply(self._at_start)

    def replace_account(self, account: Account) -> None:
        """Replace the account, and keep the faults, limits and delays."""
        self.account = account
        forget_survivors()
        self._app = self._build(account)
        self.changed()

    def serve_storage_at(self, url: str) -> None:
        """Let the URLs of messages that are stored from now on, also after a reset, start with `url`."""
        for account in (self.account, self._origin):
            serve_storage_at(account, url)
        self.changed()

    def changed(self) -> None:
        """Make a change that was not made by a request immediately visible to delayed reads."""
        self.delay_reads(self.visible_after)
        for notify in self.on_change:
            notify()

    def _apply(self, environment: Environment) -> None:
        self.faults.set(environment.faults, environment.seed)
        self.limit_rates(DOCUMENTED() if environment.rate_limits else ())
        self.delay_reads(environment.visible_after)

    def _copy(self, account: Account) -> Account:
        return deepcopy(account, {id(self.clock): self.clock})

    async def _within_limits(self, request: RoutedRequest) -> None:
        if self.limits:
            await limited(request, self.limits, self.clock, self._pass_on)
        else:
            await self._pass_on(request)

    async def _pass_on(self, request: RoutedRequest) -> None:
        if self._read_delay:
            await self._read_delay(request)
        else:
            await self._app(request.scope, request.receive, request.send)


def movable(account: Account) -> ManualClock | MovableClock:
    """Return the account's clock. If it cannot be moved, replace it with one that can."""
    clock: Clock = account.clock
    if isinstance(clock, ManualClock | MovableClock):
        return clock
    moved = MovableClock(clock)
    for owner in account.with_subaccounts(all_regions=True):
        owner.clock = moved
    return moved
