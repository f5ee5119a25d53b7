"""What an operation does not have: ignored and listed, or refused."""

import logging
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.http.unknown_parameters import MOST, IgnoredParameters, drop_unknown, refuse_unknown
from mailgun_mcp.simulator.replies.reply import ApiError
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue, find

IGNORED = "/simulator/ignored"
MESSAGE = {"from": "a@plain.example.com", "to": "b@x.example", "text": "Hi"}


async def listed(mailgun: httpx.AsyncClient) -> list[tuple[str, str, int]]:
    items = (await mailgun.get(IGNORED)).json()["items"]
    return [(item["operation"], item["parameter"], item["count"]) for item in items]


@pytest.mark.anyio
async def test_an_unknown_parameter_is_ignored_and_listed_with_its_count(account: Account) -> None:
    async with client(create_app(catalogue(), account=account, control=True)) as mailgun:
        for _ in range(2):
            answer = await mailgun.post(f"/v3/{PLAIN}/messages", data={**MESSAGE, "o:native-send": "yes"})
            assert answer.status_code == 200
        assert await listed(mailgun) == [("send_message", "o:native-send", 2)]


@pytest.mark.anyio
async def test_an_ignored_parameter_is_logged_once(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mailgun_mcp.simulator"):
        async with client(create_app(catalogue(), account=account)) as mailgun:
            for _ in range(2):
                await mailgun.get("/v4/domains", params={"h:extended": "true"})
    assert [record.getMessage() for record in caplog.records] == [
        "list_domains has no parameter 'h:extended': ignored, as Mailgun does (--strict refuses it)"
    ]


@pytest.mark.anyio
async def test_strict_refuses_an_unknown_parameter(account: Account) -> None:
    async with client(create_app(catalogue(), account=account, control=True, strict=True)) as mailgun:
        answer = await mailgun.post(f"/v3/{PLAIN}/messages", data={**MESSAGE, "o:colour": "red"})
        assert (answer.status_code, answer.json()) == (400, {"message": "Unknown parameter 'o:colour'"})
        assert (await mailgun.get(IGNORED)).json() == {"strict": True, "items": []}


@pytest.mark.anyio
async def test_a_reset_clears_the_list(account: Account) -> None:
    async with client(create_app(catalogue(), account=account, control=True)) as mailgun:
        await mailgun.get("/v4/domains", params={"colour": "red"})
        await mailgun.post("/simulator/reset")
        assert await listed(mailgun) == []


@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        ("POST", "/v1/analytics/metrics", {"json": {"duration": "1d", "filter": {}, "pagination": {"total": 3}}}),
        ("PUT", f"/v3/{PLAIN}/templates/none", {"data": {"name": "none", "description": "x"}}),
        ("GET", f"/v3/{PLAIN}/templates", {"params": {"active": "yes"}}),
        ("GET", "/v4/domains", {"params": {"h:extended": "true"}}),
        ("POST", f"/v3/{PLAIN}/whitelists", {"data": {"address": "a@x.example", "reason": "friend"}}),
    ],
)
@pytest.mark.anyio
async def test_what_the_go_sdk_sends_is_accepted(
    account: Account, method: str, path: str, request_: dict[str, Any]
) -> None:
    async with client(create_app(catalogue(), account=account)) as mailgun:
        answer = await mailgun.request(method, path, **request_)
        assert answer.status_code != 400, answer.text


@pytest.mark.anyio
async def test_a_member_without_variables_may_say_null(account: Account) -> None:
    async with client(create_app(catalogue(), account=account)) as mailgun:
        assert (await mailgun.post("/v3/lists", data={"address": f"all@{PLAIN}"})).status_code == 200
        path, member = f"/v3/lists/all@{PLAIN}/members", {"address": "a@x.example", "vars": "null"}
        assert (await mailgun.post(path, data=member)).json()["member"]["vars"] == {}


def test_the_list_is_bounded() -> None:
    ignored, operation = IgnoredParameters(), find("list_domains")
    for number in range(MOST + 5):
        ignored.add(operation, str(number), 0.0)
    assert len(ignored.to_json()) == MOST


def test_unknown_fields_of_nested_objects_are_reported_by_their_path() -> None:
    unknown: list[str] = []
    arguments = {"metrics": ["sent_count"], "pagination": {"limit": 1, "total": 2}}
    assert drop_unknown(find("query_metrics"), arguments, unknown.append) == {
        "metrics": ["sent_count"],
        "pagination": {"limit": 1},
    }
    assert unknown == ["pagination.total"]


def test_refusing_names_the_parameter() -> None:
    with pytest.raises(ApiError, match="Unknown parameter 'colour'"):
        refuse_unknown("colour")
