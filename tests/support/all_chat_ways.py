"""Every way to talk to the agent over a network, for tests that hold on all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx

from mailgun_mcp.agent.http.page import SECTIONS, ChatPage
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.web.pages.app import create_pages, page_apps
from mailgun_mcp.web.pages.cookies import SESSION
from mailgun_mcp.web.paths import Paths
from tests.support.agents import message, resume
from tests.support.chat_ways import (
    WHO,
    CompletionsWay,
    PlainWay,
    ResponsesWay,
    Seen,
    UiWay,
    Way,
    client_of,
    stream_of,
)
from tests.support.chats import ANN, Chat
from tests.support.pages import ORIGIN
from tests.support.slack_chats import SlackWay, slack_chat
from tests.support.team import BASE


class AgUiWay:
    """AG-UI, with a client that sends its whole history."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._run = 0

    async def ask(self, text: str) -> Seen:
        return await self._post(message(text, run=self._next()), ANN.id)

    async def answer(
        self, approval: dict[str, str], *, yes: bool, typed: bool = True, edited: bool = False, by: str = ANN.id
    ) -> Seen:
        payload: dict[str, Any] = {"approved": yes}
        payload |= {"typed": approval["typed"]} if yes and typed else {} if yes else {"reason": "not now"}
        body = resume(approval["id"], run=self._next(), **payload)
        # The answer itself has no place for other arguments: see test_agent_approvals. So they come as a call of the model's.
        call = {"name": "clear_bounces", "arguments": '{"domain": "victim.example"}'}
        calls = [{"id": approval["id"], "type": "function", "function": call}]
        body["messages"] = [{"id": "a", "role": "assistant", "content": "", "toolCalls": calls}] if edited else []
        return await self._post(body, by)

    async def forge(self, approval: str) -> Seen:
        return await self._post(resume(approval, run=self._next(), approved=True), ANN.id)

    def _next(self) -> str:
        self._run += 1
        return f"run-{self._run}"

    async def _post(self, body: dict[str, Any], by: str) -> Seen:
        body |= {"tools": [], "context": [], "state": {}, "forwardedProps": {}}
        answer = await self._client.post("/agent/agui", json=body, headers={WHO: by})
        if answer.status_code != 200:
            return Seen(answer.status_code, answer.text)
        events = stream_of(answer.text)
        texts = [event.get("delta", "") for event in events if event["type"] == "TEXT_MESSAGE_CONTENT"]
        interrupts = (events[-1].get("outcome") or {}).get("interrupts", ())
        asked = [{"id": one["id"], "typed": one["metadata"]["typed"]} for one in interrupts]
        return Seen(200, "".join([*texts, events[-1].get("message") or ""]), asked)


class PageWay:
    """The page /chat, as its script speaks with the server, in the browser of whoever is signed in."""

    def __init__(self, chat: Chat, client: httpx.AsyncClient) -> None:
        self._sessions = Sessions(chat.services.store)
        self._clock = chat.services.clock
        self._client = client
        self._path = ""
        self._run = 0

    async def ask(self, text: str) -> Seen:
        self._run += 1
        return await self._post("messages", {"text": text, "run": f"r{self._run}"}, ANN.id)

    async def answer(
        self, approval: dict[str, str], *, yes: bool, typed: bool = True, edited: bool = False, by: str = ANN.id
    ) -> Seen:
        item: dict[str, Any] = {"approval": approval["id"], "yes": yes}
        item |= {"typed": approval["typed"]} if yes and typed else {} if yes else {"reason": "not now"}
        item |= {"arguments": {"domain": "victim.example"}} if edited else {}
        return await self._post("answers", {"answers": [item]}, by)

    async def forge(self, approval: str) -> Seen:
        return await self._post("answers", {"answers": [{"approval": approval, "yes": True}]}, ANN.id)

    async def _post(self, action: str, body: dict[str, Any], by: str) -> Seen:
        self._client.cookies.set(SESSION, self._session(by))
        page = await self._client.get(self._path or "/chat", follow_redirects=True)
        if page.status_code != 200 or 'data-token="' not in page.text:
            return Seen(403, page.text)
        self._path = self._path or page.url.path
        headers = {**ORIGIN, "X-Page-Token": page.text.partition('data-token="')[2].partition('"')[0]}
        answer = await self._client.post(f"{self._path}/{action}", json=body, headers=headers)
        if answer.status_code != 202:
            return Seen(answer.status_code, answer.text)
        after = {"after": answer.json()["after"]}
        stream = (await self._client.get(f"{self._path}/events", params=after, headers=headers)).text
        events = stream_of(stream)
        asked = [
            {"id": one["approval"], "typed": one["typed"]} for one in events if one.get("kind") == "approval_needed"
        ]
        return Seen(200, "".join(one["text"] for one in events if one.get("kind") == "text"), asked, stream)

    def _session(self, who: str) -> str:
        if who == ANONYMOUS.id:
            return "none"
        return self._sessions.open(Principal(who), "issuer", self._clock())


@asynccontextmanager
async def _page(chat: Chat) -> AsyncIterator[Way]:
    pages = create_pages(chat.services, None, SECTIONS, loopback=True)
    app = Paths(page_apps(pages, ChatPage(chat.runner, pages).routes(), None), pages.route("/", _nowhere, scope=None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, timeout=30) as client:
        yield PageWay(chat, client)


async def _nowhere(_: Any) -> Any:
    raise AssertionError


@asynccontextmanager
async def _slack(chat: Chat) -> AsyncIterator[Way]:
    async with slack_chat(chat=chat) as slack:
        yield SlackWay(slack)


def _http(way: Callable[[httpx.AsyncClient], Way]) -> Callable[[Chat], AbstractAsyncContextManager[Way]]:
    @asynccontextmanager
    async def opened(chat: Chat) -> AsyncIterator[Way]:
        async with client_of(chat.runner) as client:
            yield way(client)

    return opened


WAYS: dict[str, Callable[[Chat], AbstractAsyncContextManager[Way]]] = {
    "ag-ui": _http(AgUiWay),
    "ui messages": _http(UiWay),
    "responses": _http(ResponsesWay),
    "completions": _http(CompletionsWay),
    "conversations": _http(PlainWay),
    "page": _page,
    "slack": _slack,
}
