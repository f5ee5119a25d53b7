"""The attacker makes the account pay: calls that nobody priced, calls at the same moment, calls under a grant for their kind."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.grants import Grants
from tests.support.calls import run
from tests.support.empty_lists import empty_lists
from tests.support.policies import policy
from tests.support.recorder import Clock, Recorder, recorded_services

pytestmark = pytest.mark.anyio

PRICED = "extends: unguarded\nspend: {monthly_budget: 1, prices: {validation: 0.25, message: 0.5}}"
ADDRESS = {"address": "ann@example.com"}
MAIL = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["b@x.example"], "subject": "s", "text": "t"}


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder(lambda _: httpx.Response(200, json=empty_lists()))


def services(mailgun: Recorder, state: Path, text: str) -> Services:
    return recorded_services(mailgun, policy=policy(text), state=state, clock=Clock())


async def test_calls_at_the_same_moment_share_the_budget(mailgun: Recorder, tmp_path: Path) -> None:
    servers = [services(mailgun, tmp_path / "state", PRICED) for _ in range(2)]
    results = await asyncio.gather(
        *(run(servers[number % 2], "validate_email_address", ADDRESS) for number in range(10))
    )
    assert [result.kind for result in results].count("done") == 4
    assert len([line for line in mailgun.lines if "/validate" in line]) == 4


async def test_a_call_that_did_not_happen_costs_nothing(mailgun: Recorder, tmp_path: Path) -> None:
    server = services(mailgun, tmp_path / "state", PRICED)
    mailgun.answer = lambda _: httpx.Response(400, json={"message": "no"})
    for _ in range(9):
        assert (await run(server, "validate_email_address", ADDRESS)).kind == "failed"
    mailgun.answer = lambda _: httpx.Response(200, json=empty_lists())
    assert (await run(server, "validate_email_address", ADDRESS)).kind == "done"


async def test_sends_count_for_each_recipient(mailgun: Recorder, tmp_path: Path) -> None:
    server = services(mailgun, tmp_path / "state", PRICED)
    assert (await run(server, "send_message", MAIL)).kind == "done"
    refused = await run(server, "send_message", {**MAIL, "to": ["c@x.example", "d@x.example"]})
    assert refused.kind == "refused"
    assert "1.00 USD more than the 0.50 USD spent this month is over the budget of 1.00 USD" in refused.text


async def test_a_grant_does_not_lift_the_question_about_an_unknown_price(mailgun: Recorder, tmp_path: Path) -> None:
    text = "extends: guarded\nspend: {monthly_budget: 0.01}"
    server = services(mailgun, tmp_path / "state", text)
    account = await server.account.current(changes=True)
    now = server.clock()
    Grants(server.store).add({"tool": "validate_*"}, account=account.key, until=now + 60, by="olga", now=now)
    result = await run(server, "validate_email_address", ADDRESS)
    assert (result.kind, mailgun.lines) == ("refused", [])
    assert "the price of one validation in USD is not known" in str(result.approval)
    known = replace(server, policy=policy(f"{text.replace('0.01}', '1, prices: {validation: 0.01}}')}"))
    assert (await run(known, "validate_email_address", ADDRESS)).kind == "done"
    known.close()
