"""The page `/chat`: conversations in a browser, with the same sessions, tokens and headers as the other pages."""

from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.agent.errors import AgentError, BadMessageError, NotFoundError
from mailgun_mcp.agent.http.conversations import answers_of
from mailgun_mcp.agent.http.requests import answer_run, check_answers, failure, json_object
from mailgun_mcp.agent.http.sse import data, streaming
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.web.pages.app import Section
from mailgun_mcp.web.pages.assets import STATIC, asset_routes
from mailgun_mcp.web.pages.pages import Handler, PageRequest, Pages

PATH = "/chat"
CLIENT = "chat:page"
SECTIONS = (Section(PATH, "Chat", None),)
HERE = Path(__file__).parent
TEMPLATES = (HERE / "templates",)
ASSETS = {
    **{name: HERE / "static" / name for name in ("chat.css", "chat.js", "markdown.js")},
    **{name: STATIC / name for name in ("chart.css", "chart.js")},
}


class ChatPage:
    """The routes of the page."""

    def __init__(self, runner: Runner, pages: Pages) -> None:
        self._runner = runner
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = f"{PATH}/{{id}}"

        def script(path: str, handler: Handler) -> Route:
            return self._pages.script_route(path, answering(handler), scope=None)

        return [
            self._pages.route(PATH, self._new, scope=None),
            self._pages.route(one, self._show, scope=None),
            self._pages.route(f"{one}/events", answering(self._events), scope=None, document=False),
            script(f"{one}/messages", self._say),
            script(f"{one}/answers", self._answer),
            script(f"{one}/cancel", self._cancel),
            script(f"{one}/delete", self._delete),
            *asset_routes(ASSETS),
        ]

    async def _new(self, page: PageRequest) -> Response:
        return page.redirect(f"{PATH}/{token_hex(8)}")

    async def _show(self, page: PageRequest) -> Response:
        """Show a conversation. A new one is created with its first message."""
        name = page.request.path_params["id"]
        conversations = await self._runner.conversations(page.session.principal)
        try:
            current = await self._runner.get(page.session.principal, name)
        except NotFoundError:
            current = None
        return page.render(
            TEMPLATES,
            "chat.html",
            conversation=name,
            current=current,
            conversations=conversations,
            script=page.script_token,
        )

    async def _events(self, page: PageRequest) -> Response:
        principal, name = page.session.principal, page.request.path_params["id"]
        after = _number(page.request)
        await self._runner.get(principal, name)

        async def lines() -> AsyncIterator[str]:
            async for event in self._runner.events(principal, name, after=after):
                yield f"id: {event.id}\n{data(event.record)}"
            status = (await self._runner.get(principal, name)).status
            yield f"event: status\n{data({'status': status})}"

        return streaming(lines())

    async def _say(self, page: PageRequest) -> Response:
        body = await json_object(page.request)
        text, run = body.get("text"), body.get("run")
        if not isinstance(text, str) or not isinstance(run, str):
            raise BadMessageError("The page sent something other than a message. Open it again.")
        name = page.request.path_params["id"]
        started = await self._runner.start(page.session.principal, name, text, run=run, client=CLIENT)
        return JSONResponse({"after": started.after}, 202)

    async def _answer(self, page: PageRequest) -> Response:
        principal = page.session.principal
        answers = check_answers(principal, answers_of((await json_object(page.request)).get("answers")))
        name = page.request.path_params["id"]
        continued = await self._runner.answer(principal, name, answers, run=answer_run(answers), client=CLIENT)
        return JSONResponse({"after": continued.after}, 202)

    async def _cancel(self, page: PageRequest) -> Response:
        await self._runner.cancel(page.session.principal, page.request.path_params["id"])
        return Response(status_code=204)

    async def _delete(self, page: PageRequest) -> Response:
        await self._runner.delete(page.session.principal, page.request.path_params["id"])
        return Response(status_code=204)


def answering(handler: Handler) -> Handler:
    """Return a handler that reports an error to the page's script, with its status and text."""

    async def handle(page: PageRequest) -> Response:
        try:
            return await handler(page)
        except AgentError as error:
            return failure(error)

    return handle


def _number(request: Request) -> int:
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    return int(text) if text.isdecimal() and len(text) < 16 else 0
