"""Requests in the forms that Mailgun's SDKs for PHP and Ruby send, whose registries the tests can't reach.

mailgun-php (src/Api) sends every body as multipart, an array as a repeated field, and queries by `http_build_query`.
mailgun-ruby (lib/mailgun/client.rb) sends forms by Faraday's flat encoder, so an array is a repeated field; MIME is
a file of type multipart/form-data.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import Call, check_results

PHP, RUBY = "mailgun-php (PHP), its requests", "mailgun-ruby (Ruby), its requests"
PHP_VERSION, RUBY_VERSION = "4", "1.4"
DOMAIN = "mail.example.com"
Files = list[tuple[str, Any]]
Try = tuple[str, str, Callable[[httpx.Client], httpx.Response]]
MIME = f"From: a@{DOMAIN}\r\nTo: b@x.example\r\nSubject: MIME\r\n\r\nHello\r\n"


def multipart(*fields: tuple[str, str], files: Files | None = None) -> Files:
    """Return a body as mailgun-php builds it: every field is a part without a file name."""
    return [*((name, (None, value)) for name, value in fields), *(files or ())]


FROM = ("from", f"Shop <a@{DOMAIN}>")
PHP_CALLS: list[Try] = [
    (
        "messages",
        "send",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages",
            files=multipart(
                FROM, ("to", "b@x.example"), ("to", "c@x.example"), ("subject", "S"), ("text", "T"), ("o:tag", "php")
            ),
        ),
    ),
    (
        "messages",
        "send, attachment",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages",
            files=multipart(FROM, ("to", "b@x.example"), ("text", "T"), files=[("attachment", ("a.txt", b"A"))]),
        ),
    ),
    (
        "messages",
        "getBatchMessage",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages",
            files=multipart(
                FROM,
                ("to", "b@x.example"),
                ("subject", "Hi %recipient.n%"),
                ("text", "T"),
                ("recipient-variables", '{"b@x.example":{"n":"B"}}'),
            ),
        ),
    ),
    (
        "messages",
        "sendMime",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages.mime",
            files=multipart(("to", "b@x.example"), files=[("message", ("message", MIME))]),
        ),
    ),
    ("domains", "index", lambda api: api.get("/v3/domains?limit=100&skip=0")),
    (
        "domains",
        "create",
        lambda api: api.post("/v3/domains", files=multipart(("name", "php.example.com"), ("wildcard", "false"))),
    ),
    ("domains", "verify", lambda api: api.put("/v3/domains/php.example.com/verify")),
    (
        "domains",
        "updateConnection",
        lambda api: api.put("/v3/domains/php.example.com/connection", files=multipart(("require_tls", "true"))),
    ),
    ("events", "get", lambda api: api.get(f"/v3/{DOMAIN}/events?event=delivered&limit=2")),
    (
        "stats",
        "total",
        lambda api: api.get(f"/v3/{DOMAIN}/stats/total?event=accepted&duration=1m"),
    ),
    (
        "suppressions",
        "bounces.create",
        lambda api: api.post(f"/v3/{DOMAIN}/bounces", files=multipart(("address", "b@php.example"), ("code", "550"))),
    ),
    ("suppressions", "bounces.show", lambda api: api.get(f"/v3/{DOMAIN}/bounces/b@php.example")),
    ("suppressions", "bounces.delete", lambda api: api.delete(f"/v3/{DOMAIN}/bounces/b@php.example")),
    (
        "routes",
        "create",
        lambda api: api.post(
            "/v3/routes",
            files=multipart(
                ("priority", "0"),
                ("expression", "catch_all()"),
                ("action", "store()"),
                ("action", "stop()"),
                ("description", "PHP"),
            ),
        ),
    ),
    (
        "lists",
        "create",
        lambda api: api.post(
            "/v3/lists", files=multipart(("address", f"php@{DOMAIN}"), ("name", "PHP"), ("access_level", "readonly"))
        ),
    ),
    (
        "lists",
        "member.create",
        lambda api: api.post(
            f"/v3/lists/php@{DOMAIN}/members",
            files=multipart(
                ("address", "m@x.example"), ("name", "M"), ("vars", '{"a":1}'), ("subscribed", "yes"), ("upsert", "no")
            ),
        ),
    ),
    (
        "webhooks",
        "create",
        lambda api: api.post(
            f"/v3/domains/{DOMAIN}/webhooks",
            files=multipart(("id", "opened"), ("url", "https://x.example/1"), ("url", "https://x.example/2")),
        ),
    ),
    (
        "templates",
        "create",
        lambda api: api.post(
            f"/v3/{DOMAIN}/templates",
            files=multipart(("name", "php"), ("template", "<p>{{n}}</p>"), ("description", "D")),
        ),
    ),
    ("tags", "index", lambda api: api.get(f"/v3/{DOMAIN}/tags?limit=10")),
    ("ips", "index", lambda api: api.get("/v3/ips?dedicated=0")),
]
RUBY_CALLS: list[Try] = [
    (
        "messages",
        "send_message",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages", data={"from": FROM[1], "to": "b@x.example", "subject": "S", "text": "T"}
        ),
    ),
    (
        "messages",
        "send_message, MessageBuilder",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages",
            content="from=a%40mail.example.com&to=b%40x.example&to=c%40x.example&subject=S&text=T&o%3Atag=ruby&o%3Atag=sdk",
            headers={"content-type": "application/x-www-form-urlencoded"},
        ),
    ),
    (
        "messages",
        "send_message, MIME",
        lambda api: api.post(
            f"/v3/{DOMAIN}/messages.mime",
            files=multipart(
                ("to", "b@x.example"), files=[("message", ("MG_TMP_MIME20261127", MIME, "multipart/form-data"))]
            ),
        ),
    ),
    ("events", "get", lambda api: api.get(f"/v3/{DOMAIN}/events?limit=2&event=delivered")),
    ("domains", "list", lambda api: api.get("/v3/domains?limit=5")),
    (
        "suppressions",
        "create_bounces",
        lambda api: api.post(
            f"/v3/{DOMAIN}/bounces",
            content='[{"address":"b@ruby.example","code":"550"}]',
            headers={"content-type": "application/json"},
        ),
    ),
    ("suppressions", "list_bounces", lambda api: api.get(f"/v3/{DOMAIN}/bounces?limit=2")),
    ("suppressions", "delete_bounce", lambda api: api.delete(f"/v3/{DOMAIN}/bounces/b%40ruby.example")),
    ("tags", "get_tags_list", lambda api: api.get(f"/v3/{DOMAIN}/tags?limit=10")),
    (
        "webhooks",
        "create_webhook",
        lambda api: api.post(
            f"/v3/domains/{DOMAIN}/webhooks", data={"id": "temporary_fail", "url": "https://x.example/r"}
        ),
    ),
    (
        "unsubscribes",
        "create_unsubscribe",
        lambda api: api.post(f"/v3/{DOMAIN}/unsubscribes", data={"address": "u@ruby.example", "tag": "ruby"}),
    ),
]
SENT_BY = {
    PHP: (PHP_VERSION, PHP_CALLS, "mailgun-sdk-php/v2 (https://github.com/mailgun/mailgun-php)"),
    RUBY: (RUBY_VERSION, RUBY_CALLS, "mailgun-sdk-ruby/1.4.2"),
}


@pytest.mark.parametrize("sdk", SENT_BY)
def test_requests_in_its_form_are_answered(sdk: str, simulator: str) -> None:
    version, tries, agent = SENT_BY[sdk]
    calls = []
    with httpx.Client(base_url=simulator, auth=("api", KEY), headers={"user-agent": agent}) as api:
        for group, name, send in tries:
            answer = send(api)
            calls.append(Call(group, name, None if answer.is_success else f"{answer.status_code} {answer.text}"))
    check_results(sdk, version, calls)
