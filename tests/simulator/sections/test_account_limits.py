"""Monthly limits: they bite on sends, disable the account, and let go when the month is over."""

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.worlds.demo import SANDBOX, TESTER
from mailgun_mcp.simulator.worlds.demo_administration import LABS, LABS_DOMAIN
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
OWN = "/v5/accounts/limit/custom"
BELOW = f"/v5/accounts/subaccounts/{LABS}/limit/custom/monthly"
ON_BEHALF = {"X-Mailgun-On-Behalf-Of": LABS}


async def send(mailgun: httpx.AsyncClient, count: int = 1, domain: str = PLAIN, **headers: str) -> httpx.Response:
    mail = {"from": f"a@{domain}", "to": [f"a{number}@x.example" for number in range(count)], "text": "Hi"}
    return await mailgun.post(f"/v3/{domain}/messages", data=mail, headers=headers)


async def current(mailgun: httpx.AsyncClient) -> int:
    answer: dict[str, int] = (await mailgun.get(f"{OWN}/monthly")).json()
    return answer["current"]


async def test_what_is_sent_counts(mailgun: httpx.AsyncClient) -> None:
    before = await current(mailgun)
    assert before > 0
    await send(mailgun, 7)
    assert await current(mailgun) == before + 7


async def test_a_reached_limit_disables_the_account_until_it_is_raised_and_reenabled(
    mailgun: httpx.AsyncClient,
) -> None:
    assert (await mailgun.put(f"{OWN}/monthly", params={"limit": 1000})).json() == {"success": True}
    assert (await mailgun.put(f"{OWN}/enable")).status_code == 400
    assert (await send(mailgun, 1000)).status_code == 200
    refused = await send(mailgun)
    assert refused.status_code == 403
    assert refused.json()["message"].startswith(f"Domain {PLAIN} is not allowed to send: ")
    assert (await mailgun.put(f"{OWN}/enable")).json() == {"success": True}
    assert (await send(mailgun)).status_code == 403
    await mailgun.put(f"{OWN}/monthly", params={"limit": 5000})
    assert (await send(mailgun)).status_code == 403
    await mailgun.put(f"{OWN}/enable")
    assert (await send(mailgun)).status_code == 200
    answer = await mailgun.put(f"{OWN}/enable")
    text = "Unable to re-enable account with current account disablement"
    assert (answer.status_code, answer.json()) == (400, {"message": text})


async def test_a_new_month_starts_at_nothing(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    await mailgun.put(f"{OWN}/monthly", params={"limit": 1000})
    await send(mailgun, 1000)
    assert (await send(mailgun)).status_code == 403
    clock.advance(20 * DAY)
    assert await current(mailgun) == 0
    assert (await send(mailgun)).status_code == 200


async def test_a_limit_below_the_least_is_refused(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.put(f"{OWN}/monthly", params={"limit": 999})
    assert (answer.status_code, answer.json()) == (400, {"message": "The limit parameter minumum is 1000"})
    assert (await mailgun.put(BELOW, params={"limit": 0})).status_code == 400


async def test_without_a_limit_there_is_none_to_read_or_delete(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.delete(f"{OWN}/monthly")).json() == {"success": True}
    gone = await mailgun.get(f"{OWN}/monthly")
    assert (gone.status_code, gone.json()) == (404, {"message": "No threshold for account"})
    again = await mailgun.delete(f"{OWN}/monthly")
    assert (again.status_code, again.json()) == (400, {"message": "Could not delete threshold for account"})


async def test_a_subaccounts_limit_bites_in_the_subaccount_alone(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.put(BELOW, params={"limit": 2})).json() == {"success": True}
    assert (await send(mailgun, 2, LABS_DOMAIN, **ON_BEHALF)).status_code == 200
    assert (await mailgun.get(BELOW)).json() == {"limit": 2, "current": 2, "period": "1m"}
    assert (await send(mailgun, 1, LABS_DOMAIN, **ON_BEHALF)).status_code == 403
    assert (await send(mailgun)).status_code == 200
    assert (await mailgun.delete(BELOW)).json() == {"success": True}
    assert (await mailgun.put(f"{OWN}/enable", headers=ON_BEHALF)).json() == {"success": True}
    assert (await send(mailgun, 1, LABS_DOMAIN, **ON_BEHALF)).status_code == 200


async def test_a_stopped_parent_stops_those_below(mailgun: httpx.AsyncClient) -> None:
    await mailgun.put(f"{OWN}/monthly", params={"limit": 1000})
    await send(mailgun, 1000)
    assert (await send(mailgun, 1, LABS_DOMAIN, **ON_BEHALF)).status_code == 403


async def test_limits_of_what_is_no_subaccount_are_refused(mailgun: httpx.AsyncClient) -> None:
    path = "/v5/accounts/subaccounts/none/limit/custom/monthly"
    assert (await mailgun.get(path)).json() == {"message": "Not a subaccount"}
    assert (await mailgun.put(path, params={"limit": 5})).json() == {"message": "Invalid subaccount ID"}
    text = "Forbidden - user does not have permission to view this resource"
    assert (await mailgun.get(BELOW, headers=ON_BEHALF)).json() == {"message": text}


async def test_a_sandbox_sends_three_hundred_a_day(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    mail = {"from": f"a@{SANDBOX}", "to": [TESTER] * 300, "text": "Hi"}
    assert (await mailgun.post(f"/v3/{SANDBOX}/messages", data=mail)).status_code == 200
    refused = await mailgun.post(f"/v3/{SANDBOX}/messages", data={**mail, "to": TESTER})
    assert refused.status_code == 420
    assert "recipient limit exceeded, try again after Thu, 19 Nov 2026 11:06:40 GMT" in refused.json()["message"]
    clock.advance(DAY + 1)
    assert (await mailgun.post(f"/v3/{SANDBOX}/messages", data={**mail, "to": TESTER})).status_code == 200
