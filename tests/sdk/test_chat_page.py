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
      - say: "Three of the addresses that bounce:\\n\\n| address | code |\\n| --- | ---: |\\n| <b>ann</b>@example.com | 550 ![x](https://evil.example/) |\\n\\n```\\n<script>alert(1)</script>\\n```\\n\\n1. None is a fault of ours. ![x](https://evil.example/?q=1) <img src=x>"
  - user: chart
    steps:
      - calls: [{tool: chart_metrics, arguments: {metric: bounces, by: domain, days: 30}}]
      - say: "mail.example.com bounced most. <script>alert(1)</script> [click](javascript:alert(2)) \u202e**bold `code** <b onclick=x>"
  - user: clear
    steps:
      - calls: [{tool: clear_bounces, arguments: {domain: mail.example.com}}]
      - say: "The list is cleared. It can be undone."
"""

MARKDOWN = {
    "# Found\n\n**Two** of *three*: `a_b`.\nAnd _more_.": '<p class="heading">Found</p><p><strong>Two</strong> of <em>three</em>: <code>a_b</code>.\n'
    "And <em>more</em>.</p>",
    "- a\n  - b\n- c\n\n3. d": '<ul><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul><ol start="3"><li><p>d</p></li></ol>',
    "> said\n\n---\n2 * 3 * 4, snake_case_name, a\\*b": "<blockquote><p>said</p></blockquote><hr><p>2 * 3 * 4, snake_case_name, a*b</p>",
    "a | b\n:-: | -\n1 \\| 2 | `c`": '<div class="wide" tabindex="0" role="region" aria-label="Table"><table><thead><tr><th class="middle">a</th><th>b</th></tr></thead>'
    '<tbody><tr><td class="middle">1 | 2</td><td><code>c</code></td></tr></tbody></table></div>',
    "```html\n<b>x</b>\n# no": '<pre class="wide" tabindex="0" role="region" aria-label="Code"><code>&lt;b&gt;x&lt;/b&gt;\n# no</code></pre>',
    "[guide](https://documentation.mailgun.com/x) ![i](https://a.example/p) <img src=x> [j](javascript:0)": "<p>guide (https://documentation.mailgun.com/x) "
    "!i (https://a.example/p) &lt;img src=x&gt; j (javascript:0)</p>",
}
"""A model's text -> the elements that the page draws."""
LONG = (
    "[a](" * 30_000,
    "**a" * 30_000,
    "`a``" * 20_000,
    "> " * 20_000,
    "- " * 20_000 + "x",
    "|" * 20_000 + "\n|-|\n" + "|x" * 20_000,
)
"""Texts that would keep a careless renderer busy for minutes, or overflow its stack."""


async def test_a_person_reads_approves_and_reloads(tmp_path: Path, node: str) -> None:
    if BROWSER is None:
        without("there is no chromium or google-chrome", provided=True)
    (tmp_path / "script.yaml").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "markdown.json").write_text(json.dumps([*MARKDOWN, *LONG]), encoding="utf-8")
    store = Store(tmp_path / "state")
    flags = ["--transport", "http", "--simulator", "--agent", "--model", f"script:{tmp_path / 'script.yaml'}"]
    async with http_server(flags, environment(tmp_path)) as server:
        link = f"{server.address}/sign-in?link={Sessions(store).create_link('olga', time.time())}"
        variables = {
            "CHROMIUM": str(BROWSER),
            "SHOTS": os.environ.get("SHOTS", ""),
            "BASE": server.address,
            "LINK": link,
            "MARKDOWN": str(tmp_path / "markdown.json"),
        }
        done = await anyio.to_thread.run_sync(lambda: run([node, "chat.mjs"], NODE, **variables))
    store.close()
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "type the name: mail.example.com" in seen.pop("fault")
    assert seen.pop("markdown")[: len(MARKDOWN)] == list(MARKDOWN.values())
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
