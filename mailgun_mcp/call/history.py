"""The history that rules need: earlier calls, by account and principal, from the state store."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailgun_mcp.call.counters import EVERY_ACCOUNT, NEWEST, AddressChanges, Calls, Sends, Spend, Untrusted
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import raised
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.account import Account
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.facts import Context, Facts
from mailgun_mcp.policy.history import age, with_history
from mailgun_mcp.store.database import Store, in_thread

if TYPE_CHECKING:
    from mailgun_mcp.policy.route_overlap import ExistingRoute

ROUTES_ARE_RECENT = 600.0
"""Seconds for which a route that is made counts besides those that Mailgun lists: longer than the call can take."""


@dataclass(slots=True)
class ShownHere:
    """When this process last showed third-party text to a principal."""

    at: float
    stored: bool
    """Whether the state store has the mark too. If it no longer does, a person has cleared it."""


class History:
    """Reads and writes the records of past calls."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        *,
        several_accounts: bool = False,
        counts_calls: bool = False,
    ) -> None:
        """`counts_calls`: the policy limits calls, so every call is counted, reads included.

        `several_accounts`: one conversation can read the texts of several accounts, so a mark counts for all.
        """
        self.store = store
        self.clock = clock
        self._counts_calls = counts_calls
        self._marks = EVERY_ACCOUNT if several_accounts else None
        self._shown_here: dict[tuple[str, str], ShownHere] = {}
        """Account and principal -> when."""

    async def context(
        self,
        operation: Operation,
        caller: Caller,
        account: Account,
        *,
        digest: str,
        subaccount: str | None,
        unknown_lists_allowed: bool = False,
    ) -> Context:
        """Return what rules may know besides the call itself. A read queries the store only after text was shown.

        Raises StateError if the store cannot be read: the history is then unknown, and nothing is allowed.
        """
        now = self.clock()
        shown_here = self._shown_here.get((self._marks or account.key, caller.principal.id))
        context = Context(
            account=account.name,
            account_id=account.id,
            account_binding=account.binding,
            endpoint=account.endpoint,
            fingerprint=account.fingerprint,
            region=account.region,
            subaccount=subaccount,
            principal=caller.principal.id,
            client=caller.client,
            now=datetime.fromtimestamp(now, UTC),
            untrusted_age=age(shown_here.at, now) if shown_here else None,
            untrusted_here=shown_here is not None,
            unknown_lists_allowed=unknown_lists_allowed,
        )
        if (operation.risk == "read" and shown_here is None and not self._counts_calls) or not self.store.exists:
            return context
        return await in_thread(self._with_history, context, digest)

    async def reserve(self, facts: Facts, cost: float | None) -> tuple["Reservation | None", Facts]:
        """Count a call, its recipients, addresses and cost before it is made. Returns facts with all earlier calls.

        Of two concurrent calls the second sees the first, so together they cannot exceed a limit.
        """
        route = _new_route(facts)
        counted = facts.operation.risk == "send" or facts.address_count or cost or route or self._counts_calls
        if not counted:
            return None, facts
        return await in_thread(self._reserve, facts, cost, route, self.clock())

    async def recent_routes(self, account: str) -> "list[ExistingRoute]":
        """Return the routes that calls have just made or are about to make: Mailgun's list may not have them yet."""
        if not self.store.exists:
            return []
        return await in_thread(_routes_before, self.store, account, self.clock())

    async def release(self, reserved: "Reservation | None") -> None:
        """Stop counting a call that was not made."""
        if reserved is not None and reserved.send is not None:
            await self._after(Sends(self.store).forget, reserved.send)
        if reserved is not None and reserved.cost is not None:
            await self._after(Spend(self.store).forget, reserved.cost)
        if reserved is not None and reserved.addresses is not None:
            await self._after(AddressChanges(self.store).forget, reserved.addresses)
        if reserved is not None and reserved.call is not None:
            await self._after(Calls(self.store).forget, reserved.call)

    async def shown_untrusted(self, account: Account, caller: Caller) -> None:
        """Record that the caller has seen third-party text."""
        now, principal, marked = self.clock(), caller.principal.id, self._marks or account.key
        self._shown_here[marked, principal] = shown_here = ShownHere(now, stored=False)
        shown_here.stored = await self._after(Untrusted(self.store).mark, marked, principal, now)

    async def _after(self, write: Callable[..., None], *arguments: object) -> bool:
        """Write the record of a call that was made. A failure is logged, but does not hide the call's result."""
        try:
            await in_thread(write, *arguments)
        except StateError as error:
            logger().error("not recorded", reason=str(error))
            return False
        return True

    def _reserve(
        self, facts: Facts, cost: float | None, route: "ExistingRoute | None", now: float
    ) -> tuple["Reservation", Facts]:
        context, sends, send_row, cost_row = facts.context, facts.operation.risk == "send", None, None
        call_row = address_row = None
        if self._counts_calls:
            call_row = Calls(self.store).record(context.counted_for, context.principal, now)
        if sends:
            send_row = Sends(self.store).record(
                context.counted_for, context.principal, facts.digest, facts.recipient_count, now
            )
        if cost:
            cost_row = Spend(self.store).record(context.counted_for, cost, now)
        if facts.address_count or route:
            address_row = AddressChanges(self.store).record(
                context.counted_for, facts.address_count, now, route=route and route.note
            )
        context = replace(context, now=datetime.fromtimestamp(now, UTC))
        reservation = Reservation(send_row, cost_row, call_row, address_row)
        past = StoredPast(self.store, self._shown_here, reservation)
        counted = replace(facts, context=past.add_to(context, facts.digest))
        if route is None or address_row is None:
            return reservation, counted
        from mailgun_mcp.policy.route_overlap import of_other_routes

        others = _routes_before(self.store, context.counted_for, now, address_row)
        together = of_other_routes(route.expression, route.priority, route.addresses, others)
        return reservation, replace(counted, operation=raised(counted.operation, together))

    def _with_history(self, context: Context, digest: str) -> Context:
        return StoredPast(self.store, self._shown_here).add_to(context, digest)


