"""Users: the people of the account, and who calls."""

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.worlds.demo import SHOP
from mailgun_mcp.simulator.worlds.demo_administration import ANALYST, DEVELOPER, DEVELOPER_SECRET, OWNER

pytestmark = pytest.mark.anyio


async def test_they_are_listed_by_role_and_cut(mailgun: httpx.AsyncClient) -> None:
    everyone = (await mailgun.get("/v5/users")).json()
    assert ([user["id"] for user in everyone["users"]], everyone["total"]) == ([OWNER, DEVELOPER, ANALYST], 3)
    some = (await mailgun.get("/v5/users", params={"role": "basic"})).json()
    assert [user["email"] for user in some["users"]] == ["anna@example.com"]
    page = (await mailgun.get("/v5/users", params={"skip": 1, "limit": 1})).json()
    assert ([user["id"] for user in page["users"]], page["total"]) == ([DEVELOPER], 3)


async def test_one_is_shown(mailgun: httpx.AsyncClient) -> None:
    user = (await mailgun.get(f"/v5/users/{OWNER}")).json()
    assert (user["name"], user["is_master"], user["tfa_enabled"]) == ("Olga Owner", True, True)
    missing = await mailgun.get("/v5/users/none")
    assert (missing.status_code, missing.json()) == (404, {"message": "No such user exists"})


async def test_the_simulators_own_key_is_the_owners(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get("/v5/users/me")).json()["id"] == OWNER


async def test_a_web_key_is_its_users_and_others_are_nobodys(mailgun: httpx.AsyncClient, account: Account) -> None:
    fields = {"role": "basic", "kind": "web", "user_id": ANALYST, "email": "anna@example.com"}
    secret = (await mailgun.post("/v1/keys", data=fields)).json()["key"]["secret"]
    assert (await mailgun.get("/v5/users/me", auth=("api", secret))).json()["id"] == ANALYST
    answer = await mailgun.get("/v5/users/me", auth=("api", DEVELOPER_SECRET))
    assert (answer.status_code, answer.json()) == (403, {"message": "Incompatible key for this endpoint"})
    assert SHOP in account.domains
