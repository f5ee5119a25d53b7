"""The session's cookie: out of reach of scripts, other sites and other hosts."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from mailgun_mcp.web.pages.cookies import SESSION, Cookie


def request(*headers: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", header.encode("latin-1")) for header in headers]})


def written(cookie: Cookie) -> str:
    response = Response()
    cookie.write(response, "secret", 60)
    return response.headers["set-cookie"]


def test_over_https_it_is_for_this_host_and_https_alone() -> None:
    cookie = Cookie(SESSION, secure=True)
    expected = "__Host-mailgun-mcp-session=secret; HttpOnly; Max-Age=60; Path=/; SameSite=strict; Secure"
    assert written(cookie) == expected
    assert cookie.read(request("a=b; __Host-mailgun-mcp-session=secret")) == "secret"
    assert cookie.read(request("mailgun-mcp-session=secret")) is None


def test_on_loopback_it_has_no_prefix_that_browsers_would_refuse() -> None:
    cookie = Cookie(SESSION, secure=False)
    assert written(cookie) == "mailgun-mcp-session=secret; HttpOnly; Max-Age=60; Path=/; SameSite=strict"
    response = Response()
    cookie.clear(response)
    assert "Max-Age=0" in response.headers["set-cookie"]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("mailgun-mcp-session=",),
        ("mailgun-mcp-session",),
        ("mailgun-mcp-session=a; mailgun-mcp-session=b",),
        ("mailgun-mcp-session=a", "mailgun-mcp-session=a"),
        (f"mailgun-mcp-session={'a' * 201}",),
    ],
)
def test_what_is_not_one_value_of_ours_is_none(headers: tuple[str, ...]) -> None:
    assert Cookie(SESSION, secure=False).read(request(*headers)) is None
