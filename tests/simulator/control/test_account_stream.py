"""An account as lines, and back: whole, however large its collections are, and nothing but data."""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.control import account_stream
from mailgun_mcp.simulator.control.account_json import CodecError, snapshot
from mailgun_mcp.simulator.control.account_stream import account_from_lines, account_lines, is_stream
from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.demo import demo_account
from tests.support.everything import account_with_everything

DOMAIN = "mail.example.com"
Records = list[dict[str, Any]]


def demo() -> Account:
    return demo_account(ManualClock())


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


def _twice(records: Records) -> None:
    records.insert(-1, next(one for one in records if one.get("path", [""])[-1] == "events"))


def _bomb(records: Records) -> None:
    columns = part(records, "domains", DOMAIN, "events")["columns"]
    for column in columns:
        column[1] = b64encode(b64decode(column[1])[:-6]).decode()


CHANGES: dict[str, tuple[Callable[[Records], Any], str]] = {
    "another format": (lambda records: records[0].update(format="x"), "this is not an account"),
    "a newer version": (lambda records: records[0].update(version=3), "this is not|version 3|format"),
    "no such collection": (lambda records: records[2].update(path=["domains", "x.example", "events"]), "no such"),
    "no collection": (lambda records: records[2].update(path=["id"]), "it is not a collection"),
    "a method": (lambda records: records[2].update(path=["with_subaccounts"]), "no such collection"),
    "a dunder": (lambda records: records[2].update(path=["__class__"]), "no such collection"),
    "a path of numbers": (lambda records: records[2].update(path=[1, 2]), "no such collection"),
    "another part": (lambda records: records[2].update(part=5), ".+"),
    "events twice": (_twice, "not in the order of time"),
    "an unknown line": (lambda records: records.insert(2, {"x": 1}), "line 3 is none that belongs there"),
    "a second account": (lambda records: records.insert(2, records[1]), "line 3 is none"),
    "no columns": (
        lambda records: part(records, "domains", DOMAIN, "events").update(columns=[]),
        "columns are missing",
    ),
    "no cell": (lambda records: part(records, "analytics", "mail").update(cells=[]), "a count has no cell"),
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
    account = again(lines_of(records))
    with pytest.raises(ValueError, match="a column is damaged"):
        list(account.domains[DOMAIN].events.walk())
