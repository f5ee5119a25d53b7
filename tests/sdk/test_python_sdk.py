"""Mailgun's own SDK for Python does what its examples do, against the simulator; only its base URL is set."""

import ast
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, TypeGuard

import pytest

from tests.sdk.conftest import KEY
from tests.support.processes import PATIENCE
from tests.support.sdk import Call, check_results

if importlib.util.find_spec("mailgun") is None:
    reason = "the package `mailgun`, Mailgun's SDK for Python, is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)

import requests
from mailgun.builders import MailgunMessageBuilder
from mailgun.client import AsyncClient, Client

NUMBERS = count(1)
QUEUED = "Queued. Thank you."
MIME = (
    b"From: a@shop.example\r\nTo: kim@example.com\r\nSubject: As MIME\r\n"
    b"Message-ID: <as-mime@shop.example>\r\n\r\nHello from MIME\r\n"
)
MAIL = {"from": "Shop <a@shop.example>", "to": "kim@example.com", "subject": "Hello", "text": "Hi"}


@pytest.fixture(scope="module")
def mailgun(simulator: str) -> Iterator[Client]:
    with Client(auth=("api", KEY), api_url=simulator) as client:
        yield client


@pytest.fixture
def domain(mailgun: Client) -> str:
    """A domain of the test's own, ready to send."""
    name = f"py{next(NUMBERS)}.example.com"
    assert mailgun.domains.create(data={"name": name}).status_code == 200
    assert mailgun.domains.put(domain=name, verify=True).json()["domain"]["state"] == "active"
    return name


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def events(mailgun: Client, domain: str, **filters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = ok(
        mailgun.events.get(domain=domain, filters={"limit": 300, "ascending": "yes", **filters})
    )["items"]
    return items


def stored(mailgun: Client, domain: str, **filters: Any) -> dict[str, Any]:
    """The stored copy of the first mail, got from where its event says it is."""
    url = events(mailgun, domain, event="accepted", **filters)[0]["storage"]["url"]
    message: dict[str, Any] = ok(mailgun.resend_message.get(storage_url=url))
    return message


def test_its_health_check_passes_and_a_wrong_key_does_not(mailgun: Client, simulator: str) -> None:
    with Client(auth=("api", "another-key"), api_url=simulator) as stranger:
        assert (mailgun.ping(), stranger.ping()) == (True, False)
        refused = stranger.messages.create(domain="mail.example.com", data=MAIL)
        assert (refused.status_code, refused.text) == (401, "Forbidden")
        assert refused.headers["content-type"].startswith("text/plain")


def test_what_is_not_there_is_told_as_mailgun_tells_it(mailgun: Client) -> None:
    answer = mailgun.bounces.get(domain="nowhere.example.com")
    assert (answer.status_code, answer.json()) == (404, {"message": "Domain not found: nowhere.example.com"})


def test_a_mail_with_all_its_parts_is_sent_and_read_back(mailgun: Client, domain: str) -> None:
    files = [("attachment", ("one.txt", b"first")), ("attachment", ("two.txt", b"second"))]
    data = {
        **MAIL,
        "cc": "lee@example.com",
        "html": "<p>Hi</p>",
        "o:tag": ["September newsletter", "newsletters"],
        "o:tracking": False,
        "h:Reply-To": "help@shop.example",
        "v:order": "42",
    }
    sent = ok(mailgun.messages.create(data=data, files=files, domain=domain))
    assert sent == {"id": sent["id"], "message": QUEUED}
    happened = events(mailgun, domain)
    assert sorted((item["event"], item["recipient"]) for item in happened) == [
        ("accepted", "kim@example.com"),
        ("accepted", "lee@example.com"),
        ("delivered", "kim@example.com"),
        ("delivered", "lee@example.com"),
    ]
    assert {item["message"]["headers"]["message-id"] for item in happened} == {sent["id"].strip("<>")}
    assert happened[0]["tags"] == ["September newsletter", "newsletters"]
    assert happened[0]["user-variables"] == {"order": "42"}
    copy = stored(mailgun, domain)
    assert (copy["body-plain"], copy["body-html"], copy["Reply-To"]) == ("Hi", "<p>Hi</p>", "help@shop.example")
    assert [(item["name"], item["size"]) for item in copy["attachments"]] == [("one.txt", 5), ("two.txt", 6)]


def test_each_of_a_batch_gets_an_own_copy(mailgun: Client, domain: str) -> None:
    data, _ = (
        MailgunMessageBuilder("a@shop.example")
        .add_recipient("kim@example.com")
        .add_recipient("lee@example.com")
        .set_subject("Hello %recipient.name%")
        .set_text("Dear %recipient.name%")
        .set_recipient_variables({"kim@example.com": {"name": "Kim"}, "lee@example.com": {"name": "Lee"}})
        .build()
    )
    ok(mailgun.messages.create(data=data, domain=domain))
    copies = [stored(mailgun, domain, recipient=f"{name}@example.com") for name in ("kim", "lee")]
    assert [(copy["subject"], copy["body-plain"]) for copy in copies] == [
        ("Hello Kim", "Dear Kim"),
        ("Hello Lee", "Dear Lee"),
    ]


def test_a_template_is_filled_in(mailgun: Client, domain: str) -> None:
    ok(mailgun.templates.create(data={"name": "welcome", "template": "<p>{{name}}</p>"}, domain=domain))
    data = {**MAIL, "template": "welcome", "t:variables": json.dumps({"name": "Kim"})}
    del data["text"]
    ok(mailgun.messages.create(data=data, domain=domain))
    assert stored(mailgun, domain)["body-html"] == "<p>Kim</p>"


def test_a_test_mail_is_not_delivered(mailgun: Client, domain: str) -> None:
    ok(mailgun.messages.create(data={**MAIL, "o:testmode": "yes"}, domain=domain))
    assert [(item["event"], item["flags"]["is-test-mode"]) for item in events(mailgun, domain)] == [("accepted", True)]


def test_mime_is_sent_as_it_is(mailgun: Client, domain: str) -> None:
    data = {"from": "a@shop.example", "to": "kim@example.com", "subject": "not this one"}
    ok(mailgun.mimemessage.create(data=data, files={"message": MIME}, domain=domain))
    copy = stored(mailgun, domain)
    assert (copy["subject"], copy["body-plain"].strip()) == ("As MIME", "Hello from MIME")


def test_a_mail_of_a_time_gone_by_is_delivered_at_once(mailgun: Client, domain: str) -> None:
    ok(mailgun.messages.create(data={**MAIL, "o:deliverytime": "Thu Jan 28 2021 14:00:03 EST"}, domain=domain))
    assert [item["event"] for item in events(mailgun, domain)] == ["accepted", "delivered"]


def test_a_stored_mail_is_sent_again(mailgun: Client, domain: str) -> None:
    ok(mailgun.messages.create(data=MAIL, domain=domain))
    url = events(mailgun, domain)[0]["storage"]["url"]
    again = mailgun.resend_message.create(data={"to": ["jo@example.com", "max@example.com"]}, storage_url=url)
    assert ok(again)["message"] == QUEUED
    assert {item["recipient"] for item in events(mailgun, domain, event="delivered")} == {
        "jo@example.com",
        "kim@example.com",
        "max@example.com",
    }


def test_what_misses_of_a_mail_is_named(mailgun: Client, domain: str) -> None:
    refused = mailgun.messages.create(data={"from": "a@shop.example", "text": "Hi"}, domain=domain)
    assert (refused.status_code, refused.json()) == (400, {"message": "to parameter is missing"})


def test_a_domain_is_made_changed_checked_and_deleted(mailgun: Client) -> None:
    made = ok(mailgun.domains.create(data={"name": "life.example.com"}))
    assert (made["message"], made["domain"]["state"]) == ("Domain DNS records have been created", "unverified")
    assert "life.example.com" in [item["name"] for item in ok(mailgun.domainlist.get())["items"]]
    changed = ok(
        mailgun.domains.put(data={"name": "life.example.com", "spam_action": "tag"}, domain="life.example.com")
    )
    assert (changed["message"], changed["domain"]["spam_action"]) == ("Domain has been updated", "tag")
    assert ok(mailgun.domains.get(domain="life.example.com"))["domain"]["spam_action"] == "tag"
    assert ok(mailgun.domains.put(domain="life.example.com", verify=True))["domain"]["state"] == "active"
    deleted = ok(mailgun.domains.delete(domain="life.example.com"))
    assert deleted["message"] == "Domain will be deleted in the background"
    assert mailgun.domains.get(domain="life.example.com").status_code == 404


def test_tracking_is_switched(mailgun: Client, domain: str) -> None:
    opened = ok(mailgun.domains_tracking_open.put(domain=domain, data={"active": "yes", "skip_verification": "false"}))
    assert opened == {"message": "Domain tracking settings have been updated", "open": opened["open"]}
    ok(mailgun.domains_tracking_click.put(domain=domain, data={"active": "htmlonly"}))
    ok(
        mailgun.domains_tracking_unsubscribe.put(
            domain=domain, data={"active": "yes", "html_footer": "<p>%unsubscribe_url%</p>", "text_footer": "bye"}
        )
    )
    settings = ok(mailgun.domains_tracking.get(domain=domain))["tracking"]
    assert {name: settings[name]["active"] for name in settings if "active" in settings[name]} == {
        "open": True,
        "click": True,
        "unsubscribe": True,
    }
    assert settings["unsubscribe"]["text_footer"] == "bye"


def test_dkim_and_queues_of_a_domain(mailgun: Client, domain: str) -> None:
    ok(mailgun.domains_dkimauthority.put(domain=domain, data={"self": "true"}))
    assert ok(mailgun.domains_dkimselector.put(domain=domain, data={"dkim_selector": "s"}))["message"]
    queues = ok(mailgun.domains_sendingqueues.get(domain=domain))
    assert queues["regular"]["is_disabled"] is False
    ok(mailgun.dkim_keys.create(data={"signing_domain": domain, "selector": "smtp", "bits": "2048"}))
    found = ok(mailgun.dkim_keys.get(filters={"signing_domain": domain, "selector": "smtp"}))["items"]
    assert [item["selector"] for item in found] == ["smtp"]
    ok(mailgun.dkim_keys.delete(filters={"signing_domain": domain, "selector": "smtp"}))
    assert ok(mailgun.dkim_keys.get(filters={"signing_domain": domain, "selector": "smtp"}))["items"] == []


def test_credentials(mailgun: Client, domain: str) -> None:
    login = f"alice_bob@{domain}"
    made = ok(mailgun.domains_credentials.create(domain=domain, data={"login": login, "password": "test_new_creds123"}))
    assert made["message"] == "Created 1 credentials pair(s)"
    assert login in [item["login"] for item in ok(mailgun.domains_credentials.get(domain=domain))["items"]]
    changed = mailgun.domains_credentials.put(domain=domain, data={"password": "test_new_creds12356"}, login=login)
    assert ok(changed)["message"] == "Password changed"
    deleted = ok(mailgun.domains_credentials.delete(domain=domain, login=login))
    assert deleted == {"message": "Credentials have been deleted", "spec": login}
    assert "deleted" in ok(mailgun.domains_credentials.delete(domain=domain))["message"]


def test_events_are_paged_to_the_end(mailgun: Client, domain: str) -> None:
    for number in range(5):
        ok(mailgun.messages.create(data={**MAIL, "to": f"kim{number}@example.com"}, domain=domain))
    page = ok(mailgun.events.get(domain=domain, filters={"limit": 3, "ascending": "yes"}))
    seen = [item["id"] for item in page["items"]]
    while page["items"]:
        # This SDK leaves it to its user to ask for the URL.
        page = requests.get(page["paging"]["next"], auth=("api", KEY), timeout=PATIENCE).json()
        seen += [item["id"] for item in page["items"]]
    assert len(seen) == len(set(seen)) == 10


def test_events_are_filtered(mailgun: Client, domain: str) -> None:
    for local in ("kim", "bounce"):
        ok(mailgun.messages.create(data={**MAIL, "to": f"{local}@example.com"}, domain=domain))
    failed = events(mailgun, domain, event="rejected OR failed", pretty="yes")
    assert [(item["event"], item["severity"], item["recipient"]) for item in failed] == [
        ("failed", "permanent", "bounce@example.com")
    ]


LISTS = [
    pytest.param("bounces", "bounce_address", "address", {"code": 550, "error": "Test error"}, id="bounces"),
    pytest.param("complaints", "complaint_address", "address", {}, id="complaints"),
    pytest.param("unsubscribes", "unsubscribe_address", "address", {"tag": "*"}, id="unsubscribes"),
    pytest.param("whitelists", "whitelist_address", "value", {}, id="allowlist"),
]


@pytest.mark.parametrize(("endpoint", "argument", "key", "more"), LISTS)
def test_suppressions(
    endpoint: str, argument: str, key: str, more: dict[str, Any], mailgun: Client, domain: str
) -> None:
    suppressions = getattr(mailgun, endpoint)
    addresses = sorted(f"person{number}+x@gmail.com" for number in range(5))
    for address in addresses:
        ok(suppressions.create(data={"address": address, **more}, domain=domain))
    paged = [item[key] for item in suppressions.stream(domain=domain, filters={"limit": 2})]
    assert paged == addresses
    found = ok(suppressions.get(domain=domain, **{argument: addresses[0]}))
    assert found[key] == addresses[0]
    ok(suppressions.delete(domain=domain, **{argument: addresses[0]}))
    assert suppressions.get(domain=domain, **{argument: addresses[0]}).status_code == 404
    ok(suppressions.delete(domain=domain))
    assert ok(suppressions.get(domain=domain))["items"] == []


@pytest.mark.parametrize(
    ("endpoint", "entries"),
    [
        pytest.param("bounces", [{"address": "a@b.example", "code": "550"}, {"address": "c@d.example"}], id="bounces"),
        pytest.param("complaints", [{"address": "a@b.example"}, {"address": "c@d.example"}], id="complaints"),
        pytest.param(
            "unsubscribes",
            [{"address": "a@b.example", "tags": ["some tag"]}, {"address": "c@d.example"}],
            id="unsubscribes",
        ),
    ],
)
def test_many_suppressions_come_as_json(
    endpoint: str, entries: list[dict[str, Any]], mailgun: Client, domain: str
) -> None:
    suppressions = getattr(mailgun, endpoint)
    ok(suppressions.create(data=json.dumps(entries), domain=domain, headers={"Content-Type": "application/json"}))
    assert [item["address"] for item in ok(suppressions.get(domain=domain))["items"]] == ["a@b.example", "c@d.example"]


@pytest.mark.parametrize("endpoint", ["bounces", "complaints", "unsubscribes", "whitelists"])
def test_suppressions_are_imported(endpoint: str, mailgun: Client, domain: str) -> None:
    csv = b"address\r\nkim@example.com\r\nlee@example.com\r\n"
    files = {"file": ("list.csv", csv)}
    ok(getattr(mailgun, f"{endpoint}_import").create(domain=domain, files=files), 202)
    assert len(ok(getattr(mailgun, endpoint).get(domain=domain))["items"]) == 2


def test_routes(mailgun: Client, domain: str) -> None:
    data = {
        "priority": 0,
        "description": "Sample route",
        "expression": f"match_recipient('.*@{domain}')",
        "action": ["forward('http://myhost.com/messages/')", "stop()"],
    }
    made = ok(mailgun.routes.create(data=data))
    assert made["message"] == "Route has been created"
    identity = made["route"]["id"]
    assert ok(mailgun.routes.get(route_id=identity))["route"]["actions"] == data["action"]
    assert ok(mailgun.routes_match.get(filters={"address": f"x@{domain}"}))["route"]["id"] == identity
    changed = ok(mailgun.routes.put(data={**data, "priority": 2}, route_id=identity))
    assert (changed["id"], changed["priority"]) == (identity, 2)
    assert len(ok(mailgun.routes.get(filters={"skip": 0, "limit": 1}))["items"]) == 1
    assert ok(mailgun.routes.delete(route_id=identity))["message"] == "Route has been deleted"
    assert mailgun.routes.get(route_id=identity).status_code == 404


def test_lists_and_members(mailgun: Client, domain: str) -> None:
    address = f"my_list@{domain}"
    made = ok(mailgun.lists.create(domain=domain, data={"address": address, "description": "Developers"}))
    assert (made["message"], made["list"]["address"]) == ("Mailing list has been created", address)
    assert address in [item["address"] for item in ok(mailgun.lists_pages.get())["items"]]
    changed = ok(mailgun.lists.put(domain=domain, data={"description": "Others"}, address=address))
    assert changed["list"]["description"] == "Others"
    member = {"subscribed": True, "address": "bar@example.com", "name": "Bob Bar", "vars": '{"age": 26}'}
    made = ok(mailgun.lists_members.create(domain=domain, address=address, data=member))
    assert made["member"] == {
        "address": "bar@example.com",
        "name": "Bob Bar",
        "subscribed": True,
        "vars": {"age": 26},
    }
    members = '[{"address": "Alice <alice@example.com>", "vars": {"age": 26}}, {"name": "Bob1", "address": "bob2@example.com"}]'
    ok(
        mailgun.lists_members.create(
            domain=domain, address=address, data={"upsert": True, "members": members}, multiple=True
        )
    )
    found = ok(mailgun.lists_members_pages.get(domain=domain, address=address))["items"]
    assert [item["address"] for item in found] == ["alice@example.com", "bar@example.com", "bob2@example.com"]
    one = {"domain": domain, "address": address, "member_address": "bar@example.com"}
    ok(mailgun.lists_members.put(**one, data={"name": "Bob Bar 2", "subscribed": "no"}))
    assert ok(mailgun.lists_members.get(**one))["member"]["subscribed"] is False
    assert ok(mailgun.lists_members.delete(**one))["member"] == {"address": "bar@example.com"}
    assert ok(mailgun.lists.delete(domain=domain, address=address))["message"] == "Mailing list has been removed"


def test_templates_and_versions(mailgun: Client, domain: str) -> None:
    data = {"name": "Hello", "description": "d", "template": "{{fname}}", "engine": "handlebars", "comment": "c"}
    assert ok(mailgun.templates.create(data=data, domain=domain))["message"] == "template has been stored"
    one = {"domain": domain, "template_name": "hello"}
    assert ok(mailgun.templates.get(**one, filters={"active": "yes"}))["template"]["version"]["template"] == "{{fname}}"
    assert ok(mailgun.templates.put(**one, data={"description": "new"}))["message"] == "template has been updated"
    version = {"tag": "v2", "template": "{{lname}}", "engine": "handlebars", "active": "yes"}
    made = ok(mailgun.templates.create(**one, data=version, versions=True))
    assert made["message"] == "new version of the template has been stored"
    assert len(ok(mailgun.templates.get(**one, versions=True))["template"]["versions"]) == 2
    ok(mailgun.templates.put(**one, data={"template": "<h1>x</h1>", "comment": "Updated"}, versions=True, tag="v2"))
    assert ok(mailgun.templates.get(**one, versions=True, tag="v2"))["template"]["version"]["template"] == "<h1>x</h1>"
    copied = mailgun.templates.put(
        **one, filters={"comment": "again"}, versions=True, tag="v2", copy=True, new_tag="v3"
    )
    assert ok(copied)["message"] == "version has been copied"
    assert ok(mailgun.templates.delete(**one, versions=True, tag="v3"))["message"] == "version has been deleted"
    assert ok(mailgun.templates.delete(**one))["message"] == "template has been deleted"
    assert ok(mailgun.templates.delete(domain=domain))["message"] == "templates have been deleted"


def test_webhooks(mailgun: Client, domain: str) -> None:
    made = ok(mailgun.domains_webhooks.create(domain=domain, data={"id": "clicked", "url": ["https://one.example/"]}))
    assert made == {"message": "Webhook has been created", "webhook": {"urls": ["https://one.example/"]}}
    data = [("url", "https://one.example/"), ("url", "https://two.example/")]
    ok(mailgun.domains_webhooks.put(domain=domain, webhook_name="clicked", data=data))
    found = ok(mailgun.domains_webhooks.get(domain=domain, webhook_name="clicked"))
    assert found == {"webhook": {"urls": ["https://one.example/", "https://two.example/"]}}
    assert ok(mailgun.domains_webhooks.get(domain=domain))["webhooks"]["clicked"] == found["webhook"]
    assert ok(mailgun.domains_webhooks.delete(domain=domain, webhook_name="clicked"))["message"] == (
        "Webhook has been deleted"
    )


def test_metrics_logs_and_tags_tell_of_what_was_sent(mailgun: Client, domain: str) -> None:
    ok(mailgun.messages.create(data={**MAIL, "o:tag": "py-tag"}, domain=domain))
    of_domain = {"AND": [{"attribute": "domain", "comparator": "=", "values": [{"label": domain, "value": domain}]}]}
    query = {
        "duration": "1d",
        "resolution": "day",
        "dimensions": ["domain"],
        "metrics": ["accepted_count", "delivered_count", "clicked_rate"],
        "filter": of_domain,
        "include_aggregates": True,
    }
    counted = ok(mailgun.analytics_metrics.create(data=query))
    assert [(item["metrics"]["accepted_count"], item["metrics"]["delivered_count"]) for item in counted["items"]] == [
        (1, 1)
    ]
    logs = ok(mailgun.analytics_logs.create(data={"filter": of_domain, "include_subaccounts": True}))
    assert {item["event"] for item in logs["items"]} == {"accepted", "delivered"}
    tags = ok(mailgun.analytics_tags.create(data={"pagination": {"limit": 100, "include_total": True}}))
    assert "py-tag" in [item["tag"] for item in tags["items"]]
    ok(mailgun.analytics_tags.put(data={"tag": "py-tag", "description": "from Python"}))
    assert ok(mailgun.analytics_tags_limits.get())["limit"] > 0
    ok(mailgun.analytics_tags.delete(data={"tag": "py-tag"}))


@pytest.mark.filterwarnings("ignore:DEPRECATED API CALL:DeprecationWarning")
def test_tags_and_stats_of_old(mailgun: Client, domain: str) -> None:
    ok(mailgun.messages.create(data={**MAIL, "o:tag": "old-tag"}, domain=domain))
    assert [item["tag"] for item in ok(mailgun.tags.get(domain=domain))["items"]] == ["old-tag"]
    assert ok(mailgun.tags.put(domain=domain, tag_name="old-tag", data={"description": "new"}))["message"] == (
        "Tag updated"
    )
    assert ok(mailgun.tags.get(domain=domain, tag_name="old-tag"))["description"] == "new"
    stats = ok(mailgun.tags_stats.get(domain=domain, tag_name="old-tag", filters={"event": "accepted"}))
    assert sum(item["accepted"]["total"] for item in stats["stats"]) == 1
    total = ok(mailgun.stats_total.get(domain=domain, filters={"event": ["accepted", "delivered"], "duration": "1d"}))
    assert sum(item["delivered"]["total"] for item in total["stats"]) == 1
    assert ok(mailgun.tags.delete(domain=domain, tag_name="old-tag"))["message"] == "Tag deleted"


def test_ips_and_pools(mailgun: Client) -> None:
    pooled = {ip for pool in ok(mailgun.ippools.get())["ip_pools"] for ip in pool["ips"]}
    ips = [ip for ip in ok(mailgun.ips.get(filters={"dedicated": "true"}))["items"] if ip not in pooled]
    assert ok(mailgun.ips.get(ip=ips[0]))["ip"] == ips[0]
    made = ok(mailgun.ippools.create(data={"name": "test_pool1", "description": "Test", "ips": [ips[0]]}))
    assert made["message"] == "success"
    ok(mailgun.ippools.patch(data={"name": "test_pool3", "description": "Test3"}, pool_id=made["pool_id"]))
    pools = {item["pool_id"]: item for item in ok(mailgun.ippools.get())["ip_pools"]}
    assert (pools[made["pool_id"]]["name"], pools[made["pool_id"]]["ips"]) == ("test_pool3", [ips[0]])
    ok(mailgun.ippools.patch(data={"remove_ip": ips[0]}, pool_id=made["pool_id"]))
    ok(mailgun.ippools.delete(pool_id=made["pool_id"]))


def test_keys_and_users(mailgun: Client, simulator: str) -> None:
    data = {"email": "a@shop.example", "kind": "user", "role": "admin", "description": "a new key"}
    made = ok(mailgun.keys.create(data=data))["key"]
    assert made["id"] in [item["id"] for item in ok(mailgun.keys.get(filters={"kind": "user"}))["items"]]
    with Client(auth=("api", made["secret"]), api_url=simulator) as another:
        assert another.ping()
    ok(mailgun.keys.delete(key_id=made["id"]))
    assert ok(mailgun.users.get())["total"] > 0


@pytest.mark.anyio
async def test_its_asynchronous_client_does_the_same(simulator: str, domain: str) -> None:
    async with AsyncClient(auth=("api", KEY), api_url=simulator) as mailgun:
        assert await mailgun.ping()
        files = [("attachment", ("one.txt", b"first"))]
        sent = await mailgun.messages.create(data=MAIL, files=files, domain=domain)
        assert ok(sent)["message"] == QUEUED
        found = ok(await mailgun.events.get(domain=domain, filters={"event": "accepted"}))["items"]
        copy = ok(await mailgun.resend_message.get(storage_url=found[0]["storage"]["url"]))
        assert [item["name"] for item in copy["attachments"]] == ["one.txt"]


def test_addresses_are_validated(mailgun: Client) -> None:
    single = ok(mailgun.addressvalidate.get(filters={"address": "bounce@x.example"}))
    assert single["result"] == "undeliverable"
    assert ok(mailgun.addressvalidate.create(data={"address": "bounce@x.example"})) == single
    # This version of the SDK leaves the name of a job out of its path, so it can only list them.
    assert ok(mailgun.address_bulk.get(filters={"limit": 5}))["total"] == 0
    assert ok(mailgun.address_preview.get()) == {"previews": []}


def test_the_calls_of_these_tests_are_in_the_results() -> None:
    """Every test above has to pass, so the calls that passed are those that the tests make."""
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    chains = {ast.unparse(node.func) for node in ast.walk(tree) if is_call(node)}
    calls = [Call(group, name, None) for _, group, name in (chain.split(".") for chain in sorted(chains))]
    check_results("mailgun (Python)", version("mailgun"), calls)


def is_call(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether it calls a method of the client, such as `mailgun.domains.get(…)`."""
    return (
        isinstance(node, ast.Call) and re.fullmatch(r"(mailgun|client)\.\w+\.\w+", ast.unparse(node.func)) is not None
    )
