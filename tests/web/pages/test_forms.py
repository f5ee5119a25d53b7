"""Forms: whose they are, what they are for, where they came from, and how large they may be."""

import pytest
from starlette.requests import Request

from mailgun_mcp.web.pages.forms import (
    LARGEST,
    MEDIA_TYPE,
    SCRIPT_HEADER,
    VALID_SECONDS,
    FormRefused,
    check_origin,
    check_script,
    form_token,
    read_form,
    read_token,
    script_token,
)
from tests.support.state import NOW

pytestmark = pytest.mark.anyio


def request(body: bytes = b"", /, **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": named}, receive)


def test_a_token_is_for_one_session_one_action_and_an_hour() -> None:
    text = form_token("secret", "/approvals/a/approve", NOW)
    token = read_token("secret", "/approvals/a/approve", text, NOW)
    assert (token.nonce, token.expires) == (text.partition(".")[0], NOW + VALID_SECONDS)
    assert form_token("secret", "/approvals/a/approve", NOW) != text
    for secret, action, sent, now in (
        ("other", "/approvals/a/approve", text, NOW),
        ("secret", "/approvals/a/deny", text, NOW),
        ("secret", "/approvals/a/approve", text, NOW + VALID_SECONDS),
        ("secret", "/approvals/a/approve", text.replace(".1", ".2", 1), NOW),
        ("secret", "/approvals/a/approve", "", NOW),
        ("secret", "/approvals/a/approve", "a.b.c", NOW),
        ("secret", "/approvals/a/approve", "\ud800.1.\ud800", NOW),
    ):
        with pytest.raises(FormRefused):
            read_token(secret, action, sent, now)


@pytest.mark.parametrize(
    ("host", "origin", "public"),
    [
        ("localhost:8000", "http://localhost:8000", None),
        ("[::1]:8000", "http://[::1]:8000", None),
        ("mail.example.com", "https://mail.example.com", None),
        ("upstream:8000", "https://mail.example.com", "https://mail.example.com"),
    ],
)
def test_a_page_of_this_server_may_send(host: str, origin: str, public: str | None) -> None:
    check_origin(request(host=host, origin=origin), public)
    check_origin(request(host=host, origin=origin, sec_fetch_site="same-origin"), public)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8000"},
        {"host": "localhost:8000", "origin": "null"},
        {"host": "localhost:8000", "origin": ""},
        {"host": "localhost:8000", "origin": "http://localhost:9000"},
        {"host": "localhost:8000", "origin": "http://127.0.0.1:8000"},
        {"host": "localhost:8000", "origin": "http://localhost:8000", "sec_fetch_site": "same-site"},
        {"host": "localhost:8000", "origin": "http://localhost:8000", "sec_fetch_site": "cross-site"},
        {"host": "mail.example.com", "origin": "http://mail.example.com"},
        {"host": "mail.example.com", "origin": "https://mail.example.com.evil.example"},
        {"host": "", "origin": "https://"},
        {"host": "localhost:8000", "origin": "http://["},
    ],
)
def test_no_other_page_may_send(headers: dict[str, str]) -> None:
    with pytest.raises(FormRefused):
        check_origin(request(**headers))


def test_a_script_proves_that_it_is_of_the_page() -> None:
    ours = {"host": "localhost", "origin": "http://localhost"}
    token = {SCRIPT_HEADER: script_token("secret")}
    check_script(request(**ours, **token), "secret")
    for headers, secret in (({**ours}, "secret"), ({**ours, **token}, "other"), ({**token}, "secret")):
        with pytest.raises(FormRefused):
            check_script(request(**headers), secret)


async def test_fields_are_read_and_anything_else_is_refused() -> None:
    form = {"content_type": f"{MEDIA_TYPE}; charset=utf-8"}
    assert await read_form(request(b"a=1&b=%C3%A9&c=&a=2", **form)) == {"a": "2", "b": "é", "c": ""}
    refused = {
        415: request(b"a=1"),
        413: request(b"a" * (LARGEST + 1), **form),
        400: request(b"a=\xff", **form),
    }
    for status, sent in refused.items():
        with pytest.raises(FormRefused) as caught:
            await read_form(sent)
        assert caught.value.status == status
    for body in (b"a=%FF", b"&".join(b"a=1" for _ in range(51))):
        with pytest.raises(FormRefused):
            await read_form(request(body, **form))
