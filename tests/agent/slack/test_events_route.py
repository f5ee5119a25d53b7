"""What Slack posts: signatures, their five minutes, replays, retries and the three seconds."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from mailgun_mcp.agent.slack import app as app_module
from mailgun_mcp.agent.slack.events_route import MOST
from tests.support.chat_ways import Pause
from tests.support.fake_slack import signed
from tests.support.slack_chats import U_ANN, SlackChat, slack_chat

pytestmark = pytest.mark.anyio


@pytest.fixture
async def slack() -> AsyncIterator[SlackChat]:
    async with slack_chat(["Hello."], ["Hello again."]) as chat:
        yield chat


async def post(slack: SlackChat, body: bytes, **headers: str | bytes) -> httpx.Response:
    given = {"Content-Type": "application/json", **headers}
    raw = [
        (name.replace("_", "-").encode(), value.encode() if isinstance(value, str) else value)
        for name, value in given.items()
    ]
    answer = await slack.client.post("/slack/events", content=body, headers=raw)
    await slack.settled()
    return answer


def hello(slack: SlackChat) -> bytes:
    event = {"type": "message", "channel_type": "im", "channel": "D0ANN", "user": U_ANN, "text": "Hi", "ts": "1.1"}
    return json.dumps(slack.people.event(event)).encode()


async def test_slack_is_told_that_this_is_the_server(slack: SlackChat) -> None:
    body = b'{"type": "url_verification", "challenge": "c123", "token": "t"}'
    answer = await post(slack, body, **signed(body))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "c123"})


async def test_only_what_is_signed_right_and_now_is_taken(slack: SlackChat) -> None:
    body, now = hello(slack), time.time()
    right = signed(body)
    refused: dict[str, dict[str, str | bytes]] = {
        "no signature": {},
        "another secret": {**signed(body, secret="another")},
        "no secret": {**signed(body, secret="")},
        "another body": {**signed(body + b" ")},
        "five minutes ago": {**signed(body, at=now - 302)},
        "in five minutes": {**signed(body, at=now + 302)},
        "no time": {**right, "X-Slack-Request-Timestamp": ""},
        "no number": {**right, "X-Slack-Request-Timestamp": "¹²³".encode()},
        "no text": {**right, "X-Slack-Signature": b"v0=\xff"},
    }
    for why, headers in refused.items():
        assert (await post(slack, body, **headers)).status_code == 401, why
    assert slack.slack.calls == []
    assert (await post(slack, body, **right)).status_code == 200
    assert "Hello." in slack.slack.shown()


async def test_what_is_no_text_too_large_or_no_post_is_refused(slack: SlackChat) -> None:
    signature = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=0"}
    assert (await post(slack, b"\xff", **signature)).status_code == 400
    large = b" " * (MOST + 1)
    assert (await post(slack, large, **signed(large))).status_code == 413
    assert (await slack.client.get("/slack/events")).status_code == 405


async def test_a_request_that_somebody_recorded_is_not_taken_again(slack: SlackChat) -> None:
    body = hello(slack)
    headers = signed(body)
    assert (await post(slack, body, **headers)).status_code == 200
    before = list(slack.slack.calls)
    assert (await post(slack, body, **headers)).status_code == 401
    assert (await post(slack, body, **headers, X_Slack_Retry_Num="1")).status_code == 200
    assert slack.slack.calls == before


async def test_what_slack_sends_again_is_acknowledged_and_not_done_again(slack: SlackChat) -> None:
    payload = await slack.people.message("Hi", user=U_ANN)
    before = list(slack.slack.calls)
    for number in range(3):
        again = json.dumps({**payload, "retry": number}).encode()
        headers = {**signed(again), "X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
        assert (await post(slack, again, **headers)).status_code == 200
    # A server that does not know the event, such as another replica, knows the message.
    assert (await slack.people.send({**payload, "event_id": "Ev-of-another"})).status_code == 200  # type: ignore[union-attr] # it answers over HTTP
    assert slack.slack.calls == before


async def test_a_message_is_acknowledged_while_the_model_still_answers() -> None:
    pause = Pause()
    async with slack_chat(pause) as slack:
        event = {"type": "message", "channel_type": "im", "channel": "D0ANN", "user": U_ANN, "text": "Hi", "ts": "1.1"}
        begun = time.monotonic()
        answer = await slack.people.deliver(slack.people.event(event))
        assert isinstance(answer, httpx.Response)
        assert time.monotonic() - begun < 3
        await asyncio.wait_for(pause.reached.wait(), 10)


async def test_a_message_is_acknowledged_in_time_though_the_state_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "IN_TIME", 0.05)
    async with slack_chat(["Hello."]) as slack:
        started, go = slack.chat.runner.start, asyncio.Event()

        async def slow(*args: object, **kwargs: object) -> object:
            await go.wait()
            return await started(*args, **kwargs)  # type: ignore[arg-type] # as it was given

        monkeypatch.setattr(slack.chat.runner, "start", slow)
        event = {"type": "message", "channel_type": "im", "channel": "D0ANN", "user": U_ANN, "text": "Hi", "ts": "1.1"}
        answer = await slack.people.deliver(slack.people.event(event))
        assert isinstance(answer, httpx.Response)
        assert "Hello." not in slack.slack.shown()
        go.set()
        await slack.settled()
        assert "Hello." in slack.slack.shown()


async def test_an_event_that_means_nothing_here_is_acknowledged(slack: SlackChat) -> None:
    for kind in ("app_home_opened", "member_joined_channel", "message_metadata_posted"):
        answer = await slack.people.send(slack.people.event({"type": kind, "user": U_ANN}))
        assert isinstance(answer, httpx.Response)
    assert slack.slack.calls == []
