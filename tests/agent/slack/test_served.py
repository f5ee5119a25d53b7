"""Slack in a server: its route needs no token, its settings are checked at the start, and its end loses nothing."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from mailgun_mcp import asgi
from mailgun_mcp.agent.open_calls import STOPPED
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state
from tests.support.chat_ways import Pause
from tests.support.fake_slack import SECRETS, fake_slack, signed
from tests.support.slack_chats import U_ANN, slack_chat, write_file
from tests.support.team import team_server

pytestmark = pytest.mark.anyio
SCRIPT = "turns: [{steps: [{say: Hello.}]}]\n"


def settings_with(directory: Path, **content: object) -> Settings:
    script = directory / "script.yaml"
    script.write_text(SCRIPT, encoding="utf-8")
    file = write_file(directory, **content)
    return Settings(simulator=True, state=str(own_state()), agent=True, model=f"script:{script}", slack=str(file))


async def test_the_server_takes_what_slack_signed_without_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    async with fake_slack() as slack:
        settings = settings_with(tmp_path, api_url=f"{slack.url}/api/")
        async with team_server(opened(create_services(settings)), settings, loopback=True) as client:
            body = json.dumps({"type": "url_verification", "challenge": "c1"}).encode()
            for path in ("/slack/events", "/slack/interactivity"):
                headers = {**signed(body), "Content-Type": "application/json"}
                assert (await client.post(path, content=body + b" ", headers=headers)).status_code == 401
                answer = await client.post(path, content=body, headers=headers)
                assert answer.status_code == (200 if path.endswith("events") else 401)
            assert (await client.post("/slack/other", content=body)).status_code == 404
            event = {"type": "message", "channel_type": "im", "channel": "D1", "user": U_ANN, "text": "Hi", "ts": "1.1"}
            told = json.dumps(
                {"type": "event_callback", "team_id": "T0TEAM", "event_id": "Ev1", "event": event}
            ).encode()
            headers = {**signed(told), "Content-Type": "application/json"}
            assert (await client.post("/slack/events", content=told, headers=headers)).status_code == 200
            await asyncio.wait_for(slack.was_asked("chat.stopStream"), 30)
        assert "Hello." in slack.shown()
        assert not any(message.get("streaming") for message in slack.messages.values())


async def test_a_server_that_stops_says_so_in_the_thread() -> None:
    pause = Pause()
    async with slack_chat(pause) as slack:
        event = {"type": "message", "channel_type": "im", "channel": "D1", "user": U_ANN, "text": "Hi", "ts": "1.1"}
        await slack.people.deliver(slack.people.event(event))
        await pause.reached.wait()
        await slack.chat.runner.aclose()
        await slack.settled()
        assert "Half" in slack.slack.shown()
        assert STOPPED in slack.slack.shown()


async def test_the_settings_are_checked_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    settings = settings_with(tmp_path)
    services = opened(create_services(settings))
    with pytest.raises(SettingsError, match="set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET"):
        asgi.create(settings, services=services, loopback=True)
    alone = Settings(simulator=True, state=settings.state, slack=settings.slack)
    with pytest.raises(SettingsError, match="add --agent"):
        asgi.create(alone, services=services, loopback=True)
    monkeypatch.setitem(sys.modules, "mailgun_mcp.agent.slack.served", None)
    with pytest.raises(SettingsError, match=r"pip install 'mailgun-mcp-server\[slack\]'"):
        asgi.create(settings, services=services, loopback=True)


async def test_a_rate_limit_of_slack_is_waited_out() -> None:
    async with slack_chat(["Hello."]) as slack:
        slack.slack.failures["chat.startStream"] = ["ratelimited"]
        await slack.people.message("Hi", user=U_ANN)
        assert "Hello." in slack.slack.shown()
