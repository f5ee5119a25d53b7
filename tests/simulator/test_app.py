"""What every request meets before a handler does: the key, the path, the method, the size."""

import gzip
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.http.asgi import MAX_CONTENT
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.sections.all_sections import HANDLERS
from tests.simulator.conftest import DOMAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio


async def test_any_key_is_let_in_when_none_is_set(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get("/v4/domains")).status_code == 200


async def test_a_request_without_a_key_is_forbidden_in_plain_text(mailgun: httpx.AsyncClient) -> None:
    mailgun.auth = httpx.Auth()
    answer = await mailgun.get("/v4/domains")
    assert (answer.status_code, answer.text) == (401, "Forbidden")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(("key", "status"), [("right", 200), ("wrong", 401), ("", 401)])
async def test_a_set_key_lets_in_nothing_else(account: Account, key: str, status: int) -> None:
    async with client(create_app(catalogue(), account=account, key="right"), key) as mailgun:
        assert (await mailgun.get("/v4/domains")).status_code == status


async def test_without_an_account_it_holds_the_demo_account() -> None:
    async with client(create_app(catalogue())) as mailgun:
        answer = await mailgun.get("/v4/domains")
    assert DOMAIN in [domain["name"] for domain in answer.json()["items"]]


async def test_the_root_greets(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.get("/")
    assert (answer.status_code, answer.text) == (200, "Mailgun Magnificent API")


@pytest.mark.parametrize("path", ["/v9/domains", "/v4", "/v3/routes/a/b/c"])
async def test_an_unknown_path_is_not_found_without_json(mailgun: httpx.AsyncClient, path: str) -> None:
    answer = await mailgun.get(path)
    assert (answer.status_code, answer.text) == (404, "Mailgun Magnificent API")


async def test_a_wrong_method_names_the_right_ones(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.patch("/v4/domains")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json() == {"message": "Method Not Allowed"}


async def test_an_unknown_domain_is_not_found_whatever_is_asked_of_it(mailgun: httpx.AsyncClient) -> None:
    for path in (
        "/v3/nope.example.com/bounces",
        "/v4/domains/nope.example.com",
        "/v3/nope.example.com/stats/total?event=x",
    ):
        answer = await mailgun.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Domain not found: nope.example.com"})


async def test_domain_names_have_no_case(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get(f"/v4/domains/{DOMAIN.upper()}")).status_code == 200


async def test_a_body_beyond_the_limit_is_refused(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(f"/v3/{DOMAIN}/messages", content=b"x" * (MAX_CONTENT + 1))
    assert (answer.status_code, answer.json()) == (413, {"message": "request size exceeds 52.4MiB"})


async def test_a_bug_looks_like_one_of_mailguns_and_is_logged(
    mailgun: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Reply:
        raise ZeroDivisionError("division by zero")

    broken = replace(HANDLERS["list_domains"], answer=fail)
    monkeypatch.setitem(HANDLERS, "list_domains", broken)
    answer = await mailgun.get("/v4/domains")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    out, err = capsys.readouterr()
    assert out == ""
    assert "simulator_failed" in err
    assert "/v4/domains" in err
    assert err.rstrip().endswith("ZeroDivisionError: division by zero")


async def test_it_starts_and_stops_as_asgi_asks() -> None:
    said: list[Any] = []
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(asked)

    async def send(message: Any) -> None:
        said.append(message["type"])

    await create_app(catalogue())({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_websocket_is_left_alone() -> None:
    async def silent(*_: Any) -> Any:
        raise AssertionError("nothing is read or sent")

    await create_app(catalogue())({"type": "websocket"}, silent, silent)


async def test_a_server_that_gives_no_raw_path_still_reaches_encoded_addresses(account: Account) -> None:
    answers: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/v3/{DOMAIN}/bounces/a b@x.example",
        "query_string": b"",
        "headers": [(b"Authorization", b"Basic eA==")],
    }

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        answers.append(message)

    await create_app(catalogue(), account=account)(scope, receive, send)
    assert answers[0]["status"] == 404
    assert b"Address not found in bounces table" in answers[1]["body"]


async def test_a_compressed_request_is_read(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(
        "/v3/routes",
        content=gzip.compress(b"expression=catch_all()&action=stop()"),
        headers={"content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"},
    )
    assert (answer.status_code, answer.json()["route"]["actions"]) == (200, ["stop()"])
