"""OpenAI's Responses, with its items for approvals: `mcp_approval_request` and `mcp_approval_response`.

A response's id contains the conversation's, so `previous_response_id` continues it. From `input`, only the newest user
message or the responses to approvals are read. A name that must be typed is sent as the `reason` of an approval.
The same `Idempotency-Key` again is the same run.
"""

import json
import time
from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.errors import BadMessageError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.http.completions import MODEL
from mailgun_mcp.agent.http.requests import answer_run, answering, caller, check_answers, json_object, key_of, text_of
from mailgun_mcp.agent.http.run_usage import RunUsage, usage_before
from mailgun_mcp.agent.http.sse import named, streaming
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.identity.principal import Principal

PATH = "/v1/responses"
CLIENT = "chat:responses"
SERVER = "mailgun"
STATUS = {"failed": "failed", "cancelled": "cancelled", "stopped": "incomplete"}
Item = dict[str, Any]


class Responses:
    """The route of Responses."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PATH, answering(self._create), methods=["POST"]),
            Route(f"{PATH}/{{id}}/cancel", answering(self._cancel), methods=["POST"]),
        ]

    async def _create(self, request: Request) -> Response:
        body, principal = await json_object(request), caller(request)
        previous, key = body.get("previous_response_id"), key_of(request, principal)
        conversation = _conversation_of(previous) if previous is not None else f"conv_{key or token_hex(12)}"
        if previous is not None:
            await self._runner.get(principal, conversation)
        answers = check_answers(principal, _answers(body.get("input")))
        usage = RunUsage(await usage_before(self._runner, principal, conversation))
        if answers:
            run = await self._runner.answer(principal, conversation, answers, run=answer_run(answers), client=CLIENT)
        else:
            text, name = _newest_message(body.get("input")), f"run_{key or token_hex(8)}"
            run = await self._runner.start(principal, conversation, text, run=name, client=CLIENT)
        translated = Translation(f"resp_{conversation}.{key or token_hex(6)}", previous, usage)
        if body.get("stream") is True:
            return streaming(self._lines(run, principal, translated))
        async for event in self._runner.watch(run, principal):
            for _ in translated.of(event):
                """`of` adds the items to the translation."""
        return JSONResponse(translated.record)

    async def _lines(self, run: Run, principal: Principal, translated: "Translation") -> AsyncIterator[str]:
        for name in ("response.created", "response.in_progress"):
            yield translated.event(name, response=translated.record)
        async for event in self._runner.watch(run, principal):
            for line in translated.of(event):
                yield line

    async def _cancel(self, request: Request) -> Response:
        name = request.path_params["id"]
        await self._runner.cancel(caller(request), _conversation_of(name))
        translated = Translation(name, None)
        translated.status = "cancelled"
        return JSONResponse(translated.record)


class Translation:
    """Translates the events of one run into the items of one response."""

    def __init__(self, name: str, previous: Any, usage: RunUsage | None = None) -> None:
        self.status = "in_progress"
        self._id, self._previous, self._usage = name, previous, usage
        self._created = time.time()
        self._items: list[Item] = []
        self._text: Item | None = None
        self._calls: dict[str, Item] = {}
        self._sequence = 0
        self._error: str | None = None

    @property
    def record(self) -> Item:
        """The response so far."""
        error = {"code": "server_error", "message": self._error} if self._error else None
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": self.status,
            "error": error,
            "incomplete_details": {"reason": "max_output_tokens"} if self.status == "incomplete" else None,
            "instructions": None,
            "metadata": {},
            "model": MODEL,
            "output": self._items,
            "parallel_tool_calls": False,
            "previous_response_id": self._previous,
            "temperature": None,
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "usage": self._usage.as_response if self._usage and self.status != "in_progress" else None,
        }

    def event(self, kind: str, **fields: Any) -> str:
        """Return one event of the stream."""
        self._sequence += 1
        return named(kind, {"type": kind, "sequence_number": self._sequence - 1, **fields})

    def of(self, event: Event) -> list[str]:
        """Return the stream events for an event of ours, and add its items to the response."""
        body = event.body
        if self._usage:
            self._usage.see(event)
        if event.kind == "text":
            return self._add_text(body["text"])
        lines = self._end_text()
        match event.kind:
            case "tool_started":
                lines += self._start_call(body)
            case "tool_finished":
                lines += self._end_call(body)
            case "approval_needed":
                lines += self._ask(body)
            case "warning":
                lines += [*self._add_text(body["text"]), *self._end_text()]
            case "ended":
                lines += self._end(body)
        return lines

    def _add(self, item: Item) -> str:
        self._items.append(item)
        return self.event("response.output_item.added", output_index=len(self._items) - 1, item=item)

    def _done(self, item: Item) -> str:
        return self.event("response.output_item.done", output_index=self._items.index(item), item=item)

    def _add_text(self, text: str) -> list[str]:
        lines = []
        if self._text is None:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            self._text = {
                "id": f"msg_{token_hex(8)}",
                "type": "message",
                "role": "assistant",
                "status": "in_progress",
                "content": [],
            }
            lines.append(self._add(self._text))
            self._text["content"] = [part]
            lines.append(self.event("response.content_part.added", part=part, **self._position()))
        self._text["content"][0]["text"] += text
        return [*lines, self.event("response.output_text.delta", delta=text, logprobs=[], **self._position())]

    def _end_text(self) -> list[str]:
        if self._text is None:
            return []
        part = self._text["content"][0]
        self._text["status"] = "completed"
        lines = [
            self.event("response.output_text.done", text=part["text"], logprobs=[], **self._position()),
            self.event("response.content_part.done", part=part, **self._position()),
            self._done(self._text),
        ]
        self._text = None
        return lines

    def _position(self) -> dict[str, Any]:
        item = self._text or {}
        return {"item_id": item["id"], "output_index": self._items.index(item), "content_index": 0}

    def _start_call(self, body: dict[str, Any]) -> list[str]:
        arguments = json.dumps(body.get("arguments"), ensure_ascii=False)
        item = {
            "id": f"mcp_{body['call']}",
            "type": "mcp_call",
            "server_label": SERVER,
            "name": body["tool"],
            "arguments": arguments,
        }
        self._calls[body["call"]] = {**item, "output": None, "error": None, "approval_request_id": None}
        return []

    def _end_call(self, body: dict[str, Any]) -> list[str]:
        empty = {
            "id": f"mcp_{body['call']}",
            "type": "mcp_call",
            "server_label": SERVER,
            "name": body["tool"],
            "arguments": "{}",
        }
        item = self._calls.pop(body["call"], {**empty, "output": None, "error": None, "approval_request_id": None})
        item["output" if body["status"] == "done" else "error"] = body["text"]
        ended = "completed" if body["status"] == "done" else "failed"
        position = {"output_index": len(self._items), "item_id": item["id"]}
        added = self._add(item)
        return [added, self.event(f"response.mcp_call.{ended}", **position), self._done(item)]

    def _ask(self, body: dict[str, Any]) -> list[str]:
        """Show the form to the person as text, and ask with an item."""
        call = self._calls.pop(body["call"], {})
        lines = [*self._add_text(f"\n{body['form']}\n"), *self._end_text()]
        item = {
            "id": body["approval"],
            "type": "mcp_approval_request",
            "server_label": SERVER,
            "name": body["tool"],
            "arguments": call.get("arguments", "{}"),
        }
        return [*lines, self._add(item), self._done(item)]

    def _end(self, body: dict[str, Any]) -> list[str]:
        self.status = STATUS.get(body["outcome"], "completed")
        self._error = body["text"] if self.status == "failed" else None
        lines = []
        if self.status in ("cancelled", "incomplete"):
            lines = [*self._add_text(body["text"]), *self._end_text()]
        name = {"failed": "response.failed", "incomplete": "response.incomplete"}.get(self.status, "response.completed")
        return [*lines, self.event(name, response=self.record)]


def _conversation_of(response: Any) -> str:
    """Return the conversation that a response id names. The runner checks who owns it."""
    name = response.removeprefix("resp_").rpartition(".")[0] if isinstance(response, str) else ""
    if not name:
        raise BadMessageError("`previous_response_id` must be the id of a response of this server.")
    return name


def _items(value: Any) -> list[Item]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _answers(value: Any) -> list[Answer]:
    """Return the responses to approvals in the input."""
    answers = []
    for item in _items(value):
        if item.get("type") != "mcp_approval_response":
            continue
        approval, yes, reason = item.get("approval_request_id"), item.get("approve"), item.get("reason")
        if not isinstance(approval, str) or not isinstance(yes, bool) or not isinstance(reason, str | None):
            raise BadMessageError(
                "An `mcp_approval_response` has `approval_request_id` and `approve`, and may have a `reason`."
            )
        answers.append(Answer(approval, True, typed=reason) if yes else Answer(approval, False, reason=reason or ""))
    return answers


def _newest_message(value: Any) -> str:
    if isinstance(value, str):
        return value
    messages = [item for item in _items(value) if item.get("type", "message") == "message"]
    if not messages or messages[-1].get("role") != "user":
        raise BadMessageError(
            "`input` must be text, or end with a message from the user or with responses to approvals."
        )
    return text_of(messages[-1].get("content"))
