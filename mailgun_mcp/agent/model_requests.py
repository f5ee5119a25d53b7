"""Makes a run's requests to models: within the limits, counted, and again if the provider did not take them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelMessage, ModelResponse, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

from mailgun_mcp.agent.display import SafeText
from mailgun_mcp.agent.errors import LimitError, ModelError
from mailgun_mcp.agent.event_log import LiveRun
from mailgun_mcp.agent.model_errors import FAILED, UNFINISHED, check_complete, pause_before_retry, retrying, why
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.agent.usage import Usage, UsageTable
from mailgun_mcp.errors import StateError
from mailgun_mcp.text.characters import encodable

if TYPE_CHECKING:
    from pydantic_ai.models import Model, ModelRequestParameters

TOO_MANY_REQUESTS = "Stopped after {} requests to the model in one turn. Send a message to continue."


class ShownText:
    """The text of one answer, shown as it comes."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        """`show` gets the id of the message, and more of its text."""
        message = token_hex(4)
        self._safe = SafeText(lambda text: show(message, text))
        self.text = ""

    def add(self, text: str) -> None:
        """Show more text."""
        if text:
            self.text += text
            self._safe.add(text)

    def end(self) -> None:
        """Show what was held back."""
        self._safe.end()


class ModelRequests:
    """The requests of one run. Each attempt counts as one."""

    def __init__(
        self, options: AgentOptions, live: LiveRun, principal: str, usage: UsageTable, clock: Callable[[], float]
    ) -> None:
        self._options = options
        self._live = live
        self._principal = principal
        self._usage = usage
        self._clock = clock
        self._made = 0
        self._warned: set[str] = set()

    async def check_calls(self) -> None:
        """Raise LimitError if the limit on calls of tools is reached."""
        stop, _ = await in_thread(
            self._usage.reached,
            *(self._options.limits, self._live.conversation, self._principal, self._clock()),
            names=("tool_calls",),
        )
        if stop is not None:
            raise LimitError(stop)

    async def ask(
        self,
        model: "Model",
        messages: Sequence[ModelMessage],
        parameters: "ModelRequestParameters | None" = None,
        *,
        text: ShownText | None = None,
    ) -> ModelResponse:
        """Return the model's answer, and show its text with `text`. Raises LimitError, ModelError, StateError."""
        attempt = 0
        while True:
            await self._check_limits()
            try:
                return await self._ask_once(model, messages, parameters, text)
            except StateError:
                raise
            except Exception as error:
                # What was shown cannot be taken back.
                shown = text.text if text is not None else ""
                pause = None if shown else pause_before_retry(error, attempt, self._options.retry_pause)
                if pause is None:
                    raise ModelError((UNFINISHED if shown.strip() else FAILED).format(why(error))) from error
                self._live.add("warning", text=retrying(error, pause))
                await asyncio.sleep(pause)
                attempt += 1

    async def count(self, used: Usage) -> None:
        """Record what was used. Raises StateError."""
        total = await in_thread(self._usage.count, self._live.conversation, self._principal, used, self._clock())
        if used.requests:
            self._live.add("usage", **total.record)

    async def _check_limits(self) -> None:
        """Warn of limits that are nearly reached. Raises LimitError if one is reached."""
        stop, near = await in_thread(
            self._usage.reached, self._options.limits, self._live.conversation, self._principal, self._clock()
        )
        for text in near:
            limit = text.partition(" of ")[2]
            if limit not in self._warned:
                self._warned.add(limit)
                self._live.add("warning", text=text)
        if stop is None and self._made >= self._options.limits.requests_per_turn:
            stop = TOO_MANY_REQUESTS.format(self._made)
        if stop is not None:
            raise LimitError(stop)

    async def _ask_once(
        self,
        model: "Model",
        messages: Sequence[ModelMessage],
        parameters: "ModelRequestParameters | None",
        text: ShownText | None,
    ) -> ModelResponse:
        started = time.monotonic()
        response: ModelResponse | None = None
        self._made += 1
        try:
            async with (
                asyncio.timeout(self._options.model_silence) as silence,
                model_request_stream(model, messages, model_request_parameters=parameters) as stream,
            ):
                async for event in stream:
                    silence.reschedule(asyncio.get_running_loop().time() + self._options.model_silence)
                    if text is not None:
                        text.add(encodable(_text_of(event)))
                response = stream.get()
        finally:
            if text is not None:
                text.end()
            await self.count(_used(response, model, time.monotonic() - started))
        check_complete(model, response)
        return response


def _text_of(event: object) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


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
