"""Resources are read before and after a call, one by one or from a list, with their parts."""

from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.undo.reader import MAX_SINGLE_READS, ResourceReader
from mailgun_mcp.undo.records import EVERYTHING, Affected, Observed
from tests.support.operations import catalogue
from tests.support.undoing import ADDRESS, NAME, OTHER, Bench, bench

pytestmark = pytest.mark.anyio

DN = {"domain": NAME}
LIST = {"list_address": ADDRESS}


@pytest.fixture
async def tried() -> AsyncIterator[Bench]:
    async with bench() as bench_:
        yield bench_


def reader(tried: Bench) -> ResourceReader:
    return tried.services.reader(None, quiet)


async def affected(tried: Bench, tool: str, arguments: Arguments) -> list[Affected]:
    return [one async for one in reader(tried).before(catalogue().find(tool), arguments)]


async def observed(tried: Bench, tool: str, arguments: Arguments, body: object) -> list[Observed]:
    return [one async for one in reader(tried).after(catalogue().find(tool), arguments, body)]


async def test_a_whole_is_read_with_its_parts(tried: Bench) -> None:
    found = await affected(tried, "delete_mailing_list", LIST)
    assert [(one.ref.resource, one.ref.key) for one in found] == [
        ("mailing_list", ADDRESS),
        ("list_member", ADDRESS),
        ("list_member", OTHER),
    ]
    assert {one.kind for one in found} == {"removes"}


async def test_what_does_not_exist_has_no_value(tried: Bench) -> None:
    (one,) = await affected(tried, "delete_bounce", {**DN, "address": "nobody@example.com"})
    assert (one.ref.key, one.value) == ("nobody@example.com", None)


async def test_what_the_call_makes_is_known_by_its_key_before_it(tried: Bench) -> None:
    (one,) = await affected(tried, "create_mailing_list", {"address": "News <NEW@example.com>"})
    assert one == Affected(one.ref, None, "makes")
    assert one.ref.key == "new@example.com"


async def test_a_rename_is_read_under_the_old_key_and_known_under_the_new(tried: Bench) -> None:
    arguments = {**LIST, "member_address": OTHER, "address": "Ben <New@example.com>"}
    (one,) = await affected(tried, "update_mailing_list_member", arguments)
    assert (one.ref.key, one.renamed) == (OTHER, "new@example.com")
    (after,) = await observed(tried, "update_mailing_list_member", arguments, {})
    assert after.ref.key == "new@example.com"


async def test_many_resources_are_read_as_one_list(tried: Bench) -> None:
    keys = [f"p{number}@x.example" for number in range(MAX_SINGLE_READS)]
    bounces = [{"address": key} for key in [*keys, OTHER.upper()]]
    found = await affected(tried, "add_bounces", {**DN, "bounces": bounces})
    assert len(found) == MAX_SINGLE_READS + 1
    assert [one.ref.key for one in found if one.value is not None] == [OTHER]
    assert len(tried.mailgun.lines) < 5


async def test_after_a_call_on_a_whole_scope_the_scope_counts_as_read(tried: Bench) -> None:
    arguments = {"domain": NAME, "url": "https://example.com/other", "event_types": ["clicked"]}
    keys = [one.ref.key for one in await observed(tried, "create_domain_webhook_url", arguments, {})]
    assert keys == [EVERYTHING, "accepted"]


async def test_what_was_removed_is_not_read_after_the_call(tried: Bench) -> None:
    assert await observed(tried, "clear_bounces", DN, {}) == []
    assert tried.mailgun.lines == []


async def test_a_key_that_mailgun_assigned_is_in_the_answer(tried: Bench) -> None:
    operation = catalogue().find("create_route")
    arguments = {"expression": "catch_all()", "action": ["stop()"]}
    assert [ref.key for ref in reader(tried).created(operation, arguments, {"route": {"id": "42"}})] == ["42"]
    assert list(reader(tried).created(operation, arguments, None)) == []
