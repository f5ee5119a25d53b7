"""Domains: made, verified, changed, found, deleted."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.demo import NEWS, SANDBOX, SHOP, STAGING
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
NEW = "new.example.com"


async def names(mailgun: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = (await mailgun.get("/v4/domains", params=query)).json()
    return [domain["name"] for domain in answer["items"]]


async def test_they_are_listed_newest_first(mailgun: httpx.AsyncClient) -> None:
    assert await names(mailgun) == [PLAIN, STAGING, NEWS, SHOP, SANDBOX]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "unverified"}, [STAGING]),
        ({"search": "NEWS"}, [NEWS]),
        ({"authority": SHOP}, [SHOP]),
        ({"authority": SHOP, "state": "unverified"}, [STAGING]),
        ({"sort": "name", "limit": 2}, [SHOP, NEWS]),
        ({"sort": "name:desc", "limit": 2}, [STAGING, SANDBOX]),
        ({"skip": 3}, [SHOP, SANDBOX]),
        ({"skip": 9}, []),
    ],
)
async def test_lists_are_filtered_sorted_and_cut(
    mailgun: httpx.AsyncClient, query: dict[str, Any], found: list[str]
) -> None:
    assert await names(mailgun, **query) == found


async def test_the_total_counts_what_the_filter_found_not_the_page(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.get("/v4/domains", params={"limit": 1, "search": "example"})).json()
    assert (answer["total_count"], len(answer["items"])) == (4, 1)


async def test_a_limit_beyond_the_largest_is_refused(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.get("/v4/domains", params={"limit": 1001})
    assert (answer.status_code, answer.json()) == (400, {"message": "The 'limit' parameter can't be larger than 1000"})


async def test_a_new_domain_is_unverified_and_names_its_dns_records(mailgun: httpx.AsyncClient) -> None:
    answer = (
        await mailgun.post("/v4/domains", data={"name": NEW.upper(), "web_prefix": "mail", "wildcard": "true"})
    ).json()
    assert answer["message"] == "Domain DNS records have been created"
    assert (answer["domain"]["name"], answer["domain"]["state"]) == (NEW, "unverified")
    assert answer["domain"]["wildcard"] is True
    assert [record["name"] for record in answer["sending_dns_records"]] == [
        NEW,
        f"pic._domainkey.{NEW}",
        f"mail.{NEW}",
    ]
    assert {record["valid"] for record in answer["receiving_dns_records"]} == {"unknown"}


async def test_a_password_is_never_said_back(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post("/v4/domains", data={"name": NEW, "smtp_password": "hush-hush"})
    assert answer.status_code == 200
    assert "hush-hush" not in answer.text


@pytest.mark.parametrize(("length", "word"), [(4, "short"), (33, "long")])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v4/domains"), ("PUT", f"/v4/domains/{SHOP}")])
async def test_a_password_has_a_length(
    mailgun: httpx.AsyncClient, method: str, path: str, length: int, word: str
) -> None:
    data = {"smtp_password": "x" * length, **({"name": NEW} if method == "POST" else {})}
    answer = await mailgun.request(method, path, data=data)
    text = f"Password is too {word}. It must be between 5 and 32 characters."
    assert (answer.status_code, answer.json()) == (400, {"message": text})


async def test_a_name_that_is_taken_is_a_conflict(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post("/v4/domains", data={"name": SHOP})
    assert (answer.status_code, answer.json()) == (409, {"message": f"Domain {SHOP} already exists"})


async def test_verifying_makes_it_active(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.put(f"/v4/domains/{STAGING}/verify")).json()
    assert (answer["message"], answer["domain"]["state"]) == ("Domain DNS records have been updated", "active")
    assert {record["valid"] for record in answer["sending_dns_records"]} == {"valid"}


async def test_verifying_leaves_a_disabled_domain_disabled(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.domains[STAGING].state = "disabled"
    answer = (await mailgun.put(f"/v4/domains/{STAGING}/verify")).json()
    assert (answer["domain"]["state"], answer["domain"]["is_disabled"]) == ("disabled", True)


async def test_an_update_changes_what_is_given_and_keeps_the_rest(mailgun: httpx.AsyncClient) -> None:
    await mailgun.put(f"/v4/domains/{NEWS}", data={"spam_action": "tag"})
    shown = (await mailgun.get(f"/v4/domains/{NEWS}")).json()["domain"]
    assert (shown["spam_action"], shown["wildcard"]) == ("tag", True)


async def test_dns_records_and_hosts_are_shown_as_asked(mailgun: httpx.AsyncClient) -> None:
    plain = (await mailgun.get(f"/v4/domains/{NEWS}", params={"h:with_dns": "false"})).json()
    assert list(plain) == ["domain"]
    extended = (await mailgun.get(f"/v4/domains/{NEWS}", params={"h:extended": "true"})).json()
    assert extended["domain"]["mailfrom_host"] == NEWS
    assert len(extended["receiving_dns_records"]) == 2


async def test_a_deleted_domain_is_gone(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.delete(f"/v3/domains/{STAGING}")
    assert answer.json() == {"message": "Domain will be deleted in the background"}
    assert (await mailgun.get(f"/v4/domains/{STAGING}")).status_code == 404


async def test_sandbox_and_disabled_domains_stay(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.domains[STAGING].state = "disabled"
    for name in (SANDBOX, STAGING):
        assert (await mailgun.delete(f"/v3/domains/{name}")).status_code == 400
        assert name in account.domains


async def test_its_age_is_told_in_gmt(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    shown = (await mailgun.get(f"/v4/domains/{PLAIN}")).json()["domain"]
    assert (shown["created_at"], clock.now()) == ("Wed, 18 Nov 2026 11:06:40 GMT", 1_795_000_000.0)
