"""What the client sends again, when, and what it never sends twice."""

from email.utils import formatdate
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from mailgun_mcp.mailgun.client import MAX_WAIT
from mailgun_mcp.mailgun.explain import LOOK_FIRST
from tests.mailgun.conftest import GET, SEND, Time, answering, fault_of, make_client

pytestmark = pytest.mark.anyio

CONNECTION_FAULTS = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("full"),
    httpx.ProxyError("no"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.DecodingError("not gzip"),
]
NOTHING_SENT = CONNECTION_FAULTS[:4]
MAY_HAVE_BEEN_SENT = CONNECTION_FAULTS[4:]


def name_of(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_repeatable_call_is_tried_again_after_a_passing_failure(
    httpx_mock: HTTPXMock, time: Time, status: int
) -> None:
    httpx_mock.add_response(status_code=status)
    httpx_mock.add_response(json={})
    async with make_client(time) as client:
        response = await client.send(GET, repeatable=True)

    assert (response.status, response.attempts, len(time.waits)) == (200, 2, 1)


@pytest.mark.parametrize("error", CONNECTION_FAULTS, ids=name_of)
async def test_a_repeatable_call_is_tried_again_after_a_connection_fault(
    httpx_mock: HTTPXMock, time: Time, error: Exception
) -> None:
    httpx_mock.add_exception(error)
    httpx_mock.add_response(json={})
    async with make_client(time) as client:
        response = await client.send(GET, repeatable=True)

    assert (response.status, response.attempts, len(time.waits)) == (200, 2, 1)


async def test_a_repeated_call_is_the_same_call(httpx_mock: HTTPXMock, time: Time) -> None:
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response()
    async with make_client(time) as client:
        await client.send(SEND, repeatable=True)

    first, second = ((sent.method, sent.url, sent.headers, sent.content) for sent in httpx_mock.get_requests())
    assert first == second


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 410, 413, 415, 422, 500, 501])
async def test_other_failures_are_not_tried_again(httpx_mock: HTTPXMock, time: Time, status: int) -> None:
    httpx_mock.add_response(status_code=status, headers={"Retry-After": "1"})
    async with make_client(time) as client:
        fault = await fault_of(client, GET, repeatable=True)

    assert (fault.status, fault.reached, time.waits) == (status, status >= 500, [])


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_send_is_never_repeated_after_a_failure(httpx_mock: HTTPXMock, time: Time, status: int) -> None:
    httpx_mock.add_response(status_code=status, headers={"Retry-After": "1"})
    async with make_client(time) as client:
        fault = await fault_of(client, SEND, repeatable=False)

    assert (fault.status, fault.reached, time.waits) == (status, status >= 500, [])
    assert ("whether the call took effect is unknown" in str(fault)) is fault.reached


@pytest.mark.parametrize("error", MAY_HAVE_BEEN_SENT, ids=name_of)
async def test_a_send_that_broke_off_is_not_repeated_and_its_outcome_is_unknown(
    httpx_mock: HTTPXMock, time: Time, error: Exception
) -> None:
    httpx_mock.add_exception(error)
    async with make_client(time, timeout=20) as client:
        fault = await fault_of(client, SEND, repeatable=False)

    happened = "did not answer within 20 s" if "Timeout" in name_of(error) else f"broke off ({name_of(error)})"
    assert (str(fault), fault.next_step, fault.reached, time.waits) == (
        f"Mailgun {happened}: whether the call took effect is unknown",
        LOOK_FIRST,
        True,
        [],
    )


@pytest.mark.parametrize("error", NOTHING_SENT, ids=name_of)
async def test_a_send_that_found_no_connection_was_not_sent(
    httpx_mock: HTTPXMock, time: Time, error: Exception
) -> None:
    httpx_mock.add_exception(error)
    async with make_client(time) as client:
        fault = await fault_of(client, SEND, repeatable=False)

    told = f"https://api.mailgun.net could not be reached ({name_of(error)}); nothing was sent"
    if isinstance(error, httpx.PoolTimeout):
        told = "all 100 connections of this server to https://api.mailgun.net are in use; nothing was sent"
    assert (str(fault), fault.reached, time.waits) == (told, False, [])


async def test_a_request_that_http_does_not_allow_was_not_sent(httpx_mock: HTTPXMock, time: Time) -> None:
    httpx_mock.add_exception(httpx.LocalProtocolError("Illegal header value"))
    async with make_client(time) as client:
        fault = await fault_of(client, SEND, repeatable=True)

    assert (str(fault), fault.reached, time.waits) == (
        "The request cannot be sent: a header is not valid; nothing was sent",
        False,
        [],
    )


