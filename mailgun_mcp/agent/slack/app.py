"""Parses what Slack sends, acknowledges it at once, and shows runs in their threads.

Slack wants an answer within three seconds, and otherwise sends the same again. So the work continues in tasks of this
module, and nothing is done twice: events are known by id, messages by time, and answers by the approvals store.
"""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.slack import blocks
from mailgun_mcp.agent.slack.clicks import Clicks
from mailgun_mcp.agent.slack.messages import CLIENT, Messages
from mailgun_mcp.agent.slack.people import CREDENTIAL, People
from mailgun_mcp.agent.slack.questions import Questions
from mailgun_mcp.agent.slack.reply import Reply
from mailgun_mcp.agent.slack.thread import thread_of
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

IN_TIME = 2.0
"""Seconds after which an event is acknowledged even if its message is not on disk yet."""
MOST_KNOWN = 10_000
"""Maximum number of event ids that are remembered."""
TO_THE_END = 5.0
"""Seconds for which replies may finish when the server stops."""


class SlackApp:
    """The server's side of the Slack app."""

    def __init__(
        self, services: Services, runner: Runner, client: "AsyncWebClient", people: People, page: str | None
    ) -> None:
        self._runner = runner
        self._client = client
        self._questions = Questions(services, client, people, page)
        self._messages = Messages(runner, client, people)
        self._clicks = Clicks(services, runner, client, people, self._questions)
        self._tasks: set[asyncio.Task[None]] = set()
        self._event_ids: OrderedDict[str, None] = OrderedDict()
        self.bolt = self._bolt()
        """Dispatches requests to the methods below."""
        runner.on_begin(self._show)
        runner.credentials.add(CREDENTIAL, people.still)

    async def settled(self) -> None:
        """Wait until all tasks have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Give replies a short time to finish, then stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.settled(), TO_THE_END)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _bolt(self) -> AsyncApp:
        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=self._client.token)

        app = AsyncApp(
            name="mailgun-mcp",
            # Its warnings are about settings that are correct for us, and it logs what people wrote.
            logger=_quiet_logger(),
            client=self._client,
            authorize=authorize,
            # The signature is checked before this; `people` decides whose messages count; we run our own tasks.
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            ignoring_self_assistant_message_events_enabled=False,
            ssl_check_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
            process_before_response=True,
        )
        for kind in ("message", "app_mention"):
            app.event(kind)(self._event)
        app.event("assistant_thread_started")(self._opened)
        app.event(re.compile(".*"))(_ignored)
        for action in (blocks.APPROVE, blocks.DENY, blocks.OPEN):
            app.action(action)(self._pressed)
        app.view(blocks.TYPED)(self._sent)
        return app

    async def _event(self, body: dict[str, Any]) -> None:
        if self._is_new(body):
            task = self._begin(self._messages.receive(body))
            await asyncio.wait([task], timeout=IN_TIME)

    async def _opened(self, body: dict[str, Any]) -> None:
        if self._is_new(body):
            self._begin(self._messages.greet(body))

    async def _pressed(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        self._begin(self._clicks.press(body))

    async def _sent(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        errors = await self._clicks.wrong_name(body)
        if errors is not None:
            await ack(response_action="errors", errors=errors)
            return
        await ack()
        self._begin(self._clicks.submit(body))

    def _is_new(self, body: dict[str, Any]) -> bool:
        name = str(body.get("event_id"))
        if name in self._event_ids:
            return False
        self._event_ids[name] = None
        if len(self._event_ids) > MOST_KNOWN:
            self._event_ids.popitem(last=False)
        return True

    def _show(self, run: Run, principal: Principal, client: str) -> None:
        """Show a new run if it belongs to Slack. This includes turns that an answer elsewhere continues."""
        thread = thread_of(run.conversation)
        if client == CLIENT and thread is not None:
            self._begin(Reply(self._client, self._runner, self._questions, thread).show(run, principal))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(_to_its_end(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _quiet_logger() -> logging.Logger:
    named = logging.getLogger("slack_bolt")
    named.setLevel(logging.ERROR)
    return named


async def _ignored() -> None:
    """Acknowledge an event that means nothing here, so that Slack does not send it again."""


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever happens, the next request from Slack is handled
        logger().error("something that Slack sent could not be handled", error=repr(error)[:500])
