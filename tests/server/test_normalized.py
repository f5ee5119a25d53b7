"""Requests in one spelling with their whole body at once. What clients see of it: tests/web/test_http_gate.py."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.server.large_messages import MOST, MOST_TEXT, MOST_VALUES
from mailgun_mcp.server.normalized import NOT_A_MESSAGE, Normalized

pytestmark = pytest.mark.anyio


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    messages = [await receive()] if scope["method"] == "POST" else []
    answer = {"path": scope["path"], "bodies": [len(message["body"]) for message in messages]}
    await JSONResponse(answer)(scope, receive, send)


def client(prefix: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Normalized(app, files=ReceivedFiles()), root_path=prefix)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.mark.parametrize("prefix", ["", "/mail", "/mcp"])
@pytest.mark.parametrize(
    ("spelling", "path"), [("/mcp", "/mcp"), ("/messages", "/messages/"), ("/messages/", "/messages/")]
)
async def test_a_route_is_found_under_any_prefix(prefix: str, spelling: str, path: str) -> None:
    async with client(prefix) as http:
        assert (await http.get(prefix + spelling)).json()["path"] == prefix + path


async def parts(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b"x"


async def test_a_body_in_parts_arrives_at_once() -> None:
    async with client() as http:
        assert (await http.post("/other", content=parts(50))).json()["bodies"] == [50]


async def test_a_body_that_says_that_it_is_too_large_is_not_read() -> None:
    async with client() as http:
        answer = await http.post("/mcp", content=parts(1), headers={"Content-Length": str(100 * MOST)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, -32600)


JSON = "application/json"


@pytest.mark.parametrize(
    "body", [b'"' + b"x" * (MOST_TEXT + 1) + b'"', b"[" + b"1," * MOST_VALUES + b"1" * 300_000 + b"]"]
)
async def test_a_route_of_a_chat_refuses_what_is_too_large_in_its_own_form(body: bytes) -> None:
    async with client() as http:
        answer = await http.post("/v1/responses", content=body)
        assert answer.status_code == 413
        assert answer.json().keys() == {"error"}
        assert answer.json()["error"]["type"] == "TooLarge"
        assert "4.0 MB and 50,000 values" in answer.json()["error"]["message"]
        assert "jsonrpc" in (await http.post("/mcp", content=body, headers={"Content-Type": JSON})).json()


async def typed(http: httpx.AsyncClient, path: str, content_type: str, accept: str = "*/*") -> httpx.Response:
    return await http.post(path, content=b"{}", headers={"Content-Type": content_type, "Accept": accept})


@pytest.mark.parametrize("path", ["/mcp", "/messages", "/messages/"])
async def test_a_message_says_in_any_case_that_it_is_json(path: str) -> None:
    async with client() as http:
        for content_type in (JSON, "APPLICATION/JSON", "Application/Json; charset=UTF-8"):
            assert (await typed(http, path, content_type)).status_code == 200
        for content_type in ("text/plain", "", "application/jsonrequest", f"{JSON}, text/plain"):
            refused = await typed(http, path, content_type)
            assert (refused.status_code, "Content-Type: application/json" in refused.text) == (415, True)
        assert (await typed(http, "/approvals/1", "application/x-www-form-urlencoded")).status_code == 200


async def test_who_accepts_no_answer_is_told_what_to_accept() -> None:
    async with client() as http:
        for accept in ("", "*/*", "text/event-stream", "Application/JSON;q=0.5"):
            assert (await typed(http, "/mcp", JSON, accept)).status_code == 200
        for refused in (
            await typed(http, "/mcp", JSON, "text/html"),
            await http.get("/mcp", headers={"Accept": "text/html"}),
        ):
            assert (refused.status_code, "send the header `Accept: " in refused.text) == (406, True)


async def test_a_length_of_thousands_of_digits_is_a_length_that_is_too_large() -> None:
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": [(b"content-length", b"9" * 5_000)]}
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    await Normalized(app, files=ReceivedFiles())(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_a_refusal_in_the_words_of_a_library_is_put_into_ours() -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        body = "see https://errors.pydantic.dev/2.12/v/missing" if scope["path"] == "/mcp" else "No such session"
        await PlainTextResponse(body, 400)(scope, receive, send)

    transport = httpx.ASGITransport(app=Normalized(refuse, files=ReceivedFiles()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.post("/mcp", json={})
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, NOT_A_MESSAGE)
        assert (await http.post("/messages/", json={})).text == "No such session"


@pytest.mark.parametrize(
    ("answer", "sent", "said"),
    [
        ('{"error":{"code":-32700,"message":"Parse error: EOF"}}', b"{", "is not valid JSON (line 1, column 2)"),
        ('{"error":{"code":-32700,"message":"Parse error"}}', b"", "Parse error: the body cannot be read"),
        ("Could not parse message", b"[", "is not valid JSON"),
        ('{"error":{"message":"Bad Request: Missing session ID"}}', b"{}", "send `initialize` first"),
        ('{"error":{"message":"Body must be a single JSON-RPC request or notification object"}}', b"[]", NOT_A_MESSAGE),
    ],
)
async def test_what_the_sdk_cannot_read_is_refused_with_what_is_wrong(answer: str, sent: bytes, said: str) -> None:
    transport = httpx.ASGITransport(app=Normalized(PlainTextResponse(answer, 400), files=ReceivedFiles()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        refused = await http.post("/mcp", content=sent, headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json")
        assert said in refused.json()["error"]["message"]
