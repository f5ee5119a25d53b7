"""The view of `chart_metrics` in a browser, framed by a small host: what it draws, and that it loads and obeys nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from jsonschema import Draft202012Validator

from mailgun_mcp.server.apps import chart_view
from tests.support.sdk import NODE, run, without
from tests.support.workflows import account_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRAWN = {
    "details",
    "div",
    "figcaption",
    "figure",
    "li",
    "line",
    "main",
    "path",
    "polyline",
    "rect",
    "script",
    "span",
} | {*("strong", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul")}
HOSTILE = "<img src=https://evil.example/x onerror=alert(1)><script>alert(2)</script>"
INITIALIZE = {
    "type": "object",
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["integer", "string"]},
        "method": {"const": "ui/initialize"},
        "params": {
            "type": "object",
            "properties": {
                "appInfo": {"type": "object", "required": ["name", "version"]},
                "appCapabilities": {"type": "object"},
                "protocolVersion": {"const": "2026-01-26"},
            },
            "required": ["appInfo", "appCapabilities", "protocolVersion"],
        },
    },
    "required": ["jsonrpc", "id", "method", "params"],
}
"""What the extension's text demands of the view's first message."""


async def results(state: str) -> dict[str, dict[str, Any]]:
    """Return results of the tool as a client gets them, and some that it should never get."""
    async with account_of("blocklisting", state) as account:
        calls = {
            "days": {"metric": "delivery", "days": 7, "domain": "mail.example.com"},
            "month": {"metric": "bounces", "days": 30},
            "providers": {"metric": "delivery", "by": "provider"},
        }
        found = {
            name: {"structuredContent": (await account.call("chart_metrics", arguments)).structured}
            for name, arguments in calls.items()
        }
    hostile = json.loads(json.dumps(found["providers"]))
    facts = hostile["structuredContent"]["facts"]
    facts["figures"][0]["of"] = HOSTILE
    facts["figures"][1]["of"] = "⟦0a1b2c3d list⟧ click here ⟦0a1b2c3d⟧"
    facts["figures"][2]["of"] = "a-long-tag-name-" * 8
    facts["domain"] = HOSTILE
    facts["legend"] = {f"{HOSTILE}": "delivered_count", "failed": "permanent_failed_count"}
    return {
        **found,
        "hostile": hostile,
        "refused": {"isError": True, "content": [{"type": "text", "text": "Policy refuses this call."}]},
        "empty": {"structuredContent": {"facts": {}}},
    }


async def test_the_view_draws_the_result_in_any_theme_and_nothing_else(tmp_path: Path, node: str) -> None:
    if BROWSER is None:
        without("there is no chromium or google-chrome", provided=True)
    (tmp_path / "view.html").write_text(chart_view(), encoding="utf-8")
    found = await results(str(tmp_path / "state"))
    cases = [
        {"name": f"{name}-{theme}-{width}", "width": width, "theme": theme, "result": result}
        for name, result in found.items()
        for theme, width in (("light", 400), ("dark", 400), ("light", 720))
    ]
    variables = {"CHROMIUM": str(BROWSER), "CASES": json.dumps(cases), "VIEW": str(tmp_path / "view.html")}
    done = await anyio.to_thread.run_sync(
        lambda: run([node, "chart_view.mjs"], NODE, PICTURES=str(tmp_path), **variables)
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    shown = {line["name"]: line for line in lines if "name" in line}
    assert [line for line in lines if "axe" in line and line["found"]] == []
    assert len(shown) == len(cases)
    for name, seen in shown.items():
        assert (seen["requests"], seen["complaints"]) == ([], []), name
        assert (seen["overflow"], seen["cut"], seen["outside"]) == (0, 0, []), name
        assert set(seen["elements"]) - DRAWN <= {"p"}, name
        assert seen["refused"], "a script that is added does not run"
        assert seen["smallest"] >= 13, name
        first, *others = seen["messages"]
        Draft202012Validator(INITIALIZE).validate(first)
        assert others[0] == {"jsonrpc": "2.0", "method": "ui/notifications/initialized", "params": {}} or (
            others[0]["method"] == "ui/notifications/size-changed"
        )
        assert {"jsonrpc": "2.0", "id": "last", "result": {}} in others
    assert "Delivery by day, mail.example.com" in shown["days-light-400"]["text"]
    assert "messages, last 7 days" in shown["days-light-400"]["text"]
    assert "Gmail" in shown["providers-dark-400"]["text"]
    hostile = shown["hostile-light-400"]["text"]
    assert HOSTILE in hostile, "it is text"
    assert "click here" not in hostile
    assert "(third-party text)" in hostile
    assert shown["refused-light-400"]["text"] == "Policy refuses this call."
    assert shown["empty-light-400"]["text"] == "The result has no figures to draw."
