"""API keys: what they need, what is shown of them, and what is never shown again."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator.model.access import KEY_LIMIT
from mailgun_mcp.simulator.worlds.demo import SHOP
from mailgun_mcp.simulator.worlds.demo_administration import OWNER

pytestmark = pytest.mark.anyio


async def create(mailgun: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await mailgun.post("/v1/keys", data=fields)


async def test_the_secret_is_shown_once(mailgun: httpx.AsyncClient) -> None:
    key = (await create(mailgun, role="basic", description="reports")).json()["key"]
    listed = (await mailgun.get("/v1/keys")).json()
    assert listed["total_count"] == 4
    assert listed["items"][-1] == {name: value for name, value in key.items() if name != "secret"}
    assert (key["kind"], key["role"], key["created_at"]) == ("user", "basic", "2026-11-18T11:06:40")


async def test_keys_are_listed_by_kind_and_domain(mailgun: httpx.AsyncClient) -> None:
    for query in ({"kind": "domain"}, {"domain_name": SHOP}):
        items = (await mailgun.get("/v1/keys", params=query)).json()["items"]
        assert [item["domain_name"] for item in items] == [SHOP]
    assert (await mailgun.get("/v1/keys", params={"kind": "web"})).json()["items"] == []
    wrong = await mailgun.get("/v1/keys", params={"kind": "x"})
    text = "expected `kind` param to be one of [domain user web] or absent"
    assert (wrong.status_code, wrong.json()) == (400, {"message": text})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"role": "sending", "kind": "domain", "domain_name": SHOP}, 200),
        ({"role": "sending", "kind": "domain"}, 400),
        ({"role": "sending", "kind": "domain", "domain_name": "none.example.com"}, 404),
        ({"role": "sending"}, 400),
        ({"role": "admin", "kind": "domain", "domain_name": SHOP}, 400),
        ({"role": "admin", "kind": "web"}, 400),
        ({"role": "admin", "kind": "web", "user_id": "none", "email": "a@x.example"}, 404),
        ({"role": "admin", "kind": "web", "user_id": OWNER, "email": "a@x.example", "expiration": 86401}, 400),
        ({"role": "admin", "expiration": 10**12}, 400),
        ({"role": "king"}, 400),
    ],
)
async def test_kind_role_and_the_rest_have_to_fit(
    mailgun: httpx.AsyncClient, fields: dict[str, Any], status: int
) -> None:
    assert (await create(mailgun, **fields)).status_code == status


async def test_a_web_key_lasts_a_day(mailgun: httpx.AsyncClient) -> None:
    key = (await create(mailgun, role="admin", kind="web", user_id=OWNER, email="a@x.example")).json()["key"]
    assert (key["expires_at"], key["user_name"]) == ("2026-11-19T11:06:40", "Olga Owner")


async def test_there_is_a_limit(mailgun: httpx.AsyncClient) -> None:
    for _ in range(KEY_LIMIT - 3):
        await create(mailgun, role="basic")
    answer = await create(mailgun, role="basic")
    assert (answer.status_code, answer.json()) == (403, {"message": "could not create key, account limit reached"})


async def test_a_key_is_deleted_once(mailgun: httpx.AsyncClient) -> None:
    key = (await create(mailgun, role="basic")).json()["key"]["id"]
    assert (await mailgun.delete(f"/v1/keys/{key}")).json() == {"message": "key deleted"}
    again = await mailgun.delete(f"/v1/keys/{key}")
    assert (again.status_code, again.json()) == (404, {"message": "no key matching id"})


async def test_the_public_key_is_replaced(mailgun: httpx.AsyncClient) -> None:
    first, second = [(await mailgun.post("/v1/keys/public")).json() for _ in range(2)]
    assert first["message"] == "The public API key has been successfully regenerated."
    assert first["key"] != second["key"]


async def test_a_key_that_never_expires_has_no_date_of_expiry(mailgun: httpx.AsyncClient) -> None:
    made = (await mailgun.post("/v1/keys", data={"role": "admin"})).json()["key"]
    listed = (await mailgun.get("/v1/keys")).json()["items"]
    assert "expires_at" not in made
    assert [key for key in listed if None in key.values()] == []
