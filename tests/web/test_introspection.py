"""The authorization server is asked about a token at most once a minute, and where it does not answer nobody is let in."""

from collections.abc import Mapping
from typing import Any

import pytest

from mailgun_mcp.web.authentication import TokenRefused, TokensUnavailable
from mailgun_mcp.web.claims import Claims
from mailgun_mcp.web.introspection import LONGEST_CACHED, REFUSED_FOR, Introspection
from mailgun_mcp.web.issuer_http import IssuerHttp

pytestmark = pytest.mark.anyio
ISSUER = "https://login.example.com"
AUDIENCE = "https://mail.example.com/mcp"
GOOD = {"active": True, "sub": "ann", "aud": AUDIENCE, "scope": "mailgun:read", "exp": 5000}


class Asked(IssuerHttp):
    """An authorization server that answers what the test says."""

    def __init__(self, answer: dict[str, Any] | None) -> None:
        super().__init__()
        self.answer, self.forms, self.logins = answer, [], []  # type: ignore[var-annotated] # filled below

    async def post(self, url: str, form: Mapping[str, str], login: tuple[str, str] | None) -> dict[str, Any]:
        self.forms.append(dict(form))
        self.logins.append((url, login))
        if self.answer is None:
            raise TokensUnavailable("down")
        return self.answer


class Server:
    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.now, self.asked = 1000.0, Asked(answer)
        claims = Claims(ISSUER, (AUDIENCE,))
        self.tokens = Introspection(self.asked, f"{ISSUER}/introspect", ("us", "secret"), claims, lambda: self.now)


async def test_a_valid_token_is_asked_about_once_a_minute() -> None:
    server = Server(GOOD)
    assert [(await server.tokens.verify("t")).id for _ in range(3)] == ["ann@login.example.com"] * 3
    assert server.asked.forms == [{"token": "t", "token_type_hint": "access_token"}]
    assert server.asked.logins == [(f"{ISSUER}/introspect", ("us", "secret"))]
    server.now += LONGEST_CACHED
    server.asked.answer = {"active": False}
    with pytest.raises(TokenRefused, match="not active"):
        await server.tokens.verify("t")


async def test_an_answer_is_for_one_token() -> None:
    server = Server(GOOD)
    await server.tokens.verify("t")
    server.asked.answer = {"active": False}
    with pytest.raises(TokenRefused):
        await server.tokens.verify("T")


async def test_a_token_that_expires_sooner_is_asked_about_sooner() -> None:
    server = Server({**GOOD, "exp": 1010})
    await server.tokens.verify("t")
    server.now = 1010
    with pytest.raises(TokenRefused, match="expired"):
        await server.tokens.verify("t")


WRONG: dict[str, dict[str, Any]] = {
    "not active": {**GOOD, "active": False},
    "active in words": {**GOOD, "active": "true"},
    "no word on it": {},
    "for another server": {**GOOD, "aud": "https://other.example.com"},
    "for no server": {name: value for name, value in GOOD.items() if name != "aud"},
    "of another issuer": {**GOOD, "iss": "https://evil.example"},
    "not valid yet": {**GOOD, "nbf": 2000},
    "times in words": {**GOOD, "exp": "never"},
    "a time that is no number": {**GOOD, "exp": float("nan")},
    "not valid for ever": {**GOOD, "nbf": float("inf")},
    "of nobody": {**GOOD, "sub": None},
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
async def test_anything_but_a_whole_yes_is_a_no_and_kept_for_a_moment(answer: dict[str, Any]) -> None:
    server = Server(answer)
    for _ in range(2):
        with pytest.raises(TokenRefused):
            await server.tokens.verify("t")
    assert len(server.asked.forms) == 1
    server.now += REFUSED_FOR
    server.asked.answer = GOOD
    assert await server.tokens.verify("t")


async def test_without_an_answer_nobody_is_let_in_and_the_next_request_asks_again() -> None:
    server = Server(None)
    with pytest.raises(TokensUnavailable):
        await server.tokens.verify("t")
    server.asked.answer = GOOD
    assert await server.tokens.verify("t")
