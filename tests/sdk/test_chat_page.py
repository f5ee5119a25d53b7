"""The page /chat in a browser: streaming, a folded tool, an approval, a reload, a phone, and a policy that is never broken."""

import json
import os
import shutil
import time
from pathlib import Path

import anyio.to_thread
import pytest

from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.store.database import Store
from tests.support.processes import environment, http_server
from tests.support.sdk import NODE, run, without

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SCRIPT = """\
turns:
  - user: bounce
    steps:
      - say: "Let me look."
        calls: [{tool: list_bounces, arguments: {domain: mail.example.com, limit: 3}}]
      - say: "Three of the addresses that bounce. None is a fault of ours. ![x](https://evil.example/?q=1) <img src=x>"
  - user: chart
    steps:
      - calls: [{tool: chart_metrics, arguments: {metric: bounces, by: domain, days: 30}}]
      - say: "mail.example.com bounced most. <script>alert(1)</script> [click](javascript:alert(2)) \u202e**bold `code** <b onclick=x>"
  - user: clear
    steps:
      - calls: [{tool: clear_bounces, arguments: {domain: mail.example.com}}]
      - say: "The list is cleared. It can be undone."
"""


async def test_a_person_reads_approves_and_reloads(tmp_path: Path, node: str) -> None:
    if BROWSER is None:
        without("there is no chromium or google-chrome", provided=True)
    (tmp_path / "script.yaml").write_text(SCRIPT, encoding="utf-8")
    store = Store(tmp_path / "state")
    flags = ["--transport", "http", "--simulator", "--agent", "--model", f"script:{tmp_path / 'script.yaml'}"]
    async with http_server(flags, environment(tmp_path)) as server:
        link = f"{server.address}/sign-in?link={Sessions(store).create_link('olga', time.time())}"
        variables = {
            "CHROMIUM": str(BROWSER),
            "SHOTS": os.environ.get("SHOTS", ""),
            "BASE": server.address,
            "LINK": link,
        }
        done = await anyio.to_thread.run_sync(lambda: run([node, "chat.mjs"], NODE, **variables))
    store.close()
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "type the name: mail.example.com" in seen.pop("fault")
    # The browser itself says that an answer had the status 400, and that it was offline.
    ours = [text for text in seen.pop("complaints") if "400" not in text and "ERR_INTERNET_DISCONNECTED" not in text]
    assert ours == []
    assert seen == {
        "overflow": 0,
        "images": 0,
        "chart": ["Bounces by domain\nmessages, last 30 days", True],
        "violations": [],
        "same": True,
        "states": ["done", "done", "done"],
        "answered": True,
        "badge": True,
    }
