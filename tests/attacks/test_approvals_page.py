"""The attacker wants a yes from the approvals page that no person gave.

They forge or guess a cookie, have another site post the form or show the page in a frame, send a form twice, write
markup into the call that a person is shown, or are the one who made the call.
"""

import secrets
from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.store.database import Store
from mailgun_mcp.web.pages.cookies import SESSION
from mailgun_mcp.web.pages.forms import FIELD, form_token
from tests.support.pages import ORIGIN, Browser, browsing, pending
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import bearer, token_of

pytestmark = pytest.mark.anyio
NAME = "mail.example.com"
HOSTILE = "</bdi></h1><script>fetch('/approvals/x/approve')</script><form action=https://evil.example><button>Approve"


@pytest.fixture
def services() -> Services:
    return recorded_services(Recorder())


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[Browser]:
    async with browsing(services) as browser:
        yield browser


def still_pending(services: Services) -> bool:
    return {one.status for one in services.approvals.list(services.clock())} == {"pending"}


async def test_a_forged_cookie_opens_nothing(services: Services, browser: Browser) -> None:
    approval = pending(services)
    genuine = Sessions(services.store).create_link("olga", services.clock())
    token = form_token("guess", f"/approvals/{approval.id}/approve", services.clock())
    for forged in ("guess", secrets.token_urlsafe(32), genuine, "../x", "olga", "' OR 1=1 --", "\x00"):
        browser.http.cookies.set(SESSION, forged)
        assert (await browser.open("/approvals")).url.path == "/sign-in"
        answer = await browser.post(f"/approvals/{approval.id}/approve", {FIELD: token, "typed": NAME})
        assert answer.status_code == 401
    assert still_pending(services)


async def test_a_bearer_token_opens_no_page(services: Services, browser: Browser) -> None:
    """What the model's client holds is not a session: the page takes no tokens, and the API is for others."""
    pending(services)
    for token in (token_of(services, "ci", "read approve"), bearer(start_token(services.state))):
        assert (await browser.open("/approvals", **token)).url.path == "/sign-in"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:9000"},
        {**ORIGIN, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_site_cannot_post_a_form(services: Services, browser: Browser, headers: dict[str, str]) -> None:
    approval = pending(services, "ask")
    browser.sign_in_as("olga")
    await browser.open(f"/approvals/{approval.id}")
    fields = browser.form("/approve")
    answer = await browser.post(fields.pop(""), fields, headers=headers)
    # The gate of all routes refuses an origin that it does not know in its own words.
    assert answer.status_code == 403
    assert still_pending(services)


async def test_a_form_without_the_token_of_this_session_and_action_is_refused(
    services: Services, browser: Browser
) -> None:
    approval, other = pending(services, "ask"), pending(services, "ask", request="other")
    eves = browser.sign_in_as("eve", "read")
    browser.sign_in_as("olga")
    await browser.open(f"/approvals/{other.id}")
    action, now = f"/approvals/{approval.id}/approve", services.clock()
    tokens = ["", "x", form_token(eves, action, now), browser.form("/approve")[FIELD], browser.form("/deny")[FIELD]]
    for token in tokens:
        assert (await browser.post(action, {FIELD: token})).status_code == 403
    assert still_pending(services)


async def test_a_form_that_was_sent_counts_once(services: Services, browser: Browser) -> None:
    first = pending(services, "two_people")
    browser.sign_in_as("olga")
    await browser.open(f"/approvals/{first.id}")
    fields = {**browser.form("/approve"), "typed": NAME}
    action = fields.pop("")
    assert (await browser.post(action, fields)).status_code == 303
    replayed = await browser.post(action, fields)
    assert (replayed.status_code, "already sent" in replayed.text) == (409, True)
    assert len(services.approvals.get(first.id, services.clock()).answers) == 1


async def test_no_page_is_shown_in_a_frame_or_read_by_another_origin(services: Services, browser: Browser) -> None:
    approval = pending(services)
    browser.sign_in_as("olga")
    for path in ("/approvals", f"/approvals/{approval.id}", "/sign-in?link=x"):
        headers = (await browser.open(path, Origin="http://localhost:9000")).headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-credentials" not in headers


async def test_what_a_call_says_is_text_and_adds_no_form(services: Services, browser: Browser) -> None:
    from dataclasses import replace

    from mailgun_mcp.confirm.form import CallDetails
    from tests.support.state import asked, request_approval

    details = CallDetails(
        HOSTILE, (HOSTILE, f"- {HOSTILE}"), {HOSTILE: HOSTILE, "list": [HOSTILE], "long": HOSTILE * 20}
    )
    form = replace(asked("typed"), text=HOSTILE, typed=HOSTILE, call=details)
    approval = request_approval(services.store, form, services.clock())
    browser.sign_in_as(HOSTILE)
    for path in ("/approvals", f"/approvals/{approval.id}"):
        await browser.open(path)
        assert [script.get("src") for script in browser.tree.xpath("//script")] == ["/assets/page.js"]
        assert [form.action for form in browser.tree.forms if form.action.startswith("http")] == []
        assert HOSTILE[:40] in browser.text
    assert len(browser.tree.xpath("//button")) == 3


async def test_who_made_the_call_does_not_answer_it_where_policy_wants_somebody_else(
    services: Services, browser: Browser
) -> None:
    for level in ("approval", "two_people"):
        approval = pending(services, level, principal="ann@login.example.com", request=level)
        browser.sign_in_as("Ann@login.example.com", "read write destructive approve")
        await browser.open(f"/approvals/{approval.id}")
        assert "somebody else must approve it" in browser.text
        assert browser.tree.xpath("//form[contains(@action, '/approve')]") == []
        action = f"/approvals/{approval.id}/approve"
        secret = browser.http.cookies[SESSION]
        token = form_token(secret, action, services.clock())
        answer = await browser.post(action, {FIELD: token, "typed": NAME})
        assert (answer.status_code, "somebody else must approve it" in answer.text) == (400, True)
    assert still_pending(services)


async def test_no_scope_but_approve_answers(services: Services, browser: Browser) -> None:
    approval = pending(services, "ask")
    action = f"/approvals/{approval.id}/approve"
    secret = browser.sign_in_as("eve", "read write send destructive credential billing")
    answer = await browser.post(action, {FIELD: form_token(secret, action, services.clock())})
    assert (answer.status_code, still_pending(services)) == (403, True)


def test_secrets_of_sessions_are_not_in_the_state(services: Services) -> None:
    secret = Sessions(services.store).create_link("olga", services.clock())
    services.store.close()
    assert secret.encode() not in (services.state / "state.db").read_bytes()
    assert isinstance(services.store, Store)
