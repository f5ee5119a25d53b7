"""Ten everyday tasks, as a model does them with what the tools tell it: no call of a straight walk fails."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.server.server import create_server
from mailgun_mcp.settings import Settings
from mailgun_mcp.simulator.model.webhooks import EVENT_TYPES
from tests.support.calls import LOCAL_USER
from tests.support.people import Desk

pytestmark = pytest.mark.anyio

SCENARIOS = (None, "healthy", "injection", "suppressed-customer")
WEEKS = (("2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z"), ("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"))


class Walk:
    """A model at the official client; the person at the desk agrees."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.domain = ""

    async def call(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """Return the result of a call that has to succeed."""
        result = await self._client.call_tool(tool, arguments)
        assert not result.is_error, (tool, arguments, result.content)
        return result.structured_content or {}


@pytest.fixture(params=SCENARIOS, ids=str)
async def walk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Walk]:
    services = create_services(Settings(simulator=True, scenario=request.param, state=str(tmp_path)))
    async with Client(create_server(services, LOCAL_USER), elicitation_callback=Desk()) as client:
        walk = Walk(client)
        domains = (await walk.call("list_domains"))["items"]
        walk.domain = next(
            domain["name"] for domain in domains if domain["type"] == "custom" and domain["state"] == "active"
        )
        yield walk


@pytest.mark.slow
async def test_ten_everyday_tasks_need_no_second_try(walk: Walk) -> None:
    for task in (
        why_it_bounced,
        clear_a_suppression,
        add_a_domain,
        rotate_keys,
        compare_two_weeks,
        send_a_template,
        set_up_a_webhook,
        route_inbound_mail,
        fill_a_mailing_list,
        who_opened,
    ):
        await task(walk)


async def why_it_bounced(walk: Walk) -> None:
    bounces = (await walk.call("list_bounces", domain=walk.domain))["items"]
    for bounce in bounces[:1]:
        found = await walk.call("get_bounce", domain=walk.domain, address=bounce["address"])
        assert found["listed"]
    await walk.call("list_events", domain=walk.domain, event="failed", limit=5)
    assert not (await walk.call("get_complaint", domain=walk.domain, address="nobody@example.org"))["listed"]


async def clear_a_suppression(walk: Walk) -> None:
    await walk.call("add_bounces", domain=walk.domain, bounces=[{"address": "kim@example.org"}])
    removed = await walk.call("delete_bounce", domain=walk.domain, address="kim@example.org")
    assert not (await walk.call("get_bounce", domain=walk.domain, address="kim@example.org"))["listed"]
    await walk.call("undo_operation", id=removed["undo"]["id"])


async def add_a_domain(walk: Walk) -> None:
    made = await walk.call("create_domain", domain="new.example.com")
    assert made["sending_dns_records"]
    assert (await walk.call("verify_domain", domain="new.example.com"))["domain"]["state"] == "active"


async def rotate_keys(walk: Walk) -> None:
    await walk.call("list_domain_keys", domain=walk.domain)
    await walk.call("create_domain_key", domain=walk.domain, selector="k9")
    await walk.call("verify_domain", domain=walk.domain)
    await walk.call("activate_domain_key", domain=walk.domain, selector="k9")
    await walk.call("create_api_key", kind="domain", role="sending", domain=walk.domain, description="rotated")
    keys = (await walk.call("list_api_keys"))["items"]
    await walk.call("delete_api_key", key_id=next(key["id"] for key in keys if key.get("description") == "rotated"))


async def compare_two_weeks(walk: Walk) -> None:
    for start, end in WEEKS:
        week = await walk.call("query_metrics", start=start, end=end, metrics=["accepted_count", "bounce_rate"])
        assert {"accepted_count", "bounce_rate"} <= set(week["items"][0]["metrics"])


async def send_a_template(walk: Walk) -> None:
    await walk.call("create_template", domain=walk.domain, name="hello", template="Hi {{name}}")
    sent = await walk.call(
        "send_message",
        domain=walk.domain,
        **{"from": f"shop@{walk.domain}"},
        to="kim@example.net",
        subject="Hi",
        template="hello",
        template_variables={"name": "Kim"},
        test_mode=True,
    )
    assert sent["asked_for"] == {"recipients": 1, "template": "hello", "test_mode": True}


async def set_up_a_webhook(walk: Walk) -> None:
    there = (await walk.call("list_domain_webhooks", domain=walk.domain))["webhooks"]
    event = next(event for event in EVENT_TYPES if not there.get(event))
    await walk.call("create_domain_webhook", domain=walk.domain, id=event, url="https://hooks.example.com/mg")
    await walk.call("get_domain_webhook", domain=walk.domain, webhook_name=event)


async def route_inbound_mail(walk: Walk) -> None:
    address = f"desk@{walk.domain}"
    actions = ["forward('https://hooks.example.com/in')", "stop()"]
    await walk.call("create_route", expression=f"match_recipient('{address}')", action=actions, priority=0)
    await walk.call("match_route", address=address)


async def fill_a_mailing_list(walk: Walk) -> None:
    await walk.call("list_mailing_lists")
    address = f"readers@{walk.domain}"
    await walk.call("create_mailing_list", address=address, name="Readers")
    members = [{"address": "ann@example.org", "name": "Ann"}, {"address": "ben@example.org"}]
    await walk.call("bulk_add_mailing_list_members", list_address=address, members=members)
    assert len((await walk.call("list_mailing_list_members", list_address=address))["items"]) == len(members)


async def who_opened(walk: Walk) -> None:
    events = (await walk.call("list_events", domain=walk.domain, event="opened", limit=5))["items"]
    assert all(event["recipient"] for event in events)
    await walk.call("query_logs", duration="7d", events=["opened"])
