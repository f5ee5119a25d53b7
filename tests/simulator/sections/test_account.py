"""The account: settings, the signing key, and who a sandbox domain may write to."""

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import MINUTE, ManualClock
from mailgun_mcp.simulator.worlds.demo import SANDBOX, TESTER

pytestmark = pytest.mark.anyio
RECIPIENTS = "/v5/sandbox/auth_recipients"


async def sent(mailgun: httpx.AsyncClient, to: str) -> int:
    mail = {"from": f"a@{SANDBOX}", "to": to, "text": "Hi"}
    return (await mailgun.post(f"/v3/{SANDBOX}/messages", data=mail)).status_code


async def recipients(mailgun: httpx.AsyncClient) -> dict[str, bool]:
    items = (await mailgun.get(RECIPIENTS)).json()["recipients"]
    return {item["email"]: item["activated"] for item in items}


async def test_settings_are_kept(mailgun: httpx.AsyncClient, account: Account) -> None:
    answer = await mailgun.put("/v5/accounts", params={"name": "New Name", "inactive_session_timeout": 900})
    assert answer.json() == {"message": "Account info has been updated"}
    assert account.administration.access.settings == {"name": "New Name", "inactive_session_timeout": 900}


async def test_settings_without_any_are_refused(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.put("/v5/accounts")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Either `name`, `absolute_timeout`, ")


async def test_the_signing_key_is_the_last_one_made(mailgun: httpx.AsyncClient) -> None:
    first = (await mailgun.get("/v5/accounts/http_signing_key")).json()["http_signing_key"]
    made = (await mailgun.post("/v5/accounts/http_signing_key")).json()
    assert made["message"] == "regenerated HTTP signing key for account"
    assert made["http_signing_key"] != first
    assert (await mailgun.get("/v5/accounts/http_signing_key")).json()["http_signing_key"] == made["http_signing_key"]


async def test_a_sandbox_writes_to_those_who_confirmed(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    added = (await mailgun.post(RECIPIENTS, params={"email": "Ada@x.example"})).json()
    assert added == {"recipient": {"email": "ada@x.example", "activated": False}}
    assert await recipients(mailgun) == {TESTER: True, "ada@x.example": False}
    assert await sent(mailgun, "ada@x.example") == 403
    clock.advance(MINUTE)
    assert await recipients(mailgun) == {TESTER: True, "ada@x.example": True}
    assert await sent(mailgun, "Ada <ADA@x.example>") == 200
    assert await sent(mailgun, "bob@x.example") == 403


async def test_a_removed_recipient_gets_nothing_more(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.delete(f"{RECIPIENTS}/{TESTER}")).json() == {"message": "Sandbox recipient deleted."}
    assert await sent(mailgun, TESTER) == 403
    again = await mailgun.delete(f"{RECIPIENTS}/{TESTER}")
    assert (again.status_code, again.json()) == (400, {"message": "Invalid email address."})


async def test_there_are_at_most_five(mailgun: httpx.AsyncClient) -> None:
    for number in range(4):
        assert (await mailgun.post(RECIPIENTS, params={"email": f"a{number}@x.example"})).status_code == 200
    answer = await mailgun.post(RECIPIENTS, params={"email": "a4@x.example"})
    assert (answer.status_code, answer.json()) == (400, {"message": "Only 5 sandbox recipients are allowed"})
    assert (await mailgun.post(RECIPIENTS, params={"email": TESTER})).json()["recipient"]["activated"] is True
    await mailgun.delete(f"{RECIPIENTS}/a0@x.example")
    assert (await mailgun.post(RECIPIENTS, params={"email": "a4@x.example"})).status_code == 200
