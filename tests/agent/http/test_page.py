"""The page /chat: its sessions, its tokens, and conversations that are only their owner's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.agent.http.page import ASSETS
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state
from tests.support.chat_ways import stream_of
from tests.support.pages import ORIGIN, Browser, browsing

pytestmark = pytest.mark.anyio
SCRIPT = """\
turns:
  - user: clear
    steps:
      - calls: [{tool: clear_bounces, arguments: {domain: mail.example.com}}]
      - say: Cleared.
  - steps: [{say: Hello.}]
"""


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    (tmp_path / "script.yaml").write_text(SCRIPT, encoding="utf-8")
    model = f"script:{tmp_path / 'script.yaml'}"
    settings = Settings(simulator=True, state=str(own_state()), agent=True, model=model)
    async with browsing(opened(create_services(settings)), settings) as browser:
        await browser.sign_in()
        yield browser


async def chat(browser: Browser) -> tuple[str, dict[str, str]]:
    """Open a new conversation. Return its path, and the headers that its script sends."""
    page = await browser.open("/chat")
    data = browser.tree.get_element_by_id("chat").attrib
    assert page.url.path == data["data-base"]
    return data["data-base"], {**ORIGIN, "X-Page-Token": data["data-token"]}


async def post(browser: Browser, path: str, headers: dict[str, str], **body: Any) -> Any:
    return await browser.http.post(path, json=body, headers=headers)


async def test_a_conversation_is_held_answered_listed_and_deleted(browser: Browser) -> None:
    base, headers = await chat(browser)
    assert (await post(browser, f"{base}/messages", headers, text="clear them", run="r1")).status_code == 202
    events = stream_of((await browser.http.get(f"{base}/events")).text)
    (asked,) = [event for event in events if event.get("kind") == "approval_needed"]
    assert events[-1] == {"status": "waiting"}
    await browser.open("/chat")
    assert "waits for you" in browser.text
    wrong = {"approval": asked["approval"], "yes": True, "typed": "x"}
    refused = await post(browser, f"{base}/answers", headers, answers=[wrong])
    assert (refused.status_code, "type the name" in refused.json()["error"]["message"]) == (400, True)
    right = {**wrong, "typed": asked["typed"]}
    assert (await post(browser, f"{base}/answers", headers, answers=[right])).status_code == 202
    rest = await browser.http.get(f"{base}/events", params={"after": events[-2]["id"]})
    assert [event["text"] for event in stream_of(rest.text) if event.get("kind") == "text"] == ["Cleared."]
    await browser.open(base)
    assert "clear them" in browser.text
    assert (await post(browser, f"{base}/delete", headers)).status_code == 204
    assert (await browser.http.get(f"{base}/events")).status_code == 404


async def test_an_open_question_is_cancelled(browser: Browser) -> None:
    base, headers = await chat(browser)
    await post(browser, f"{base}/messages", headers, text="clear them", run="r1")
    await browser.http.get(f"{base}/events")
    assert (await post(browser, f"{base}/cancel", headers)).status_code == 204
    assert stream_of((await browser.http.get(f"{base}/events", params={"after": "x"})).text)[-1] == {"status": "idle"}


@pytest.mark.parametrize(("path", "body"), [("messages", {"text": 1}), ("answers", {}), ("cancel", {}), ("delete", {})])
async def test_what_the_page_does_not_send_is_refused(browser: Browser, path: str, body: dict[str, Any]) -> None:
    base, headers = await chat(browser)
    assert (await post(browser, f"{base}/{path}", headers, **body)).status_code in (400, 404)
    for wrong in ({}, ORIGIN, {**headers, "Origin": "https://evil.example"}, {**headers, "X-Page-Token": "x"}):
        assert (await post(browser, f"{base}/{path}", wrong, **body)).status_code == 403


async def test_another_person_sees_nothing_of_it(browser: Browser) -> None:
    base, headers = await chat(browser)
    await post(browser, f"{base}/messages", headers, text="a secret plan", run="r1")
    await browser.sign_in("kim")
    page = await browser.open(base)
    assert "a secret plan" not in page.text
    assert (await browser.http.get(f"{base}/events")).status_code == 404
    browser.http.cookies.clear()
    assert (await browser.http.get(f"{base}/events")).status_code == 401
    assert (await browser.open("/chat")).url.path == "/sign-in"


async def test_what_a_person_writes_stays_text(browser: Browser) -> None:
    base, headers = await chat(browser)
    hostile = "</title><script>alert(1)</script>"
    await post(browser, f"{base}/messages", headers, text=hostile, run="r1")
    page = await browser.open(base)
    assert "<script>alert" not in page.text


async def test_the_script_and_the_style_are_served_and_markup_is_never_made_of_text(browser: Browser) -> None:
    for name in ASSETS:
        assert (await browser.http.get(f"/assets/{name}")).status_code == 200
    script = "".join(path.read_text(encoding="utf-8") for name, path in ASSETS.items() if name.endswith(".js"))
    assert not any(
        word in script for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    )
