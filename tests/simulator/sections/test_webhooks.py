"""Webhooks by type and by URL are two views of the same; the account's stand beside them."""

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.domains import Domain
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio

V3, V4, V1 = f"/v3/domains/{PLAIN}/webhooks", f"/v4/domains/{PLAIN}/webhooks", "/v1/webhooks"
A, B, C, D = (f"https://{name}.example/hook" for name in "abcd")

Urls = dict[str, list[str]]


@pytest.fixture(autouse=True)
def nothing_yet(account: Account) -> None:
    account.webhooks.by_id.clear()


async def listed(mailgun: httpx.AsyncClient) -> Urls:
    webhooks = (await mailgun.get(V3)).json()["webhooks"]
    return {kind: webhook["urls"] for kind, webhook in webhooks.items()}


async def test_a_type_is_created_read_replaced_and_deleted(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(V3, data={"id": "clicked", "url": [A, B]})
    assert answer.json() == {"message": "Webhook has been created", "webhook": {"urls": [A, B]}}
    assert (await mailgun.get(f"{V3}/clicked")).json() == {"webhook": {"urls": [A, B]}}
    answer = await mailgun.put(f"{V3}/clicked", data={"url": [C]})
    assert answer.json() == {"message": "Webhook has been updated", "webhook": {"urls": [C]}}
    assert await listed(mailgun) == {"clicked": [C]}
    answer = await mailgun.delete(f"{V3}/clicked")
    assert answer.json() == {"message": "Webhook has been deleted", "webhook": {"urls": [C]}}
    assert await listed(mailgun) == {}


async def test_a_type_is_created_once(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(V3, data={"id": "clicked", "url": A})
    answer = await mailgun.post(V3, data={"id": "clicked", "url": B})
    assert (answer.status_code, answer.json()) == (400, {"message": "Webhook already exists"})
    assert await listed(mailgun) == {"clicked": [A]}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_type_without_urls_is_not_found(mailgun: httpx.AsyncClient, method: str) -> None:
    answer = await mailgun.request(method, f"{V3}/clicked", data={"url": A} if method == "PUT" else None)
    assert (answer.status_code, answer.json()) == (404, {"message": "Webhook not found"})


async def test_a_type_has_at_most_three_urls(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post(V3, data={"id": "clicked", "url": [A, B, C, D]})).status_code == 400
    await mailgun.post(V3, data={"id": "clicked", "url": [A, B, C]})
    before = await listed(mailgun)
    for method in ("POST", "PUT"):
        if method == "PUT":
            await mailgun.post(V4, data={"url": D, "event_types": ["opened"]})
            before = await listed(mailgun)
        answer = await mailgun.request(method, V4, data={"url": D, "event_types": ["accepted", "clicked"]})
        assert (answer.status_code, answer.json()) == (
            409,
            {"Description": "unable to add more than 3 urls for event type clicked"},
        )
        assert await listed(mailgun) == before


async def test_a_url_is_added_beside_those_of_the_types(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(V3, data={"id": "clicked", "url": A})
    answer = await mailgun.post(V4, data={"url": B, "event_types": ["clicked", "opened"]})
    assert answer.json() == {"webhooks": {"clicked": {"urls": [A, B]}, "opened": {"urls": [B]}}}
    assert await listed(mailgun) == {"clicked": [A, B], "opened": [B]}


async def test_a_url_is_added_once_to_a_type_and_then_to_none(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(V4, data={"url": A, "event_types": ["clicked"]})
    answer = await mailgun.post(V4, data={"url": A, "event_types": ["opened", "clicked"]})
    text = f"Webhook for event type 'clicked' with URL '{A}' already exists"
    assert (answer.status_code, answer.json()) == (400, {"Reason": text})
    assert await listed(mailgun) == {"clicked": [A]}


async def test_the_types_of_a_url_are_replaced_and_other_urls_left_alone(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(V4, data={"url": A, "event_types": ["clicked", "opened"]})
    await mailgun.post(V4, data={"url": B, "event_types": ["clicked"]})
    answer = await mailgun.put(V4, data={"url": A, "event_types": ["opened", "delivered"]})
    assert answer.status_code == 200
    assert await listed(mailgun) == {"opened": [A], "clicked": [B], "delivered": [A]}


async def test_urls_are_deleted_from_all_types(mailgun: httpx.AsyncClient) -> None:
    for url, kinds in ((A, ["clicked", "opened"]), (B, ["clicked"]), (C, ["clicked"])):
        await mailgun.post(V4, data={"url": url, "event_types": kinds})
    answer = await mailgun.delete(V4, params={"url": f"{A},{C}"})
    assert answer.json() == {"webhooks": {"clicked": {"urls": [B]}}}
    assert (await mailgun.get(f"{V3}/opened")).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_url_that_is_nowhere_is_not_found(mailgun: httpx.AsyncClient, plain: Domain, method: str) -> None:
    plain.webhooks = {"clicked": [A]}
    answer = (
        await mailgun.put(V4, data={"url": B, "event_types": ["clicked"]})
        if method == "PUT"
        else await mailgun.delete(V4, params={"url": f"{A},{B}"})
    )
    assert (answer.status_code, answer.json()) == (404, {"Description": "Webhook not found"})
    assert plain.webhooks == {"clicked": [A]}


async def test_a_host_that_cannot_be_found_is_refused(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(V3, data={"id": "clicked", "url": "https://nowhere.invalid/"})
    text = "https://nowhere.invalid/ is not a valid url: host not found"
    assert (answer.status_code, answer.json()) == (400, {"Reason": text})


async def test_webhooks_of_the_account_are_kept_by_id(mailgun: httpx.AsyncClient) -> None:
    created = await mailgun.post(V1, data={"url": A, "event_types": ["clicked", "opened"], "description": "all"})
    webhook_id = created.json()["webhook_id"]
    shown = (await mailgun.get(f"{V1}/{webhook_id}")).json()
    assert {name: shown[name] for name in ("webhook_id", "url", "event_types", "description")} == {
        "webhook_id": webhook_id,
        "url": A,
        "event_types": ["clicked", "opened"],
        "description": "all",
    }
    replaced = await mailgun.put(f"{V1}/{webhook_id}", data={"url": B, "event_types": ["delivered"]})
    assert (replaced.status_code, dict(replaced.headers), replaced.content) == (204, {}, b"")
    shown |= {"url": B, "event_types": ["delivered"], "description": ""}
    assert (await mailgun.get(V1)).json() == {"webhooks": [shown]}
    assert (await mailgun.delete(f"{V1}/{webhook_id}")).status_code == 204
    assert (await mailgun.get(V1)).json() == {"webhooks": []}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_id_that_the_account_has_not_is_not_found(mailgun: httpx.AsyncClient, method: str) -> None:
    data = {"url": A, "event_types": ["clicked"]} if method == "PUT" else None
    answer = await mailgun.request(method, f"{V1}/nope", data=data)
    assert (answer.status_code, answer.json()) == (404, {"Description": "Webhook not found"})


async def test_some_or_all_webhooks_of_the_account_are_deleted(mailgun: httpx.AsyncClient, account: Account) -> None:
    ids = [
        (await mailgun.post(V1, data={"url": url, "event_types": ["clicked"]})).json()["webhook_id"]
        for url in (A, B, C)
    ]
    some = (await mailgun.get(V1, params={"webhook_ids": f"{ids[0]},{ids[2]}"})).json()["webhooks"]
    assert [hook["webhook_id"] for hook in some] == [ids[0], ids[2]]
    assert (await mailgun.delete(V1, params={"webhook_ids": f"{ids[0]},nope"})).status_code == 404
    assert list(account.webhooks.by_id) == ids
    assert (await mailgun.delete(V1, params={"webhook_ids": f"{ids[0]},{ids[2]}"})).status_code == 204
    assert list(account.webhooks.by_id) == [ids[1]]
    assert (await mailgun.delete(V1, params={"all": "false"})).status_code == 400
    assert (await mailgun.delete(V1, params={"all": "true"})).status_code == 204
    assert account.webhooks.by_id == {}


async def test_the_account_has_at_most_three_urls_of_a_type(mailgun: httpx.AsyncClient) -> None:
    ids = [
        (await mailgun.post(V1, data={"url": url, "event_types": ["clicked"]})).json()["webhook_id"]
        for url in (A, B, C)
    ]
    answer = await mailgun.post(V1, data={"url": D, "event_types": ["opened", "clicked"]})
    assert (answer.status_code, answer.json()) == (
        409,
        {"Description": "unable to add more than 3 urls for event type clicked"},
    )
    assert (await mailgun.put(f"{V1}/{ids[0]}", data={"url": D, "event_types": ["clicked"]})).status_code == 204


async def test_a_deleted_domain_takes_its_webhooks_along(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(V3, data={"id": "clicked", "url": A})
    await mailgun.delete(f"/v3/domains/{PLAIN}")
    assert (await mailgun.get(V3)).status_code == 404
    await mailgun.post("/v4/domains", files={"name": (None, PLAIN)})
    assert await listed(mailgun) == {}


KINDS = st.lists(st.sampled_from(["clicked", "opened"]), min_size=1, max_size=2, unique=True)
STEPS = st.lists(
    st.tuples(st.sampled_from(["POST", "PUT", "DELETE"]), st.sampled_from([A, B, C, D]), KINDS), max_size=12
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(steps=STEPS)
async def test_whatever_is_done_by_url_a_refusal_changes_nothing_and_the_views_agree(
    mailgun: httpx.AsyncClient, plain: Domain, steps: list[tuple[str, str, list[str]]]
) -> None:
    plain.webhooks.clear()
    for method, url, kinds in steps:
        before = await listed(mailgun)
        query, form = ({"url": url}, None) if method == "DELETE" else (None, {"url": url, "event_types": kinds})
        answer = await mailgun.request(method, V4, params=query, data=form)
        after = await listed(mailgun)
        if answer.status_code == 200:
            assert {kind: webhook["urls"] for kind, webhook in answer.json()["webhooks"].items()} == after
            having = {kind for kind, urls in after.items() if url in urls}
            had = {kind for kind, urls in before.items() if url in urls}
            assert having == {"POST": had | set(kinds), "PUT": set(kinds), "DELETE": set()}[method]
        else:
            assert after == before
        assert all(0 < len(urls) == len(set(urls)) <= 3 for urls in after.values())
