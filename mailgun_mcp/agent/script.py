"""A model that plays a script, for demonstrations and tests. Needs no key and no network.

    turns:
      - user: bounce                       # a message that matches this plays these steps; else the next turn
        steps:
          - say: "Let me look."
            calls: [{tool: list_bounces, arguments: {domain: mail.example.com}}]
          - when: said no                  # a step that is skipped unless the last result contains this
            say: "Then I leave it."
          - say: "The first is ${list_bounces:items.0.address}."

`${tool:path}` stands for a value in the newest result of a tool. The next step depends only on the history.
"""

import json
import re
from asyncio import sleep
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from mailgun_mcp.agent.operator_files import read_file
from mailgun_mcp.output.untrusted import unfenced

if TYPE_CHECKING:
    from pydantic_ai.models import Model

VALUE = re.compile(r"\$\{(?P<tool>[a-z_]+):(?P<path>[^}]+)\}")
WORD = re.compile(r"\s*\S+\s*")
NOTHING_MORE = "The script has nothing more to say."


class Call(BaseModel):
    """A call of a step."""

    model_config = ConfigDict(extra="forbid")
    tool: str
    arguments: dict[str, Any] = {}


class Step(BaseModel):
    """One response of the model."""

    model_config = ConfigDict(extra="forbid")
    say: str = ""
    calls: list[Call] = []
    when: str | None = None


class Turn(BaseModel):
    """The responses to one message."""

    model_config = ConfigDict(extra="forbid")
    user: str | None = None
    steps: list[Step]


class Script(BaseModel):
    """A whole script."""

    model_config = ConfigDict(extra="forbid")
    turns: list[Turn]
    delay: float = 0.0
    """Seconds between two words."""


def open_script(file: str) -> "Model":
    """Return a model that plays the script in a YAML file. Raises SettingsError."""
    path = Path(file).expanduser()
    return scripted(read_file(path, Script, "model"), name=path.stem)


def scripted(script: Script, *, name: str = "script") -> "Model":
    """Return a model that plays the script."""

    async def stream(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        step = next_step(script, messages)
        for word in WORD.findall(_filled(step.say, messages)) or [""]:
            yield word
            if script.delay:
                await sleep(script.delay)
        made = sum(isinstance(message, ModelResponse) for message in messages)
        for number, call in enumerate(step.calls):
            arguments = json.dumps(_filled_in(call.arguments, messages))
            yield {number + 1: DeltaToolCall(call.tool, arguments, tool_call_id=f"s{made}-{number}")}

    return FunctionModel(stream_function=stream, model_name=name)


def next_step(script: Script, messages: Sequence[ModelMessage]) -> Step:
    """Return the step that follows this history."""
    turn: Turn | None = None
    position, last, messages_before = 0, "", 0
    for message in messages:
        if isinstance(message, ModelResponse):
            position = _position(turn, position, last) + 1
            continue
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                turn, position, messages_before = (
                    _turn(script, str(part.content), messages_before),
                    0,
                    messages_before + 1,
                )
            elif isinstance(part, ToolReturnPart):
                last = str(part.content)
    position = _position(turn, position, last)
    if turn is None or position >= len(turn.steps):
        return Step(say=NOTHING_MORE)
    return turn.steps[position]


def _turn(script: Script, text: str, messages_before: int) -> Turn | None:
    for turn in script.turns:
        if turn.user is not None and re.search(turn.user, text, re.IGNORECASE):
            return turn
    unnamed = [turn for turn in script.turns if turn.user is None]
    return unnamed[messages_before % len(unnamed)] if unnamed else None


def _position(turn: Turn | None, position: int, last: str) -> int:
    """Return the first step, from `position` on, that is not skipped."""
    steps = turn.steps if turn else []
    while position < len(steps) and steps[position].when is not None and str(steps[position].when) not in last:
        position += 1
    return position


def _filled_in(value: Any, messages: Sequence[ModelMessage]) -> Any:
    if isinstance(value, str):
        return _filled(value, messages)
    if isinstance(value, dict):
        return {name: _filled_in(item, messages) for name, item in value.items()}
    return [_filled_in(item, messages) for item in value] if isinstance(value, list) else value


def _filled(text: str, messages: Sequence[ModelMessage]) -> str:
    return VALUE.sub(lambda match: _value(match["tool"], match["path"], messages), text)


def _value(tool: str, path: str, messages: Sequence[ModelMessage]) -> str:
    results = [
        part.content
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart) and part.tool_name == tool
    ]
    for result in reversed(results):
        try:
            value: Any = json.loads(str(result))
            for key in path.split("."):
                value = len(value) if key == "#" else value[int(key)] if isinstance(value, list) else value[key]
        except (ValueError, LookupError, TypeError):
            continue
        return unfenced(str(value))
    return "?"
