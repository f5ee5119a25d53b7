"""SMTP credentials: logins of one domain, the postmaster always among them."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.worlds.demo import SHOP

pytestmark = pytest.mark.anyio
PATH = f"/v3/domains/{SHOP}/credentials"
POSTMASTER, ORDERS = f"postmaster@{SHOP}", f"orders@{SHOP}"


async def logins(mailgun: httpx.AsyncClient, **query: Any) -> list[str]:
    return [item["login"] for item in (await mailgun.get(PATH, params=query)).json()["items"]]


async def test_a_made_one_is_listed_and_its_password_is_not(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(PATH, data={"login": f"Ann@{SHOP}", "password": "hush-hush"})
    assert answer.json() == {"message": "Created 1 credentials pair(s)"}
    assert await logins(mailgun) == [f"ann@{SHOP}", ORDERS, POSTMASTER]
    assert "hush-hush" not in (await mailgun.get(PATH)).text


async def test_passwords_that_were_not_given_are_made_and_told(mailgun: httpx.AsyncClient, account: Account) -> None:
    answer = (await mailgun.post(PATH, data={"mailbox": ["ann", "bob"]})).json()
    assert answer["message"] == "Created 2 credentials pair(s)"
    kept = account.domains[SHOP].administration.credentials
    assert answer["credentials"] == {login: kept[login].password for login in (f"ann@{SHOP}", f"bob@{SHOP}")}


async def test_a_login_that_is_named_twice_is_made_once(mailgun: httpx.AsyncClient, account: Account) -> None:
    answer = await mailgun.post(PATH, data={"login": ["ann", "ann"]})
    login = f"ann@{SHOP}"
    kept = account.domains[SHOP].administration.credentials[login]
    assert (answer.status_code, answer.json()["credentials"]) == (200, {login: kept.password})


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"password": "secret"}, "Parameter 'login' is missing"),
        ({"login": "ann", "password": "x"}, "Password is too short. It must be between 5 and 32 characters."),
        ({"login": "ann", "password": "x" * 33}, "Password is too long. It must be between 5 and 32 characters."),
        ({"login": ["ann", "bob"], "password": "secret"}, "The number of 'login' and 'password' parameters must be equal"),
        ({"login": "ann@other.example"}, f"'login' parameter is not a valid address of domain {SHOP}"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused(mailgun: httpx.AsyncClient, data: dict[str, Any], text: str) -> None:
    answer = await mailgun.post(PATH, data=data)
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert await logins(mailgun) == [ORDERS, POSTMASTER]


@pytest.mark.parametrize("login", [ORDERS, POSTMASTER])
async def test_a_password_is_changed_and_never_shown(mailgun: httpx.AsyncClient, account: Account, login: str) -> None:
    answer = await mailgun.put(f"{PATH}/{login}", data={"password": "hush-hush"})
    assert answer.json() == {"message": "Password changed"}
    assert "hush-hush" not in (await mailgun.get(f"/v4/domains/{SHOP}")).text
    shop = account.domains[SHOP].administration
    assert "hush-hush" in (shop.credentials[ORDERS].password, shop.postmaster_password)


async def test_the_postmaster_stays(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.delete(f"{PATH}/{POSTMASTER}")
    assert (answer.status_code, answer.json()) == (400, {"message": f"Cannot delete system mailbox: {POSTMASTER}"})
    cleared = await mailgun.delete(PATH)
    assert cleared.json() == {"message": "All domain credentials have been deleted", "count": 1}
    assert await logins(mailgun) == [POSTMASTER]


async def test_others_are_deleted_once(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.delete(f"{PATH}/{ORDERS}")).json()
    assert answer == {"message": "Credentials have been deleted", "spec": ORDERS}
    again = await mailgun.delete(f"{PATH}/{ORDERS}")
    assert (again.status_code, again.json()) == (404, {"message": "Credentials not found"})


async def test_lists_are_cut(mailgun: httpx.AsyncClient) -> None:
    assert await logins(mailgun, limit=1, skip=1) == [POSTMASTER]
    wrong = await mailgun.get(PATH, params={"limit": 1001})
    assert (wrong.status_code, wrong.json()) == (400, {"message": "Limit parameter can't be larger than 1000"})
