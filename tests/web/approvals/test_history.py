"""The page of the history: what the audit log says of calls, in pages."""

from typing import Any

import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.call.services import Services
from tests.support.pages import Browser

pytestmark = pytest.mark.anyio


def log(services: Services, tool: str, at: float, **fields: Any) -> None:
    body = {"tool": tool, "risk": "destructive", "principal": "ann", "account": "main", **fields}
    outcome = fields.pop("outcome", "done")
    entry = LogEntry(f"call-{at}", "outcome", {**body, "result": {"outcome": outcome}})
    services.audit_log.append([entry], at, durable=False)


async def test_calls_are_shown_with_who_confirmed_them_and_reads_on_request(
    services: Services, browser: Browser
) -> None:
    await browser.open("/approvals/history")
    assert "No calls are recorded yet" in browser.text
    confirmation = {"level": "typed", "by": "kim", "method": "approval"}
    log(services, "clear_bounces", 1.0, confirmation=confirmation, decision={"reason": "it removes"}, client="ide")
    log(services, "get_domain", 2.0, risk="read", arguments={"domain": "mail.example.com"})
    log(
        services,
        "send_message",
        3.0,
        outcome="refused",
        decision={"reason": "<b>no</b>"},
        arguments={"to": ["x" * 500]},
    )
    await browser.open("/approvals/history")
    assert "Done clear_bounces by ann with ide, account main Confirmed by kim" in browser.text
    assert "Because it removes" in browser.text
    assert "Refused send_message" in browser.text
    assert "Because <b>no</b>" in browser.text
    assert "get_domain" not in browser.text
    assert browser.tree.xpath("//time/@datetime") == ["1970-01-01T00:00:03Z", "1970-01-01T00:00:01Z"]
    await browser.open("/approvals/history?show=all")
    assert "get_domain" in browser.text
    assert "x" * 200 not in browser.text


async def test_older_calls_are_behind_a_link(services: Services, browser: Browser) -> None:
    for number in range(1, 53):
        log(services, f"tool_{number}", float(number))
    await browser.open("/approvals/history")
    assert "tool_3 " in browser.text
    assert "tool_2 " not in browser.text
    (older,) = browser.tree.xpath("//p[@class='more']/a/@href")
    await browser.open(older)
    assert len(browser.tree.xpath("//ol/li")) == 2
    assert browser.tree.xpath("//p[@class='more']") == []
    for nonsense in ("x", "nan", "-1", "1e400"):
        assert (await browser.open(f"/approvals/history?before={nonsense}")).status_code == 200


async def test_other_accounts_are_not_there(services: Services, browser: Browser) -> None:
    log(services, "clear_bounces", 1.0)
    browser.sign_in_as("kim", accounts=("staging",))
    await browser.open("/approvals/history")
    assert "clear_bounces" not in browser.text
