"""An account as lines, and back: whole, however large its collections are, and nothing but data."""

import json
import zlib
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.control import account_stream
from mailgun_mcp.simulator.control.account_json import CodecError, snapshot
from mailgun_mcp.simulator.control.account_stream import account_from_lines, account_lines, is_stream
from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.json_forms import numbers_from_text, numbers_to_text
from tests.support.accounts import demo_account_at
from tests.support.everything import account_with_everything

DOMAIN = "mail.example.com"
VERSION_2 = Path(__file__).parent / "data" / "state-of-version-2.jsonl"
"""Written by an earlier release: three mails with their events, and no indexes."""
Records = list[dict[str, Any]]


def demo() -> Account:
    return demo_account_at(ManualClock())


def again(lines: list[bytes]) -> Account:
    return account_from_lines(lines, ManualClock())[1]


def records_of(account: Account) -> Records:
    return [json.loads(line) for line in account_lines(account)]


def lines_of(records: Records) -> list[bytes]:
    """Return lines with a right end: as someone writes them who wants them to be read."""
    lines = [json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records[:-1]]
    end = {"lines": len(lines), "crc32": zlib.crc32(b"".join(lines))}
    return [*lines, json.dumps(end).encode()]


def part(records: Records, *path: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in records if one.get("path") == list(path))["part"]
    return found


