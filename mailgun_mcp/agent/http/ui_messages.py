"""The UI message stream of the AI SDK: the default protocol of `useChat`, including approvals.

`tool-approval-request` has the form for the person in `approvalDescriptor`. A name that must be typed comes back as the
`reason` of the response: `addToolApprovalResponse({id, approved: true, reason: "mail.example.com"})`.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.errors import BadMessageError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.http.requests import (
    answer_run,
    answering,
    caller,
    check_answers,
    json_object,
    message_run,
    text_of,
)
from mailgun_mcp.agent.http.sse import DONE, data, streaming
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.identity.principal import Principal

PATH = "/agent/chat"
CLIENT = "chat:ui"
VERSION = {"x-vercel-ai-ui-message-stream": "v1"}
Chunk = dict[str, Any]
FINISH = {"done": "stop", "waiting": "tool-calls", "cancelled": "interrupted", "failed": "error", "stopped": "length"}
"""How a run ended -> the SDK's name for that."""


class UiMessages:
    """The routes of the UI message stream."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PATH, answering(self._chat), methods=["POST"]),
            Route(f"{PATH}/{{id}}/stream", answering(self._stream), methods=["GET"]),
            Route(f"{PATH}/{{id}}/cancel", answering(self._cancel), methods=["POST"]),
        ]

    async def _chat(self, request: Request) -> Response:
        body, principal = await json_object(request), caller(request)
        conversation, message = body.get("id"), _last(body.get("messages"))
        if not isinstance(conversation, str):
            raise BadMessageError("`id` is missing: the id of the chat.")
        if message.get("role") == "user":
            text = text_of(message.get("parts"))
            run = message_run(conversation, str(message.get("id")), text)
            started = await self._runner.start(principal, conversation, text, run=run, client=CLIENT)
        else:
            answers = check_answers(principal, await self._answers(principal, conversation, message))
            run = answer_run(answers)
            started = await self._runner.answer(principal, conversation, answers, run=run, client=CLIENT)
        return streaming(self._lines(started, principal), **VERSION)

    async def _answers(self, principal: Principal, conversation: str, message: dict[str, Any]) -> list[Answer]:
        """Return the person's responses to open approvals. Others in the message are history and do not count."""
        responses = answers_in(message)
        still_open = {approval["approval"] for approval in await self._runner.open_approvals(principal, conversation)}
        return [answer for answer in responses if answer.approval in still_open] or responses

    async def _stream(self, request: Request) -> Response:
        principal, name = caller(request), request.path_params["id"]
        conversation = await self._runner.get(principal, name)
        if conversation.status != "running":
            return Response(status_code=204)
        after = 0
        async for event in self._runner.events(principal, name, follow=False):
            after = event.id if event.kind == "ended" else after
        run = Run(name, "", conversation.turn, after)
        return streaming(self._lines(run, principal), **VERSION)

    async def _cancel(self, request: Request) -> Response:
        await self._runner.cancel(caller(request), request.path_params["id"])
        return Response(status_code=204)

    async def _lines(self, run: Run, principal: Principal) -> AsyncIterator[str]:
        chunks = Chunks(run.turn)
        async for event in self._runner.watch(run, principal):
            for chunk in chunks.of(event):
                yield data(chunk)
        yield DONE


def answers_in(message: dict[str, Any]) -> list[Answer]:
    """Return the person's responses to approvals in a message. Raises BadMessageError if there is none."""
    answers = []
    parts = message.get("parts")
    for part in parts if isinstance(parts, list) else ():
        approval = part.get("approval") if isinstance(part, dict) else None
        if not isinstance(approval, dict) or part.get("state") != "approval-responded":
            continue
        name, yes, reason = approval.get("id"), approval.get("approved"), approval.get("reason")
        if isinstance(name, str) and isinstance(yes, bool):
            words = reason if isinstance(reason, str) else ""
            answers.append(Answer(name, yes, typed=words or None) if yes else Answer(name, yes, reason=words))
    if not answers:
        raise BadMessageError("The last message is neither from the user nor a response to an approval.")
    return answers


