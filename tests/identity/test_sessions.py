"""Browser sessions and one-time links: who they are for, how long they last, and that a link opens one session."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mailgun_mcp.identity.access import APPROVE, Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import LINK_SECONDS, SESSION_SECONDS, BrowserSession, Sessions
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines
from tests.support.state import NOW, rows

pytestmark = on_both_engines


@pytest.fixture
def sessions(store: Store) -> Sessions:
    return Sessions(store)


def test_a_session_is_found_with_who_it_is_for_until_it_ends(sessions: Sessions) -> None:
    ann = Principal("ann", access=Access(frozenset({APPROVE}), ("staging",), ("*.example.com",)))
    secret = sessions.open(ann, "issuer", NOW)
    found = sessions.find(secret, NOW + SESSION_SECONDS - 1)
    expires = NOW + SESSION_SECONDS
    assert found == BrowserSession(Principal("ann", access=ann.access, expires=expires), "issuer", expires)
    assert sessions.find(secret, expires) is None
    assert sessions.find(f"{secret}x", NOW) is None
    sessions.close(secret)
    assert sessions.find(secret, NOW) is None


def test_a_link_opens_one_session_within_its_time(sessions: Sessions) -> None:
    link = sessions.create_link("ann", NOW)
    assert (sessions.linked(link, NOW), sessions.linked(link, NOW)) == ("ann", "ann")
    secret = sessions.use_link(link, NOW)
    assert secret is not None
    found = sessions.find(secret, NOW)
    assert found is not None
    assert (found.principal.id, found.source, found.principal.access.scopes) == ("ann", "link", None)
    assert (sessions.linked(link, NOW), sessions.use_link(link, NOW)) == (None, None)
    late = sessions.create_link("ann", NOW)
    assert sessions.use_link(late, NOW + LINK_SECONDS) is None


def test_of_many_who_use_a_link_at_once_one_gets_a_session(sessions: Sessions) -> None:
    link = sessions.create_link("ann", NOW)
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda _: sessions.use_link(link, NOW), range(8)))
    assert len([secret for secret in secrets if secret]) == 1


def test_no_secret_is_stored_and_what_has_ended_goes(sessions: Sessions, store: Store) -> None:
    link = sessions.create_link("ann", NOW)
    secret = sessions.open(Principal("ann"), "link", NOW)
    stored = repr(rows(store, "SELECT * FROM browser_sessions") + rows(store, "SELECT * FROM sign_in_links"))
    assert link not in stored
    assert secret not in stored
    sessions.open(Principal("ben"), "link", NOW + SESSION_SECONDS)
    sessions.create_link("ben", NOW + LINK_SECONDS)
    assert rows(store, "SELECT principal FROM browser_sessions") == [("ben",)]
    assert rows(store, "SELECT principal FROM sign_in_links") == [("ben",)]


def test_without_a_state_nobody_is_signed_in(sessions: Sessions) -> None:
    assert (sessions.find("x", NOW), sessions.linked("x", NOW), sessions.use_link("x", NOW)) == (None, None, None)
