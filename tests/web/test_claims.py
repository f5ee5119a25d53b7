"""Who a token proves: its subject at its issuer, or a verified email address."""

from typing import Any

import pytest

from mailgun_mcp.text.durations import iso
from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.claims import Claims, scopes_in

ISSUER = "https://login.example.com/tenant"
CLAIMS = Claims(ISSUER, ("https://mail.example.com/mcp",))


def test_the_subject_is_named_with_the_host_of_its_issuer() -> None:
    principal = CLAIMS.principal_of({"sub": "ann", "scope": "mailgun:read", "exp": 2000})
    assert (principal.id, principal.access.scopes, principal.expires) == (
        "ann@login.example.com",
        frozenset({"mailgun:read"}),
        2000,
    )
    assert principal.authenticated


@pytest.mark.parametrize("expires", [10**30, float("inf"), 1_800_000_000_000])
def test_a_token_may_expire_after_the_last_date_there_is(expires: float) -> None:
    principal = CLAIMS.principal_of({"sub": "ann", "exp": expires})
    assert principal.expires is not None
    assert iso(principal.expires) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("verified", [None, False, "true", 1])
def test_an_email_address_must_be_verified(verified: Any) -> None:
    by_email = Claims(ISSUER, (), "email")
    claims = {"sub": "1", "email": "ann@example.com"}
    assert by_email.principal_of({**claims, "email_verified": True}).id == "ann@example.com"
    with pytest.raises(TokenRefused, match="not verified"):
        by_email.principal_of({**claims, "email_verified": verified})


def test_scopes_are_read_as_text_or_as_a_list_and_others_left_out() -> None:
    assert scopes_in({"scope": "openid mailgun:read", "scp": ["mailgun:send", 7]}) == {"mailgun:read", "mailgun:send"}
    assert scopes_in({"scope": 7, "scp": None}) == frozenset()


def test_one_of_several_audiences_is_enough() -> None:
    assert CLAIMS.is_for_us(["https://other.example.com", "https://mail.example.com/mcp"])
    assert not any(map(CLAIMS.is_for_us, [None, [], "https://mail.example.com", [7], {"x": 1}]))
