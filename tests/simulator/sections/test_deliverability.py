"""Results of seed tests and previews."""

import httpx
import pytest

from mailgun_mcp.simulator import Account

pytestmark = pytest.mark.anyio
RESULT = {"provider_results": {"gmail": {"inbox": 3}, "yahoo": {"spam": 1}}}


async def test_a_result_is_the_one_that_the_account_has(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.seed_results["r1"] = RESULT
    assert (await mailgun.get("/v4/inbox/results/r1")).json() == RESULT
    of_one = (await mailgun.get("/v4/inbox/results/r1", params={"provider": "yahoo"})).json()
    assert of_one == {"provider_results": {"yahoo": {"spam": 1}}}


async def test_an_unknown_result_is_not_found(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.get("/v4/inbox/results/other")
    assert (answer.status_code, answer.json()) == (404, {"error": "not found"})