def _last(messages: Any) -> dict[str, Any]:
    message = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(message, dict):
        raise BadMessageError("`messages` must be a list that ends with the newest message.")
    return message


class Chunks:
    """Translates the events of one run."""

    def __init__(self, turn: str) -> None:
        self._message = message_run(turn)
        self._begun = False
        self._step: str | None = None
        self._text: str | None = None
        self._translations: dict[str, Callable[[dict[str, Any]], list[Chunk]]] = {
            "text": self._say,
            "tool_started": self._start_tool,
            "tool_finished": self._finish_tool,
            "approval_needed": self._ask,
            "approval_answered": lambda body: [{"type": "data-approval", "id": body["approval"], "data": body}],
            "third_party_text": lambda body: [
                {"type": "data-third-party-text", "id": "third-party-text", "data": body}
            ],
            "warning": lambda body: [{"type": "data-warning", "data": body}],
            "usage": lambda body: [{"type": "message-metadata", "messageMetadata": {"usage": body}}],
            "ended": self._end,
        }

    def of(self, event: Event) -> list[Chunk]:
        """Return the chunks for an event."""
        chunks: list[Chunk] = []
        if not self._begun:
            self._begun = True
            chunks.append({"type": "start", "messageId": self._message})
        if event.kind != "text":
            chunks += self._end_text()
        translate = self._translations.get(event.kind)
        return [*chunks, *(translate(event.body) if translate else ())]

    def _end_text(self) -> list[Chunk]:
        ended, self._text = self._text, None
        return [{"type": "text-end", "id": ended}] if ended else []

    def _begin_step(self, name: str) -> list[Chunk]:
        if self._step == name:
            return []
        before, self._step = self._step, name
        return [*([{"type": "finish-step"}] if before else []), {"type": "start-step"}]

    def _say(self, body: dict[str, Any]) -> list[Chunk]:
        chunks: list[Chunk] = []
        if self._text != body["message"]:
            chunks += [*self._end_text(), *self._begin_step(body["message"])]
            self._text = body["message"]
            chunks.append({"type": "text-start", "id": body["message"]})
        return [*chunks, {"type": "text-delta", "id": body["message"], "delta": body["text"]}]

    def _start_tool(self, body: dict[str, Any]) -> list[Chunk]:
        call = {"toolCallId": body["call"], "toolName": body["tool"], "dynamic": True, "title": body.get("title")}
        # A response without text is a step too: its calls do not belong to an earlier text.
        begun = [] if self._step else self._begin_step(body["call"])
        return [*begun, {"type": "tool-input-available", **call, "input": body.get("arguments")}]

    def _finish_tool(self, body: dict[str, Any]) -> list[Chunk]:
        call = {"toolCallId": body["call"], "dynamic": True}
        if body["status"] == "done":
            output = {"text": body["text"], "log": body["log"], "undo": body["undo"]}
            return [{"type": "tool-output-available", **call, "output": output}]
        if body["status"] == "denied":
            return [{"type": "tool-output-denied", "toolCallId": body["call"]}]
        return [{"type": "tool-output-error", **call, "errorText": f"{body['status']}: {body['text']}"}]

    def _ask(self, body: dict[str, Any]) -> list[Chunk]:
        return [
            {
                "type": "tool-approval-request",
                "approvalId": body["approval"],
                "toolCallId": body["call"],
                "reason": body["form"],
                "approvalDescriptor": body,
            }
        ]

    def _end(self, body: dict[str, Any]) -> list[Chunk]:
        failed = [{"type": "error", "errorText": body["text"]}] if body["outcome"] == "failed" else []
        stopped = [{"type": "data-ended", "data": body}] if body["outcome"] in ("cancelled", "stopped") else []
        step = [{"type": "finish-step"}] if self._step else []
        return [*stopped, *failed, *step, {"type": "finish", "finishReason": FINISH[body["outcome"]]}]
