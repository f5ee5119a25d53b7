"""Thresholds: alerts and limits by name, and the hits that the mail itself makes."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import HOUR, ManualClock
from mailgun_mcp.simulator.worlds.demo_administration import FREE_IP, LABS, LABS_DOMAIN
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
ALERTS, LIMITS, HITS = "/v1/thresholds/alerts/send", "/v1/thresholds/limits", "/v1/thresholds/hits"
ALERT = {"name": "bounces", "metric": "hard_bounce_rate", "comparator": ">", "limit": ".2", "dimension": "domain"}
LIMIT = {"name": "tests", "metric": "seed_test_count", "comparator": ">=", "limit": "10", "dimension": "subaccount"}


async def send(mailgun: httpx.AsyncClient, *to: str, **more: str) -> None:
    mail = {"from": f"a@{PLAIN}", "to": list(to), "text": "Hi", **more}
    assert (await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)).status_code == 200


async def hits(mailgun: httpx.AsyncClient, name: str = "bounces") -> list[dict[str, Any]]:
    return [item for item in (await mailgun.get(HITS)).json()["items"] if item["name"] == name]


async def crossed(mailgun: httpx.AsyncClient, **rule: Any) -> dict[str, str]:
    """Make a rule, and return what triggers it now: dimension value -> latest value."""
    assert (await mailgun.post(ALERTS, json={**ALERT, **rule})).status_code == 200
    return {hit["dimension_value"]: hit["latest_value"] for hit in await hits(mailgun) if hit["triggered"]}


@pytest.mark.parametrize(("path", "rule"), [(ALERTS, ALERT), (LIMITS, LIMIT)], ids=["alert", "limit"])
async def test_one_is_made_read_renamed_and_deleted(
    mailgun: httpx.AsyncClient, path: str, rule: dict[str, str]
) -> None:
    made = (await mailgun.post(path, json=rule)).json()
    assert {name: made[name] for name in rule} == rule
    assert (made["period"], made["created_at"]) == ("1h", "2026-11-18T11:06:40.000Z")
    assert (await mailgun.get(path)).json()["total"] == 2
    assert (await mailgun.post(path, json=rule)).status_code == 400
    answer = await mailgun.put(f"{path}/{rule['name']}", json={**rule, "name": "renamed", "limit": ".5"})
    assert answer.json() == {"message": "success"}
    assert (await mailgun.get(f"{path}/renamed")).json()["limit"] == ".5"
    for method in ("GET", "DELETE"):
        assert (await mailgun.request(method, f"{path}/{rule['name']}")).status_code == 404
    assert (await mailgun.delete(f"{path}/renamed")).json() == {"message": "success"}
    assert (await mailgun.get(path)).json()["total"] == 1


@pytest.mark.parametrize(
    "wrong", [{"limit": "much"}, {"limit": "nan"}, {"period": "soon"}, {"filters": [{"dimension": "ip"}]}, {"metric": "x"}]
)  # fmt: skip
async def test_a_rule_that_makes_no_sense_is_refused(mailgun: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await mailgun.post(ALERTS, json={**ALERT, **wrong})).status_code == 400
    assert (await mailgun.get(f"{ALERTS}/bounces")).status_code == 404


async def test_a_name_is_not_taken_from_another(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(ALERTS, json=ALERT)
    assert (await mailgun.put(f"{ALERTS}/hard bounces", json=ALERT)).status_code == 400
    assert (await mailgun.get(f"{ALERTS}/hard bounces")).status_code == 200


async def test_mail_that_crosses_a_threshold_makes_a_hit_that_ends(
    mailgun: httpx.AsyncClient, clock: ManualClock
) -> None:
    await mailgun.post(ALERTS, json=ALERT)
    await send(mailgun, "ada@x.example")
    assert await hits(mailgun) == []
    await send(mailgun, "bounce1@x.example")
    (hit,) = await hits(mailgun)
    assert (hit["triggered"], hit["latest_value"], hit["dimension_value"]) == (True, "0.5", PLAIN)
    clock.advance(HOUR + 1)
    (ended,) = await hits(mailgun)
    assert (ended["id"], ended["triggered"], ended["latest_value"]) == (hit["id"], False, "0.5")
    assert (hit["expires_at"], ended["expires_at"]) == ("0001-01-01T00:00:00Z", "2026-11-18T13:06:41.000Z")
    await mailgun.delete(f"{ALERTS}/bounces")
    assert await hits(mailgun) == []


@pytest.mark.parametrize(
    ("metric", "limit", "value"),
    [
        ("hard_bounce_rate", ".1", "0.25"),
        ("delivered_rate", ".7", "0.75"),
        ("complained_rate", ".3", "0.333333"),
        ("temporary_fail_rate", ".1", "0.2"),
    ],
)
async def test_each_metric_is_worked_out(mailgun: httpx.AsyncClient, metric: str, limit: str, value: str) -> None:
    people = ("ada@x.example", "bob@x.example", "bounce@x.example", "defer@x.example", "complain@x.example")
    await send(mailgun, *people)
    found = await crossed(mailgun, metric=metric, limit=limit)
    assert found[PLAIN] == value


async def test_mail_is_told_apart_by_the_dimension(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    clock.advance(100 * HOUR)
    await send(mailgun, "bounce@gmail.com", "ada@yahoo.com")
    await send(mailgun, "bounce2@gmail.com", **{"o:sending-ip": FREE_IP})
    for name, dimension, found in (("ip", "ip", {FREE_IP: "1", "192.0.2.10": "0.5"}), ("to", "recipient_provider", {"Gmail": "1"})):  # fmt: skip
        await mailgun.post(ALERTS, json={**ALERT, "name": name, "dimension": dimension})
        assert {hit["dimension_value"]: hit["latest_value"] for hit in await hits(mailgun, name)} == found


@pytest.mark.parametrize(
    ("comparator", "values", "found"),
    [
        ("=", [PLAIN], True),
        ("!=", [PLAIN], False),
        ("contains", ["plain"], True),
        ("not contains", ["plain"], False),
        (">", ["a"], True),
        ("<=", ["a"], False),
        ("<", ["z"], True),
        (">=", ["z"], False),
    ],
)
async def test_filters_choose_the_mail(
    mailgun: httpx.AsyncClient, clock: ManualClock, comparator: str, values: list[str], found: bool
) -> None:
    clock.advance(100 * HOUR)
    await send(mailgun, "bounce@x.example")
    filters = [{"dimension": "domain", "comparator": comparator, "values": values}]
    assert bool(await crossed(mailgun, filters=filters)) is found


async def test_subaccounts_count_for_their_parent(mailgun: httpx.AsyncClient) -> None:
    mail = {"from": f"a@{LABS_DOMAIN}", "to": "bounce@x.example", "text": "Hi"}
    await mailgun.post(f"/v3/{LABS_DOMAIN}/messages", data=mail, headers={"X-Mailgun-On-Behalf-Of": LABS})
    assert await crossed(mailgun, dimension="subaccount") == {LABS: "1"}


async def test_a_limit_of_what_was_never_used_is_hit_only_from_below(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(LIMITS, json=LIMIT)
    assert await hits(mailgun, "tests") == []
    await mailgun.put(f"{LIMITS}/tests", json={**LIMIT, "comparator": "<"})
    (hit,) = await hits(mailgun, "tests")
    assert hit["latest_value"] == "0"
