"""Finds new events in the state, queues them, and delivers what is due. Each replica runs one; an event is sent once.

It reads only the state, so it does not matter whether a terminal gave an answer, or which replica saw a call first.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import new_call_id
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.hooks import HookFailed, post
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.output.logs import logger
from mailgun_mcp.settings import Settings
from mailgun_mcp.store.changes import pauses
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.durations import iso
from mailgun_mcp.web.webhooks.deliveries import Deliveries, Delivery
from mailgun_mcp.web.webhooks.endpoints import WebhookEndpoint, endpoints_of
from mailgun_mcp.web.webhooks.events import Event, events_of, undone
from mailgun_mcp.web.webhooks.payloads import payload

INTERVAL = 2.0
"""Seconds between two checks of the state."""
INTERVAL_NOTIFIED = 5.0
"""The same on PostgreSQL, which notifies of changes, but not of expired approvals or deliveries that are due again."""
BREATH = 0.2
"""Minimum seconds between two checks, however much changes."""
SPAN = 86_400.0
"""How far back it looks, in seconds. Older events are no longer news."""
AT_ONCE = 10
"""Maximum number of deliveries at the same time."""
Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[None]]
"""Function that posts a body with headers to a URL. Raises HookFailed."""


def webhooks_of(services: Services, settings: Settings) -> "Webhooks | None":
    """Return the webhooks that the policy names, or None. Raises SettingsError."""
    rules = services.policy.notify
    if rules is None or not rules.webhooks:
        return None
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base_url = settings.public_url or f"http://{host}:{settings.port}"
    return Webhooks(services, endpoints_of(rules.webhooks), base_url.rstrip("/"))


class Webhooks:
    """The webhooks of one server."""

    def __init__(
        self, services: Services, endpoints: Sequence[WebhookEndpoint], base_url: str, *, send: Post | None = None
    ) -> None:
        self._services = services
        self._endpoints = {endpoint.id: endpoint for endpoint in endpoints}
        self._base_url = base_url
        self._send = send or post
        self._deliveries = Deliveries(services.store)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until the block ends."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            yield
            tasks.cancel_scope.cancel()

    async def _run(self) -> None:
        async with pauses(self._services.store, INTERVAL, notified=INTERVAL_NOTIFIED) as pause:
            while True:
                await self.step()
                await anyio.sleep(BREATH)
                await pause()

    async def step(self) -> None:
        """Queue new events and deliver due ones. If the state cannot be used, log that; the next step tries again."""
        try:
            due = await in_thread(self._due)
            async with anyio.create_task_group() as tasks:
                for delivery in due:
                    tasks.start_soon(self._deliver, delivery)
        except* StateError as errors:
            logger().error("webhooks wait for the state", reason=str(errors.exceptions[0]))

    def _due(self) -> tuple[Delivery, ...]:
        if not self._services.store.exists:
            return ()
        now = self._services.clock()
        queued = self._deliveries.queued(now - 2 * SPAN)
        for event in self._events(now):
            endpoints = [
                one.id
                for one in self._endpoints.values()
                if one.takes(event.type) and (one.id, event.type, event.subject, event.number) not in queued
            ]
            if endpoints:
                self._deliveries.queue(endpoints, event, now)
        return self._deliveries.take(now, AT_ONCE)

    def _events(self, now: float) -> list[Event]:
        events = [
            event
            for approval in self._services.approvals.list(now, since=now - SPAN)
            for event in events_of(approval, now, self._base_url)
        ]
        names = Accounts(self._services.store).names()
        events += [
            undone(snapshot, names.get(snapshot.account, snapshot.account), self._base_url)
            for snapshot in self._services.snapshots.list(now, undone=True)
            if snapshot.undone is not None and snapshot.undone > now - SPAN
        ]
        return events

    async def _deliver(self, delivery: Delivery) -> None:
        endpoint, now = self._endpoints.get(delivery.endpoint), self._services.clock()
        if endpoint is None:
            await in_thread(self._deliveries.give_up, delivery)
            await self._given_up(delivery, "the policy no longer names its endpoint")
            return
        body = payload(endpoint.format, delivery.event, iso(delivery.created), delivery.body)
        try:
            await self._send(endpoint.url, body, endpoint.headers(delivery.id, now, body))
        except HookFailed as error:
            logger().warning("a webhook failed", delivery=delivery.id, attempt=delivery.attempts + 1, error=str(error))
            if await in_thread(self._deliveries.failed, delivery, self._services.clock()):
                await self._given_up(delivery, str(error))
            return
        await in_thread(self._deliveries.delivered, delivery)

    async def _given_up(self, delivery: Delivery, reason: str) -> None:
        """Record in the audit log that an endpoint did not receive an event."""
        body = {
            "tool": f"webhook {delivery.event}",
            "risk": "write",
            "principal": "mailgun-mcp",
            "arguments": {"delivery": delivery.id, "subject": delivery.subject, "attempts": delivery.attempts + 1},
            "result": {"outcome": "failed", "error": reason},
        }
        entry = LogEntry(new_call_id(), "outcome", body)
        await in_thread(self._services.audit_log.append, [entry], self._services.clock(), durable=True)
