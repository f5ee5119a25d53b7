"""AG-UI 1.0: translates the input of a run for the runner, and the runner's events into those of the protocol.

Only three things that a client sends count: the thread's id, the newest user message, and answers to open interrupts.
Everything else (earlier messages, tool calls and results, tools, state, context) is ignored: the server has the
history.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from ag_ui.core import (
    BaseEvent,
    CustomEvent,
    Interrupt,
    ResumeEntry,
    RunAgentInput,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedSuccessOutcome,
    RunStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)
from ag_ui.encoder import EventEncoder
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.errors import (
    AgentError,
    AnswerError,
    BadMessageError,
    ForbiddenError,
    WaitingError,
)
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.http.requests import answering, caller, check_answers, read_whole, text_of
from mailgun_mcp.agent.http.sse import streaming
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.text.json_faults import json_fault
from mailgun_mcp.text.validation_words import in_words

CLIENT = "chat:agui"
CUSTOM = frozenset({"approval_answered", "third_party_text", "warning", "usage"})
PREFIX = "mailgun-mcp/"
"""Prefix of the names of our custom events."""
PAYLOAD = frozenset({"approved", "typed", "reason"})
EDITED = "The arguments of a call cannot be edited: say no, and ask for another call."
INCOMPLETE = "All open interrupts must be answered in one resume. Missing: {}"
IN_THE_STREAM = (WaitingError, AnswerError, ForbiddenError)
"""Errors that the protocol reports as the error of a run. Other errors fail the request."""


class AgUi:
    """The route of the protocol."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route("/agent/agui", answering(self._run), methods=["POST"])]

    async def _run(self, request: Request) -> Response:
        principal, body = caller(request), await read_whole(request)
        try:
            given = RunAgentInput.model_validate_json(body)
        except ValidationError as error:
            raise BadMessageError(_first_fault(error, body)) from error
        try:
            run = await begin(self._runner, principal, given)
        except IN_THE_STREAM as error:
            return streaming(_encoded(_each(refused(given, error))))
        return streaming(_encoded(events(self._runner, principal, run)))


async def _each(events: Sequence[BaseEvent]) -> AsyncIterator[BaseEvent]:
    for event in events:
        yield event


async def _encoded(events: AsyncIterator[BaseEvent]) -> AsyncIterator[str]:
    encoder = EventEncoder()
    async for event in events:
        yield encoder.encode(event)


def _first_fault(error: ValidationError, body: bytes) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    if fault["type"] == "json_invalid":
        return f"The body cannot be read: {json_fault(body)}."
    where = ".".join(map(str, fault["loc"])) or "the body"
    text = in_words(fault["type"], fault["msg"]).replace("a mapping", "an object")
    return f"This is not the input of an AG-UI run: {where} {text}"[:300]


async def begin(runner: Runner, principal: Principal, given: RunAgentInput) -> Run:
    """Start or continue a run, or return the existing one of that id. Raises AgentError."""
    thread, run = given.thread_id, given.run_id
    if given.resume:
        answers = await _answers(runner, principal, given)
        check_answers(principal, answers)
        return await runner.answer(principal, thread, answers, run=run, client=CLIENT)
    return await runner.start(principal, thread, _newest_message(given), run=run, client=CLIENT)


async def events(runner: Runner, principal: Principal, run: Run) -> AsyncIterator[BaseEvent]:
    """Yield the run as events of the protocol."""
    translation = _Translation(run)
    yield RunStartedEvent(thread_id=run.conversation, run_id=run.id)
    async for event in runner.watch(run, principal):
        if event.kind == "ended":
            for last in translation.end_text():
                yield last
            yield await _finished(runner, principal, run, event)
            return
        for translated in translation.of(event):
            yield translated


def refused(given: RunAgentInput, error: AgentError) -> list[BaseEvent]:
    """Return the events of a refused run."""
    return [
        RunStartedEvent(thread_id=given.thread_id, run_id=given.run_id),
        RunErrorEvent(message=str(error), code=error.code.upper()),
    ]


