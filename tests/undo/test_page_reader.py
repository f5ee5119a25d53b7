"""Answers are read as JSON, and lists to their last page."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.errors import RejectedError, UnreadableError
from mailgun_mcp.undo.page_reader import Page, PageReader, check_list, largest_page
from tests.support.operations import find
from tests.support.recorder import Answer, Recorder, recorded_services

pytestmark = pytest.mark.anyio

LISTS = find("list_mailing_lists")
ONE = find("get_mailing_list")


def pages_of(mailgun: Recorder) -> PageReader:
    return PageReader(recorded_services(mailgun).client)


def answers(response: httpx.Response) -> Answer:
    return lambda _: response


async def read(mailgun: Recorder) -> list[Page]:
    return [page async for page in pages_of(mailgun).pages(LISTS, {"limit": 2})]


async def test_a_list_is_read_to_its_last_page() -> None:
    first = {"items": [{"address": "a@x.example"}, {"address": "b@x.example"}], "total_count": 3}
    second = {"items": [{"address": "c@x.example"}], "total_count": 3}
    mailgun = Recorder(lambda line: httpx.Response(200, json=second if "skip=2" in line else first))
    assert await read(mailgun) == [Page(first, last=False), Page(second, last=True)]
    assert mailgun.lines == ["GET /v3/lists?limit=2", "GET /v3/lists?limit=2&skip=2"]


async def test_what_does_not_exist_is_one_page_of_nothing() -> None:
    assert await read(Recorder(answers(httpx.Response(404, json={})))) == [Page(None, last=True)]


async def test_a_refusal_is_an_error() -> None:
    with pytest.raises(RejectedError):
        await read(Recorder(answers(httpx.Response(403, json={}))))


@pytest.mark.parametrize("content", [b"<html>", b"\xff\xfe\xfd", b"NaN"])
async def test_an_answer_that_is_not_json_is_an_error(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="The answer of get_mailing_list cannot be read"):
        await pages_of(Recorder(answers(httpx.Response(200, content=content)))).read(
            ONE, {"list_address": "a@x.example"}
        )


@pytest.mark.parametrize(
    ("tool", "expected"), [("list_mailing_list_members", {"limit": 100}), ("list_mailing_lists", {})]
)
def test_the_largest_page_is_the_one_that_the_schema_allows(tool: str, expected: dict[str, int]) -> None:
    assert largest_page(find(tool)) == expected


LACKING: list[Any] = [{}, {"message": "ok"}, [], "x", {"items": "none"}, {"items": 3}]
LACKING_INSIDE: list[Any] = [{}, {"template": "x"}, {"template": {"versions": "none"}}]
LISTED: list[Any] = [{"items": []}, {"items": None}, {"items": {}}, {"items": [1]}]
LISTED_INSIDE: list[Any] = [{"template": {"versions": []}}, {"template": {}}, {"template": None}]


@pytest.mark.parametrize(
    ("path", "body"),
    [*(("items", body) for body in LACKING), *(("template/versions", body) for body in LACKING_INSIDE)],
)
def test_an_answer_without_its_list_is_not_an_empty_one(path: str, body: Any) -> None:
    with pytest.raises(UnreadableError, match="has no list of"):
        check_list(LISTS, body, path)


@pytest.mark.parametrize(
    ("path", "body"),
    [*(("items", body) for body in LISTED), *(("template/versions", body) for body in LISTED_INSIDE)],
)
def test_an_answer_with_its_list_is_read(path: str, body: Any) -> None:
    check_list(LISTS, body, path)


@pytest.mark.parametrize("listed", [["x"], [None], {"a": {"address": "a@x.example"}}], ids=str)
async def test_a_list_of_the_account_consists_of_records(listed: Any) -> None:
    mailgun = Recorder(answers(httpx.Response(200, json={"items": listed})))
    with pytest.raises(UnreadableError, match="is not a record"):
        [item async for item in pages_of(mailgun).items(LISTS)]


async def test_an_account_always_has_its_lists() -> None:
    with pytest.raises(UnreadableError, match="there is no list_mailing_lists"):
        [item async for item in pages_of(Recorder(answers(httpx.Response(404, json={})))).items(LISTS)]
