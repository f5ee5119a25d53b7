"""Why mail bounced: the rules, the counts by them, and the older operations."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.record_events import record_event, refused_status
from mailgun_mcp.simulator.model.bounce_rules import ENTITIES, GROUPS, all_rules, classify
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.worlds.demo import SHOP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
URL = "/v2/bounce-classification/metrics"
V1 = "/v1/bounce-classification"


def failed(text: str, provider: str = "Other", **more: Any) -> dict[str, Any]:
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "recipient-provider": provider,
        "delivery-status": {"message": text},
        **more,
    }


@pytest.mark.parametrize(
    ("text", "provider", "entity", "group"),
    [
        ("5.1.1 The email account that you tried to reach does not exist", "Gmail", "gmail", "invalid-recipient"),
        ("5.7.1 Client host blocked using zen.spamhaus.org", "Outlook", "spamhaus", "blocklisted"),
        ("4.2.2 mailbox is over quota", "Yahoo", "yahoo", "mailbox-full"),
        ("5.7.26 This mail is unauthenticated", "Gmail", "gmail", "authentication"),
        ("4.7.0 Too many connections, try again later", "Outlook", "hotmail", "rate-limited"),
        ("5.7.1 Message rejected as spam by Barracuda", "Other", "barracuda", "spam-content"),
        ("5.4.310 DNS domain gmial.example does not exist", "Other", "other", "dns"),
        ("Recipient address rejected: access denied", "Apple", "apple", "reputation"),
        ("computer says no", "Other", "other", "other"),
    ],
)
def test_a_refusal_is_told_by_what_it_says(text: str, provider: str, entity: str, group: str) -> None:
    rule = classify(failed(text, provider))
    assert rule is not None
    assert (rule.entity, rule.group.id) == (entity, group)


@pytest.mark.parametrize("record", [{"event": "delivered"}, failed("", reason="suppress-bounce")])
def test_what_reached_no_server_is_not_classified(record: dict[str, Any]) -> None:
    assert classify(record) is None


def test_each_rule_has_an_id_of_its_own_and_every_sample_is_its_groups() -> None:
    assert len(all_rules()) == len(ENTITIES) * len(GROUPS)
    for group in GROUPS:
        rule = classify(failed(group.sample))
        assert rule is not None
        assert rule.group is group


@pytest.fixture
def failures(account: Account, plain: Domain) -> Domain:
    """Two critical bounces at Gmail, one mailbox that is full, a delay, and three deliveries."""
    now = account.clock.now()
    cases = (
        ("a@gmail.com", "5.7.26 unauthenticated", "permanent"),
        ("b@gmail.com", "5.7.26 unauthenticated", "permanent"),
        ("c@gmail.com", "4.2.2 over quota", "permanent"),
        ("d@x.example", "4.7.0 too many connections", "temporary"),
    )
    message = StoredMessage("1", "1@x.example", PLAIN, now, "a@x.example", ["b@x.example"], {}, tags=["one", "two"])
    for address, text, severity in cases:
        status = refused_status(address, 550, text)
        record_event(
            account, plain, "failed", message, address, now, severity=severity, reason="bounce", delivery_status=status
        )
    for address in ("e@gmail.com", "f@gmail.com", "g@x.example"):
        record_event(account, plain, "delivered", message, address, now)
    return plain


async def asked(mailgun: httpx.AsyncClient, *dimensions: str, **query: Any) -> list[dict[str, Any]]:
    here = {"attribute": "domain.name", "comparator": "=", "values": [{"value": PLAIN}]}
    answer = await mailgun.post(URL, json={"dimensions": list(dimensions), "filter": {"AND": [here]}, **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.usefixtures("failures")
async def test_failures_are_counted_beside_deliveries(mailgun: httpx.AsyncClient) -> None:
    assert await asked(mailgun, "entity-name") == [
        {
            "entity-name": "Gmail",
            "metrics": {
                "critical_bounce_count": 2,
                "non_critical_bounce_count": 1,
                "critical_delay_count": 0,
                "non_critical_delay_count": 0,
                "delivered_smtp_count": 2,
                "classified_failures_count": 3,
                "critical_bounce_rate": 40.0,
                "non_critical_bounce_rate": 20.0,
                "critical_delay_rate": 0.0,
                "non_critical_delay_rate": 0.0,
            },
        },
        {
            "entity-name": "Other",
            "metrics": {
                "critical_bounce_count": 0,
                "non_critical_bounce_count": 0,
                "critical_delay_count": 0,
                "non_critical_delay_count": 1,
                "delivered_smtp_count": 1,
                "classified_failures_count": 1,
                "critical_bounce_rate": 0.0,
                "non_critical_bounce_rate": 0.0,
                "critical_delay_rate": 0.0,
                "non_critical_delay_rate": 50.0,
            },
        },
    ]


@pytest.mark.usefixtures("failures")
@pytest.mark.parametrize(
    ("dimension", "counts"),
    [
        ("domain.name", {PLAIN: 4}),
        ("envelope.sending-ip", {"192.0.2.10": 4}),
        ("recipient-domain", {"gmail.com": 3, "x.example": 1}),
        ("tag", {"one": 4, "two": 4}),
        ("tags", {"one, two": 4}),
        ("criticality", {"critical": 2, "non-critical": 2}),
        ("severity", {"permanent": 3, "temporary": 1}),
        ("category", {"AUTHENTICATION": 2, "MAILBOX_FULL": 1, "RATE_LIMIT": 1}),
        ("group-id", {"authentication": 2, "mailbox-full": 1, "rate-limited": 1}),
        ("account.name", {"5f3b1e9a7c2d4f6081a3b5c7": 4}),
    ],
)
async def test_dimensions(mailgun: httpx.AsyncClient, dimension: str, counts: dict[str, int]) -> None:
    items = await asked(mailgun, dimension, metrics=["classified_failures_count"])
    assert {item[dimension]: item["metrics"]["classified_failures_count"] for item in items} == counts


@pytest.mark.usefixtures("failures")
async def test_a_group_is_explained(mailgun: httpx.AsyncClient) -> None:
    first = (await asked(mailgun, "group-id"))[0]
    assert (first["sample-text"], first["explanation"]) == (GROUPS[1].sample, GROUPS[1].explanation)


async def test_what_has_no_failures_is_left_out(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(f"/v3/{PLAIN}/messages", data={"from": "a@x.example", "to": "b@x.example", "text": "Hi"})
    assert await asked(mailgun, "domain.name") == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"dimensions": ["tag", "tags"]}, "'tag' and 'tags' dimensions can't be used together"),
        ({"duration": "2y"}, "'duration' attribute is invalid"),
        ({"pagination": {"sort": "nope:asc"}}, "'sort' attribute is invalid"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    mailgun: httpx.AsyncClient, query: dict[str, Any], text: str
) -> None:
    answer = await mailgun.post(URL, json=query)
    assert (answer.status_code, answer.json()) == (400, {"message": text})


@pytest.mark.usefixtures("failures")
async def test_the_older_operations_go_from_domain_to_entity_to_rule_to_events(mailgun: httpx.AsyncClient) -> None:
    async def got(path: str) -> Any:
        answer = await mailgun.get(V1 + path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    domains = await got(f"/domains?query=domain.name:{PLAIN}")
    assert domains == {"items": [{"domain": {"name": PLAIN}, "bounced": {"total": 3}}], "total": 1}
    entities = await got(f"/domains/{PLAIN}/entities")
    assert entities == {"items": [{"entity-id": "gmail", "entity-name": "Gmail", "bounced": {"total": 3}}]}
    found = (await got(f"/domains/{PLAIN}/entities/gmail/rules"))["items"]
    assert [(rule["category"], rule["bounced"]["total"]) for rule in found] == [
        ("AUTHENTICATION", 2),
        ("MAILBOX_FULL", 1),
    ]
    events = (await got(f"/domains/{PLAIN}/events?rule-id={found[0]['rule-id']}"))["items"]
    assert [event["recipient"] for event in events] == ["a@gmail.com", "b@gmail.com"]
    assert (await got("/config/rules"))[found[0]["rule-id"]]["entity_id"] == "gmail"
    assert (await got("/config/entities"))["gmail"] == {"name": "Gmail"}


@pytest.mark.usefixtures("failures")
async def test_bounce_events_come_in_pages(mailgun: httpx.AsyncClient) -> None:
    rule = classify(failed("5.7.26", "Gmail"))
    assert rule is not None
    page = (await mailgun.get(f"{V1}/domains/{PLAIN}/events?rule-id={rule.id}&limit=1")).json()
    seen = []
    while page["items"]:
        seen += [event["recipient"] for event in page["items"]]
        page = (await mailgun.get(page["paging"]["next"])).json()
    assert seen == ["a@gmail.com", "b@gmail.com"]


async def test_statistics_of_the_demo_account_name_their_reasons(mailgun: httpx.AsyncClient) -> None:
    body = (await mailgun.get(f"{V1}/stats?group=domain.name,entity-id,rule-id")).json()
    shop = [item for item in body["items"] if item["domain"]["name"] == SHOP]
    assert {(item["entity-id"], item["short-explanation"]) for item in shop} >= {("gmail", "No such recipient")}
    assert sum(item["bounced"]["total"] for item in body["items"]) == 4
