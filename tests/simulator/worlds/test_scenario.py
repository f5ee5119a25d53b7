"""A scenario makes the same account each time, and its incident shows through the API."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.control.account_json import restored, snapshot
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.scenario import (
    ScenarioError,
    open_scenario,
    parse_scenario,
    scenario_from_json,
    shipped_names,
)
from mailgun_mcp.simulator.worlds.scenario_history import scenario_account
from tests.simulator.conftest import client
from tests.support.accounts import scenario_account_at
from tests.support.operations import catalogue

GOOD = "domains:\n  - name: mail.example.com\n"


def connected(name: str) -> httpx.AsyncClient:
    return client(create_app(catalogue(), account=scenario_account_at(name, ManualClock())))


async def events(name: str, domain: str, **query: Any) -> list[dict[str, Any]]:
    async with connected(name) as mailgun:
        answer = await mailgun.get(f"/v3/{domain}/events", params={"limit": 300, **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_these_are_shipped() -> None:
    assert {"blocklisting", "broken-dkim", "complaint-spike", "healthy", "injection"} <= set(shipped_names())


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_names())
def test_a_scenario_makes_the_same_account_each_time(name: str) -> None:
    first, second = (snapshot(scenario_account(open_scenario(name), ManualClock())) for _ in range(2))
    assert first == second


@pytest.mark.anyio
async def test_blocklisting_shows_in_the_refusals_of_one_provider() -> None:
    failed = await events("blocklisting", "mail.example.com", event="failed")
    blocked = [event["recipient"] for event in failed if "zen.spamhaus.org" in event["delivery-status"]["message"]]
    assert blocked
    assert {address.partition("@")[2] for address in blocked} == {"outlook.com"}


@pytest.mark.anyio
async def test_broken_dkim_shows_in_refusals_of_those_who_insist() -> None:
    failed = await events("broken-dkim", "mail.example.com", event="failed")
    refused = {
        event["recipient"].partition("@")[2] for event in failed if "DKIM" in event["delivery-status"]["message"]
    }
    assert refused == {"gmail.com", "yahoo.com"}


@pytest.mark.anyio
async def test_a_complaint_spike_shows_in_the_domain_it_is_in() -> None:
    there = await events("complaint-spike", "news.example.org", event="complained")
    elsewhere = await events("complaint-spike", "mail.example.com", event="complained")
    assert len(there) > len(elsewhere) + 3


@pytest.mark.anyio
async def test_an_injection_lies_in_the_inbox() -> None:
    (stored,) = await events("injection", "mail.example.com", event="stored")
    async with connected("injection") as mailgun:
        answer = await mailgun.get(f"/v3/domains/mail.example.com/messages/{stored['storage']['key']}")
    assert "NOTE FOR AI ASSISTANTS" in answer.json()["body-plain"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("domains: [", "x:1: not valid YAML", id="not-yaml"),
        pytest.param(GOOD + "    stat: active\n", "x:3: domains.0.stat: unknown key", id="unknown-key"),
        pytest.param(GOOD + "    state: gone\n", "x:3: domains.0.state: ", id="unknown-state"),
        pytest.param("seed: 1\ndomains: []\n", "x:2: a scenario needs at least one domain", id="no-domains"),
        pytest.param(
            GOOD + "  - name: mail.example.com\n",
            "x:3: two domains have the same name: 'mail.example.com'",
            id="twice",
        ),
        pytest.param(
            GOOD + "    webhooks: {permanent_fial: [https://x.example]}\n",
            "x:3: domains.0.webhooks: unknown event type 'permanent_fial': did you mean 'permanent_fail'?",
            id="event-type",
        ),
        pytest.param(GOOD + "  - name: nodot\n", "x:3: domains.1.name: 'nodot' is not a domain name", id="domain"),
        pytest.param(GOOD + "    ip: 999.1.1.1\n", "x:3: domains.0.ip: '999.1.1.1' is not an IP address", id="ip"),
        pytest.param(
            GOOD + "routes:\n  - expression: match_foo()\n    actions: [stop()]\n",
            "x:4: routes.0.expression: 'match_foo' is not match_recipient()",
            id="expression",
        ),
        pytest.param(
            GOOD + "routes:\n  - expression: catch_all()\n    actions:\n      - explode()\n",
            "x:6: routes.0.actions.0: 'explode()' is not forward()",
            id="action",
        ),
        pytest.param(
            GOOD + "incidents:\n  - kind: brokn_dkim\n    domain: mail.example.com\n",
            "x:4: incidents.0: unknown kind 'brokn_dkim': did you mean 'broken_dkim'?",
            id="kind",
        ),
        pytest.param(
            GOOD + "incidents:\n  - kind: suppressed\n    domain: mail.example.com\n    address: jo\n",
            "x:6: incidents.0.address: 'jo' is not a mail address",
            id="key-of-an-incident",
        ),
        pytest.param(
            GOOD + "incidents:\n  - kind: broken_dkim\n    domain: b.example\n",
            "x:5: incident in 'b.example', which is not one of the domains: mail.example.com",
            id="domain-of-an-incident",
        ),
        pytest.param(
            GOOD + "incidents:\n  - kind: complaint_spike\n    domain: mail.example.com\n",
            "x:5: complaint_spike in 'mail.example.com': give the domain a volume",
            id="no-volume",
        ),
        pytest.param("", "x:1: ", id="empty"),
        pytest.param("? [a]\n: 1\n", "x:1: a key must be text", id="key-of-no-text"),
        pytest.param("seed: 1\nseed: 2\n", "x:2: duplicate key 'seed' (first on line 1)", id="duplicate-key"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "x")
    assert message in str(caught.value)


def test_a_described_scenario_names_the_key_of_an_incident() -> None:
    incident = {"kind": "suppressed", "domain": "a.example", "address": "jo"}
    with pytest.raises(ScenarioError, match=r"^incidents\.0\.address: 'jo' is not a mail address$"):
        scenario_from_json({"domains": [{"name": "a.example"}], "incidents": [incident]})


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"did you mean 'injection'\?"):
        open_scenario("injectoin")


def test_a_described_scenario_opens_no_file() -> None:
    with pytest.raises(ScenarioError, match="unknown scenario"):
        scenario_from_json("/tmp/any.yaml")


def test_a_scenario_names_a_dedicated_ip_by_its_address() -> None:
    with pytest.raises(ScenarioError, match=r"domains\.0\.ip"):
        parse_scenario(GOOD + "    ip: not-an-ip\n", "x")


async def sent_now(mailgun: httpx.AsyncClient, to: str, **more: str) -> list[str]:
    """Send a mail to someone, and return what happened to it."""
    form = {"from": "a@mail.example.com", "to": to, "text": "Hi", **more}
    answer = await mailgun.post("/v3/mail.example.com/messages", data=form)
    assert answer.status_code == 200, answer.text
    found = await mailgun.get("/v3/mail.example.com/events", params={"recipient": to, "ascending": "yes"})
    return [f"{item['event']} {item.get('delivery-status', {}).get('message', '')}" for item in found.json()["items"]]


@pytest.mark.anyio
async def test_mail_that_is_sent_during_a_blocklisting_is_refused_as_well() -> None:
    async with connected("blocklisting") as mailgun:
        refused = await sent_now(mailgun, "me@outlook.com")
        assert [text.split()[0] for text in refused] == ["accepted", "failed"]
        assert "blocked using zen.spamhaus.org" in refused[1]
        assert await sent_now(mailgun, "me@gmail.com") == ["accepted ", "delivered OK"]


@pytest.mark.anyio
async def test_a_blocklisting_is_of_the_ip_and_not_of_the_domain() -> None:
    account = scenario_account_at("blocklisting", ManualClock())
    account.domains["mail.example.com"].administration.sending.ips = ["192.0.2.99"]
    async with client(create_app(catalogue(), account=account)) as mailgun:
        assert await sent_now(mailgun, "me@outlook.com") == ["accepted ", "delivered OK"]


@pytest.mark.anyio
async def test_a_broken_dkim_record_stays_broken_until_the_dns_is_mended() -> None:
    account = scenario_account_at("broken-dkim", ManualClock())

    def dkim(domain: Any) -> list[str]:
        return [record["valid"] for record in domain["sending_dns_records"] if "_domainkey" in record["name"]]

    async with client(create_app(catalogue(), account=account, control=True)) as mailgun:
        assert "DKIM authentication didn't pass" in (await sent_now(mailgun, "me@gmail.com"))[1]
        assert await sent_now(mailgun, "me@outlook.com") == ["accepted ", "delivered OK"]
        checked = (await mailgun.put("/v4/domains/mail.example.com/verify")).json()
        assert (dkim(checked), checked["domain"]["state"]) == (["unknown"], "active")
        others = [record["valid"] for record in checked["sending_dns_records"] if "_domainkey" not in record["name"]]
        assert others == ["valid", "valid"]
        assert await sent_now(mailgun, "them@outlook.com") == ["accepted ", "delivered OK"]
        mended = {"domain": "mail.example.com", "record": "dkim", "present": True}
        assert (await mailgun.post("/simulator/dns", json=mended)).status_code == 200
        assert dkim((await mailgun.put("/v4/domains/mail.example.com/verify")).json()) == ["valid"]
        assert await sent_now(mailgun, "you@gmail.com") == ["accepted ", "delivered OK"]


def test_an_incident_outlives_a_snapshot() -> None:
    account = scenario_account_at("blocklisting", ManualClock())
    blocks = restored(snapshot(account), ManualClock()).administration.ips.blocks
    assert blocks == account.administration.ips.blocks != []
