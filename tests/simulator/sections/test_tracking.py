"""Tracking: settings that are kept, and certificates that take a while."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import DAY, MINUTE, ManualClock
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP, STAGING
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
TRACKING = f"/v3/domains/{PLAIN}/tracking"
HOST = f"email.{PLAIN}"
UPDATED = "Domain tracking settings have been updated"


async def status(mailgun: httpx.AsyncClient, host: str = HOST) -> tuple[str, str, bool]:
    answer = (await mailgun.get(f"/v2/x509/{host}/status")).json()
    return answer["status"], answer["error"], answer["certificate"].startswith("-----BEGIN CERTIFICATE-----")


async def test_a_new_domain_tracks_nothing(mailgun: httpx.AsyncClient) -> None:
    tracking = (await mailgun.get(TRACKING)).json()["tracking"]
    assert [tracking[kind]["active"] for kind in ("open", "click", "unsubscribe")] == [False, False, False]
    assert "%unsubscribe_url%" in tracking["unsubscribe"]["html_footer"]
    assert (await mailgun.get(f"/v3/domains/{NEWS}/tracking")).json()["tracking"]["unsubscribe"]["active"] is True


@pytest.mark.parametrize(
    ("kind", "fields", "shown"),
    [
        ("open", {"active": "yes"}, {"active": True, "place_at_the_top": False}),
        ("open", {"place_at_the_top": "yes"}, {"active": False, "place_at_the_top": True}),
        ("click", {"active": "yes"}, {"active": True}),
        ("click", {"active": "htmlonly"}, {"active": True}),
        ("click", {"active": "no"}, {"active": False}),
        (
            "unsubscribe",
            {"active": "true", "html_footer": "<p>x</p>", "text_footer": "x"},
            {"active": True, "html_footer": "<p>x</p>", "text_footer": "x"},
        ),
    ],
)
async def test_what_is_set_is_read(
    mailgun: httpx.AsyncClient, kind: str, fields: dict[str, str], shown: dict[str, Any]
) -> None:
    answer = (await mailgun.put(f"{TRACKING}/{kind}", data=fields)).json()
    assert answer == {"message": UPDATED, kind: shown}
    assert (await mailgun.get(TRACKING)).json()["tracking"][kind] == shown


async def test_a_certificate_is_processed_active_and_expired(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    missing = await mailgun.get(f"/v2/x509/{HOST}/status")
    assert missing.status_code == 404
    assert missing.json()["Description"].startswith("Please initiate x509 key pair generation")
    asked = await mailgun.post(f"/v2/x509/{HOST}")
    location = {"message": "Initiated x509 key pair generation", "location": f"/v2/x509/{HOST}/status"}
    assert (asked.status_code, asked.json()) == (202, location)
    assert await status(mailgun) == ("processing", "Waiting for x509 key pair generation", False)
    assert (await mailgun.put(f"/v2/x509/{HOST}")).status_code == 429
    clock.advance(MINUTE)
    assert await status(mailgun) == ("active", "", True)
    again = await mailgun.post(f"/v2/x509/{HOST}")
    assert (again.status_code, list(again.json())) == (409, ["Description"])
    valid = await mailgun.put(f"/v2/x509/{HOST}")
    text = "x509 certificate is still valid until 2027-02-16 11:07:40 +0000 UTC"
    assert (valid.status_code, valid.json()) == (409, {"Description": text})
    clock.advance(90 * DAY)
    assert await status(mailgun) == ("expired", "x509 certificate has expired", True)
    assert (await mailgun.put(f"/v2/x509/{HOST}")).status_code == 202
    assert (await status(mailgun))[0] == "processing"


@pytest.mark.parametrize(
    ("method", "host", "code", "body"),
    [
        ("POST", PLAIN, 400, {"Reason": "invalid CNAME record"}),
        ("POST", f"other.{PLAIN}", 400, {"Reason": "invalid CNAME record"}),
        ("POST", f"email.{STAGING}", 400, {"Reason": "invalid CNAME record"}),
        ("PUT", HOST, 404, {"Description": "x509 cert not found"}),
        ("PUT", "email.none.example.com", 404, {"Description": "x509 cert not found"}),
    ],
)
async def test_only_the_tracking_host_of_an_active_domain_has_one(
    mailgun: httpx.AsyncClient, method: str, host: str, code: int, body: dict[str, str]
) -> None:
    answer = await mailgun.request(method, f"/v2/x509/{host}")
    assert (answer.status_code, answer.json()) == (code, body)


async def test_the_demo_account_has_an_active_certificate(mailgun: httpx.AsyncClient) -> None:
    assert await status(mailgun, f"email.{SHOP}") == ("active", "", True)


async def test_other_settings_of_an_unknown_domain_are_not_found(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.get("/v3/domains/none.example.com/tracking")
    assert (answer.status_code, answer.json()) == (404, {"message": "Domain not found: none.example.com"})
