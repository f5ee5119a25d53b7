"""The control routes for what comes from outside: inbound mail, recipients, webhooks, seeds, snapshots."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.harness import HostAccess
from mailgun_mcp.simulator.control.mail_routes import is_loopback_url
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.routes import Route
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
WRITES = ("inbound", "act", "webhooks/post", "seed", "restore")
CHILD = "child.example.com"
HERE, THERE = "http://127.0.0.1:9/hook", "https://x.example/hook"


@pytest.fixture
def posted_to() -> list[str]:
    return []


@pytest.fixture
async def harness(account: Account, posted_to: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    async def poster(url: str, _: str, __: bytes) -> int:
        posted_to.append(url)
        return 200

    account.webhooks.outbox.clear()
    async with client(
        create_app(catalogue(), account=account, control=True, host_access=HostAccess(poster))
    ) as connected:
        yield connected


async def posted(harness: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await harness.post(f"/simulator/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(harness: httpx.AsyncClient, domain: str = PLAIN, **headers: str) -> str:
    form = {"from": "a@x.example", "to": "b@x.example", "text": "Hi"}
    return str((await harness.post(f"/v3/{domain}/messages", data=form, headers=headers)).json()["id"])


@pytest.fixture
def below(account: Account) -> Account:
    """A subaccount with an active domain, a webhook and a route."""
    child = next(iter(account.administration.subaccounts.values())).account
    child.domains[CHILD] = Domain(child.hex_id(), CHILD, child.clock.now(), "active", webhooks={"accepted": [HERE]})
    child.routes.by_id["1"] = Route("1", 1, "catch_all()", child.clock.now(), ["store()"])
    child.webhooks.outbox.clear()
    return child


async def test_subaccounts_take_part(harness: httpx.AsyncClient, below: Account, posted_to: list[str]) -> None:
    message = await send(harness, CHILD, **{"x-mailgun-on-behalf-of": below.id})
    (opened,) = (await posted(harness, "act", action="open", message=message))["items"]
    assert below.domains[CHILD].events[-1].record["id"] == opened["id"]
    (called,) = (await harness.get("/simulator/webhooks")).json()["items"]
    (taken,) = (await posted(harness, "webhooks/post"))["items"]
    assert (called["domain"], taken["id"], taken["outcome"], posted_to) == (CHILD, called["id"], "taken", [HERE])
    (received,) = (await posted(harness, "inbound", to=f"in@{CHILD}", text="Hi"))["items"]
    assert (received["domain"], received["actions"]) == (CHILD, ["store()"])
    assert received in (await harness.get("/simulator/inbound")).json()["items"]
    state = (await harness.get("/simulator/state")).json()["others"][below.id]
    assert state["domains"][CHILD]["messages"] == 2


async def test_mail_from_outside_is_received(harness: httpx.AsyncClient) -> None:
    got = await posted(harness, "inbound", **{"from": "c@x.example", "to": f"in@{PLAIN}", "subject": "S", "text": "T"})
    assert len(got["items"]) == 1
    assert (await harness.get("/simulator/inbound")).json()["items"][-1:] == got["items"]


async def test_a_recipient_acts_and_the_events_show_it(harness: httpx.AsyncClient) -> None:
    message = await send(harness)
    (made,) = (await posted(harness, "act", action="complain", message=message))["items"]
    (seen,) = (await harness.get(f"/v3/{PLAIN}/events?event=complained")).json()["items"]
    assert seen["id"] == made["id"]


async def test_webhooks_are_posted_to_this_machine_alone(
    harness: httpx.AsyncClient, account: Account, posted_to: list[str]
) -> None:
    account.webhooks.by_id.clear()
    account.domains[PLAIN].webhooks = {"accepted": [HERE, THERE]}
    await send(harness)
    answer = await posted(harness, "webhooks/post")
    assert ([one["outcome"] for one in answer["items"]], answer["not_loopback"], posted_to) == (
        ["taken"],
        [THERE],
        [HERE],
    )


async def test_the_dns_of_a_subaccount_s_domain_can_lack_a_record(harness: httpx.AsyncClient, below: Account) -> None:
    await posted(harness, "dns", domain=CHILD, record="dkim", present=False)
    assert below.domains[CHILD].absent_records == {"dkim"}
    assert (await harness.get("/simulator/dns")).json()[CHILD]["dkim"] is False


async def test_a_seed_resets_to_a_scenario(harness: httpx.AsyncClient) -> None:
    assert await posted(harness, "seed", scenario="injection") == {"domains": ["mail.example.com"]}
    assert [item["name"] for item in (await harness.get("/v4/domains")).json()["items"]] == ["mail.example.com"]


@pytest.mark.parametrize("path", WRITES)
async def test_another_site_s_page_changes_nothing(harness: httpx.AsyncClient, path: str) -> None:
    answer = await harness.post(f"/simulator/{path}", json={}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", WRITES)
async def test_with_a_key_they_need_it(account: Account, path: str) -> None:
    async with client(create_app(catalogue(), account=account, key="right", control=True), "wrong") as harness:
        assert (await harness.post(f"/simulator/{path}", json={})).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        pytest.param("inbound", {"subjct": "S"}, "subject", id="field"),
        pytest.param("inbound", {"text": "T"}, "has no recipient", id="no-recipient"),
        pytest.param("inbound", {"recipients": "x"}, "not a list of addresses", id="recipients"),
        pytest.param("act", {"action": "open"}, "message is missing", id="no-message"),
        pytest.param("act", {"action": 1}, "action is not a string", id="no-text"),
        pytest.param("seed", {"scenario": "none"}, "unknown scenario 'none'", id="scenario"),
    ],
)
async def test_what_cannot_be_done_is_told(
    harness: httpx.AsyncClient, path: str, body: dict[str, Any], message: str
) -> None:
    answer = await harness.post(f"/simulator/{path}", json=body)
    assert (answer.status_code, message in answer.json()["message"]) == (400, True), answer.text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (HERE, True),
        ("http://localhost:1/", True),
        ("http://[::1]/", True),
        (THERE, False),
        ("http://127.0.0.1.x.example/", False),
        ("http://127.0.0.1@x.example/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_loopback_is_what_is_written_so(url: str, said: bool) -> None:
    assert is_loopback_url(url) is said
