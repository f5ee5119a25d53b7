"""Makes calls on stdio without the SDK, which takes half a second to import and a quarter of each call's time.

The pipeline is the same. If a call needs the SDK after all, the SDK's handler of the same request takes over and waits
for the call that was begun here. So each call is made once, and the handler can ask a person or create a task as usual.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import anyio

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.asker import NOBODY, FormAnswer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.server.description import SERVER_INFO
from mailgun_mcp.server.plain_messages import META, Client, NotUnderstoodError, client_of_call, is_identifier, to_line
from mailgun_mcp.text.compact_json import compact

CLOSED = {"code": -32000, "message": "Connection closed"}
"""The error with which the SDK answers unfinished requests when the client closes stdin."""
CANCELLED: dict[str, Any] = {"code": -32800, "message": "Request cancelled"}
"""The error with which the SDK answers a request over HTTP that the client has cancelled, in the older era."""
STAMP = f',"_meta":{compact({f"{META}serverInfo": SERVER_INFO})}'
COMPLETE = ',"resultType":"complete"'
NOT_JSON = ("NaN", "Infinity")
"""What Python's JSON writer puts for numbers that JSON lacks. Text that contains one of these is left to the SDK."""
BEGUN = "mailgun_mcp.begun_call"
"""Key in the scope of an HTTP request for the call that the SDK's handler takes over."""
Write = Callable[[bytes], Coroutine[Any, Any, None]]
Called = Callable[[str, Arguments], Awaitable[None]]
Make = Callable[[Caller], Coroutine[Any, Any, CallResult]]


class BegunCall:
    """A call that was begun here. It is its own asker: to ask a person, it hands itself over to the SDK."""

    def __init__(
        self, line: bytes, identifier: int | str, client: Client, go_on: Callable[["BegunCall"], None]
    ) -> None:
        self.line = line
        self.identifier = identifier
        self.client = client
        self.task: asyncio.Task[CallResult]
        self.goes_on = False
        """Whether the SDK has taken over the call and answers it."""
        self.is_answered = False
        self.is_cancelled = False
        """Whether the client has cancelled the call."""
        self._go_on = go_on
        self._caller: asyncio.Future[Caller] = asyncio.get_running_loop().create_future()

    def start(self, principal: Principal, notify: Notify, make: Make, ended: Callable[[], object]) -> None:
        """Start the call with `make`. `ended` is called when it has ended in any way.

        An unauthenticated caller is never asked in the client: whoever calls could also give the answer.
        """
        asker = self if principal.authenticated else NOBODY
        caller = Caller(principal, self.client.name, asker, notify, self.client.shows_views)
        self.task = asyncio.get_running_loop().create_task(make(caller))

        def end(task: "asyncio.Task[CallResult]") -> None:
            if not task.cancelled():
                # The SDK's handler reports the error. If the session has ended, nobody does.
                task.exception()
            ended()

        self.task.add_done_callback(end)

    @property
    def can_ask(self) -> bool:
        """Whether the client says that it can show a form."""
        return self.client.shows_forms

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        """Ask through the SDK."""
        return await (await self._sdk_caller()).asker.ask(form, patience=patience)

    async def notify(self, message: str) -> None:
        """Report progress through the SDK, if the client wants it."""
        if self.client.progress is not None:
            await (await self._sdk_caller()).notify(message)

    def go_on_in_sdk(self) -> None:
        """Give the request to the SDK. Its handler then waits for this call."""
        if not self.goes_on and not self.is_cancelled:
            self.goes_on = True
            self._go_on(self)

    def cancel(self) -> None:
        """End the call at the client's request. If the SDK's handler already waits for it, the SDK does that."""
        if not self.task.done():
            self.is_cancelled = True
            if not self._caller.done():
                self.task.cancel()

    async def outcome(self, caller: Caller) -> CallResult:
        """Return the outcome to the SDK's handler, whose `caller` can ask. Raises whatever the call raised."""
        if not self._caller.done():
            self._caller.set_result(caller)
        return await self.task

    async def _sdk_caller(self) -> Caller:
        """Hand the call over to the SDK, and return the caller that its handler knows."""
        if self.is_cancelled and not self._caller.done():
            raise asyncio.CancelledError
        self.go_on_in_sdk()
        return await asyncio.shield(self._caller)


