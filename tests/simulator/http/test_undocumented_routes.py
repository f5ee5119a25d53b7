"""What no document describes: attachments by their URL, a domain's IPs, its connection and web prefix."""

import httpx
import pytest

from mailgun_mcp.simulator import Account
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio

FORM = {"from": f"a@{PLAIN}", "to": "ann@x.example", "subject": "Hi", "text": "x"}
BASE = f"/v3/domains/{PLAIN}"


async def test_an_attachment_is_read_where_its_url_leads(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.storage_url = "https://api.mailgun.net"
    files = [
        ("attachment", ("a.txt", b"text", "text/plain")),
        ("attachment", ("b.bin", b"\x00\xff", "application/x-b")),
    ]
    await mailgun.post(f"/v3/{PLAIN}/messages", data=FORM, files=files)
    event = (await mailgun.get(f"/v3/{PLAIN}/events")).json()["items"][0]
    stored = (await mailgun.get(event["storage"]["url"])).json()
    found = [await mailgun.get(item["url"]) for item in stored["attachments"]]
    assert [(one.headers["content-type"], one.content) for one in found] == [
        ("text/plain", b"text"),
        ("application/x-b", b"\x00\xff"),
    ]
    missing = await mailgun.get(stored["attachments"][0]["url"].removesuffix("/0") + "/9")
    assert (missing.status_code, missing.json()) == (404, {"message": "Attachment not found"})


async def test_a_domain_s_ips_are_listed_and_set(mailgun: httpx.AsyncClient) -> None:
    before = (await mailgun.get(f"{BASE}/ips")).json()
    assert before["total_count"] == 1
    free = next(ip for ip in (await mailgun.get("/v3/ips")).json()["assignable_to_pools"] if ip not in before["items"])
    assert (await mailgun.post(f"{BASE}/ips", data={"ip": free})).json() == {"message": "success"}
    assert (await mailgun.get(f"{BASE}/ips")).json()["items"] == [free]
    assert (await mailgun.post(f"{BASE}/ips", data={})).status_code == 400
    assert (await mailgun.post(f"{BASE}/ips", data={"ip": "198.51.100.9"})).status_code >= 400


async def test_connection_settings_are_those_of_the_domain(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get(f"{BASE}/connection")).json() == {
        "connection": {"require_tls": False, "skip_verification": False}
    }
    changed = await mailgun.put(f"{BASE}/connection", data={"require_tls": "true"})
    assert (changed.json()["require-tls"], changed.json()["skip-verification"]) == (True, False)
    assert (await mailgun.get(f"/v4/domains/{PLAIN}")).json()["domain"]["require_tls"] is True


async def test_the_web_prefix_is_set(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.put(f"{BASE}/web_prefix", data={"web_prefix": "click"})).status_code == 200
    assert (await mailgun.get(f"/v4/domains/{PLAIN}")).json()["domain"]["web_prefix"] == "click"
    assert (await mailgun.put(f"{BASE}/web_prefix")).status_code == 400


@pytest.mark.parametrize("path", ["ips", "connection", "messages/key/attachments/0"])
async def test_an_unknown_domain_and_a_wrong_key_are_refused(path: str, mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get(f"/v3/domains/other.example/{path}")).status_code == 404
    assert (await mailgun.get(f"{BASE}/{path}", auth=None)).status_code == 401


async def test_a_queue_is_closed_while_the_domain_may_not_send(mailgun: httpx.AsyncClient, account: Account) -> None:
    path = f"/v3/domains/{PLAIN}/sending_queues"
    assert (await mailgun.get(path)).json()["regular"]["is_disabled"] is False
    account.domains[PLAIN].state = "disabled"
    closed = (await mailgun.get(path)).json()["regular"]
    assert (closed["is_disabled"], closed["disabled"]["reason"] != "") == (True, True)
