"""One run of a turn: asks the model, makes its calls, and so on, until the turn is done or a person must answer.

The result of a call is on disk before the model gets it. So whatever ends the run, nothing is done twice.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from mailgun_mcp.agent import history
from mailgun_mcp.agent.approving import Approving
from mailgun_mcp.agent.display import SafeText
from mailgun_mcp.agent.errors import ModelError
from mailgun_mcp.agent.event_log import LiveRun
from mailgun_mcp.agent.events import Ended
from mailgun_mcp.agent.model_errors import FAILED, UNFINISHED, check_complete, pause_before_retry, retrying, why
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.summary import is_full, older, summarize
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.agent.toolset import FENCE, FIND_TOOLS, Toolset, newest_found, shown
from mailgun_mcp.agent.transcript import CallStatus, Message, ToolCall, Transcript
from mailgun_mcp.agent.usage import Usage, UsageTable
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.text.characters import encodable

if TYPE_CHECKING:
    from pydantic_ai.models import Model

CUT_OFF = "The answer was cut off: it reached the model's limit for one answer. Send a message to continue."
FILTERED = "The content filter of the model's provider stopped the answer. Ask in other words."
BROKEN = "The model's provider reported that the answer is broken. What was done is kept; ask again."
EMPTY = "The model ended without an answer. What was done is kept; ask again."
NO_SUMMARY = (
    "The conversation is too long for the model, and the model that should summarize it wrote nothing. Nothing is lost; "
    "send a message to try again, or start a new conversation."
)
TOO_MANY_REQUESTS = "Stopped after {} requests to the model in one turn. Send a message to continue."


class TurnRun:
    """One run of a turn."""

    def __init__(
        self,
        services: Services,
        model: "Model",
        options: AgentOptions,
        live: LiveRun,
        caller: Caller,
        transcript: Transcript,
        usage: UsageTable,
        *,
        summary_model: "Model | None" = None,
    ) -> None:
        self._services = services
        self._model = model
        self._summary_model = summary_model or model
        self._options = options
        self._live = live
        self._conversation, self._turn = live.conversation, live.turn
        self._caller = caller
        self._transcript = transcript
        self._usage = usage
        self._toolset = Toolset(services, caller.principal.access)
        self._approving = Approving(services, transcript, live, caller.principal)
        self._seen_third_party_text = False

    async def go(self) -> Ended:
        """Run until the turn is done, waits, or stops. Raises CancelledError if the run is cancelled."""
        requests = 0
        warned: set[str] = set()
        while True:
            if await self._make_calls():
                return Ended("waiting")
            stop, near = await in_thread(
                self._usage.reached,
                self._options.limits,
                self._conversation,
                self._caller.principal.id,
                self._services.clock(),
            )
            for text in near:
                if text.partition(" of ")[2] not in warned:
                    warned.add(text.partition(" of ")[2])
                    self._live.add("warning", text=text)
            if stop is None and requests >= self._options.limits.requests_per_turn:
                stop = TOO_MANY_REQUESTS.format(requests)
            if stop is not None:
                return Ended("stopped", stop)
            requests += 1
            response = await self._ask()
            if not response.tool_calls or response.finish_reason == "content_filter":
                return _ended(response)

    async def _make_calls(self) -> bool:
        """Make the calls that have no result yet. Return whether some wait for a person."""
        waiting = False
        for call in await in_thread(self._transcript.open_calls, self._conversation):
            settled = await self._approving.settle(call) if call.status == "waiting" else call
            if settled is None:
                continue
            if settled.status == "waiting" or await self._to_its_end(self._make(settled)):
                waiting = True
        return waiting

    async def _to_its_end(self, making: Coroutine[Any, Any, bool]) -> bool:
        """Let a call that has begun finish even if the run is cancelled meanwhile, so that its outcome is known."""
        task = asyncio.get_running_loop().create_task(making)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    async def _make(self, call: ToolCall) -> bool:
        """Make one call, and record its result. Return whether it waits for a person."""
        resumed = call.approval is not None
        if not resumed:
            self._live.add(
                "tool_started", call=call.id, tool=call.tool, **self._toolset.describe(call.tool, call.arguments)
            )
        refusal = await self._approving.refusal(call)
        if refusal is not None:
            await self._keep(call, "refused", refusal)
            return False
        await in_thread(self._transcript.update, self._conversation, replace(call, status="running"))
        result = await self._toolset.call(call.tool, call.arguments, self._caller)
        if result.third_party_text and not self._seen_third_party_text:
            self._seen_third_party_text = True
            self._live.add("third_party_text", call=call.id)
        if result.status == "waiting":
            refusal = await self._approving.wait(call, result)
            if refusal is None:
                return True
            await self._keep(call, "refused", refusal)
            return False
        await self._keep(call, result.status, result.text, log=result.log, undo=result.undo)
        await self._count(Usage(tool_calls=1))
        return False

    async def _keep(
        self, call: ToolCall, status: CallStatus, text: str, *, log: str = "", undo: str | None = None
    ) -> None:
        kept = replace(call, status=status, text=text, log=log)
        await in_thread(self._transcript.update, self._conversation, kept)
        self._live.add(
            "tool_finished", call=call.id, tool=call.tool, status=status, text=shown(text), log=log, undo=undo
        )

    async def _ask(self) -> ModelResponse:
        messages, found = await self._history()
        tools = [
            ToolDefinition(
                name=tool["name"], parameters_json_schema=tool["inputSchema"], description=tool["description"]
            )
            for tool in self._toolset.tools(found)
        ]
        parameters = ModelRequestParameters(function_tools=tools)
        attempt = 0
        while True:
            answer = _Answer(self._say)
            try:
                response = await self._stream(answer, messages, parameters)
            except asyncio.CancelledError:
                await self._keep_partial(answer.text)
                raise
            except Exception as error:
                pause = None if answer.text else pause_before_retry(error, attempt, self._options.retry_pause)
                if pause is None:
                    await self._keep_partial(answer.text)
                    sentence = UNFINISHED if answer.text.strip() else FAILED
                    raise ModelError(sentence.format(why(error))) from error
                self._live.add("warning", text=retrying(error, pause))
                await asyncio.sleep(pause)
                attempt += 1
                continue
            await self._keep_response(response)
            return response

    async def _stream(
        self, answer: "_Answer", messages: list[ModelMessage], parameters: ModelRequestParameters
    ) -> ModelResponse:
        """Make one request to the model, and show its text as it comes."""
        started = time.monotonic()
        response: ModelResponse | None = None
        try:
            async with (
                asyncio.timeout(self._options.model_silence) as silence,
                model_request_stream(self._model, messages, model_request_parameters=parameters) as stream,
            ):
                async for event in stream:
                    silence.reschedule(asyncio.get_running_loop().time() + self._options.model_silence)
                    answer.add(encodable(_text_of(event)))
                response = stream.get()
        finally:
            answer.end()
            await self._count(_used(response, self._model, time.monotonic() - started))
        check_complete(self._model, response)
        history.make_valid(response)
        return response

    def _say(self, message: str, text: str) -> None:
        self._live.add("text", message=message, text=text)

    async def _history(self) -> tuple[list[ModelMessage], list[str]]:
        """Return the history for the model, and the tools that it has found."""
        messages, calls = await in_thread(self._transcript.read, self._conversation)
        found = newest_found(
            self._toolset.found_by(call.arguments) for call in calls if call.tool == FIND_TOOLS and call.text
        )
        built = history.build(messages, calls, shorten=history.Shortener(calls, self._options.result_characters))
        first = older(messages, self._turn) if is_full(built, self._options.context_tokens) else None
        if first is not None:
            await self._summarize(messages, calls, first)
            return await self._history()
        return history.with_instructions(built, self._options.instructions), found

    async def _summarize(self, messages: list[Message], calls: list[ToolCall], first: int) -> None:
        """Replace everything before the message with number `first` by a summary."""
        before = [message for message in messages if message.number < first]
        made = [call for call in calls if call.message < first]
        sent = history.build(before, made, shorten=history.Shortener(made, self._options.result_characters))
        theirs = any(FENCE in text for text in (*(each.body for each in before), *(call.text for call in made)))
        fault = ""
        # If the cheaper model fails, the other one keeps the conversation alive.
        models = [self._summary_model] + ([self._model] if self._summary_model is not self._model else [])
        for model in models:
            started = time.monotonic()
            try:
                text, response = await summarize(model, sent, third_party_text=theirs)
            except Exception as error:  # noqa: BLE001 - whatever a model's client raises
                fault = FAILED.format(why(error))
                continue
            await self._count(_used(response, model, time.monotonic() - started))
            if text:
                await in_thread(self._transcript.insert_summary, self._conversation, self._turn, text, first)
                return
            fault = NO_SUMMARY
        raise ModelError(fault)

    async def _keep_response(self, response: ModelResponse) -> None:
        calls = [
            ToolCall(part.tool_call_id, self._turn, 0, part.tool_name, _arguments(part)) for part in response.tool_calls
        ]
        for part, call in zip(response.tool_calls, calls, strict=True):
            if call.arguments is None:
                # Some providers refuse a history in which arguments are not a JSON object.
                part.args = {"invalid_arguments": str(part.args)[:1000]}
        calls = await self._with_new_ids(response, calls) if calls else []
        body = history.write_response(response)
        await in_thread(self._transcript.add, self._conversation, self._turn, "response", body, calls)

    async def _with_new_ids(self, response: ModelResponse, calls: list[ToolCall]) -> list[ToolCall]:
        """Replace a call's id if an earlier call has the same, or if it is one that not every provider takes back.

        Some models count from one in each answer.
        """
        known = {call.id for call in await in_thread(self._transcript.calls, self._conversation)}
        renamed: list[ToolCall] = []
        for part, call in zip(response.tool_calls, calls, strict=True):
            if call.id in known or not history.VALID_NAME.fullmatch(call.id):
                part.tool_call_id = f"call_{token_hex(8)}"
            known.add(part.tool_call_id)
            renamed.append(ToolCall(part.tool_call_id, call.turn, 0, call.tool, call.arguments))
        return renamed

    async def _keep_partial(self, text: str) -> None:
        """Store what was said before the model broke off. Calls that it began to ask for are not made."""
        if text.strip():
            body = history.write_response(ModelResponse(parts=[TextPart(text)]))
            await in_thread(self._transcript.add, self._conversation, self._turn, "response", body)

    async def _count(self, used: Usage) -> None:
        total = await in_thread(
            self._usage.count, self._conversation, self._caller.principal.id, used, self._services.clock()
        )
        if used.requests:
            self._live.add("usage", **total.record)


class _Answer:
    """The text of one request's answer, as it comes."""

    def __init__(self, say: Callable[[str, str], None]) -> None:
        message = token_hex(4)
        self._safe = SafeText(lambda text: say(message, text))
        self.text = ""

    def add(self, text: str) -> None:
        """Show more text."""
        if text:
            self.text += text
            self._safe.add(text)

    def end(self) -> None:
        """Show what was held back."""
        self._safe.end()


