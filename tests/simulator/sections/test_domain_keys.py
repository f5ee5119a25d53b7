"""DKIM keys: made, imported, verified, switched on and off, handed to another domain."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator.mail.der import private_key, public_key
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP, STAGING
from mailgun_mcp.simulator.worlds.demo_administration import LABS

pytestmark = pytest.mark.anyio
KEYS = "/v1/dkim/keys"


async def keys(mailgun: httpx.AsyncClient, domain: str = SHOP) -> dict[str, tuple[str, bool]]:
    items = (await mailgun.get(f"/v4/domains/{domain}/keys")).json()["items"]
    return {item["selector"]: (item["dns_record"]["valid"], item["dns_record"]["is_active"]) for item in items}


async def create(mailgun: httpx.AsyncClient, selector: str = "s9", **more: Any) -> httpx.Response:
    return await mailgun.post(KEYS, data={"signing_domain": SHOP, "selector": selector, **more})


async def records(mailgun: httpx.AsyncClient, domain: str) -> list[str]:
    answer = (await mailgun.get(f"/v4/domains/{domain}")).json()
    return [item["name"] for item in answer["sending_dns_records"] if "_domainkey" in item["name"]]


async def test_a_new_key_is_active_only_after_its_record_was_seen(mailgun: httpx.AsyncClient) -> None:
    made = (await create(mailgun, bits="2048")).json()
    assert made["dns_record"]["name"] == f"s9._domainkey.{SHOP}"
    assert len(made["dns_record"]["value"]) > 390
    assert (await keys(mailgun))["s9"] == ("unknown", False)
    path = f"/v4/domains/{SHOP}/keys/s9"
    assert (await mailgun.put(f"{path}/activate")).status_code == 400
    await mailgun.put(f"/v4/domains/{SHOP}/verify")
    activated = (await mailgun.put(f"{path}/activate")).json()
    assert activated == {"message": "domain key activated", "authority": SHOP, "selector": "s9", "active": True}
    assert (await keys(mailgun))["s9"] == ("valid", True)
    assert await records(mailgun, SHOP) == [f"pic._domainkey.{SHOP}", f"s9._domainkey.{SHOP}"]


async def test_one_key_is_always_active(mailgun: httpx.AsyncClient) -> None:
    text = "cannot delete domain key: must have at least one active domain key"
    query = {"signing_domain": SHOP, "selector": "pic"}
    answer = await mailgun.delete(KEYS, params=query)
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert (await mailgun.put(f"/v4/domains/{SHOP}/keys/pic/deactivate")).status_code == 400
    await mailgun.put(f"/v4/domains/{SHOP}/verify")
    await mailgun.put(f"/v4/domains/{SHOP}/keys/s2/activate")
    off = (await mailgun.put(f"/v4/domains/{SHOP}/keys/pic/deactivate")).json()
    assert (off["message"], off["active"]) == ("domain key deactivated", False)
    assert (await mailgun.delete(KEYS, params=query)).json() == {"message": "success"}
    assert await keys(mailgun) == {"s2": ("valid", True)}
    again = await mailgun.delete(KEYS, params=query)
    assert (again.status_code, again.json()) == (404, {"message": "domain key not found"})


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "field"])
async def test_a_key_is_imported_with_its_public_half(mailgun: httpx.AsyncClient, as_file: bool) -> None:
    pem = private_key("of the test", 2048)
    fields = {"signing_domain": SHOP, "selector": "s9"}
    more: dict[str, Any] = {"files": {"pem": ("key.pem", pem)}} if as_file else {"files": {"pem": (None, pem)}}
    made = (await mailgun.post(KEYS, data=fields, **more)).json()
    assert made["dns_record"]["value"] == f"k=rsa; p={public_key('of the test', 2048)}"
    assert "PRIVATE" not in (await mailgun.get(KEYS)).text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"selector": "pic"}, "failed to create domain key: duplicate key"),
        ({"pem": "nonsense"}, "failed to parse private key: key must be PKCS1 format"),
        ({"selector": "a.b"}, "Invalid value 'a.b' for parameter 'selector'"),
        ({"signing_domain": "none.example.com"}, "Domain not found: none.example.com"),
    ],
)
async def test_a_key_that_does_not_fit_is_refused(
    mailgun: httpx.AsyncClient, fields: dict[str, str], text: str
) -> None:
    answer = await create(mailgun, **fields)
    assert answer.status_code in (400, 404)
    assert answer.json() == {"message": text}


async def test_a_domain_has_five_keys_at_most(mailgun: httpx.AsyncClient) -> None:
    assert [(await create(mailgun, f"x{number}")).status_code for number in range(4)] == [200, 200, 200, 400]


async def test_the_keys_of_the_account_come_in_pages(mailgun: httpx.AsyncClient) -> None:
    seen, url = [], f"{KEYS}?limit=2"
    while items := (answer := (await mailgun.get(url)).json())["items"]:
        seen += [(item["signing_domain"], item["selector"]) for item in items]
        url = answer["paging"]["next"]
    assert seen == sorted(set(seen))
    assert {(SHOP, "pic"), (SHOP, "s2"), (NEWS, "pdk1"), (NEWS, "pdk2"), (STAGING, "pic")} <= set(seen)
    back = (await mailgun.get(answer["paging"]["previous"])).json()["items"]
    assert (back[-1]["signing_domain"], back[-1]["selector"]) == seen[-1]


async def test_they_are_found_by_domain_and_selector(mailgun: httpx.AsyncClient) -> None:
    found = (await mailgun.get(KEYS, params={"signing_domain": SHOP, "selector": "s2"})).json()["items"]
    assert [(item["signing_domain"], item["selector"]) for item in found] == [(SHOP, "s2")]


async def test_authority_is_handed_to_the_root_domain_and_taken_back(mailgun: httpx.AsyncClient) -> None:
    child = f"eu.{SHOP}"
    await mailgun.post("/v4/domains", data={"name": child})
    path = f"/v3/domains/{child}/dkim_authority"
    handed = (await mailgun.put(path, data={"self": "false"})).json()
    assert handed["changed"] is True
    assert [item["name"] for item in handed["sending_dns_records"]] == [f"pic._domainkey.{SHOP}"]
    assert set(await keys(mailgun, child)) == {"pic", "s2"}
    assert (await mailgun.put(path, data={"self": "false"})).json()["changed"] is False
    assert (await mailgun.put(path, data={"self": "true"})).json()["changed"] is True
    assert (await mailgun.put(f"/v3/domains/{NEWS}/dkim_authority", data={"self": "false"})).status_code == 400


async def test_a_changed_selector_asks_for_a_new_record(mailgun: httpx.AsyncClient) -> None:
    path = f"/v3/domains/{SHOP}/dkim_selector"
    assert (await mailgun.put(path, data={"dkim_selector": "s2"})).status_code == 400
    assert (await mailgun.put(path, data={"dkim_selector": "new"})).json() == {"message": "DKIM selector changed"}
    assert (await keys(mailgun))["new"] == ("unknown", True)
    assert await records(mailgun, SHOP) == [f"new._domainkey.{SHOP}"]


async def test_a_new_domain_has_the_selector_that_was_asked_for(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post("/v4/domains", data={"name": "new.example.com", "dkim_selector": "mine"})
    assert await keys(mailgun, "new.example.com") == {"mine": ("unknown", True)}


async def test_keys_of_other_accounts_are_not_shown(mailgun: httpx.AsyncClient) -> None:
    items = (await mailgun.get(KEYS, headers={"X-Mailgun-On-Behalf-Of": LABS})).json()["items"]
    assert [item["signing_domain"] for item in items] == ["labs.example.com"]
