"""One run of a turn: asks the model, makes its calls, and so on, until the turn is done or a person must answer.

The result of a call is on disk before the model gets it. So whatever ends the run, nothing is done twice.
"""

import asyncio
import json
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from mailgun_mcp.agent import history
from mailgun_mcp.agent.approving import Approving
from mailgun_mcp.agent.errors import LimitError, ModelError
from mailgun_mcp.agent.event_log import LiveRun
from mailgun_mcp.agent.events import Ended
from mailgun_mcp.agent.model_requests import ModelRequests, ShownText
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.summary import is_full, older, summarize
from mailgun_mcp.agent.threads import in_thread, to_its_end
from mailgun_mcp.agent.toolset import FIND_TOOLS, Toolset, newest_found, shown
from mailgun_mcp.agent.transcript import CallStatus, Message, ToolCall, Transcript
from mailgun_mcp.agent.usage import Usage, UsageTable
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.output.untrusted import FENCE
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
        self._requests = ModelRequests(options, live, caller.principal.id, usage, services.clock)
        self._toolset = Toolset(services, caller.principal.access)
        self._approving = Approving(services, transcript, live, caller.principal)
        self._seen_third_party_text = False

    async def go(self) -> Ended:
        """Run until the turn is done, waits, or stops. Raises CancelledError if the run is cancelled."""
        try:
            while not await self._make_calls():
                response = await self._ask()
                if not response.tool_calls or response.finish_reason == "content_filter":
                    return _ended(response)
        except LimitError as error:
            return Ended("stopped", str(error))
        return Ended("waiting")

    async def _make_calls(self) -> bool:
        """Make the calls that have no result yet. Return whether some wait for a person."""
        waiting = False
        for position, call in enumerate(await in_thread(self._transcript.open_calls, self._conversation)):
            if position > 0 and call.status == "new":
                # One answer of a model can ask for any number of calls.
                await self._requests.check_calls()
            answered = await self._approving.take_answer(call) if call.status == "waiting" else call
            if answered is None:
                continue
            if answered.status == "waiting" or await to_its_end(self._make(answered)):
                waiting = True
        return waiting

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
        await self._requests.count(Usage(tool_calls=1))
        return False

    async def _keep(
        self, call: ToolCall, status: CallStatus, text: str, *, log: str = "", undo: str | None = None
    ) -> None:
        updated = replace(call, status=status, text=text, log=log)
        await in_thread(self._transcript.update, self._conversation, updated)
        self._live.add(
            "tool_finished", call=call.id, tool=call.tool, status=status, text=shown(text), log=log, undo=undo
        )

    async def _ask(self) -> ModelResponse:
        messages, searched = await self._history()
        tools = [
            ToolDefinition(
                name=tool["name"], parameters_json_schema=tool["inputSchema"], description=tool["description"]
            )
            for tool in self._toolset.tools(searched)
        ]
        parameters = ModelRequestParameters(function_tools=tools)
        text = ShownText(self._say)
        try:
            response = await self._requests.ask(self._model, messages, parameters, text=text)
        except (asyncio.CancelledError, ModelError):
            await self._keep_partial(text.text)
            raise
        history.make_valid(response)
        await self._keep_response(response)
        return response

    def _say(self, message: str, text: str) -> None:
        self._live.add("text", message=message, text=text)

    async def _history(self) -> tuple[list[ModelMessage], list[str]]:
        """Return the history for the model, and the tools that it has found."""
        messages, calls = await in_thread(self._transcript.read, self._conversation)
        searched = newest_found(
            self._toolset.found_by(call.arguments) for call in calls if call.tool == FIND_TOOLS and call.text
        )
        built = history.build(messages, calls, shorten=history.Shortener(calls, self._options.result_characters))
        first = older(messages, self._turn) if is_full(built, self._options.context_tokens) else None
        if first is not None:
            await self._summarize(messages, calls, first)
            return await self._history()
        return history.with_instructions(built, self._options.instructions), searched

    async def _summarize(self, messages: list[Message], calls: list[ToolCall], first: int) -> None:
        """Replace everything before the message with number `first` by a summary."""
        before = [message for message in messages if message.number < first]
        made = [call for call in calls if call.message < first]
        sent = history.build(before, made, shorten=history.Shortener(made, self._options.result_characters))
        theirs = any(FENCE in text for text in (*(each.body for each in before), *(call.text for call in made)))
        # If the cheaper model fails, the other one keeps the conversation alive.
        models = [self._summary_model] + ([self._model] if self._summary_model is not self._model else [])
        fault = ModelError(NO_SUMMARY)
        for model in models:
            try:
                text = await summarize(self._requests, model, sent, third_party_text=theirs)
            except ModelError as error:
                fault = error
                continue
            if text:
                await in_thread(self._transcript.insert_summary, self._conversation, self._turn, text, first)
                return
            fault = ModelError(NO_SUMMARY)
        raise fault

    async def _keep_response(self, response: ModelResponse) -> None:
        if not response.parts:
            # Nothing was said, and some providers refuse a history with an empty answer.
            return
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
        ids = {call.id for call in await in_thread(self._transcript.calls, self._conversation)}
        renamed: list[ToolCall] = []
        for part, call in zip(response.tool_calls, calls, strict=True):
            if call.id in ids or not history.VALID_NAME.fullmatch(call.id):
                part.tool_call_id = f"call_{token_hex(8)}"
            ids.add(part.tool_call_id)
            renamed.append(ToolCall(part.tool_call_id, call.turn, 0, call.tool, call.arguments))
        return renamed

    async def _keep_partial(self, text: str) -> None:
        """Store what was said before the model broke off. Calls that it began to ask for are not made."""
        if text.strip():
            body = history.write_response(ModelResponse(parts=[TextPart(text)]))
            await in_thread(self._transcript.add, self._conversation, self._turn, "response", body)


def _ended(response: ModelResponse) -> Ended:
    """Return how a turn ends with this response. An incomplete answer does not count as done."""
    if response.finish_reason == "length":
        return Ended("stopped", CUT_OFF)
    if response.finish_reason == "content_filter":
        return Ended("failed", FILTERED)
    if response.finish_reason == "error":
        return Ended("failed", BROKEN)
    return Ended("done") if (response.text or "").strip() else Ended("failed", EMPTY)


def _arguments(part: ToolCallPart) -> dict[str, object] | None:
    try:
        value = part.args if isinstance(part.args, dict) else json.loads(part.args or "{}")
        # An escape may stand for half of a surrogate pair.
        value = json.loads(encodable(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
