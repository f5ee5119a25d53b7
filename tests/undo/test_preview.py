"""A preview says what is there now, and changes its digest when that changes."""

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.confirm.form import NOTHING, Preview
from mailgun_mcp.undo.preview import UNREADABLE, PreviewReader, describe_capture
from tests.support.operations import catalogue
from tests.support.undoing import NAME, OTHER, Bench, bench

pytestmark = pytest.mark.anyio

DN = {"domain_name": NAME}


async def preview(tried: Bench, tool: str, arguments: Arguments) -> Preview:
    reader = PreviewReader(catalogue(), tried.services.client, None, quiet)
    return await reader.preview(catalogue().find(tool), arguments)


async def test_a_list_is_counted_and_the_first_are_named() -> None:
    async with bench() as tried:
        found = await preview(tried, "clear_bounces", DN)
        assert found.text.startswith("Currently there (list_bounces): 2, such as ")
        assert OTHER in found.text
        await tried.made("delete_bounce", {**DN, "address": OTHER})
        assert (await preview(tried, "clear_bounces", DN)).digest != found.digest


async def test_one_resource_is_shown() -> None:
    async with bench() as tried:
        assert (await preview(tried, "delete_bounce", {**DN, "address": OTHER})).text.startswith(
            "Currently (get_bounce): "
        )


async def test_what_does_not_exist_is_said() -> None:
    async with bench() as tried:
        found = await preview(tried, "delete_bounce", {**DN, "address": "nobody@example.com"})
        assert found.text == "Nothing found (get_bounce)."


async def test_a_call_without_a_read_has_no_preview() -> None:
    async with bench() as tried:
        assert await preview(tried, "add_bounces", {**DN, "bounces": [{"address": OTHER}]}) == NOTHING
        assert tried.mailgun.lines == []


async def test_what_the_read_does_not_accept_cannot_be_read() -> None:
    async with bench() as tried:
        assert await preview(tried, "delete_bounce", {**DN, "address": "no address"}) == UNREADABLE
        assert tried.mailgun.lines == []


@pytest.mark.parametrize(
    ("counts", "examples", "records", "limit", "text"),
    [
        ([], [], 0, None, "Nothing is there now."),
        (["1 bounce"], [("a@x.example", {"code": "5"})], 1, None, "Currently there: a@x.example (code: 5)."),
        (["2 bounces"], [("a", {}), ("b", {})], 2, None, "Currently there: 2 bounces, such as a, b."),
        (["6 bounces"], [("a", {})], 6, 5, "Currently there: more than 5 records."),
    ],
)
def test_a_capture_is_described(
    counts: list[str], examples: list[tuple[str, dict[str, str]]], records: int, limit: int | None, text: str
) -> None:
    assert describe_capture(counts, [(name, {**value}) for name, value in examples], records, limit=limit) == text