def _new_route(facts: Facts) -> "ExistingRoute | None":
    """Return the route that the call makes. Other calls do not import what reads routes."""
    if facts.operation.name != "create_route":
        return None
    from mailgun_mcp.policy.route_overlap import new_route

    return new_route(facts.arguments)


def _routes_before(store: Store, account: str, now: float, before: int = NEWEST) -> "list[ExistingRoute]":
    from mailgun_mcp.policy.route_overlap import ExistingRoute

    notes = AddressChanges(store).routes(account, now - ROUTES_ARE_RECENT, before)
    return [ExistingRoute.from_note(note) for note in notes]


@dataclass(frozen=True, slots=True)
class Reservation:
    """The rows that count a call before it is made."""

    send: int | None = None
    cost: int | None = None
    call: int | None = None
    addresses: int | None = None


class StoredPast:
    """Past calls from the state store, for `policy.history`. With a reservation, only those counted before it."""

    def __init__(
        self, store: Store, shown_here: dict[tuple[str, str], ShownHere], until: Reservation = Reservation()
    ) -> None:
        self._store = store
        self._shown_here = shown_here
        self._sends_before = NEWEST if until.send is None else until.send
        self._costs_before = NEWEST if until.cost is None else until.cost
        self._calls_before = NEWEST if until.call is None else until.call
        self._addresses_before = NEWEST if until.addresses is None else until.addresses

    def add_to(self, context: Context, digest: str) -> Context:
        """Return the context for a call of the request `digest`, with the history before it."""
        account, principal = context.counted_for, context.principal
        return replace(
            with_history(context, digest, self),
            untrusted_age=age(self.untrusted_shown(account, principal), context.now.timestamp()),
            untrusted_here=self.shown_here(account, principal),
        )

    def recipients_after(self, account: str, moment: float) -> int:
        """Return how many recipients the account sent to after `moment`."""
        return Sends(self._store).recipients_since(account, moment, self._sends_before)

    def recipients_of(self, account: str, principal: str, moment: float) -> int:
        """Return how many recipients the principal sent to after `moment`, in this account."""
        return Sends(self._store).recipients_since(account, moment, self._sends_before, principal=principal)

    def calls_of(self, account: str, principal: str, moment: float) -> int:
        """Return how many calls the principal made after `moment`."""
        return Calls(self._store).since(account, principal, moment, self._calls_before)

    def addresses_after(self, account: str, moment: float) -> int:
        """Return how many addresses the account's calls put on lists and routes after `moment`."""
        return AddressChanges(self._store).since(account, moment, self._addresses_before)

    def last_sent(self, account: str, digest: str) -> float | None:
        """Return when the account last sent this exact request, or None."""
        return Sends(self._store).last(account, digest, self._sends_before)

    def spent_from(self, account: str, moment: float) -> float:
        """Return what the account has spent since `moment`, inclusive."""
        return Spend(self._store).since(account, moment, self._costs_before)

    def untrusted_shown(self, account: str, principal: str) -> float | None:
        """Return when the principal last saw third-party text, from this process or another."""
        stored, here = Untrusted(self._store).last(account, principal), self._mark_here(account, principal)
        if here is None:
            return stored
        if stored is None:
            return None if here.stored else here.at
        return max(stored, here.at)

    def shown_here(self, account: str, principal: str) -> bool:
        """Return whether this process showed the principal third-party text that nobody has cleared."""
        return bool(self._mark_here(account, principal)) and self.untrusted_shown(account, principal) is not None

    def _mark_here(self, account: str, principal: str) -> ShownHere | None:
        return self._shown_here.get((EVERY_ACCOUNT, principal)) or self._shown_here.get((account, principal))
