"""OpenAI's Chat Completions, for Open WebUI, LibreChat and scripts.

The protocol has no approvals, so they are asked as text, and a line of the person's next message answers them.
`X-Conversation-Id` or `metadata.conversation_id` names the chat. A client that names none starts a new conversation
with each message; the earlier messages that it sends along are quoted in the new one, as text. The same `Idempotency-Key` again is
the same run.
"""

import time
from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.errors import AnswerError, BadMessageError, ForbiddenError, WaitingError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.http.in_words import answers_in, finished, questions
from mailgun_mcp.agent.http.requests import answer_run, answering, caller, check_answers, json_object, key_of, text_of
from mailgun_mcp.agent.http.run_usage import RunUsage, usage_before
from mailgun_mcp.agent.http.sse import DONE, data, streaming
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.usage import Usage
from mailgun_mcp.identity.principal import Principal

MODEL = "mailgun-agent"
CLIENT = "chat:completions"
HEADERS = ("x-conversation-id", "x-openwebui-chat-id")
"""Headers that name the chat. Open WebUI sends the second if ENABLE_FORWARD_USER_INFO_HEADERS is set."""
MOST_QUOTED = 20_000
"""Maximum length of the quotation of earlier messages, in characters."""
FINISH = {"done": "stop", "waiting": "stop", "cancelled": "stop", "failed": "stop", "stopped": "length"}


class Completions:
    """The routes of Chat Completions, and the list of models."""

    def __init__(self, runner: Runner, approvals_url: str | None) -> None:
        self._runner = runner
        self._link = approvals_url

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/chat/completions", answering(self._complete), methods=["POST"]),
            Route("/v1/models", answering(self._models), methods=["GET"]),
            Route("/v1/models/{id}", answering(self._model), methods=["GET"]),
        ]

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [MODEL_RECORD]})

    async def _model(self, request: Request) -> Response:
        if request.path_params["id"] != MODEL:
            error = {
                "message": f"There is only one model: {MODEL}",
                "type": "NotFound",
                "code": "model_not_found",
                "param": None,
            }
            return JSONResponse({"error": error}, 404)
        return JSONResponse(MODEL_RECORD)

    async def _complete(self, request: Request) -> Response:
        body, principal = await json_object(request), caller(request)
        answer = _Answer(request, body, key_of(request, principal))
        try:
            run = await self._begin(principal, answer)
        except WaitingError as error:
            return answer.whole(f"{error}{questions(error.approvals, self._link)}")
        except (AnswerError, ForbiddenError) as error:
            return answer.whole(str(error))
        if body.get("stream") is True:
            return streaming(answer.stream(self._pieces(run, principal, answer.usage)))
        pieces = [piece async for piece in self._pieces(run, principal, answer.usage)]
        return answer.whole("".join(text for text, _ in pieces).strip(), *[finish for _, finish in pieces if finish])

    async def _begin(self, principal: Principal, answer: "_Answer") -> Run:
        answers = check_answers(principal, answers_in(answer.text))
        if not answers:
            if answer.is_named:
                answer.usage = RunUsage(await usage_before(self._runner, principal, answer.conversation))
            text = answer.text if answer.is_named else f"{answer.quoted}{answer.text}"
            return await self._runner.start(principal, answer.conversation, text, run=answer.id, client=CLIENT)
        for name in (answer.conversation,) if answer.is_named else await self._waiting(principal):
            named = [one["approval"] for one in await self._runner.open_approvals(principal, name)]
            if answer.is_named or answers[0].approval in named:
                answer.usage = RunUsage(await usage_before(self._runner, principal, name))
                return await self._runner.answer(principal, name, answers, run=answer_run(answers), client=CLIENT)
        raise AnswerError(f"The approval {answers[0].approval[:40]!r} is not open in any conversation of yours.")

    async def _waiting(self, principal: Principal) -> list[str]:
        return [each.id for each in await self._runner.conversations(principal) if each.status == "waiting"]

    async def _pieces(self, run: Run, principal: Principal, usage: RunUsage) -> AsyncIterator[tuple[str, str]]:
        """Yield the texts of a run. The last one comes with the reason for the end."""
        asked: list[dict[str, Any]] = []
        async for event in self._runner.watch(run, principal):
            usage.see(event)
            if event.kind == "approval_needed":
                asked.append(event.body)
            elif event.kind == "ended":
                ending = f"\n\n{event.body['text']}" if event.body["outcome"] not in ("done", "waiting") else ""
                yield f"{questions(asked, self._link)}{ending}", FINISH[event.body["outcome"]]
            elif text := _words(event):
                yield text, ""


