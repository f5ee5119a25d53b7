"""Wants a route that falls over, says what it should not, or does something: by any bytes that HTTP can carry.

Every route gets wrong methods, bodies, encodings, headers, queries and paths, with a token and without one. Each request gets
an answer that is no fault of the server, in words that name no file, module or secret, and nothing reaches Mailgun.
"""

import random
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.pages.cookies import SESSION
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

SCOPES = "read,write,send,destructive,credential,billing,approve,metrics"
PATHS = (
    *(
        "/healthz",
        "/readyz",
        "/mcp",
        "/sse",
        "/messages/",
        "/metrics",
        "/mcp/server-card",
        "/.well-known/ai-catalog.json",
    ),
    *(
        "/approvals",
        "/approvals/events",
        "/approvals/abcdefgh",
        "/approvals/abcdefgh/approve",
        "/approvals/abcdefgh/deny",
    ),
    *("/approvals/grants", "/approvals/marks", "/approvals/history", "/sign-in", "/sign-in/link", "/sign-out"),
    *("/api/approvals", "/api/approvals/abcdefgh", "/api/approvals/abcdefgh/approve", "/api/approvals/abcdefgh/deny"),
    *("/api/openapi.json", "/api/approvals/abcdefgh/wait"),
    *(
        "/agent/conversations",
        "/agent/conversations/c",
        "/agent/conversations/c/events",
        "/agent/conversations/c/messages",
    ),
    *(
        "/agent/conversations/c/answers",
        "/agent/conversations/c/cancel",
        "/agent/agui",
        "/agent/chat",
        "/agent/chat/c/stream",
        "/agent/chat/c/cancel",
    ),
    *("/v1/responses", "/v1/responses/r/cancel", "/v1/chat/completions", "/v1/models", "/v1/models/m", "/chat"),
    *("/", "//", "/nothing", "/approvals/..%2f..%2fetc%2fpasswd", "/mcp/", "/MCP", "/v1/../mcp"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW")
JSON = b"application/json"
BODIES: tuple[bytes, ...] = (
    *(b"", b"{", b"\xff\xfe\x00", b"null", b"[]", b"[[]]", b"1e999", b"NaN", b'"\\ud800"', b"\x00" * 64),
    *(b"[" * 50_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"1" * 10_000, b'{"id": ' + b"9" * 6_000 + b"}"),
    *(b'{"jsonrpc":"2.0"}', b'{"jsonrpc":"2.0","id":{},"method":[]}', b'{"jsonrpc":"2.0","id":1,"method":"\\u0000"}'),
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_message","arguments":[]}}',
    b'{"jsonrpc":"2.0","id":1e400,"method":"initialize","params":null}',
    *(b'{"messages":5}', b'{"messages":[5]}', b'{"messages":[{"role":"user","content":{"a":1}}]}', b'{"input":[[]]}'),
    *(b'{"threadId":[],"runId":{},"messages":null}', b'{"message":{"role":1,"parts":"x"}}', b'{"text":["a"]}'),
    b'{"model":1,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}',
    *(b'{"answers":{"a":1}}', b'{"answers":[1]}', b'{"typed":{}}', b'{"reason":[]}', b'{"stream":"x","input":1}'),
    *(b"a=b&a=%ff&=&&token=%00", b"secret=x&form=1", b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n'),
)
TYPES: tuple[bytes | None, ...] = (
    *(
        JSON,
        JSON,
        JSON,
        None,
        b"",
        b"text/plain",
        b"application/json; charset=utf-16",
        b"application/json; charset=nothing",
    ),
    *(
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"multipart/form-data; boundary=x",
        b"\xff\xff",
        b"a/b;" * 200,
    ),
)
QUERIES: tuple[bytes, ...] = (
    *(
        b"",
        b"",
        b"",
        b"wait=NaN",
        b"wait=1e999&state=%ff",
        b"wait=-1",
        b"status=nothing&status=",
        b"after=-1",
        b"after=x",
    ),
    *(
        b"session_id=",
        b"session_id=" + b"0" * 32,
        b"session_id=%00",
        b"%",
        b"=&=&=" * 200,
        b"a=" + b"\xff" * 50,
        b"page=99999999999",
    ),
    *(
        b"limit=0",
        b"limit=-5",
        b"before=1e400",
        b"since=yesterday",
        b"follow=maybe",
        b"code=x&state=y",
        b"error=%0d%0aSet-Cookie:%20a",
    ),
)
HEADERS: tuple[tuple[tuple[bytes, bytes], ...], ...] = (
    *((), (), ()),
    ((b"accept", b"\xff"),),
    ((b"accept", b"text/event-stream"),),
    ((b"accept", b"application/json, text/event-stream"), (b"mcp-protocol-version", b"2026-07-28")),
    ((b"accept", b"application/json, text/event-stream"), (b"mcp-session-id", b"\x00\xff" * 20)),
    ((b"accept", b"application/json, text/event-stream"), (b"mcp-session-id", b"a" * 4_000)),
    ((b"mcp-protocol-version", b"9999-99-99"), (b"mcp-method", b"\xe4"), (b"mcp-name", b"=?utf-8?b?####?=")),
    ((b"last-event-id", b"-1"),),
    ((b"last-event-id", b"\xff" * 100),),
    ((b"cookie", b"=;;; a=\xff; __Host-mailgun-mcp-session=" + b"x" * 500),),
    ((b"cookie", b"mailgun-mcp-session=\x00; mailgun-mcp-session=\xff"),),
    ((b"origin", b"null"),),
    ((b"origin", b"https://evil.example"),),
    (
        (b"origin", b"http://localhost"),
        (b"access-control-request-method", b"PUT\xff"),
        (b"access-control-request-headers", b"\x01"),
    ),
    ((b"host", b"evil.example"),),
    ((b"content-length", b"-1"),),
    ((b"content-length", b"9" * 40),),
    ((b"content-length", b"9" * 5_000),),
    ((b"content-encoding", b"gzip"),),
    ((b"transfer-encoding", b"chunked"), (b"expect", b"100-continue")),
    ((b"x-page-token", b"\xff"), (b"x-forwarded-for", b"\x00"), (b"forwarded", b"for=\xff")),
    ((b"x-large", b"x" * 40_000),),
    tuple((b"x-%d" % number, b"y") for number in range(120)),
    ((b"traceparent", b"00-zz"), (b"tracestate", b"\xff=\xff")),
)
LEAKS = (
    b"Traceback",
    b"mailgun_mcp.",
    b"site-packages",
    b".py:",
    b'.py"',
    b"sqlite",
    b"pydantic",
    b"SELECT ",
    b"root:x:",
)
BAD_TOKENS: tuple[bytes, ...] = (
    *(
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer \xff",
        b"Basic YTpi",
        b"Bearer mgmcp_0123456789_" + b"a" * 43,
        b"Bearer " + b"x" * 9_000,
    ),
    *(b"Bearer eyJhbGciOiJub25lIn0.e30.", b"bearer a b", b"Bearer a, Bearer b"),
)


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


@dataclass
class Got:
    """Its answer."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.yaml"
    path.write_text("turns: [{steps: [{say: Hello.}]}]", encoding="utf-8")
    return path


@pytest.fixture
async def app(mailgun: Recorder, script: Path) -> AsyncIterator[asgi.App]:
    services = recorded_services(mailgun, policy=profile("unguarded"))
    # The app needs one token to be there.
    Tokens(services.store).create("first", Access(parse_scopes(["read"])), by="tests", now=services.clock())
    settings = Settings(agent=True, model=f"script:{script}", metrics=True)
    app = asgi.create(settings, services=services)
    app.services = services  # type: ignore[attr-defined] # for the tests alone
    async with app.lifespan():
        yield app


def services_of(app: asgi.App) -> Services:
    services: Services = app.services  # type: ignore[attr-defined] # see above
    return services


async def ask(app: ASGIApp, sent: Sent) -> Got:
    """Send a request as a server does that has read it, and hang up after it: streams then end."""
    messages: list[Message] = [{"type": "http.request", "body": sent.body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    headers = (
        sent.headers if any(name == b"host" for name, _ in sent.headers) else ((b"host", b"localhost"), *sent.headers)
    )
    path = sent.path.decode("latin-1")
    scope: dict[str, Any] = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": sent.method, "scheme": "http"},
        **{
            "path": path.replace("%2f", "/"),
            "raw_path": sent.path,
            "query_string": sent.query,
            "root_path": "",
            "headers": headers,
        },
        **{"client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {}},
    }
    got = Got()
    try:
        with anyio.fail_after(20):
            await app(scope, receive, got.send)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
        # A server would say 500.
        place = traceback.extract_tb(error.__traceback__)[-1]
        got.status, got.body = 500, f"{error!r} {place.filename}:{place.lineno}".encode()
    return got


def wrong(sent: Sent, got: Got, secrets: tuple[bytes, ...]) -> list[str]:
    """Return what is wrong with the answer."""
    faults = []
    if got.status == 0 and sent.method != "GET":
        faults.append("no answer")
    if got.status >= 500 and got.status != 503:
        faults.append(f"HTTP {got.status}")
    whole = got.body + b"".join(name + value for name, value in got.headers)
    if not got.headers or dict(got.headers).get(b"content-type", b"").startswith(
        (b"text/plain", b"application/", b"text/html")
    ):
        faults += [
            f"says {leak!r}"
            for leak in (*LEAKS, *secrets)
            if leak in whole and leak not in sent.path and leak not in sent.body
        ]
    if any(b"\r" in value or b"\n" in value for _, value in got.headers):
        faults.append("a header with a line break")
    return [
        f"{fault}: {sent.method} {sent.path!r} ? {sent.query[:40]!r} {sent.headers!r:.120} {sent.body[:60]!r} -> {got.body[:300]!r}"
        for fault in faults
    ]


def requests(seed: int, authorization: tuple[bytes, bytes] | None) -> Iterator[Sent]:
    """Yield bad requests: each path with each method, and each body, type, query and group of headers at several of them."""
    pick = random.Random(seed)
    for path in PATHS:
        for method in METHODS:
            kind = pick.choice(TYPES)
            headers = [*pick.choice(HEADERS), *([authorization] if authorization else [])]
            headers += [(b"content-type", kind)] if kind is not None else []
            yield Sent(method, path.encode(), pick.choice(QUERIES), tuple(headers), pick.choice(BODIES))
        for body in pick.sample(BODIES, 6):
            headers = [(b"content-type", JSON), (b"accept", b"application/json, text/event-stream")]
            yield Sent("POST", path.encode(), b"", (*headers, *([authorization] if authorization else [])), body)


async def test_every_route_answers_whatever_it_is_sent(app: asgi.App, mailgun: Recorder) -> None:
    services = services_of(app)
    access = Access(parse_scopes(SCOPES.split(",")))
    _, token = Tokens(services.store).create("attacker", access, by="tests", now=services.clock())
    faults: list[str] = []
    secrets = (token.encode(), str(services.state).encode())
    for sent in requests(7, (b"authorization", f"Bearer {token}".encode())):
        faults += wrong(sent, await ask(app, sent), secrets)
    assert faults == []
    assert mailgun.lines == []


async def test_without_a_token_nothing_but_pages_and_documents_answers(app: asgi.App, mailgun: Recorder) -> None:
    pick, faults, entered = random.Random(11), [], []
    for sent in requests(13, None):
        given = replace(sent, headers=(*sent.headers, (b"authorization", pick.choice(BAD_TOKENS))))
        got = await ask(app, given)
        faults += wrong(given, got, (str(services_of(app).state).encode(),))
        if (
            got.status < 300
            and sent.method != "OPTIONS"
            and sent.path.startswith((b"/mcp", b"/sse", b"/mess", b"/metrics", b"/api", b"/agent", b"/v1"))
            and sent.path != b"/mcp/server-card"
        ):
            entered.append(f"{sent.method} {sent.path!r} {got.status}")
    assert (faults, entered) == ([], [])
    assert mailgun.lines == []


async def test_a_person_who_is_signed_in_gets_no_fault_either(app: asgi.App, mailgun: Recorder) -> None:
    services = services_of(app)
    secret = Sessions(services.store).open(Principal("ann"), "link", services.clock())
    faults: list[str] = []
    for name in (SESSION, f"__Host-{SESSION}"):
        for sent in requests(17, (b"cookie", f"{name}={secret}".encode())):
            if sent.path.startswith((b"/approvals", b"/chat", b"/sign")):
                faults += wrong(sent, await ask(app, sent), (secret.encode(),))
    assert faults == []
    assert mailgun.lines == []


async def test_after_all_that_it_still_works(app: asgi.App) -> None:
    for sent in [*requests(19, None)][::7]:
        await ask(app, sent)
    assert (await ask(app, Sent("GET", b"/readyz"))).status == 200


def test_every_route_of_the_server_is_among_the_paths(script: Path) -> None:
    services = recorded_services(Recorder())
    Tokens(services.store).create("first", Access(parse_scopes(["read"])), by="tests", now=services.clock())
    app = asgi.create(Settings(agent=True, model=f"script:{script}", metrics=True), services=services)
    missing = [path for path in _paths(app._routes.routes) if not any(_is_like(path, one) for one in PATHS)]
    assert missing == []


def _paths(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route | Mount):
            yield route.path


def _is_like(template: str, path: str) -> bool:
    """Return whether the path is one of the template: `/v1/models/m` of `/v1/models/{id}`."""
    parts, given = template.rstrip("/").split("/"), path.rstrip("/").split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True))
