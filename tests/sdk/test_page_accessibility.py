"""The simulator's page, looked at by axe-core in a browser: light, dark, and on a phone, where nothing is cut off."""

import json
import shutil

import httpx
import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import NODE, run, without

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEWS = ("", "page/messages", "page/events", "page/suppressions", "page/inbound", "page/outbox", "page/try")
DOMAIN = "mail.example.com"


@pytest.mark.slow
def test_axe_finds_nothing_in_any_view(node: str, simulator: str) -> None:
    if BROWSER is None:
        without("there is no chromium or google-chrome", provided=True)
    with httpx.Client(base_url=simulator, auth=("api", KEY)) as api:
        events = api.get(f"/v3/{DOMAIN}/events", params={"event": "accepted", "limit": 1}).json()["items"]
    message = f"page/message?domain={DOMAIN}&key={events[0]['storage']['key']}"
    base = simulator.replace("://", f"://api:{KEY}@")
    urls = [f"{base}/simulator/{view}" for view in (*VIEWS, message)]
    done = run([node, "axe.mjs"], NODE, PAGE_URLS=json.dumps(urls), CHROMIUM=str(BROWSER))
    assert done.returncode == 0, done.stderr
    looks = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(looks) == 3 * len(urls)
    assert [look for look in looks if look["found"] or look["overflow"] > 0 or look["status"] != 200] == []
