"""Alerts of Mailgun Optimize, under the paths of its document and those of mailgun-go."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio

HOOK: dict[str, Any] = {"event_type": "ip_listed", "channel": "webhook", "settings": {"url": "https://one.example/"}}


async def test_alerts_are_added_listed_changed_and_removed(mailgun: httpx.AsyncClient) -> None:
    made = (await mailgun.post("/v1/alerts/settings/events", json=HOOK)).json()
    assert made == {"id": made["id"], **HOOK, "disabled_at": None}
    path = f"/v1/alerts/settings/events/{made['id']}"
    mails = {"event_type": "domain_listed", "channel": "email", "settings": {"emails": ["kim@x.example"]}}
    changed = (await mailgun.put(path, json=mails)).json()
    assert changed == {"id": made["id"], **mails, "disabled_at": None}
    assert (await mailgun.get("/v1/alerts/settings")).json()["events"] == [changed]
    assert (await mailgun.delete(path)).status_code == 200
    assert (await mailgun.delete(path)).status_code == 404
    assert (await mailgun.get("/v1/alerts/settings")).json()["events"] == []


async def test_the_signing_key_is_shown_and_reset(mailgun: httpx.AsyncClient) -> None:
    before = (await mailgun.get("/v1/alerts/settings")).json()["webhooks"]["signing_key"]
    after = (await mailgun.put("/v1/alerts/settings/webhooks/signing_key")).json()["signing_key"]
    assert before != after == (await mailgun.get("/v1/alerts/settings")).json()["webhooks"]["signing_key"]


async def test_the_paths_of_the_go_sdk_lead_to_the_same(mailgun: httpx.AsyncClient) -> None:
    made = (await mailgun.post("/v1/alerts/settings", json=HOOK)).json()
    assert (await mailgun.get("/v1/alerts")).json() == (await mailgun.get("/v1/alerts/events")).json()
    assert (await mailgun.delete(f"/v1/alerts/settings/{made['id']}")).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"event_type": "mail_opened"},
        {"channel": "pigeon"},
        {"settings": {"emails": ["kim@x.example"]}},
        {"channel": "email", "settings": {"emails": ["no address"]}},
        {"channel": "slack"},
        {"settings": None},
    ],
)
async def test_a_wrong_alert_is_refused(change: dict[str, Any], mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post("/v1/alerts/settings/events", json=HOOK | change)).status_code == 400
    assert (await mailgun.post("/v1/alerts/settings/events", json=[])).status_code == 400