def interrupt(body: Mapping[str, Any]) -> Interrupt:
    """Return the interrupt that asks a person about an open approval."""
    properties: dict[str, Any] = {"approved": {"type": "boolean"}, "reason": {"type": "string"}}
    required = ["approved"]
    if body["typed"] is not None:
        properties["typed"] = {"type": "string", "const": body["typed"], "title": f"Type {body['typed']}"}
    return Interrupt(
        id=body["approval"],
        reason="tool_call",
        message=body["form"],
        tool_call_id=body["call"],
        response_schema={
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        expires_at=body["expires"],
        metadata={name: body[name] for name in ("tool", "title", "level", "typed", "answerable")},
    )


def _newest_message(given: RunAgentInput) -> str:
    message = given.messages[-1] if given.messages else None
    if message is None or message.role != "user":
        raise BadMessageError("The last message must be from the user.")
    content = message.content
    return text_of(content if isinstance(content, str) else [part.model_dump() for part in content])


async def _answers(runner: Runner, principal: Principal, given: RunAgentInput) -> list[Answer]:
    entries = given.resume or []
    answers = [_answer(entry) for entry in entries]
    names = [answer.approval for answer in answers]
    if len(set(names)) != len(names):
        raise AnswerError("An interrupt is answered twice in one resume.")
    if await runner.knows(principal, given.thread_id, given.run_id):
        # A repeated resume replays its run, and answers nothing.
        return answers
    open_ones = {body["approval"] for body in await runner.open_approvals(principal, given.thread_id)}
    missing = sorted(open_ones - set(names))
    if missing:
        raise AnswerError(INCOMPLETE.format(", ".join(missing)))
    return answers


def _answer(entry: ResumeEntry) -> Answer:
    if entry.status == "cancelled":
        return Answer(entry.interrupt_id, False)
    payload = entry.payload
    if not isinstance(payload, dict) or not isinstance(payload.get("approved"), bool):
        raise AnswerError("The payload of a resume must be an object with `approved`: true or false.")
    others = sorted(payload.keys() - PAYLOAD)
    if others:
        raise AnswerError(f"{EDITED} Unknown: {', '.join(map(str, others))}")
    typed, reason = payload.get("typed"), payload.get("reason")
    if not isinstance(typed, str | None) or not isinstance(reason, str | None):
        raise AnswerError("`typed` and `reason` must be text.")
    if payload["approved"] and reason:
        raise AnswerError("The answer says yes and gives a reason against it.")
    return Answer(entry.interrupt_id, payload["approved"], typed, reason or "")


async def _finished(runner: Runner, principal: Principal, run: Run, event: Event) -> BaseEvent:
    outcome, text = event.body["outcome"], event.body["text"]
    if outcome in ("failed", "stopped"):
        return RunErrorEvent(message=text, code=outcome.upper())
    result: Any
    if outcome == "cancelled":
        result = RunFinishedCancelledOutcome()
    elif outcome == "waiting":
        open_ones = await runner.open_approvals(principal, run.conversation)
        result = RunFinishedInterruptOutcome(interrupts=[interrupt(body) for body in open_ones])
        if not open_ones:
            # Somebody has answered elsewhere meanwhile, and the turn continues in another run.
            result = RunFinishedSuccessOutcome()
    else:
        result = RunFinishedSuccessOutcome()
    return RunFinishedEvent(thread_id=run.conversation, run_id=run.id, outcome=result)


class _Translation:
    """Translates the events of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._message = ""

    def of(self, event: Event) -> list[BaseEvent]:
        """Return the protocol's events for one of our events."""
        body = event.body
        if event.kind == "text":
            return self._text(event)
        translated = self.end_text()
        match event.kind:
            case "tool_started":
                call = body["call"]
                arguments = json.dumps(body["arguments"], ensure_ascii=False)
                translated += [
                    ToolCallStartEvent(tool_call_id=call, tool_call_name=body["tool"]),
                    ToolCallArgsEvent(tool_call_id=call, delta=arguments),
                    ToolCallEndEvent(tool_call_id=call),
                ]
            case "tool_finished":
                translated.append(
                    ToolCallResultEvent(
                        message_id=f"result-{body['call']}",
                        tool_call_id=body["call"],
                        content=body["text"],
                        role="tool",
                    )
                )
            case kind if kind in CUSTOM:
                translated.append(CustomEvent(name=f"{PREFIX}{kind}", value=body))
        return translated

    def end_text(self) -> list[BaseEvent]:
        """Return the end of the text that is streaming, if any."""
        ended, self._message = self._message, ""
        return [TextMessageEndEvent(message_id=ended)] if ended else []

    def _text(self, event: Event) -> list[BaseEvent]:
        message, text = event.body["message"], event.body["text"]
        if not text:
            return []
        begun: list[BaseEvent] = []
        if message != self._message:
            begun = [*self.end_text(), TextMessageStartEvent(message_id=message, role="assistant")]
            self._message = message
        return [*begun, TextMessageContentEvent(message_id=message, delta=text)]
