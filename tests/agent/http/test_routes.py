"""One script of a conversation over every protocol: ask, tool, approval, continuation, undo. All give the same log."""

import sys
from pathlib import Path

import pytest

from mailgun_mcp import asgi
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import Settings
from tests.support.all_chat_ways import WAYS
from tests.support.apps import opened, own_state
from tests.support.chat_ways import log_of, undo
from tests.support.chats import CLEAR, DOMAIN, LIST, Chat
from tests.support.team import team_server, token_of

pytestmark = pytest.mark.anyio


DROP = ("delete_bounce", {"domain": DOMAIN, "address": "nobody@novak.example"})
SCRIPT = [[LIST], ["Two bounce."], [CLEAR], ["Then only one."], [DROP], ["Removed."], undo, ["Put back."]]
"""What the model does: it reads, wants to clear the list, hears no, removes one address, and undoes that."""


@pytest.mark.parametrize("name", WAYS)
async def test_the_same_script_gives_the_same_log(name: str) -> None:
    async with Chat(*SCRIPT) as chat:
        before = await chat.bounces()
        async with WAYS[name](chat) as way:
            assert "Two bounce." in (await way.ask("What bounces?")).text
            (asked,) = (await way.ask("Clear them.")).asked
            assert "Then only one." in (await way.answer(asked, yes=False)).text
            (asked,) = (await way.ask("Only nobody@novak.example.")).asked
            assert "Removed." in (await way.answer(asked, yes=True)).text
            assert await chat.bounces() == before - 1
            seen = await way.ask("Undo that.")
            for approval in seen.asked:
                seen = await way.answer(approval, yes=True)
            assert "Put back." in seen.text
        assert await chat.bounces() == before
        assert log_of(chat) == LOG


LOG = [
    ("clear_bounces", "pending"),
    ("delete_bounce", "pending"),
    ("delete_bounce", "done"),
    ("undo_operation", "pending"),
    ("undo_operation", "done"),
    ("add_bounces", "done"),
]


async def test_the_server_serves_the_routes_where_the_settings_ask_for_it(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("turns: [{steps: [{say: Hello.}]}]\n", encoding="utf-8")
    for agent, status in ((True, 200), (False, 404)):
        settings = Settings(simulator=True, state=str(own_state()), agent=agent, model=f"script:{script}")
        services = opened(create_services(settings))
        async with team_server(services, settings, loopback=True) as client:
            token = token_of(services, f"ann{agent}", "read")
            assert (await client.get("/v1/models")).status_code == 401
            body = {"messages": [{"role": "user", "content": "Hi"}]}
            answer = await client.post("/v1/chat/completions", json=body, headers=token)
            assert answer.status_code == status
            if agent:
                assert answer.json()["choices"][0]["message"]["content"] == "Hello."


async def test_without_the_extra_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mailgun_mcp.agent.http.served", None)
    settings = Settings(simulator=True, state=str(own_state()), agent=True, model="script:x.yaml")
    with pytest.raises(SettingsError, match=r"pip install 'mailgun-mcp-server\[agent\]'"):
        asgi.create(settings, services=opened(create_services(settings)), loopback=True)
