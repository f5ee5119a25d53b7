"""Runs turns: one at a time per conversation, whether or not anybody watches, and on after answers given elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from mailgun_mcp.agent.approving import Answer, needed, record_answers
from mailgun_mcp.agent.conversations import Conversation, Conversations, ConversationStatus, Run, check_id
from mailgun_mcp.agent.credentials import Credentials
from mailgun_mcp.agent.errors import (
    AnswerError,
    BadMessageError,
    BusyError,
    ModelError,
    NotFoundError,
    StoppingError,
    TooLargeError,
    WaitingError,
)
from mailgun_mcp.agent.event_log import EventLog, LiveRun
from mailgun_mcp.agent.events import Ended, Event
from mailgun_mcp.agent.following import Following
from mailgun_mcp.agent.open_calls import STOPPED, OpenCalls
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.threads import in_thread, to_its_end
from mailgun_mcp.agent.transcript import ToolCall, Transcript
from mailgun_mcp.agent.upkeep import Upkeep, stop
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
CANCELLED_TURN = "Cancelled."
FAULT = "Something went wrong in the server; its log says what. Nothing is lost; send a message to continue."

NOT_STORED = "What was said last could not be stored: {}. What was done is kept; send a message to continue."

Begun = Callable[[Run, Principal, str], None]
"""Called with each run that this process begins: the run, its principal, and their client."""


class Runner:
    """Runs the conversations of one server. Must be created and closed inside a running event loop."""

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
        self._open_calls = OpenCalls(services, self._transcript)
        self._usage = UsageTable(services.store)
        self._log = EventLog(services.store, services.clock)
        self._following = Following(services.store, self._conversations, self._log, services.clock)
        self.credentials = Credentials(services.store, services.clock)
        """Checks whether the person who asked may still go on, when somebody else's answer continues their turn."""
        self._holder = token_hex(8)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False
        self._stopping: asyncio.Task[None] | None = None
        self._upkeep = Upkeep(
            services,
            self.credentials,
            self._holder,
            running=self._tasks,
            go_on=self._continue,
            close_broken=self._close_broken,
        )
        self._begun: list[Begun] = []

    def on_begin(self, begun: Begun) -> None:
        """Call `begun` with each run that begins here from now on, also after an answer given elsewhere."""
        self._begun.append(begun)

    def stop_in(self, seconds: float) -> None:
        """Close after that time. Runs that are still going are stopped, and their watchers are told."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            self._stopping = loop.create_task(self.aclose())

        loop.call_later(seconds, stop)

    async def aclose(self) -> None:
        """Stop the runs of this process, and write pending events. Calls that wait for a person keep waiting."""
        self._closing = True
        self._following.close()
        await self._upkeep.aclose()
        tasks = [*self._tasks.values()]
        for task in tasks:
            stop(task)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._log.flush()

    async def start(self, principal: Principal, conversation: str, text: str, *, run: str, client: str) -> Run:
        """Begin a turn with a message from the person. Raises AgentError."""
        check_id("conversation", conversation)
        check_id("run", run)
        if self._closing:
            raise StoppingError
        # A caller who is cancelled half-way would leave the conversation busy.
        return await to_its_end(self._start(principal, conversation, text, run, client))

    async def _start(self, principal: Principal, conversation: str, text: str, run: str, client: str) -> Run:
        earlier, checked, broke_off = await in_thread(self._claim_turn, principal, conversation, text, run, client)
        if checked is None:
            return earlier
        claimed, text = earlier, checked

        async def say(live: LiveRun) -> None:
            await self._open_calls.broken(live, broke_off=broke_off)
            await in_thread(self._transcript.add, conversation, claimed.turn, "user", text)
            live.add("user_message", text=text)

        self._begin(claimed, Caller(principal, client=client, asker=InChat(), shows_views=True), say)
        return claimed

    def _claim_turn(
        self, principal: Principal, conversation: str, text: str, run: str, client: str
    ) -> tuple[Run, str | None, bool]:
        """Return the run of that id. If it is new, also return its message, and whether the run before was cut off.

        All this is one visit to the store, because the first word of the answer waits for it. Raises AgentError.
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
        """Record the person's answers to open approvals, and continue the turn. Raises AgentError."""
        check_id("conversation", conversation)
        check_id("run", run)
        if self._closing:
            raise StoppingError
        earlier = await in_thread(self._conversations.run, conversation, run, principal.id)
        if earlier is not None:
            return earlier
        current = await in_thread(self._conversations.find, conversation, principal.id)
        if not answers:
            raise AnswerError("There is no answer in the request.")
        waiting = await in_thread(self._waiting_calls, conversation)
        await in_thread(record_answers, self._services, waiting, answers, principal)
        if current.status == "running" and current.lease_until > self._services.clock():
            raise BusyError
        return await to_its_end(self._continue(principal, conversation, run, client))

    async def knows(self, principal: Principal, conversation: str, run: str) -> bool:
        """Return whether a run of this id exists. Raises NotFoundError for another principal's conversation."""
        return await in_thread(self._conversations.run, conversation, run, principal.id) is not None

    async def cancel(self, principal: Principal, conversation: str) -> None:
        """Stop the run, and keep what was said. Open approvals are denied. Raises NotFoundError."""
        current = await in_thread(self._conversations.find, conversation, principal.id)
        task = self._tasks.get(conversation)
        if task is not None:
            stop(task)
            await asyncio.wait([task])
        elif current.status == "running" and current.lease_until > self._services.clock():
            await in_thread(self._conversations.ask_to_cancel, conversation)
        elif current.status != "idle":
            run, _ = await in_thread(
                self._conversations.claim_again,
                *(conversation, f"cancel-{token_hex(8)}", principal, "chat"),
                holder=self._holder,
                now=self._services.clock(),
            )
            live = self._log.begin(conversation, run.turn, run.after)
            await self._open_calls.cancelled(live, principal)
            await self._finish(live, "idle", live.end(outcome="cancelled", text=CANCELLED_TURN))

    def events(
        self, principal: Principal, conversation: str, *, after: int = 0, follow: bool = True
    ) -> AsyncIterator[Event]:
        """Yield the events after that id, and with `follow` those of the current run. Raises NotFoundError."""
        return self._following.events(principal, conversation, after=after, follow=follow)

    async def watch(self, run: Run, principal: Principal) -> AsyncIterator[Event]:
        """Yield the events of a run until it ends. For an earlier run, these are the stored ones."""
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
        """Delete a conversation. Its calls stay in the audit log. Raises NotFoundError, BusyError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        await self.cancel(principal, conversation)
        await in_thread(self._conversations.delete, conversation, principal.id, self._services.clock())

    @property
    def usage_table(self) -> UsageTable:
        """The table of what all conversations have used."""
        return self._usage

    @property
    def limits(self) -> Limits:
        """The limits on usage."""
        return self._options.limits

    async def usage(self, principal: Principal, conversation: str) -> Usage:
        """Return what the conversation has used. Raises NotFoundError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        return await in_thread(self._usage.of_conversation, conversation)

    async def open_approvals(self, principal: Principal, conversation: str) -> list[dict[str, Any]]:
        """Return the open approvals of the conversation as bodies of `approval_needed`. Raises NotFoundError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        return await in_thread(self._needed_by, conversation, principal)

    async def asked_for(self, principal: Principal, conversation: str, approval: str) -> bool:
        """Return whether a call of the conversation waits or waited for this approval. Raises NotFoundError."""
        await in_thread(self._conversations.find, conversation, principal.id)
        return any(call.approval == approval for call in await in_thread(self._transcript.calls, conversation))

    def watch_answers(self) -> None:
        """From now on, look for answers that are given elsewhere, and continue the turns that wait for them."""
        self._upkeep.start()

    async def continue_answered(self) -> None:
        """Check once for answers that were given elsewhere, and continue the turns that wait for them."""
        await self._upkeep.continue_answered()

    def _needed_by(self, conversation: str, principal: Principal) -> list[dict[str, Any]]:
        try:
            current = self._conversations.find(conversation, principal.id)
        except NotFoundError:
            return []
        return self._needed(conversation) if current.status == "waiting" else []

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
            raise BadMessageError("The message has no text, and the assistant reads nothing else.")
        return text

    async def _continue(self, principal: Principal, conversation: str, run: str, client: str) -> Run:
        claimed, broke_off = await self._claim_again(principal, conversation, run, client)

        async def recover(live: LiveRun) -> None:
            await self._open_calls.broken(live, broke_off=broke_off)

        self._begin(claimed, Caller(principal, client=client, asker=InChat(), shows_views=True), recover)
        return claimed

    async def _claim_again(self, principal: Principal, conversation: str, run: str, client: str) -> tuple[Run, bool]:
        return await in_thread(
            self._conversations.claim_again,
            *(conversation, run, principal, client),
            holder=self._holder,
            now=self._services.clock(),
        )

    async def _close_broken(self, principal: Principal, conversation: str, run: str, client: str) -> Run:
        """End the run of a process that died."""
        claimed, _ = await self._claim_again(principal, conversation, run, client)

        async def close(live: LiveRun) -> None:
            await self._end(live, principal, Ended("failed", STOPPED))

        self._spawn(claimed, principal, client, close)
        return claimed

    def _begin(self, run: Run, caller: Caller, prepare: Callable[[LiveRun], Coroutine[Any, Any, None]]) -> None:
        async def work(live: LiveRun) -> None:
            await self._run(live, caller, prepare)

        self._spawn(run, caller.principal, caller.client, work)

    def _spawn(
        self, run: Run, principal: Principal, client: str, work: Callable[[LiveRun], Coroutine[Any, Any, None]]
    ) -> None:
        live = self._log.begin(run.conversation, run.turn, run.after)
        task = asyncio.get_running_loop().create_task(work(live), name=f"turn {run.id}")
        self._tasks[run.conversation] = task
        self._upkeep.start()
        for begun in self._begun:
            begun(run, principal, client)

    async def _run(
        self, live: LiveRun, caller: Caller, prepare: Callable[[LiveRun], Coroutine[Any, Any, None]]
    ) -> None:
        from mailgun_mcp.agent.turn import TurnRun

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
        except asyncio.CancelledError:
            ended = Ended("failed", STOPPED) if self._closing else Ended("cancelled", CANCELLED_TURN)
        except StateError as error:
            ended = Ended("failed", NOT_STORED.format(str(error).rstrip(".")))
        except (ModelError, CallError) as error:
            ended = Ended("failed", str(error))
        except Exception as error:  # noqa: BLE001 - the person is always told, and the conversation freed
            logger().error("a run failed", error=repr(error)[:2000], conversation=live.conversation)
        finally:
            await self._end(live, caller.principal, ended)

    async def _end(self, live: LiveRun, principal: Principal, ended: Ended) -> None:
        """Close the open calls, and report how the run ended. A turn that is done has no open calls."""
        if ended.outcome == "cancelled":
            await self._open_calls.cancelled(live, principal)
        elif ended.outcome not in ("waiting", "done") and await self._open_calls.ended(live):
            live.add("warning", text=ended.text)
            ended = Ended("waiting")
        status: ConversationStatus = "waiting" if ended.outcome == "waiting" else "idle"
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
            await self._log.give_up(live)
        finally:
            self._tasks.pop(live.conversation, None)
            self._log.forget(live)
            show()
