"""The page of grants: who gives which, and that nobody allows their own calls with it."""

from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.accounts import Accounts, KeyInUse
from tests.support.pages import Browser, browsing
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio
US = "https://api.mailgun.net"
STAGING = {"match": "tool=delete_*,domain=staging.*", "span": "1h", "account": "staging"}


@pytest.fixture
def services() -> Services:
    services = recorded_services(Recorder())
    for name in ("staging", "production"):
        Accounts(services.store).open(KeyInUse(US, "us", name * 4, name), services.clock())
    return services


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[Browser]:
    async with browsing(services) as browser:
        yield browser


async def test_a_grant_is_given_shown_recorded_and_ended(services: Services, browser: Browser) -> None:
    await browser.sign_in("olga")
    await browser.open("/approvals/grants")
    assert "No grant is active" in browser.text
    await browser.send("/grants/give", **STAGING)
    assert "tool: delete_*, domain: staging.* 1 hour left" in browser.text
    (grant,) = services.grants.active(services.clock())
    assert (grant.by, grant.match, grant.until) == (
        "olga",
        {"tool": "delete_*", "domain": "staging.*"},
        services.clock() + 3600,
    )
    await browser.send(f"/{grant.id}/end")
    assert services.grants.active(services.clock()) == ()
    logged = [(call.fields["tool"], call.fields["principal"], call.outcome) for call in services.audit_log.calls()]
    assert logged == [("approvals grant", "olga", "done"), ("approvals revoke", "olga", "done")]
    assert (await browser.open("/approvals/grants")).status_code == 200


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"match": "tool"}, "must be KEY=GLOB"),
        ({"match": "tol=x"}, "tol"),
        ({"match": "{}"}, "every call"),
        ({"account": "other"}, "Choose an account"),
        ({"span": "9d"}, "Choose for how long"),
    ],
)
async def test_a_grant_that_cannot_be_is_not_given_and_what_was_typed_stays(
    services: Services, browser: Browser, changed: dict[str, str], fault: str
) -> None:
    await browser.sign_in("olga")
    await browser.open("/approvals/grants")
    answer = await browser.send("/grants/give", **{**STAGING, **changed})
    assert (answer.status_code, fault in browser.text) == (400, True)
    assert browser.form("/grants/give")["match"] == {**STAGING, **changed}["match"]
    assert services.grants.active(services.clock()) == ()


async def test_who_signed_in_elsewhere_allows_calls_of_others_only(services: Services, browser: Browser) -> None:
    browser.sign_in_as("olga@login.example.com")
    await browser.open("/approvals/grants")
    for own in ("", "Olga@login.example.com", "*", "o?ga@login.example.com", "[o]lga@login.example.com"):
        answer = await browser.send("/grants/give", **STAGING, principal=own)
        assert (answer.status_code, services.grants.active(services.clock())) == (400, ())
    await browser.send("/grants/give", **STAGING, principal="ann@login.example.com")
    (grant,) = services.grants.active(services.clock())
    assert grant.match["principal"] == "ann@login.example.com"
    overridden = {**STAGING, "match": '{"tool": "delete_*", "principal": "olga@login.example.com"}'}
    await browser.send("/grants/give", **overridden, principal="ann@login.example.com")
    assert {grant.match["principal"] for grant in services.grants.active(services.clock())} == {"ann@login.example.com"}


async def test_grants_of_other_accounts_are_not_there(services: Services, browser: Browser) -> None:
    await browser.sign_in("olga")
    await browser.open("/approvals/grants")
    await browser.send("/grants/give", **STAGING)
    (grant,) = services.grants.active(services.clock())
    browser.sign_in_as("kim", accounts=("production",))
    await browser.open("/approvals/grants")
    assert "No grant is active" in browser.text
    answer = await browser.send("/grants/give", **STAGING, principal="ann")
    assert (answer.status_code, "Choose an account" in browser.text) == (400, True)
    from mailgun_mcp.web.pages.cookies import SESSION
    from mailgun_mcp.web.pages.forms import FIELD, form_token

    action = f"/approvals/grants/{grant.id}/end"
    token = form_token(browser.http.cookies[SESSION], action, services.clock())
    assert (await browser.post(action, {FIELD: token})).status_code == 404
    assert len(services.grants.active(services.clock())) == 1
