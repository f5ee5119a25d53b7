"""A transport of httpx behind the client: what it is asked, and how its faults are named."""

import httpx
import pytest

from mailgun_mcp.mailgun.exchange import (
    BrokenOffError,
    ExchangeError,
    InvalidRequestError,
    Message,
    NotConnectedError,
    OversizedError,
)
from mailgun_mcp.mailgun.httpx_transport import HttpxTransport
from tests.mailgun.conftest import answering

pytestmark = pytest.mark.anyio

MESSAGE = Message("POST", "https://proxy.example/mg", "/v3/a?b=c", [(b"X-Note", b"1")], b"d=e", 2.5)


async def test_a_message_is_sent_as_it_is() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202, headers={"X-Request-Id": "7"}, content=b"whole")

    transport = HttpxTransport(answering(answer)())
    received = await transport.exchange(MESSAGE, 100)
    await transport.aclose()

    (request,) = sent
    assert (request.method, str(request.url), request.content) == ("POST", "https://proxy.example/mg/v3/a?b=c", b"d=e")
    assert (request.headers["x-note"], request.headers["content-length"]) == ("1", "3")
    assert request.extensions["timeout"] == {"pool": 2.5, "connect": 2.5}
    assert (received.status, received.content) == (202, b"whole")
    assert (b"X-Request-Id", b"7") in received.headers


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("a"), NotConnectedError),
        (httpx.ConnectTimeout("a"), NotConnectedError),
        (httpx.PoolTimeout("a"), NotConnectedError),
        (httpx.ProxyError("a"), NotConnectedError),
        (httpx.LocalProtocolError("a"), InvalidRequestError),
        (httpx.ReadError("a"), BrokenOffError),
        (httpx.WriteTimeout("a"), BrokenOffError),
        (httpx.DecodingError("a"), BrokenOffError),
    ],
)
async def test_a_fault_of_httpx_says_whether_the_request_may_have_arrived(
    error: Exception, expected: type[ExchangeError]
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ExchangeError) as caught:
        await HttpxTransport(answering(fail)()).exchange(MESSAGE, 100)
    assert (type(caught.value), caught.value.kind) == (expected, type(error).__name__)


async def test_an_answer_that_is_too_long_is_refused() -> None:
    transport = HttpxTransport(answering(lambda _: httpx.Response(200, content=b"x" * 101))())
    with pytest.raises(OversizedError) as refused:
        await transport.exchange(MESSAGE, 100)
    assert refused.value.status == 200
