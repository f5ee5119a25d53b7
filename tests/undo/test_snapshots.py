"""Copies of what calls were about to remove: drafted, kept, found again, and gone when their time is over."""

import pytest

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import Store
from mailgun_mcp.undo.snapshots import ABANDONED, Entry, Snapshots
from tests.support.state import NOW, python, rows

DAY = 86_400.0


@pytest.fixture
def snapshots(store: Store) -> Snapshots:
    return Snapshots(store)


def entry(key: str) -> Entry:
    return ["bounce", [["domain_name", "mg.example.com"]], key, {"address": key}, "removes", None]


def drafted(snapshots: Snapshots, *keys: str, now: float = NOW, account: str = "default") -> str:
    name = snapshots.begin(
        tool="clear_bounces", account=account, endpoint="https://a.example", subaccount=None, now=now
    )
    snapshots.add(name, "before", [entry(key) for key in keys])
    return name


def kept(snapshots: Snapshots, call: str, *keys: str, until: float = NOW + DAY, account: str = "default") -> None:
    snapshots.keep(
        drafted(snapshots, *keys, account=account), call, summary="2 bounces", records=len(keys), until=until
    )


def test_a_draft_is_nothing_to_undo(snapshots: Snapshots) -> None:
    name = drafted(snapshots, "a@x.example")
    assert snapshots.kept(NOW) == ()
    with pytest.raises(UnknownNameError):
        snapshots.get(name, NOW)


def test_what_is_kept_comes_back_in_its_order_over_all_parts(snapshots: Snapshots) -> None:
    name = drafted(snapshots, "b@x.example", "a@x.example")
    snapshots.add(name, "before", [entry("c@x.example")])
    snapshots.add(name, "after", [["bounce", [], "a@x.example", None]])
    snapshots.keep(name, "call", summary="3 bounces", records=3, until=NOW + DAY)
    assert [found[2] for found in snapshots.entries("call", "before")] == ["b@x.example", "a@x.example", "c@x.example"]
    assert list(snapshots.entries("call", "after")) == [["bounce", [], "a@x.example", None]]


def test_the_newest_comes_first_and_each_account_has_its_own(snapshots: Snapshots) -> None:
    kept(snapshots, "one", "a@x.example")
    kept(snapshots, "other", "a@x.example", account="theirs")
    assert [found.id for found in snapshots.kept(NOW, "default")] == ["one"]
    assert {found.id for found in snapshots.kept(NOW)} == {"one", "other"}


def test_what_was_undone_is_listed_on_request(snapshots: Snapshots) -> None:
    kept(snapshots, "call", "a@x.example")
    snapshots.undone("call", NOW + 5)
    assert snapshots.kept(NOW) == ()
    (found,) = snapshots.kept(NOW, undone=True)
    assert (found.status, found.undone) == ("undone", NOW + 5)


def test_the_outcome_of_a_call_is_unknown_until_it_is_told(snapshots: Snapshots) -> None:
    kept(snapshots, "call", "a@x.example")
    assert snapshots.get("call", NOW).outcome == "unknown"
    snapshots.settle("call", "done")
    assert snapshots.get("call", NOW).outcome == "done"


def test_what_is_over_is_not_found_and_removed_by_and_by(snapshots: Snapshots, store: Store) -> None:
    kept(snapshots, "call", "a@x.example", until=NOW + DAY)
    with pytest.raises(UnknownNameError):
        snapshots.get("call", NOW + DAY)
    drafted(snapshots, now=NOW + DAY + 1)
    assert rows(store, "SELECT count(*) FROM snapshot_parts WHERE snapshot = 'call'") == [(0,)]


def test_drafts_of_a_process_that_ended_are_removed(snapshots: Snapshots, store: Store) -> None:
    drafted(snapshots, "a@x.example")
    second = drafted(snapshots, "b@x.example", now=NOW + ABANDONED + 1)
    assert rows(store, "SELECT DISTINCT snapshot FROM snapshot_parts") == [(second,)]


def test_a_dropped_draft_leaves_nothing(snapshots: Snapshots, store: Store) -> None:
    snapshots.drop(drafted(snapshots, "a@x.example"))
    assert rows(store, "SELECT (SELECT count(*) FROM snapshots) + (SELECT count(*) FROM snapshot_parts)") == [(0,)]


def test_a_damaged_part_is_told(snapshots: Snapshots, store: Store) -> None:
    kept(snapshots, "call", "a@x.example")
    with store.writing() as connection:
        connection.execute("UPDATE snapshot_parts SET data = x'00'")
    with pytest.raises(StateError, match="the snapshot of call is damaged"):
        list(snapshots.entries("call", "before"))


def test_steps_that_were_begun_are_found_again(snapshots: Snapshots) -> None:
    kept(snapshots, "call", "a@x.example")
    snapshots.begin_step("call", "route 1", ["2", "3"])
    assert snapshots.steps("call") == {"route 1": (["2", "3"], None)}
    snapshots.end_step("call", "route 1", "4")
    assert snapshots.steps("call") == {"route 1": (["2", "3"], "4")}


def test_another_process_finds_what_is_kept(snapshots: Snapshots, store: Store) -> None:
    kept(snapshots, "call", "a@x.example")
    code = """
import sys
from pathlib import Path
from mailgun_mcp.store.database import Store
from mailgun_mcp.undo.snapshots import Snapshots
store = Store(Path(sys.argv[1]))
print(*(entry[2] for entry in Snapshots(store).entries("call", "before")))
store.close()
"""
    assert python(code, store.directory) == ["a@x.example"]
