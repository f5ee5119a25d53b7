"""Runs turns: one at a time in a conversation, whether or not anybody watches, and on after an answer given elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from mailgun_mcp.agent.approving import Answer, needed, record_answers
from mailgun_mcp.agent.conversations import LEASE, Conversation, Conversations, ConversationStatus, Run, check_id
from mailgun_mcp.agent.credentials import Credentials
from mailgun_mcp.agent.errors import (
    AgentError,
    AnswerError,
    BadMessageError,
    BusyError,
    ModelError,
    NotFoundError,
    TooLargeError,
    WaitingError,
)
from mailgun_mcp.agent.event_log import EventLog, LiveRun
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.following import Following
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.settling import Settling
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.agent.transcript import ToolCall, Transcript
from mailgun_mcp.agent.usage import Limits, Usage, UsageTable
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.asker import InChat
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import CallError, StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger
from mailgun_mcp.text.characters import clean, one_line

if TYPE_CHECKING:
    from pydantic_ai.models import Model

TITLE = 60
WATCH = 1.0
"""Seconds between two looks for answers that were given elsewhere."""
CANCELLED_TURN = "Cancelled."
STOPPED = "The server was stopped."
FAULT = "Something went wrong in the server; its log says what. Nothing is lost; send a message to continue."

Begun = Callable[[Run, Principal, str], None]
"""Is told of each run that this process begins: the run, whose it is, and with which client they asked."""


class Runner:
    """Runs the conversations of one server. Made and closed inside of a running event loop."""

    def __init__(
        self,
        services: Services,
        model: "Model",
        options: AgentOptions | None = None,
        *,
        summary_model: "Model | None" = None,
    ) -> None:
        self._services = services
        self._model = model
        self._summary_model = summary_model or model
        self._options = options or AgentOptions()
        self._conversations = Conversations(services.store)
        self._transcript = Transcript(services.store)
        self._settling = Settling(services, self._transcript)
        self._usage = UsageTable(services.store)
        self._log = EventLog(services.store, services.clock)
        self._following = Following(services.store, self._conversations, self._log, services.clock)
        self.credentials = Credentials(services.store, services.clock)
        """Says whether who asked may still go on, where somebody else's answer continues what they began."""
        self._holder = token_hex(8)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._keeping: list[asyncio.Task[None]] = []
        self._closing = False
        self._begun: list[Begun] = []

    def on_begin(self, begun: Begun) -> None:
        """From now on tell of each run that begins here, also of one that goes on after an answer given elsewhere."""
        self._begun.append(begun)

    async def aclose(self) -> None:
        """Stop the runs of this process and write what is pending. What waits for a person goes on waiting."""
        self._closing = True
        for task in [*self._keeping, *self._tasks.values()]:
            _stop(task)
        await asyncio.gather(*self._keeping, *self._tasks.values(), return_exceptions=True)
        await self._log.flush()

    async def start(self, principal: Principal, conversation: str, text: str, *, run: str, client: str) -> Run:
        """Begin a turn with a message of the person. Raises AgentError."""
        check_id("conversation", conversation)
        check_id("run", run)
        earlier, checked, broke_off = await in_thread(self._claim_turn, principal, conversation, text, run, client)
        if checked is None:
            return earlier
        claimed, text = earlier, checked

        async def say(live: LiveRun) -> None:
            await self._settling.broken(live, broke_off=broke_off)
            await in_thread(self._transcript.add, conversation, claimed.turn, "user", text)
            live.add("user_message", text=text)

        self._begin(claimed, Caller(principal, client=client, asker=InChat(), shows_views=True), say)
        return claimed

    def _claim_turn(
        self, principal: Principal, conversation: str, text: str, run: str, client: str
    ) -> tuple[Run, str | None, bool]:
        """Return the run of that id, and where it is a new one its message, and whether the run before it broke off.

        All of it is one visit to the store, for the first word of the answer waits for it. Raises AgentError.
        """
        earlier = self._conversations.run(conversation, run, principal.id)
        if earlier is not None:
            return earlier, None, False
        text = self._checked(text)
        approvals = self._needed_by(conversation, principal)
        if approvals:
            raise WaitingError(approvals)
        claimed, broke_off = self._conversations.claim_new_turn(
            *(conversation, run, principal, client),
            title=one_line(text)[:TITLE],
            holder=self._holder,
            now=self._services.clock(),
        )
        return claimed, text, broke_off

    async def answer(
        self, principal: Principal, conversation: str, answers: Sequence[Answer], *, run: str, client: str
    ) -> Run:
        """Give the person's answers to open approvals, and continue the turn. Raises AgentError."""
        check_id("conversation", conversation)
        check_id("run", run)
        earlier = await in_thread(self._conversations.run, conversation, run, principal.id)
        if earlier is not None:
            return earlier
        found = await in_thread(self._conversations.find, conversation, principal.id)
        if not answers:
            raise AnswerError("There is no answer in the request.")
        waiting = await in_thread(self._waiting_calls, conversation)
        await in_thread(record_answers, self._services, waiting, answers, principal)
        if found.status == "running" and found.lease_until > self._services.clock():
            raise BusyError
        return await self._continue(principal, conversation, run=run, client=client)

    async def knows(self, principal: Principal, conversation: str, run: str) -> bool:
        """Return whether there is a run of this id. Raises NotFoundError for another's conversation."""
        return await in_thread(self._conversations.run, conversation, run, principal.id) is not None

    async def cancel(self, principal: Principal, conversation: str) -> None:
        """Stop the run; what was said stays. Approvals that are open are answered with no. Raises NotFoundError."""
        found = await in_thread(self._conversations.find, conversation, principal.id)
        task = self._tasks.get(conversation)
        if task is not None:
            _stop(task)
            await asyncio.wait([task])
        elif found.status == "running":
            await in_thread(self._conversations.ask_to_cancel, conversation)
        elif found.status == "waiting":
            run, _ = await in_thread(
                self._conversations.claim_again,
                *(conversation, f"cancel-{token_hex(8)}", principal, "chat"),
                holder=self._holder,
                now=self._services.clock(),
            )
            live = self._log.begin(conversation, run.turn, run.after)
            await self._settling.cancelled(live, principal, closing=self._closing)
            await self._finish(live, "idle", live.end(outcome="cancelled", text=CANCELLED_TURN))

    def events(
        self, principal: Principal, conversation: str, *, after: int = 0, follow: bool = True
    ) -> AsyncIterator[Event]:
        """Yield the events after that id, and with `follow` those of the run that is under way. Raises NotFoundError."""
        return self._following.events(principal, conversation, after=after, follow=follow)

    async def watch(self, run: Run, principal: Principal) -> AsyncIterator[Event]:
        """Yield the events of a run until it ends; of an earlier run those that were kept."""
        async for event in self.events(principal, run.conversation, after=run.after):
            yield event
            if event.kind == "ended":
                return

    async def get(self, principal: Principal, conversation: str) -> Conversation:
        """Return a conversation. Raises NotFoundError."""
        return await in_thread(self._conversations.find, conversation, principal.id)

    async def conversations(self, principal: Principal) -> tuple[Conversation, ...]:
        """Return the newest conversations of the principal."""
        return await in_thread(self._conversations.list, principal.id)

    async def delete(self, principal: Principal, conversation: str) -> None:
        """Delete a conversation; its calls stay in the audit log. Raises NotFoundError, BusyError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        await self.cancel(principal, conversation)
        await in_thread(self._conversations.delete, conversation, principal.id, self._services.clock())

    @property
    def usage_table(self) -> UsageTable:
        """What all conversations have used."""
        return self._usage

    @property
    def limits(self) -> Limits:
        """How much may be used."""
        return self._options.limits

    async def usage(self, principal: Principal, conversation: str) -> Usage:
        """Return what the conversation has used. Raises NotFoundError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        return await in_thread(self._usage.of_conversation, conversation)

    async def open_approvals(self, principal: Principal, conversation: str) -> list[dict[str, Any]]:
        """Return the approvals that the conversation waits for, as `approval_needed` says them. Raises NotFoundError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        return await in_thread(self._needed_by, conversation, principal)

    async def asked_for(self, principal: Principal, conversation: str, approval: str) -> bool:
        """Return whether a call of the conversation waits, or waited, for this approval. Raises NotFoundError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        return any(call.approval == approval for call in await in_thread(self._transcript.calls, conversation))

    def watch_answers(self) -> None:
        """From now on look for answers that are given elsewhere, and continue what waits for them."""
        self._keep_running()

    def _needed_by(self, conversation: str, principal: Principal) -> list[dict[str, Any]]:
        try:
            found = self._conversations.find(conversation, principal.id)
        except NotFoundError:
            return []
        return self._needed(conversation) if found.status == "waiting" else []

    def _needed(self, conversation: str) -> list[dict[str, Any]]:
        now = self._services.clock()
        pairs = [
            (call, self._services.approvals.get(call.approval, now))
            for call in self._waiting_calls(conversation)
            if call.approval
        ]
        return [needed(call, approval) for call, approval in pairs if approval.status == "pending"]

    def _waiting_calls(self, conversation: str) -> Sequence[ToolCall]:
        if not self._services.store.exists:
            return ()
        return [call for call in self._transcript.open_calls(conversation) if call.status == "waiting"]

    def _checked(self, text: str) -> str:
        if len(text) > self._options.longest_message:
            raise TooLargeError(
                f"The message has {len(text):,} characters; at most {self._options.longest_message:,} are accepted."
            )
        text = clean(text).strip()
        if not text:
            raise BadMessageError("The message is empty.")
        return text

    async def _continue(self, principal: Principal, conversation: str, *, run: str, client: str) -> Run:
        claimed, broke_off = await in_thread(
            self._conversations.claim_again,
            *(conversation, run, principal, client),
            holder=self._holder,
            now=self._services.clock(),
        )

        async def recover(live: LiveRun) -> None:
            await self._settling.broken(live, broke_off=broke_off)

        self._begin(claimed, Caller(principal, client=client, asker=InChat(), shows_views=True), recover)
        return claimed

    def _begin(self, run: Run, caller: Caller, prepare: Callable[[LiveRun], Coroutine[Any, Any, None]]) -> None:
        live = self._log.begin(run.conversation, run.turn, run.after)
        task = asyncio.get_running_loop().create_task(self._run(live, caller, prepare), name=f"turn {run.id}")
        self._tasks[run.conversation] = task
        self._keep_running()
        for begun in self._begun:
            begun(run, caller.principal, caller.client)

    async def _run(
        self, live: LiveRun, caller: Caller, prepare: Callable[[LiveRun], Coroutine[Any, Any, None]]
    ) -> None:
        from mailgun_mcp.agent.turn import Ended, TurnRun

        status: ConversationStatus = "idle"
        ended = Ended("failed", FAULT)
        try:
            await prepare(live)
            turn = TurnRun(
                self._services,
                self._model,
                self._options,
                live,
                caller,
                self._transcript,
                self._usage,
                summary_model=self._summary_model,
            )
            ended = await turn.go()
            status = "waiting" if ended.outcome == "waiting" else "idle"
        except asyncio.CancelledError:
            ended = Ended("cancelled", STOPPED if self._closing else CANCELLED_TURN)
        except (ModelError, CallError) as error:
            ended = Ended("failed", str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told and the conversation is free again
            logger().error("a run failed", error=repr(error)[:2000], conversation=live.conversation)
        finally:
            # A turn that is done has made all of its calls.
            if ended.outcome not in ("waiting", "done") and await self._settling.cancelled(
                live, caller.principal, closing=self._closing
            ):
                status = "waiting"
            await self._finish(live, status, live.end(outcome=ended.outcome, text=ended.text))

    async def _finish(self, live: LiveRun, status: ConversationStatus, show: Callable[[], None]) -> None:
        try:
            if any(event.kind == "third_party_text" for event in live.events):
                await in_thread(self._conversations.mark_third_party_text, live.conversation)
            await self._log.flush()
            await in_thread(
                self._conversations.release, live.conversation, self._holder, status, self._services.clock()
            )
        except StateError as error:
            logger().error("a run could not be recorded", error=str(error))
        finally:
            self._tasks.pop(live.conversation, None)
            self._log.forget(live)
            show()

    def _keep_running(self) -> None:
        if not self._keeping:
            loop = asyncio.get_running_loop()
            self._keeping = [loop.create_task(self._renew()), loop.create_task(self._look_for_answers())]

    async def _renew(self) -> None:
        """Tell other processes that this one lives, and cancel what they were asked to cancel."""
        while True:
            await asyncio.sleep(WATCH)
            if not self._tasks:
                continue
            try:
                cancelled = await in_thread(self._conversations.renew, self._holder, self._services.clock())
            except StateError as error:
                logger().error("runs could not be renewed", error=str(error), seconds_left=LEASE)
                continue
            for name in cancelled & self._tasks.keys():
                _stop(self._tasks[name])

    async def _look_for_answers(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            try:
                await self.continue_answered()
            except (StateError, AgentError) as error:
                logger().error("answers could not be looked for", error=str(error))

    async def continue_answered(self) -> None:
        """Continue the conversations whose approvals were answered elsewhere, or have expired."""
        for conversation in await in_thread(self._answered):
            asked_by, client = await in_thread(self._conversations.caller, conversation)
            principal = await in_thread(self.credentials.check, asked_by)
            if principal is None:
                continue
            try:
                await self._continue(principal, conversation, run=f"answered-{token_hex(8)}", client=client)
            except (BusyError, NotFoundError):
                # Another process was faster, or the conversation was deleted.
                continue

    def _answered(self) -> list[str]:
        if not self._services.store.exists:
            return []
        approvals, now = self._services.approvals, self._services.clock()
        return sorted(
            {name for name, approval in self._transcript.waiting() if approvals.get(approval, now).status != "pending"}
        )


def _stop(task: "asyncio.Task[None]") -> None:
    """Cancel a run, once: a second time would break off what records that it was cancelled."""
    if not task.cancelling():
        task.cancel()
