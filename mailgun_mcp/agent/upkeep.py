"""Regular work of a server for its conversations: renews runs, continues answered turns, and closes abandoned runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from secrets import token_hex

from mailgun_mcp.agent.conversations import LEASE, Conversations, Run
from mailgun_mcp.agent.credentials import Credentials
from mailgun_mcp.agent.errors import AgentError, BusyError, NotFoundError
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.agent.transcript import Transcript
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger

WATCH = 1.0
"""Seconds between two checks for answers that were given elsewhere."""
LOOK_FOR_BROKEN = 5.0
"""Seconds between two checks for runs whose process has died."""

Continue = Callable[[Principal, str, str, str], Awaitable[Run]]
"""Function that continues a turn. Takes the principal, the conversation, the run id, and the client that they used."""


class Upkeep:
    """The background tasks beside the turns of one server."""

    def __init__(
        self,
        services: Services,
        credentials: Credentials,
        holder: str,
        *,
        running: Mapping[str, asyncio.Task[None]],
        go_on: Continue,
        close_broken: Continue,
    ) -> None:
        """`running` holds the turns of this process by conversation."""
        self._services = services
        self._conversations = Conversations(services.store)
        self._transcript = Transcript(services.store)
        self._credentials = credentials
        self._holder = holder
        self._running = running
        self._go_on = go_on
        self._close_broken = close_broken
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the tasks, unless they are running."""
        if not self._tasks:
            loop = asyncio.get_running_loop()
            works = (self._renew(), self._look_for_answers(), self._look_for_broken())
            self._tasks = [loop.create_task(work) for work in works]

    async def aclose(self) -> None:
        """Stop the tasks for good."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _renew(self) -> None:
        """Show other processes that this one is alive, and cancel runs at their request."""
        while True:
            await asyncio.sleep(WATCH)
            if not self._running:
                continue
            try:
                cancelled = await in_thread(
                    self._conversations.renew, self._holder, [*self._running], self._services.clock()
                )
            except StateError as error:
                logger().error("runs could not be renewed", error=str(error), seconds_left=LEASE)
                continue
            for name in cancelled & self._running.keys():
                stop(self._running[name])

    async def _look_for_answers(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            try:
                await self.continue_answered()
            except (StateError, AgentError) as error:
                logger().error("answers could not be read", error=str(error))

    async def _look_for_broken(self) -> None:
        while True:
            try:
                await self.close_broken()
            except (StateError, AgentError) as error:
                logger().error("runs of processes that died could not be ended", error=str(error))
            await asyncio.sleep(LOOK_FOR_BROKEN)

    async def continue_answered(self) -> None:
        """Continue the conversations whose approvals were answered elsewhere or have expired."""
        for conversation in await in_thread(self._answered):
            asked_by, client = await in_thread(self._conversations.caller, conversation)
            principal = await in_thread(self._credentials.check, asked_by)
            if principal is None:
                continue
            try:
                await self._go_on(principal, conversation, f"answered-{token_hex(8)}", client)
            except (BusyError, NotFoundError):
                # Another process was faster, or the conversation was deleted.
                continue

    async def close_broken(self) -> None:
        """End the runs of processes that died, and say so in their conversations. No call is made again."""
        for conversation in await in_thread(self._conversations.broken, self._services.clock()):
            asked_by, client = await in_thread(self._conversations.caller, conversation)
            try:
                await self._close_broken(asked_by, conversation, f"broken-{token_hex(8)}", client)
            except (BusyError, NotFoundError):
                continue

    def _answered(self) -> list[str]:
        if not self._services.store.exists:
            return []
        approvals, now = self._services.approvals, self._services.clock()
        return sorted(
            {name for name, approval in self._transcript.waiting() if approvals.get(approval, now).status != "pending"}
        )


def stop(task: "asyncio.Task[None]") -> None:
    """Cancel a run, but only once: a second time would interrupt the recording of the first."""
    if not task.cancelling():
        task.cancel()