async def test_a_read_is_tried_four_times_and_no_more(httpx_mock: HTTPXMock, time: Time) -> None:
    httpx_mock.add_exception(httpx.ReadError("reset"), is_reusable=True)
    async with make_client(time) as client:
        fault = await fault_of(client, GET, repeatable=True)

    assert (len(httpx_mock.get_requests()), len(time.waits)) == (4, 3)
    assert (str(fault), fault.next_step, fault.reached) == (
        "Mailgun broke off (ReadError)",
        "It may be called again; MAILGUN_TIMEOUT sets how long to wait.",
        True,
    )


@pytest.mark.parametrize(
    ("chance", "waits"),
    [pytest.param(0.0, [0.25, 0.5, 1.0], id="shortest"), pytest.param(1.0, [0.5, 1.0, 2.0], id="longest")],
)
async def test_waits_double_and_are_spread_by_chance(
    httpx_mock: HTTPXMock, time: Time, monkeypatch: pytest.MonkeyPatch, chance: float, waits: list[float]
) -> None:
    monkeypatch.setattr("random.random", lambda: chance)
    httpx_mock.add_response(status_code=503, is_reusable=True)
    async with make_client(time) as client:
        await fault_of(client, GET, repeatable=True)

    assert time.waits == waits


NOW = Time().now

ASKED: dict[str, tuple[dict[str, Any], float]] = {
    "Retry-After in seconds": ({"headers": {"Retry-After": "7"}}, 7),
    "Retry-After as a date": ({"headers": {"Retry-After": formatdate(NOW + 9, usegmt=True)}}, 9),
    "X-RateLimit-Reset": ({"headers": {"X-RateLimit-Reset": f"{NOW + 11.5}"}}, 11.5),
    "retry-seconds": ({"json": {"retry-seconds": 30}}, 30),
    "in the text": ({"json": {"message": "limit exceeded, try again after 12 seconds"}}, 12),
}


@pytest.mark.parametrize(("answer", "seconds"), ASKED.values(), ids=ASKED.keys())
async def test_the_wait_that_mailgun_asks_for_is_kept(
    httpx_mock: HTTPXMock, time: Time, answer: dict[str, Any], seconds: float
) -> None:
    httpx_mock.add_response(status_code=429, **answer)
    httpx_mock.add_response()
    async with make_client(time) as client:
        await client.send(GET, repeatable=True)

    assert len(time.waits) == 1
    assert seconds < time.waits[0] <= seconds + 0.125


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "1 minute"), (120, "2 minutes"), (86_400, "1 day"), (3 * 86_400, "3 days")]
)
async def test_a_longer_wait_is_the_callers(httpx_mock: HTTPXMock, time: Time, seconds: int, text: str) -> None:
    httpx_mock.add_response(status_code=429, json={"retry-seconds": seconds})
    async with make_client(time) as client:
        fault = await fault_of(client, GET, repeatable=True)

    assert (fault.next_step, time.waits) == (f"Try again in {text}.", [])


async def test_all_waits_together_are_bounded(httpx_mock: HTTPXMock, time: Time) -> None:
    httpx_mock.add_response(status_code=429, headers={"Retry-After": "25"}, is_reusable=True)
    async with make_client(time) as client:
        await fault_of(client, GET, repeatable=True)

    assert len(time.waits) == 2
    assert sum(time.waits) <= MAX_WAIT


async def test_slow_attempts_count_as_waiting(time: Time) -> None:
    def slow(_: httpx.Request) -> httpx.Response:
        time.now += 30
        raise httpx.ReadTimeout("slow")

    async with make_client(time, connect=answering(slow)) as client:
        await fault_of(client, GET, repeatable=True)

    assert len(time.waits) == 1


async def test_every_wait_is_told(httpx_mock: HTTPXMock, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 1.0)
    httpx_mock.add_response(status_code=429, json={"message": "slow down"}, headers={"Retry-After": "3"})
    httpx_mock.add_exception(httpx.ConnectError("refused"))
    httpx_mock.add_response()
    told: list[str] = []

    async def notify(message: str) -> None:
        told.append(message)

    async with make_client(time) as client:
        await client.send(GET, repeatable=True, notify=notify)

    assert told == [
        'Mailgun\'s rate limit has been reached (HTTP 429): "slow down"; trying again in 3.1 s',
        "https://api.mailgun.net could not be reached (ConnectError); nothing was sent; trying again in 1.0 s",
    ]


class Waited(Exception):
    """The rate limit asked for a wait."""


async def test_every_attempt_counts_against_the_rate_limit(httpx_mock: HTTPXMock) -> None:
    async def sleep(seconds: float) -> None:
        if seconds > 100:
            raise Waited

    httpx_mock.add_response(status_code=503, is_reusable=True)
    async with make_client(sleep=sleep, rate_limit=(2, 1000.0)) as client:
        with pytest.raises(Waited):
            await client.send(GET, repeatable=True)

    assert len(httpx_mock.get_requests()) == 2
