"""A conversation goes on after an answer given elsewhere only while who asked may still call."""

from collections.abc import Callable

import pytest

from mailgun_mcp.agent.credentials import Credentials
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.identity.tokens import Tokens
from tests.support.chats import CLEAR, DOMAIN, Chat, last

pytestmark = pytest.mark.anyio
SCOPES = "read write destructive"


def with_token(services: Services) -> tuple[Principal, Callable[[], object]]:
    tokens = Tokens(services.store)
    token, _ = tokens.create("ann", Access(parse_scopes(SCOPES.split())), by="tests", now=services.clock())
    return token.principal, lambda: tokens.revoke("ann", services.clock())


def with_session(services: Services) -> tuple[Principal, Callable[[], object]]:
    sessions = Sessions(services.store)
    secret = sessions.open(Principal("ann"), "issuer", services.clock())
    session = sessions.find(secret, services.clock())
    assert session is not None
    return session.principal, lambda: sessions.close(secret)


@pytest.mark.parametrize("kind", [with_token, with_session])
@pytest.mark.parametrize("revoked", [True, False])
async def test_a_conversation_of_a_revoked_token_or_a_closed_session_does_not_go_on(
    kind: Callable[[Services], tuple[Principal, Callable[[], object]]], revoked: bool
) -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        ann, revoke = kind(chat.services)
        asked = last(await chat.say("clear", by=ann), "approval_needed")
        chat.services.approvals.approve(asked["approval"], by="ben", now=chat.services.clock(), typed=DOMAIN)
        if revoked:
            revoke()
        await chat.runner.continue_answered()
        events = [event async for event in chat.runner.events(ann, "c", after=0)]
        assert last(events, "ended")["outcome"] == ("waiting" if revoked else "done")
        assert (await chat.bounces() == 0) is not revoked


def test_a_token_that_was_made_anew_is_another_and_one_with_fewer_scopes_bounds_what_goes_on() -> None:
    chat = Chat()
    services = chat.services
    ann, revoke = with_token(services)
    credentials = Credentials(services.store, services.clock)
    assert credentials.check(ann) == ann
    revoke()
    with_token(services)
    assert credentials.check(ann) is None


def test_an_expired_credential_and_one_that_nobody_knows() -> None:
    chat = Chat()
    credentials = Credentials(chat.services.store, chat.services.clock)
    assert credentials.check(Principal("ann", expires=1.0)) is None
    assert credentials.check(Principal("ann")) == Principal("ann")
    credentials.add("slack:", lambda _: None)
    assert credentials.check(Principal("ann", credential="slack:T:U")) is None
