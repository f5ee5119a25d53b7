"""A capture is a draft until the call is made, and a snapshot after that."""

import pytest

from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.undo.capture import AccountScope, Capture
from tests.support.operations import catalogue
from tests.support.state import rows
from tests.support.undoing import ADDRESS, NAME, OTHER, Bench, bench

pytestmark = pytest.mark.anyio

DN = {"domain": NAME}


def capture(tried: Bench, tool: str = "clear_bounces", *, limit: int = 100, **arguments: object) -> Capture:
    services = tried.services
    scope = AccountScope("main", "https://api.example", None)
    operation = catalogue().find(tool)
    reader = services.reader(None, quiet)
    return Capture(reader, services.snapshots, services.clock, operation, {**DN, **arguments}, scope, limit=limit)


def stored(tried: Bench) -> list[tuple[object, ...]]:
    return rows(tried.services.store, "SELECT status FROM snapshots")


async def test_a_draft_becomes_the_snapshot_of_its_call() -> None:
    async with bench() as tried:
        taken = capture(tried)
        preview = await taken.take()
        assert preview.text.startswith("Now there: 2 bounces:\n- ")
        assert (taken.saved, stored(tried)) == (False, [("draft",)])
        now = tried.services.clock()
        await taken.save("call", until=now + 60)
        assert taken.until == now + 60
        assert (taken.saved, taken.summary, taken.audit_fields) == (True, "2 bounces", {"records": 2, "copied": True})
        (snapshot,) = tried.services.snapshots.list(now)
        assert (snapshot.id, snapshot.account, snapshot.records) == ("call", "main", 2)


async def test_the_digest_changes_with_the_target() -> None:
    async with bench() as tried:
        taken = capture(tried)
        first, again = await taken.take(), await taken.take()
        await tried.made("delete_bounce", {**DN, "address": OTHER})
        assert (first.digest == again.digest, (await taken.take()).digest == first.digest) == (True, False)


async def test_a_call_that_was_not_made_leaves_no_draft() -> None:
    async with bench() as tried:
        taken = capture(tried)
        await taken.take()
        await taken.discard()
        assert stored(tried) == []


async def test_a_saved_snapshot_stays() -> None:
    async with bench() as tried:
        taken = capture(tried)
        await taken.take()
        await taken.save("call", until=tried.services.clock() + 60)
        await taken.discard()
        assert stored(tried) == [("kept",)]


async def test_above_the_limit_nothing_is_saved() -> None:
    async with bench() as tried:
        taken = capture(tried, limit=1)
        preview = await taken.take()
        await taken.save("call", until=tried.services.clock() + 60)
        assert preview.too_many
        assert (taken.too_many, taken.saved, stored(tried)) == (True, False, [])


async def test_one_record_is_named() -> None:
    async with bench() as tried:
        taken = capture(tried, "delete_bounce", address=OTHER)
        await taken.take()
        assert taken.summary == f"bounce {OTHER}"


async def test_a_state_that_cannot_be_read_after_the_call_is_left_unknown() -> None:
    async with bench() as tried:
        taken = capture(tried, "add_bounces", bounces=[{"address": OTHER}])
        await taken.take()
        await taken.save("call", until=tried.services.clock() + 60)
        tried.mailgun.cut_before = lambda _: True
        await taken.observe({})
        assert list(tried.services.snapshots.observed("call")) == []
        assert tried.services.snapshots.get("call", tried.services.clock()).outcome == "done"


async def test_before_a_mailing_list_changes_its_members_are_counted() -> None:
    async with bench() as tried:
        taken = capture(tried, "update_mailing_list", list_address=ADDRESS, access_level="everyone")
        first = await taken.take()
        assert f"mailing list {ADDRESS} (members: {len(tried.account.lists[ADDRESS].members)}" in first.text
        tried.account.lists[ADDRESS].members.clear()
        again = await taken.take()
        assert "(members: 0, " in again.text
        assert first.digest != again.digest
