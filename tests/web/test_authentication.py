"""Every request but those of public paths proves who makes it. Where that cannot be checked, nobody is let in."""

from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.authentication import Authentication, TokenRefused, TokensUnavailable, Verifier
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.principal import principal_in

pytestmark = pytest.mark.anyio


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(principal_in(scope).id)(scope, receive, send)


class Kind:
    """Takes tokens that begin alike, and knows one of them or fails."""

    def __init__(self, prefix: str, fault: Exception | None = None) -> None:
        self.prefix, self.fault, self.asked = prefix, fault, 0

    def takes(self, token: str) -> bool:
        return token.startswith(self.prefix)

    async def verify(self, token: str) -> Principal:
        self.asked += 1
        if self.fault:
            raise self.fault
        if token != f"{self.prefix}good":
            raise TokenRefused("wrong")
        return Principal(f"holder of {self.prefix}")


async def answer_to(verifiers: list[Verifier] | None, headers: Any, path: str = "/mcp") -> httpx.Response:
    layer = Authentication(app, verifiers, Challenge())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=layer), base_url="http://localhost") as client:
        return await client.get(path, headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_first_verifier_that_takes_a_token_decides() -> None:
    first, second = Kind("a-"), Kind("a")
    answer = await answer_to([first, second], bearer("a-good"))
    assert (answer.status_code, answer.text) == (200, "holder of a-")
    assert (await answer_to([first, second], bearer("a-bad"))).status_code == 401
    assert second.asked == 0
    assert (await answer_to([first, second], bearer("b-good"))).status_code == 401


@pytest.mark.parametrize("fault", [TokensUnavailable("the issuer is down"), StateError("locked")])
async def test_what_cannot_be_checked_lets_nobody_in(fault: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    answer = await answer_to([Kind("a", fault)], bearer("a-good"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert str(fault) not in answer.text
    assert str(fault) in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_token_and_looks_at_none(path: str) -> None:
    kind = Kind("a")
    assert (await answer_to([kind], bearer("a-bad"), path)).text == "anonymous"
    assert kind.asked == 0


async def test_without_verifiers_everybody_is_anonymous() -> None:
    assert (await answer_to(None, bearer("a-good"))).text == "anonymous"
    assert (await answer_to([], {})).status_code == 401


async def test_a_token_with_many_groups_is_taken() -> None:
    assert (await answer_to([Kind("a" * 11_000)], bearer("a" * 11_000 + "good"))).status_code == 200


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (bearer("a" * 17_000), "The token is longer than 16384 characters"),
        ({"Authorization": "a-good"}, "The Authorization header is not of the form Bearer TOKEN"),
        ([("Authorization", "Bearer a-good")] * 2, "There is more than one Authorization header"),
    ],
    ids=["too-long", "without-bearer", "twice"],
)
async def test_what_cannot_be_read_as_a_token_is_not_looked_at_and_the_client_is_told_why(
    headers: Any, told: str
) -> None:
    kind = Kind("a")
    answer = await answer_to([kind], headers)
    assert (answer.status_code, answer.text, kind.asked) == (401, f"{told}.\n", 0)
    assert f'error_description="{told}"' in answer.headers["www-authenticate"]


async def test_a_client_is_not_told_what_is_wrong_with_a_token() -> None:
    answer = await answer_to([Kind("a-")], bearer("a-bad"))
    assert answer.text == "The token is not valid: it is unknown, revoked, expired, or for another server.\n"
    assert "wrong" not in str(answer.headers)
