"""Who is let in: keys and their roles, addresses, and the subaccount that a call is for."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.http.auth import ADMIN_TOOLSETS, ROLES
from mailgun_mcp.simulator.model.access import OWN_KEY_ID, ApiKey
from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP
from mailgun_mcp.simulator.worlds.demo_administration import (
    ARCHIVE,
    DEVELOPER_SECRET,
    LABS,
    LABS_DOMAIN,
    SENDING_SECRET,
)
from tests.simulator.conftest import client
from tests.support.offenders import holds_for
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
OWN = "key-of-the-simulator"
MAIL = {"from": f"shop@{SHOP}", "to": "ada@x.example", "text": "Hi"}
HEADER = "X-Mailgun-On-Behalf-Of"


async def asked(account: Account, secret: str, method: str, path: str, **more: Any) -> httpx.Response:
    async with client(create_app(catalogue(), account=account, key=OWN), secret) as mailgun:
        return await mailgun.request(method, path, **more)


async def made(account: Account, **fields: Any) -> dict[str, Any]:
    key: dict[str, Any] = (await asked(account, OWN, "POST", "/v1/keys", data=fields)).json()["key"]
    return key


async def test_the_key_of_the_simulator_is_an_admin_key_of_the_account(account: Account) -> None:
    items = (await asked(account, OWN, "GET", "/v1/keys")).json()["items"]
    assert (items[0]["id"], items[0]["role"]) == (OWN_KEY_ID, "admin")
    assert OWN not in str(items)


async def test_a_deleted_key_lets_nobody_in(account: Account) -> None:
    await asked(account, OWN, "DELETE", f"/v1/keys/{OWN_KEY_ID}")
    answer = await asked_again(account, OWN)
    assert answer.status_code == 401


async def asked_again(account: Account, secret: str) -> httpx.Response:
    """Ask a simulator that lets in any key but those that were deleted."""
    async with client(create_app(catalogue(), account=account), secret) as mailgun:
        return await mailgun.get("/v4/domains")


async def test_a_made_key_works_until_it_is_deleted(account: Account) -> None:
    key = await made(account, role="basic")
    assert (await asked(account, key["secret"], "GET", "/v4/domains")).status_code == 200
    await asked(account, OWN, "DELETE", f"/v1/keys/{key['id']}")
    assert (await asked(account, key["secret"], "GET", "/v4/domains")).status_code == 401
    assert (await asked_again(account, key["secret"])).status_code == 401


async def test_a_key_works_until_it_expires(account: Account, clock: ManualClock) -> None:
    key = await made(account, role="admin", expiration="60")
    clock.advance(59)
    assert (await asked(account, key["secret"], "GET", "/v4/domains")).status_code == 200
    clock.advance(1)
    assert (await asked(account, key["secret"], "GET", "/v4/domains")).status_code == 401
    assert [item["is_disabled"] for item in (await asked(account, OWN, "GET", "/v1/keys")).json()["items"]][-1]


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("admin", "DELETE", f"/v3/domains/{NEWS}", 200),
        ("admin", "POST", "/v1/keys/public", 200),
        ("developer", "DELETE", f"/v3/domains/{NEWS}", 200),
        ("developer", "GET", "/v5/accounts/http_signing_key", 200),
        ("developer", "POST", "/v5/accounts/http_signing_key", 403),
        ("developer", "POST", "/v1/keys/public", 403),
        ("developer", "GET", "/v1/keys", 200),
        ("developer", "DELETE", f"/v3/domains/{SHOP}/credentials", 403),
        ("developer", "POST", "/v3/ips/request/new", 403),
        ("basic", "GET", f"/v3/{SHOP}/bounces", 200),
        ("basic", "DELETE", f"/v3/{SHOP}/bounces", 403),
        ("basic", "GET", "/v5/accounts/http_signing_key", 403),
    ],
)
async def test_a_role_decides_what_a_key_may_do(
    account: Account, role: str, method: str, path: str, status: int
) -> None:
    key = await made(account, role=role)
    assert (await asked(account, key["secret"], method, path)).status_code == status


async def test_a_refused_call_changes_nothing(account: Account) -> None:
    key = await made(account, role="basic")
    answer = await asked(account, key["secret"], "DELETE", f"/v3/{SHOP}/bounces")
    assert answer.json() == {"message": "Forbidden"}
    assert account.domains[SHOP].bounces


async def test_a_sending_key_sends_for_its_domain_and_does_nothing_else(account: Account) -> None:
    calls = {
        f"/v3/{SHOP}/messages": (200, "Queued. Thank you."),
        f"/v3/{NEWS}/messages": (403, "Forbidden"),
    }
    for path, expected in calls.items():
        answer = await asked(account, SENDING_SECRET, "POST", path, data=MAIL)
        assert (answer.status_code, answer.json()["message"]) == expected
    answer = await asked(account, SENDING_SECRET, "GET", "/v4/domains")
    assert (answer.status_code, answer.json()) == (403, {"message": "Incompatible key for this endpoint"})


async def test_a_known_key_keeps_its_role_where_any_key_is_let_in(account: Account) -> None:
    async with client(create_app(catalogue(), account=account), DEVELOPER_SECRET) as mailgun:
        assert (await mailgun.post("/v1/keys/public")).status_code == 403


@holds_for()
def test_what_a_lesser_role_may_do_a_greater_one_may_too(operation: Operation) -> None:
    values = {"domain_name": SHOP}
    key = ApiKey("1", "s", "admin", 0.0, domain=SHOP)
    basic, developer, admin = (ROLES[role](operation, key, values) for role in ("basic", "developer", "admin"))
    assert (basic, developer, admin) in ((True, True, True), (False, True, True), (False, False, True))
    assert basic == (operation.risk == "read")
    assert not (developer and operation.risk in ("credential", "billing") and operation.toolset == "api_keys")


def test_the_toolsets_of_admins_exist() -> None:
    assert set(catalogue().toolsets) >= ADMIN_TOOLSETS


async def from_address(account: Account, address: str | None, secret: str = OWN) -> int:
    app = create_app(catalogue(), account=account, key=OWN)
    transport = httpx.ASGITransport(app=app, client=(address, 1) if address else None)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://x", auth=("api", secret)) as mailgun:
        return (await mailgun.get("/v4/domains")).status_code


@pytest.mark.parametrize(
    ("address", "status"),
    [("198.51.100.9", 200), ("203.0.113.9", 403), ("127.0.0.1", 200), ("::1", 200), (None, 200), ("testclient", 403)],
)
async def test_an_allowlist_shuts_out_all_others_but_the_own_machine(
    account: Account, address: str | None, status: int
) -> None:
    assert await from_address(account, address) == status


async def test_an_allowlist_binds_the_own_machine_when_asked(account: Account) -> None:
    account.administration.access.allowlist_binds_loopback = True
    assert await from_address(account, "127.0.0.1") == 403


async def test_an_empty_allowlist_shuts_out_nobody(account: Account) -> None:
    account.administration.access.allowlist.clear()
    assert await from_address(account, "203.0.113.9") == 200


async def test_web_keys_pass_the_allowlist(account: Account) -> None:
    user = next(iter(account.administration.access.users.values()))
    key = await made(account, role="admin", kind="web", user_id=user.id, email=user.email)
    assert await from_address(account, "203.0.113.9", key["secret"]) == 200


async def test_the_header_acts_in_the_subaccount_and_nowhere_else(account: Account) -> None:
    async def names(**headers: str) -> list[str]:
        items = (await asked(account, OWN, "GET", "/v4/domains", headers=headers)).json()["items"]
        return [item["name"] for item in items]

    before = await names()
    created = await asked(account, OWN, "POST", "/v4/domains", data={"name": "new.example.com"}, headers={HEADER: LABS})
    assert created.status_code == 200
    assert await names() == before
    assert sorted(await names(**{HEADER: LABS})) == [LABS_DOMAIN, "new.example.com"]


@pytest.mark.parametrize(
    ("subaccount", "text"), [(ARCHIVE, "subaccount is disabled"), ("0" * 24, "Forbidden"), ("", "Forbidden")]
)
async def test_the_header_of_a_disabled_or_unknown_subaccount_is_refused(
    account: Account, subaccount: str, text: str
) -> None:
    answer = await asked(account, OWN, "GET", "/v4/domains", headers={HEADER: subaccount})
    assert (answer.status_code, answer.json()) == (403, {"message": text})


async def test_a_key_made_for_a_subaccount_is_let_into_it_alone(account: Account) -> None:
    answer = await asked(account, OWN, "POST", "/v1/keys", data={"role": "admin"}, headers={HEADER: LABS})
    secret = answer.json()["key"]["secret"]
    items = (await asked(account, secret, "GET", "/v4/domains")).json()["items"]
    assert [item["name"] for item in items] == [LABS_DOMAIN]
    assert (await asked(account, secret, "GET", "/v4/domains", headers={HEADER: ARCHIVE})).status_code == 403
    await asked(account, OWN, "POST", f"/v5/accounts/subaccounts/{LABS}/disable")
    assert (await asked(account, secret, "GET", "/v4/domains")).status_code == 401


@pytest.mark.parametrize("authorization", ["Basic !!!", "Basic ", "Bearer x", "Basic /w==", "Basic YXBpOg=="])
async def test_what_is_no_key_is_refused_when_one_is_asked_for(account: Account, authorization: str) -> None:
    app = create_app(catalogue(), account=account, key=OWN)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as mailgun:
        answer = await mailgun.get("/v4/domains", headers={"Authorization": authorization})
    assert answer.status_code == 401


async def test_ids_of_two_accounts_never_meet(account: Account, clock: ManualClock) -> None:
    clock.advance(DAY)
    child = account.administration.subaccounts[LABS].account
    own, theirs = ({holder.hex_id() for _ in range(2000)} for holder in (account, child))
    assert own.isdisjoint(theirs)