def _ended(response: ModelResponse) -> Ended:
    """Return how a turn ends with this response. An incomplete answer does not count as done."""
    if response.finish_reason == "length":
        return Ended("stopped", CUT_OFF)
    if response.finish_reason == "content_filter":
        return Ended("failed", FILTERED)
    if response.finish_reason == "error":
        return Ended("failed", BROKEN)
    return Ended("done") if (response.text or "").strip() else Ended("failed", EMPTY)


def _text_of(event: object) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


def _arguments(part: ToolCallPart) -> dict[str, object] | None:
    try:
        value = part.args if isinstance(part.args, dict) else json.loads(part.args or "{}")
        # An escape may stand for half of a surrogate pair.
        value = json.loads(encodable(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _used(response: ModelResponse | None, model: "Model", seconds: float) -> Usage:
    if response is None:
        return Usage(requests=1, seconds=seconds)
    usage = response.usage
    return Usage(1, usage.input_tokens, usage.output_tokens, _cost(response, model), 0, seconds)


def _cost(response: ModelResponse, model: "Model") -> float:
    """Return the price in US dollars, or 0 if it is not known."""
    # A proxy may answer with a name of its own for the model that the operator named.
    for name in (response.model_name, model.model_name):
        try:
            return float(replace(response, model_name=name).cost().total_price)
        except (LookupError, ValueError, AssertionError):
            continue
    return 0.0