@pytest.mark.parametrize("make", [account_with_everything, demo], ids=["everything", "demo"])
@pytest.mark.parametrize("large", [0, 100])
def test_what_was_read_is_the_same_account(make: Callable[[], Account], large: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(account_stream, "LARGE", large)
    account = make()
    read = again(list(account_lines(account)))
    assert snapshot(read) == snapshot(account)


@pytest.mark.parametrize("read_now", [True, False])
def test_lines_of_an_earlier_release_are_read(read_now: bool) -> None:
    lines = VERSION_2.read_bytes().splitlines(keepends=True)
    _, account = account_from_lines(lines, ManualClock(), read_now=read_now)
    domain = account.domains[DOMAIN]
    assert Counter(event.record["event"] for event in domain.events) == {"accepted": 3, "delivered": 3, "opened": 3}
    assert [message.subject for message in domain.messages.values()] == ["Order 0", "Order 1", "Order 2"]
    assert sum(sum(part.counts) for _, part in account.analytics.mail.between(0, 2e9, "hour")) > 9
    assert len(account.analytics._seen) == 3


def test_events_messages_and_counts_are_read_when_they_are_needed() -> None:
    _, account = account_from_lines(list(account_lines(demo())), ManualClock(), read_now=False)
    domain = account.domains[DOMAIN]
    chunks = [chunk.packed for chunk in domain.events._chunks if chunk.packed]
    assert all(chunk._unread for chunk in chunks)
    assert len(domain.events) == sum(chunk.size for chunk in chunks)
    again = list(account_lines(account))
    assert all(chunk._unread for chunk in chunks), "a state file is written without reading what was not needed"
    assert snapshot(account_from_lines(again, ManualClock())[1]) == snapshot(demo())
    assert [*domain.events] == [*demo().domains[DOMAIN].events]
    assert not any(chunk._unread for chunk in chunks)


def test_the_account_goes_on_where_it_was() -> None:
    first, second = demo(), again(list(account_lines(demo())))
    for account in (first, second):
        domain = account.domains[DOMAIN]
        message = next(iter(domain.messages.values()))
        record_event(account, domain, "opened", message, message.recipients[0], account.clock.now())
    assert snapshot(first) == snapshot(second)


def test_what_happens_while_lines_are_read_is_not_in_them() -> None:
    account = demo()
    before, lines = snapshot(account), account_lines(account)
    next(lines)
    domain = account.domains[DOMAIN]
    message = next(iter(domain.messages.values()))
    record_event(account, domain, "opened", message, message.recipients[0], account.clock.now())
    domain.messages.clear()
    rest = list(lines)
    assert snapshot(again([next(account_lines(demo())), *rest])) == before


def test_a_stream_is_told_from_a_document() -> None:
    account = demo()
    assert is_stream(next(account_lines(account)))
    assert not is_stream(json.dumps(snapshot(account)).encode())
    assert not is_stream(b"[2]")


def index(records: Records, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in records if one.get("path", [""])[-1] == name)["index"]
    return found


def _last(records: Records, name: str) -> dict[str, Any]:
    found: dict[str, Any] = [one for one in records if one.get("path", [""])[-1] == name][-1]["part"]
    return found


def _double_cells(cells: dict[str, Any]) -> None:
    cells["cells"][-1] = cells["cells"][0]


def _numbers_beyond(counts: dict[str, Any]) -> None:
    counts["numbers"] = numbers_to_text(array("I", [9999] * len(numbers_from_text("I", counts["numbers"]))))


def _twice(records: Records) -> None:
    records.insert(-1, next(one for one in records if one.get("path", [""])[-1] == "events"))


def _bomb(records: Records) -> None:
    columns = part(records, "domains", DOMAIN, "events")["columns"]
    for column in columns:
        column[1] = b64encode(b64decode(column[1])[:-6]).decode()


CHANGES: dict[str, tuple[Callable[[Records], Any], str]] = {
    "another format": (lambda records: records[0].update(format="x"), "this is not an account"),
    "a newer version": (lambda records: records[0].update(version=4), "version 4 is not one that this release reads"),
    "no such collection": (lambda records: records[2].update(path=["domains", "x.example", "events"]), "no such"),
    "no collection": (lambda records: records[2].update(path=["id"]), "it is not a collection"),
    "a method": (lambda records: records[2].update(path=["with_subaccounts"]), "no such collection"),
    "a dunder": (lambda records: records[2].update(path=["__class__"]), "no such collection"),
    "a path of numbers": (lambda records: records[2].update(path=[1, 2]), "no such collection"),
    "another part": (lambda records: records[2].update(part=5), ".+"),
    "events twice": (_twice, "not in the order of time"),
    "an unknown line": (lambda records: records.insert(2, {"x": 1}), "line 3 does not belong there"),
    "a second account": (lambda records: records.insert(2, records[1]), "line 3 does not belong"),
    "no columns": (
        lambda records: part(records, "domains", DOMAIN, "events").update(columns=[]),
        "columns are missing",
    ),
    "another size": (lambda records: part(records, "domains", DOMAIN, "events").update(size=7), "size must be that"),
    "no shapes": (lambda records: part(records, "domains", DOMAIN, "events").pop("shapes"), "are damaged: 'shapes'"),
    "a size of no events": (lambda records: index(records, "events").update(size=0), "size must be a number above 0"),
    "no cell": (lambda records: part(records, "analytics", "mail").update(cells=[]), "the number of cells is wrong"),
    "a count of no cell": (lambda records: _numbers_beyond(_last(records, "mail")), "a count has no cell"),
    "no number of cells": (lambda records: index(records, "mail").update(cells=0), "cells must be a number above 0"),
    "no hashes": (lambda records: index(records, "events").update(hashes=5), "the hashes are not a text"),
    "damaged hashes": (lambda records: index(records, "events").update(hashes="?"), "Only base64|padding"),
    "a cell twice": (lambda records: _double_cells(part(records, "analytics", "mail")), "a cell occurs twice"),
    "no counts": (lambda records: _last(records, "mail").pop("counts"), "counts are damaged"),
    "no numbers": (
        lambda records: records.insert(2, {"path": ["analytics", "_seen"], "part": {"x": "y"}}),
        "something other than numbers",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_lines_of_something_else_are_refused(name: str) -> None:
    change, message = CHANGES[name]
    records = deepcopy(records_of(demo()))
    change(records)
    with pytest.raises(CodecError, match=message):
        again(lines_of(records))


def test_a_damaged_column_is_an_error_and_no_endless_memory() -> None:
    records = records_of(demo())
    _bomb(records)
    _, account = account_from_lines(lines_of(records), ManualClock(), read_now=False)
    with pytest.raises(ValueError, match="a column is damaged"):
        list(account.domains[DOMAIN].events.walk())


def test_a_line_that_is_cut_off_is_refused() -> None:
    lines = list(account_lines(demo()))
    with pytest.raises(CodecError, match="it is not valid JSON"):
        again([*lines[:2], lines[2][:-10]])


def test_other_ends_of_lines_make_no_difference() -> None:
    account = demo()
    lines = [line.rstrip(b"\n") + b"\r\n" for line in account_lines(account)]
    assert snapshot(again(lines)) == snapshot(account)