class DirectCalls:
    """The calls of one session on stdio."""

    def __init__(
        self,
        services: Services,
        principal: Principal,
        write: Write,
        go_on: Callable[[BegunCall], None],
    ) -> None:
        """`write` sends a line to the client. `go_on` hands a call over to the SDK."""
        self._services = services
        self._principal = principal
        self._write = write
        self._go_on = go_on
        self._calls: dict[int | str, BegunCall] = {}
        self.called: Called | None = None
        """Called after each successful call, once there can be subscribers."""

    def begin(self, line: bytes, message: dict[str, Any], opened: Client) -> None:
        """Begin the call of a message. Raises NotUnderstoodError for what is left to the SDK."""
        identifier: Any = message.get("id")
        params: Any = message.get("params")
        if not is_identifier(identifier) or self._services.personal is not None:
            raise NotUnderstoodError
        key = same_identifier(identifier)
        if key in self._calls:
            raise NotUnderstoodError
        client = client_of_call(params, opened)
        call = BegunCall(line, identifier, client, self._go_on)
        self._calls[key] = call
        make = partial(self._make, call, params["name"], params.get("arguments", {}))
        call.start(self._principal, _progress(self._write, client.progress), make, lambda: self._calls.pop(key))

    def cancel(self, identifier: Any) -> bool:
        """Cancel a call at the client's request. Return False if the SDK answers it."""
        call = self._calls.get(same_identifier(identifier)) if is_identifier(identifier) else None
        if call is None or call.goes_on:
            return False
        call.is_answered = True
        return call.task.cancel()

    async def close(self) -> None:
        """End the running calls, because the client sends nothing more."""
        calls = [call for call in self._calls.values() if not call.goes_on]
        for call in calls:
            call.task.cancel()
        for call in calls:
            with suppress(asyncio.CancelledError, Exception):
                await call.task
            if not call.is_answered and not call.goes_on:
                with suppress(anyio.BrokenResourceError):
                    await self._write(to_line({"jsonrpc": "2.0", "id": call.identifier, "error": CLOSED}))

    async def _make(self, call: BegunCall, tool: str, arguments: Arguments, caller: Caller) -> CallResult:
        try:
            outcome = await run(self._services, tool, arguments, caller)
        except Exception:
            call.go_on_in_sdk()
            raise
        if call.goes_on:
            return outcome
        answer = answer_of(call.identifier, outcome, modern=call.client.modern)
        if answer is None:
            call.go_on_in_sdk()
            return outcome
        if self.called is not None and not outcome.is_error:
            await self.called(tool, arguments)
        call.is_answered = True
        await self._write(answer)
        return outcome


def answer_of(identifier: int | str, outcome: CallResult, *, modern: bool) -> bytes | None:
    """Return the answer as the SDK would write it, or None for a result that only the SDK's models can serialize."""
    if outcome.approval is not None or outcome.pictures or (outcome.file is not None and outcome.file.linked):
        return None
    structured = ""
    if outcome.structured is not None:
        if NOT_JSON[0] in outcome.text or NOT_JSON[1] in outcome.text:
            return None
        # The text is this value as JSON, so it is not serialized again.
        structured = f',"structuredContent":{outcome.text}'
    try:
        return (
            f'{{"jsonrpc":"2.0","id":{compact(identifier)},"result":'
            f'{{"content":[{{"text":{compact(outcome.text)},"type":"text"}}],"isError":{compact(outcome.is_error)}'
            f"{COMPLETE if modern else ''}{structured}{STAMP if modern else ''}}}}}\n"
        ).encode()
    except UnicodeEncodeError:
        return None


def _progress(write: Write, token: int | str | None) -> Notify:
    steps = 0

    async def notify(message: str) -> None:
        nonlocal steps
        steps += 1
        if token is not None:
            params = {"progressToken": token, "progress": steps, "message": message}
            await write(to_line({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))

    return notify


def same_identifier(identifier: int | str) -> int | str:
    """Return the form in which the SDK treats ids as equal: some clients send a number back as text."""
    try:
        return int(identifier)
    except ValueError:
        return identifier
