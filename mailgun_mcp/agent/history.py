"""Builds the model's history from what the server has stored: messages, and the results of calls."""

import json
import re
from collections.abc import Sequence

from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from mailgun_mcp.agent.transcript import OPEN, Message, ToolCall
from mailgun_mcp.errors import StateError
from mailgun_mcp.text.characters import encodable

SUMMARY = "Summary of the conversation before this point, written by you:\n{}"
VALID_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
"""The ids and names of tools that every provider takes."""
INVALID = re.compile("[^A-Za-z0-9_-]")
NOT_READ = "This call was not made."


def build(
    messages: Sequence[Message], calls: Sequence[ToolCall], *, shorten: "Shortener | None" = None
) -> list[ModelMessage]:
    """Return the history for the model. It has a result for every call that a response asks for."""
    by_message: dict[int, list[ToolCall]] = {}
    for call in calls:
        by_message.setdefault(call.message, []).append(call)
    history: list[ModelMessage] = []
    for message in messages:
        match message.kind:
            case "response":
                history.append(read_response(message.body))
                results = by_message.get(message.number)
                if results:
                    history.append(ModelRequest(parts=[_returned(call, shorten) for call in results]))
            case "summary":
                history.append(ModelRequest(parts=[UserPromptPart(SUMMARY.format(message.body))]))
            case _:
                history.append(ModelRequest(parts=[UserPromptPart(message.body)]))
    return history


class Shortener:
    """Replaces older results with a short line. The newest stay as they are."""

    def __init__(self, calls: Sequence[ToolCall], room: int) -> None:
        """`room` is the most characters that all results may have together."""
        self._replaced: set[str] = set()
        used = 0
        for call in reversed(calls):
            used += len(call.text)
            if used > room:
                self._replaced.add(call.id)

    def __call__(self, call: ToolCall) -> str:
        """Return the result, or the line that replaces it."""
        if call.id not in self._replaced or len(call.text) < 400:
            return call.text
        log = f" (audit log: {call.log})" if call.log else ""
        return (
            f"[{call.status}; the result of {len(call.text):,} characters is no longer shown here{log}. "
            f"Call {call.tool} again to read it.]"
        )


def _returned(call: ToolCall, shorten: Shortener | None) -> ToolReturnPart:
    text = NOT_READ if call.status in OPEN else shorten(call) if shorten else call.text
    return ToolReturnPart(call.tool, text, tool_call_id=call.id)


def read_response(body: str) -> ModelResponse:
    """Return a stored response."""
    (response,) = ModelMessagesTypeAdapter.validate_json(body)
    if not isinstance(response, ModelResponse):
        raise StateError("a message of the conversation cannot be read")
    return response


def write_response(response: ModelResponse) -> str:
    """Return a response in the form in which it is stored."""
    return ModelMessagesTypeAdapter.dump_json([response]).decode()


def make_valid(response: ModelResponse) -> None:
    """Change what no provider takes back in a history, as that would end the conversation for good.

    A model may send half of a surrogate pair, blank text, or a name of a tool with other characters.
    """
    for part in response.parts:
        for name in ("content", "tool_name", "tool_call_id", "args"):
            value = getattr(part, name, None)
            if isinstance(value, str):
                setattr(part, name, encodable(value))
        if isinstance(part, ToolCallPart):
            part.tool_name = INVALID.sub("_", part.tool_name)[:64] or "unnamed"
    response.parts = [part for part in response.parts if not isinstance(part, TextPart) or part.content.strip()]


def with_instructions(history: Sequence[ModelMessage], instructions: str) -> list[ModelMessage]:
    """Return the history with the instructions in front. No client and no text can change them."""
    first = ModelRequest(parts=[SystemPromptPart(instructions)])
    return [first, *history]


def size(history: Sequence[ModelMessage]) -> int:
    """Return the size of the history in characters, roughly as a provider counts them."""
    return sum(len(json.dumps(ModelMessagesTypeAdapter.dump_python([message], mode="json"))) for message in history)
