"""Slack on loopback: its Web API, its response addresses and its socket, as far as this server uses them."""

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
from aiohttp import WSMsgType, web

TEAM, APP, BOT = "T0TEAM", "A0APP", "U0BOT"
SIGNING_SECRET = "signing-secret-of-the-tests"
SECRETS = {"SLACK_BOT_TOKEN": "xoxb-tests", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_APP_TOKEN": "xapp-tests"}
Record = dict[str, Any]


class FakeSlack:
    """What Slack was asked for, and the messages that people see."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Record]] = []
        self.messages: dict[str, Record] = {}
        """Time of a message -> its channel, thread, blocks, and who sees it where it is ephemeral."""
        self.views: list[Record] = []
        self.failures: dict[str, list[str]] = {}
        """Method -> errors of its next calls."""
        self.acknowledged: asyncio.Queue[Record] = asyncio.Queue()
        self.url = ""
        self.connections = 0
        self._times = (f"{1_800_000_000 + number}.000100" for number in count())
        self._socket: web.WebSocketResponse | None = None
        self._connected = asyncio.Event()
        self._news = asyncio.Event()

    def time(self) -> str:
        """Return the time of a new message."""
        return next(self._times)

    def shown(self, thread: str | None = None) -> str:
        """Return all texts that people see, in a thread or anywhere."""
        seen = [each for each in self.messages.values() if thread in (None, each.get("thread_ts"))]
        return "\n".join(text_of(message) for message in seen)

    def last(self, method: str) -> Record:
        """Return the arguments of the newest call of a method."""
        return [arguments for name, arguments in self.calls if name == method][-1]

    async def was_asked(self, method: str) -> None:
        """Wait until a method is called."""
        while not any(name == method for name, _ in self.calls):
            self._news.clear()
            await self._news.wait()

    def app(self) -> web.Application:
        """Return the app."""
        app = web.Application()
        app.router.add_post("/api/{method}", self._call)
        app.router.add_post("/response/{ts}", self._respond)
        app.router.add_get("/socket", self._connect)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls.append((method, arguments))
        asyncio.get_running_loop().call_soon(self._news.set)
        if self.failures.get(method):
            error = self.failures[method].pop(0)
            headers = {"Retry-After": "0"} if error == "ratelimited" else {}
            return web.json_response(
                {"ok": False, "error": error}, status=429 if error == "ratelimited" else 200, headers=headers
            )
        answer: Record = getattr(self, "_" + method.replace(".", "_"), lambda _: {})(arguments)
        return web.json_response({"ok": "error" not in answer, **answer})

    def _auth_test(self, _: Record) -> Record:
        return {"team_id": TEAM, "user_id": BOT, "bot_id": "B0BOT"}

    def _apps_connections_open(self, _: Record) -> Record:
        return {"url": self.url.replace("http", "ws", 1) + "/socket"}

    def _chat_postMessage(self, arguments: Record) -> Record:  # noqa: N802 - Slack's name
        return {"ts": self._keep(arguments), "channel": arguments["channel"]}

    def _chat_postEphemeral(self, arguments: Record) -> Record:  # noqa: N802
        return {"message_ts": self._keep(arguments)}

    def _chat_startStream(self, arguments: Record) -> Record:  # noqa: N802
        return {"ts": self._keep({**arguments, "streaming": True}), "channel": arguments["channel"]}

    def _chat_appendStream(self, arguments: Record) -> Record:  # noqa: N802
        message = self.messages[arguments["ts"]]
        if not message["streaming"]:
            return {"error": "message_not_in_streaming_state"}
        message["chunks"] += arguments["chunks"]
        return {}

    def _chat_stopStream(self, arguments: Record) -> Record:  # noqa: N802
        self.messages[arguments["ts"]]["streaming"] = False
        return {}

    def _chat_update(self, arguments: Record) -> Record:
        self.messages[arguments["ts"]].update(blocks=arguments["blocks"], text=arguments["text"])
        return {"ts": arguments["ts"]}

    def _views_open(self, arguments: Record) -> Record:
        self.views.append(arguments["view"])
        return {"view": {"id": "V1"}}

    def _keep(self, message: Record) -> str:
        ts = self.time()
        self.messages[ts] = message
        return ts

    async def _respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.calls.append(("response_url", body))
        self.messages[request.match_info["ts"]].update(body)
        return web.Response(text="ok")

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._connected.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.acknowledged.put_nowait(json.loads(message.data))
        return socket

    async def send_over_socket(self, kind: str, payload: Record) -> Record:
        """Send an envelope over the socket, and return how it was acknowledged."""
        await asyncio.wait_for(self._connected.wait(), 10)
        assert self._socket is not None
        envelope = f"envelope-{self.time()}"
        await self._socket.send_json(
            {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": True}
        )
        answer = await asyncio.wait_for(self.acknowledged.get(), 10)
        assert answer["envelope_id"] == envelope
        return answer

    async def drop_connection(self) -> None:
        """Close the socket, as Slack does now and then."""
        assert self._socket is not None
        self._connected.clear()
        await self._socket.close()
        await asyncio.wait_for(self._connected.wait(), 30)


async def _arguments(request: web.Request) -> Record:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {name: _value(str(value)) for name, value in (await request.post()).items()}


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in ("[", "{") else text


@asynccontextmanager
async def fake_slack() -> AsyncIterator[FakeSlack]:
    """Run it until the block ends."""
    slack = FakeSlack()
    runner = web.AppRunner(slack.app(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield slack
    finally:
        await runner.cleanup()


def text_of(message: Record) -> str:
    """Return all texts in a message, as they stand in its JSON."""
    return "\n".join(_texts([message.get(name) for name in ("chunks", "blocks", "markdown_text")]))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() if key in READ for text in _texts(item)]
    return []


READ = ("text", "title", "elements", "blocks", "label")


def signed(body: bytes, *, at: float | None = None, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """Return the headers with which Slack signs a body."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


class Workspace:
    """What people do in the workspace, and how Slack tells the server of it: over HTTP, or over the socket."""

    def __init__(self, slack: FakeSlack, client: httpx.AsyncClient | None, settled: Callable[[], Any]) -> None:
        self.slack = slack
        self._client = client
        self._settled = settled

    async def message(
        self, text: str, *, user: str, channel: str = "D0ANN", thread: str | None = None, **more: Any
    ) -> Record:
        """Have a user write a message, and return its event."""
        kind = more.pop("type", "message" if channel.startswith("D") else "app_mention")
        event = {"type": kind, "user": user, "text": text, "ts": self.slack.time(), "team": TEAM, "channel": channel}
        event |= {"channel_type": "im"} if channel.startswith("D") else {}
        event |= {"thread_ts": thread} if thread else {}
        payload = self.event({**event, **more})
        await self.send(payload)
        return payload

    def event(self, event: Record, **more: Any) -> Record:
        """Return the payload of an event."""
        name = f"Ev{self.slack.time()}"
        return {"type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event_id": name, "event": event, **more}

    async def send(self, payload: Record, **headers: str) -> httpx.Response | Record:
        """Send a payload, and wait until all that it begins has ended."""
        answer = await self.deliver(payload, **headers)
        await self._settled()
        return answer

    async def deliver(self, payload: Record, **headers: str) -> httpx.Response | Record:
        """Send a payload, and return how it was acknowledged."""
        if self._client is None:
            kind = "events_api" if payload["type"] == "event_callback" else "interactive"
            return await self.slack.send_over_socket(kind, payload)
        if payload["type"] == "event_callback":
            body, kind = json.dumps(payload).encode(), "application/json"
        else:
            body, kind = urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"
        given = {
            **signed(body),
            "Content-Type": kind,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        answer = await self._client.post("/slack/events", content=body, headers=given)
        assert answer.status_code == 200, answer.text
        return answer

    def buttons(self, ts: str) -> dict[str, Record]:
        """Return the buttons of a message by their labels."""
        message = self.slack.messages[ts]
        rows = [block["elements"] for block in message.get("blocks", ()) if block["type"] == "actions"]
        return {button["text"]["text"]: button for row in rows for button in row}

    def questions(self, *, channel: str | None = None) -> list[str]:
        """Return the times of the messages that have buttons, the oldest first."""
        return [
            ts
            for ts, message in self.slack.messages.items()
            if self.buttons(ts) and channel in (None, message["channel"])
        ]

    def click(self, ts: str, label: str, *, user: str, team: str = TEAM, button: Record | None = None) -> Record:
        """Return the payload of a click."""
        message = self.slack.messages[ts]
        action = button or self.buttons(ts)[label]
        return {
            "type": "block_actions",
            "user": {"id": user, "team_id": team},
            "team": {"id": TEAM},
            "api_app_id": APP,
            "trigger_id": f"trigger-{self.slack.time()}",
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": message["channel"],
                "is_ephemeral": "user" in message,
            },
            "channel": {"id": message["channel"]},
            "response_url": f"{self.slack.url}/response/{ts}",
            "actions": [{"type": "button", "block_id": "b", "action_ts": "1.1", **action}],
        }

    async def press(
        self, ts: str, label: str, *, user: str, typed: str | None = None, button: Record | None = None
    ) -> Any:
        """Have a user press a button, and type a name where a form opens. Returns how the last of it was acknowledged."""
        forms = len(self.slack.views)
        answer = await self.send(self.click(ts, label, user=user, button=button))
        if typed is None or len(self.slack.views) == forms:
            return answer
        return await self.send(self.submission(typed, user=user))

    def submission(self, typed: str, *, user: str, view: Record | None = None) -> Record:
        """Return the payload of the form that opened last."""
        view = view or self.slack.views[-1]
        state = {"values": {"mailgun_typed": {"mailgun_typed": {"type": "plain_text_input", "value": typed}}}}
        return {
            "type": "view_submission",
            "user": {"id": user, "team_id": TEAM},
            "team": {"id": TEAM},
            "api_app_id": APP,
            "trigger_id": f"trigger-{self.slack.time()}",
            "view": {**view, "id": "V1", "state": state},
        }