MODEL_RECORD = {"id": MODEL, "object": "model", "created": 1_700_000_000, "owned_by": "mailgun-mcp"}


def _words(event: Event) -> str:
    match event.kind:
        case "text":
            return str(event.body["text"])
        case "tool_finished":
            return finished(event.body)
        case "warning":
            return f"\n\n{event.body['text']}\n\n"
    return ""


class _Answer:
    """Reads one request, and forms its answer."""

    def __init__(self, request: Request, body: dict[str, Any], key: str | None) -> None:
        messages = body.get("messages")
        last = messages[-1] if isinstance(messages, list) and messages else None
        if not isinstance(last, dict) or last.get("role") != "user":
            raise BadMessageError("The last of `messages` must be from the user.")
        metadata = body.get("metadata")
        named = next((request.headers[name] for name in HEADERS if name in request.headers), None)
        if named is None and isinstance(metadata, dict):
            named = metadata.get("conversation_id")
        if not isinstance(named, str | None):
            raise BadMessageError("`metadata.conversation_id` must be text.")
        self.text = text_of(last.get("content"))
        self.is_named = named is not None
        self.conversation: str = named or f"completion-{key or token_hex(12)}"
        self.id = f"chatcmpl-{key or token_hex(12)}"
        self.quoted = _quoted(messages[:-1] if isinstance(messages, list) else [])
        self.usage = RunUsage(Usage())
        self._created = int(time.time())
        self._with_usage = isinstance(options := body.get("stream_options"), dict) and bool(
            options.get("include_usage")
        )

    def whole(self, text: str, finish: str = "stop") -> Response:
        """Return the complete answer."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        record = {**self._record("chat.completion"), "choices": [choice], "usage": self.usage.as_completion}
        return JSONResponse(record, headers={"X-Conversation-Id": self.conversation})

    async def stream(self, pieces: AsyncIterator[tuple[str, str]]) -> AsyncIterator[str]:
        """Yield the answer in chunks."""
        yield self._chunk({"role": "assistant", "content": ""}, None)
        async for text, finish in pieces:
            if text:
                yield self._chunk({"content": text}, None)
            if finish:
                yield self._chunk({}, finish)
        if self._with_usage:
            yield data({**self._record("chat.completion.chunk"), "choices": [], "usage": self.usage.as_completion})
        yield DONE

    def _chunk(self, delta: dict[str, str], finish: str | None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return data({**self._record("chat.completion.chunk"), "choices": [choice]})

    def _record(self, kind: str) -> dict[str, Any]:
        metadata = {"conversation_id": self.conversation}
        return {"id": self.id, "object": kind, "created": self._created, "model": MODEL, "metadata": metadata}


def _quoted(messages: list[Any]) -> str:
    """Return the earlier messages of a client that names no conversation, as a mere quotation."""
    lines = []
    for message in messages:
        if isinstance(message, dict) and message.get("role") in ("user", "assistant"):
            text = text_of(message.get("content")).strip()
            lines += [f"> {message['role']}: {line}" for line in text.splitlines()]
    quoted = "\n".join(lines)[-MOST_QUOTED:]
    return f"Earlier in this chat, as the client quotes it:\n{quoted}\n\n" if quoted else ""
