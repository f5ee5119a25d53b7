"""Snapshots are drafted, saved, found again, and removed when their time is over."""

import json
import zlib
from dataclasses import replace

import pytest

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import Store
from mailgun_mcp.undo.records import Affected, Observed, ResourceRef
from mailgun_mcp.undo.snapshots import ABANDONED, BegunStep, Snapshots
from tests.support.state import NOW, python, rows

DAY = 86_400.0


@pytest.fixture
def snapshots(store: Store) -> Snapshots:
    return Snapshots(store)


def ref(key: str) -> ResourceRef:
    return ResourceRef("bounce", (("domain", "mg.example.com"),), key)


def bounce(key: str) -> Affected:
    return Affected(ref(key), {"address": key}, "removes")


def drafted(snapshots: Snapshots, *keys: str, now: float = NOW, account: str = "default") -> str:
    name = snapshots.begin(
        tool="clear_bounces", account=account, endpoint="https://a.example", subaccount=None, now=now
    )
    snapshots.add_affected(name, [bounce(key) for key in keys])
    return name


def save(snapshots: Snapshots, call: str, *keys: str, until: float = NOW + DAY, account: str = "default") -> None:
    snapshots.save(
        drafted(snapshots, *keys, account=account), call, summary="2 bounces", records=len(keys), until=until
    )


def test_a_draft_cannot_be_undone(snapshots: Snapshots) -> None:
    name = drafted(snapshots, "a@x.example")
    assert snapshots.list(NOW) == ()
    with pytest.raises(UnknownNameError):
        snapshots.get(name, NOW)


def test_what_is_saved_comes_back_in_its_order_over_all_parts(snapshots: Snapshots) -> None:
    name = drafted(snapshots, "b@x.example", "a@x.example")
    snapshots.add_affected(name, [bounce("c@x.example")])
    snapshots.add_observed(name, [Observed(ref("a@x.example"), None)])
    snapshots.save(name, "call", summary="3 bounces", records=3, until=NOW + DAY)
    assert list(snapshots.affected("call")) == [bounce("b@x.example"), bounce("a@x.example"), bounce("c@x.example")]
    assert list(snapshots.observed("call")) == [Observed(ref("a@x.example"), None)]


def test_the_newest_comes_first_and_each_account_has_its_own(snapshots: Snapshots) -> None:
    save(snapshots, "one", "a@x.example")
    save(snapshots, "other", "a@x.example", account="theirs")
    assert [found.id for found in snapshots.list(NOW, "default")] == ["one"]
    assert {found.id for found in snapshots.list(NOW)} == {"one", "other"}


def test_what_was_undone_is_listed_on_request(snapshots: Snapshots) -> None:
    save(snapshots, "call", "a@x.example")
    snapshots.mark_undone("call", NOW + 5)
    assert snapshots.list(NOW) == ()
    (found,) = snapshots.list(NOW, undone=True)
    assert (found.status, found.undone) == ("undone", NOW + 5)


def test_the_outcome_of_a_call_is_unknown_until_it_is_told(snapshots: Snapshots) -> None:
    save(snapshots, "call", "a@x.example")
    assert snapshots.get("call", NOW).outcome == "unknown"
    snapshots.set_outcome("call", "done")
    assert snapshots.get("call", NOW).outcome == "done"


def test_what_is_over_is_not_found_and_removed_by_and_by(snapshots: Snapshots, store: Store) -> None:
    save(snapshots, "call", "a@x.example", until=NOW + DAY)
    with pytest.raises(UnknownNameError):
        snapshots.get("call", NOW + DAY)
    drafted(snapshots, now=NOW + DAY + 1)
    assert rows(store, "SELECT count(*) FROM snapshot_parts WHERE snapshot = 'call'") == [(0,)]


def test_drafts_of_a_process_that_ended_are_removed(snapshots: Snapshots, store: Store) -> None:
    drafted(snapshots, "a@x.example")
    second = drafted(snapshots, "b@x.example", now=NOW + ABANDONED + 1)
    assert rows(store, "SELECT DISTINCT snapshot FROM snapshot_parts") == [(second,)]


def test_a_dropped_draft_leaves_nothing(snapshots: Snapshots, store: Store) -> None:
    snapshots.delete(drafted(snapshots, "a@x.example"))
    assert rows(store, "SELECT (SELECT count(*) FROM snapshots) + (SELECT count(*) FROM snapshot_parts)") == [(0,)]


def test_a_damaged_part_is_told(snapshots: Snapshots, store: Store) -> None:
    save(snapshots, "call", "a@x.example")
    with store.writing() as connection:
        connection.execute("UPDATE snapshot_parts SET data = x'00'")
    with pytest.raises(StateError, match="the snapshot of call is damaged"):
        list(snapshots.affected("call"))


def test_steps_that_were_begun_are_found_again(snapshots: Snapshots) -> None:
    save(snapshots, "call", "a@x.example")
    snapshots.begin_step("call", "route 1", ["2", "3"])
    assert snapshots.steps("call") == {"route 1": BegunStep(("2", "3"), None)}
    snapshots.end_step("call", "route 1", "4")
    assert snapshots.steps("call") == {"route 1": BegunStep(("2", "3"), "4")}


def test_another_process_finds_what_is_saved(snapshots: Snapshots, store: Store) -> None:
    save(snapshots, "call", "a@x.example")
    code = """
import sys
from pathlib import Path
from mailgun_mcp.store.database import Store
from mailgun_mcp.undo.records import Affected, Observed, ResourceRef
from mailgun_mcp.undo.snapshots import Snapshots
from tests.support.engines import on_both_engines

pytestmark = on_both_engines
store = Store(Path(sys.argv[1]))
print(*(one.ref.key for one in Snapshots(store).affected("call")))
store.close()
"""
    assert python(code, store.directory) == ["a@x.example"]


OLD_BEFORE = [
    ["bounce", [["domain_name", "mg.example.com"]], "a@x.example", {"address": "a@x.example"}, "removes", None],
    ["list_member", [["list_address", "l@x.example"]], "b@x.example", {"name": "B"}, "changes", "c@x.example"],
]
OLD_AFTER = [["list_member", [["list_address", "l@x.example"]], "*", None]]


def test_a_snapshot_of_the_first_release_is_still_read(snapshots: Snapshots, store: Store) -> None:
    save(snapshots, "call")
    with store.writing() as connection:
        for phase, entries in (("before", OLD_BEFORE), ("after", OLD_AFTER)):
            data = zlib.compress("\n".join(json.dumps(entry) for entry in entries).encode())
            connection.execute("INSERT INTO snapshot_parts VALUES ('call', ?, 0, ?)", (phase, data))
    member = ResourceRef("list_member", (("list_address", "l@x.example"),), "b@x.example")
    assert list(snapshots.affected("call")) == [
        bounce("a@x.example"),
        Affected(member, {"name": "B"}, "changes", "c@x.example"),
    ]
    assert list(snapshots.observed("call")) == [Observed(replace(member, key="*"), None)]
    assert rows(store, "SELECT status FROM snapshots") == [("kept",)]
