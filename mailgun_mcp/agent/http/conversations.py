"""Conversations as JSON: list them, read one with its events, delete it, cancel its run, answer its approvals."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import BadMessageError
from mailgun_mcp.agent.http.requests import answer_run, answering, caller, check_answers, json_object
from mailgun_mcp.agent.http.sse import data, streaming
from mailgun_mcp.agent.runner import Runner

PATH = "/agent/conversations"


class ConversationRoutes:
    """The routes of conversations."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = f"{PATH}/{{id}}"
        return [
            Route(PATH, answering(self._list, parameters=()), methods=["GET"]),
            Route(one, answering(self._get, parameters=()), methods=["GET"]),
            Route(one, answering(self._delete, parameters=()), methods=["DELETE"]),
            Route(f"{one}/events", answering(self._events, parameters=("after",)), methods=["GET"]),
            Route(f"{one}/messages", answering(self._say, parameters=()), methods=["POST"]),
            Route(f"{one}/answers", answering(self._answer, parameters=()), methods=["POST"]),
            Route(f"{one}/cancel", answering(self._cancel, parameters=()), methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        conversations = await self._runner.conversations(caller(request))
        return JSONResponse({"conversations": [conversation.record for conversation in conversations]})

    async def _get(self, request: Request) -> Response:
        principal, name = caller(request), request.path_params["id"]
        conversation = await self._runner.get(principal, name)
        events = [event.record async for event in self._runner.events(principal, name, follow=False)]
        usage = await self._runner.usage(principal, name)
        approvals = await self._runner.open_approvals(principal, name)
        return JSONResponse(
            {**conversation.record, "usage": usage.record, "open_approvals": approvals, "events": events}
        )

    async def _delete(self, request: Request) -> Response:
        await self._runner.delete(caller(request), request.path_params["id"])
        return Response(status_code=204)

    async def _events(self, request: Request) -> Response:
        """Stream the events after the id in `after`, or in the header that a browser sends when it resumes a stream."""
        principal, name = caller(request), request.path_params["id"]
        text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        if not text.isdecimal() or len(text) > 15:
            raise BadMessageError("`after` must be the id of an event.")
        await self._runner.get(principal, name)

        async def lines() -> Any:
            async for event in self._runner.events(principal, name, after=int(text)):
                yield f"id: {event.id}\n{data(event.record)}"

        return streaming(lines())

    async def _say(self, request: Request) -> Response:
        body = await json_object(request)
        text, run = body.get("text"), body.get("run")
        if not isinstance(text, str) or not isinstance(run, str):
            raise BadMessageError('The body must be {"text": "...", "run": "an id of yours, new for each message"}.')
        started = await self._runner.start(
            caller(request), request.path_params["id"], text, run=run, client="chat:page"
        )
        return JSONResponse({"run": started.id, "after": started.after}, 202)

    async def _answer(self, request: Request) -> Response:
        answers = check_answers(caller(request), answers_of((await json_object(request)).get("answers")))
        continued = await self._runner.answer(
            caller(request), request.path_params["id"], answers, run=answer_run(answers), client="chat:page"
        )
        return JSONResponse({"run": continued.id, "after": continued.after}, 202)

    async def _cancel(self, request: Request) -> Response:
        await self._runner.cancel(caller(request), request.path_params["id"])
        return Response(status_code=204)


def answers_of(value: Any) -> list[Answer]:
    """Return the answers in a JSON value. Raises BadMessageError."""
    answers = []
    for item in value if isinstance(value, list) else [None]:
        fields = item if isinstance(item, dict) else {}
        approval, yes = fields.get("approval"), fields.get("yes")
        typed, reason = fields.get("typed"), fields.get("reason", "")
        if not isinstance(approval, str) or not isinstance(yes, bool):
            raise BadMessageError('Answers are [{"approval": "ID", "yes": true, "typed": "name"}].')
        if not isinstance(typed, str | None) or not isinstance(reason, str):
            raise BadMessageError("`typed` and `reason` must be text.")
        answers.append(Answer(approval, yes, typed, reason))
    return answers
