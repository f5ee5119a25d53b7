"""A preview says what is there now, and changes its digest when that changes."""

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.confirm.form import NOTHING, Preview
from mailgun_mcp.simulator.model.lists import MailingList
from mailgun_mcp.undo.preview import UNREADABLE, PreviewReader, describe_capture
from mailgun_mcp.undo.records import ResourceRef, Value
from tests.support.operations import catalogue
from tests.support.undoing import NAME, OTHER, Bench, bench

pytestmark = pytest.mark.anyio

DN = {"domain": NAME}


async def preview(tried: Bench, tool: str, arguments: Arguments) -> Preview:
    reader = PreviewReader(catalogue(), tried.services.client, None, quiet)
    return await reader.preview(catalogue().find(tool), arguments)


async def test_a_list_is_counted_and_the_first_are_named() -> None:
    async with bench() as tried:
        found = await preview(tried, "clear_bounces", DN)
        assert found.text.startswith("Now there: 2:\n- ")
        assert OTHER in found.text
        await tried.made("delete_bounce", {**DN, "address": OTHER})
        assert (await preview(tried, "clear_bounces", DN)).digest != found.digest


async def test_one_resource_is_shown() -> None:
    async with bench() as tried:
        text = (await preview(tried, "delete_bounce", {**DN, "address": OTHER})).text
        assert text.startswith("Now there: address: ben@example.com, code: 421")


async def test_what_does_not_exist_is_said() -> None:
    async with bench() as tried:
        found = await preview(tried, "delete_bounce", {**DN, "address": "nobody@example.com"})
        assert found.text == "Nothing is there now."


async def test_a_call_without_a_read_has_no_preview() -> None:
    async with bench() as tried:
        assert await preview(tried, "add_bounces", {**DN, "bounces": [{"address": OTHER}]}) == NOTHING
        assert tried.mailgun.lines == []


async def test_what_the_read_does_not_accept_cannot_be_read() -> None:
    async with bench() as tried:
        assert await preview(tried, "delete_bounce", {**DN, "address": "no address"}) == UNREADABLE
        assert tried.mailgun.lines == []


async def test_a_domain_is_shown_with_what_is_lost_with_it() -> None:
    async with bench() as tried:
        tried.account.lists[f"news@{NAME}"] = MailingList(f"news@{NAME}", 0.0, "News")
        text = (await preview(tried, "delete_domain", {"domain": NAME})).text
        assert text == (
            f"Now there: {NAME}, active, since 2026-11-18, SMTP login postmaster@{NAME}, "
            f"DKIM record pic._domainkey.{NAME}, 2 keys, 2 messages in the last 30 days, 1 mailing list."
        )


async def test_only_the_item_that_the_call_names_is_shown() -> None:
    async with bench() as tried:
        for spec in ("ann", f"ann@{NAME}"):
            text = (await preview(tried, "delete_smtp_credential", {**DN, "spec": spec})).text
            assert text == f"Now there: ann@{NAME}, since 2026-11-18."
        assert (
            await preview(tried, "delete_smtp_credential", {**DN, "spec": "nobody"})
        ).text == "Nothing is there now."


BOUNCE, ROUTE = (ResourceRef("bounce", (), "a@x.example"), ResourceRef("route", (), "r1"))


@pytest.mark.parametrize(
    ("counts", "examples", "records", "limit", "text"),
    [
        ([], [], 0, None, "Nothing is there now."),
        (["1 bounce"], [(BOUNCE, {"code": "5"})], 1, None, "Now there: bounce a@x.example (code 5)."),
        (
            ["1 bounce", "1 route"],
            [(BOUNCE, {}), (ROUTE, {})],
            2,
            None,
            "Now there: 1 bounce, 1 route:\n- bounce a@x.example\n- route r1",
        ),
        (["6 bounces"], [(BOUNCE, {})], 6, None, "Now there: 6 bounces, such as:\n- bounce a@x.example"),
        (["6 bounces"], [(BOUNCE, {})], 6, 5, "Now there: more than 5 records."),
    ],
)
def test_a_capture_is_described(
    counts: list[str], examples: list[tuple[ResourceRef, Value]], records: int, limit: int | None, text: str
) -> None:
    assert describe_capture(counts, examples, records, absent=[], limit=limit) == text


def test_what_the_call_names_and_is_not_there_is_said() -> None:
    assert describe_capture([], [], 0, absent=[BOUNCE], limit=None) == "Not there now: bounce a@x.example."
