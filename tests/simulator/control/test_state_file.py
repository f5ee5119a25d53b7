"""An account that is kept in a file outlives its process, and no file is overwritten that it did not write."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control import account_stream, state_file
from mailgun_mcp.simulator.control.account_json import snapshot
from mailgun_mcp.simulator.control.harness import HostAccess
from mailgun_mcp.simulator.control.state_file import StateFileError, open_account, write_account
from mailgun_mcp.simulator.model.clock import HOUR, ManualClock
from mailgun_mcp.simulator.model.packed_events import PackedEvents
from tests.simulator.conftest import client
from tests.support.operations import catalogue


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_without_a_file_there_is_no_account(path: Path, clock: ManualClock) -> None:
    assert open_account(path, clock) is None


def test_what_was_written_is_read_back_whole(path: Path, account: Account, clock: ManualClock) -> None:
    write_account(path, account)
    again = open_account(path, clock)
    assert again is not None
    assert snapshot(again) == snapshot(account)


def test_what_is_read_later_comes_from_the_file_that_was_opened_even_when_another_took_its_name(
    path: Path, account: Account, clock: ManualClock
) -> None:
    before = snapshot(account)
    write_account(path, account)
    again = open_account(path, clock)
    assert again is not None
    assert len(b"".join(pack.to_json() for pack in unread(again))) > 1000
    account.domains["mail.example.com"].messages.clear()
    write_account(path, account)
    write_account(path, again)
    assert snapshot(again) == before
    assert unread(again) == []
    third = open_account(path, clock)
    assert third is not None
    assert snapshot(third) == before


def test_a_file_that_became_shorter_is_an_error_and_no_other_account(
    path: Path, account: Account, clock: ManualClock
) -> None:
    write_account(path, account)
    again = open_account(path, clock)
    assert again is not None
    with path.open("rb+") as file:
        file.truncate(100)
    with pytest.raises(ValueError, match="became shorter while the simulator used it"):
        snapshot(again)


def test_where_an_open_file_cannot_be_replaced_all_is_in_memory(
    path: Path, account: Account, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_stream, "CAN_STAY_OPEN", False)
    write_account(path, account)
    again = open_account(path, clock)
    assert again is not None
    path.write_bytes(b"")
    assert snapshot(again) == snapshot(account)


def unread(account: Account) -> list[PackedEvents]:
    chunks = [chunk.packed for chunk in account.domains["mail.example.com"].events._chunks]
    return [chunk for chunk in chunks if chunk and chunk._unread]


def test_the_file_is_its_owner_s_alone_even_in_the_place_of_an_open_one(path: Path, account: Account) -> None:
    path.write_text("{}", encoding="utf-8")
    path.chmod(0o644)
    write_account(path, account)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_no_other(path: Path, account: Account) -> None:
    write_account(path, account)
    before = path.read_bytes()
    account.domains["mail.example.com"].settings["never JSON"] = object()
    with pytest.raises(TypeError):
        write_account(path, account)
    assert ([*path.parent.iterdir()], path.read_bytes()) == ([path], before)


def test_time_goes_on_where_it_was_when_the_account_was_ahead(path: Path, account: Account, clock: ManualClock) -> None:
    present = clock.now()
    clock.advance(HOUR)
    write_account(path, account)
    again = open_account(path, ManualClock(present))
    assert again is not None
    assert again.clock.now() == present + HOUR


def test_time_that_passed_meanwhile_has_passed(path: Path, account: Account, clock: ManualClock) -> None:
    write_account(path, account)
    clock.advance(HOUR)
    again = open_account(path, clock)
    assert again is not None
    assert again.clock.now() == clock.now()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"format": "other"}, "not an account of the simulator", id="foreign"),
        pytest.param({"version": 2}, "version 2 is not one that this release reads", id="newer"),
        pytest.param({"account": {"idd": "x"}}, r"account\.idd: Unexpected keyword argument", id="unknown-field"),
        pytest.param({"account": {"id": 5}}, r"account\.id: Input should be a valid string", id="wrong-type"),
        pytest.param({"now": "noon"}, "now \\(a number\\)", id="no-time"),
        pytest.param({"now": float("inf")}, "now \\(a number\\)", id="endless-time"),
    ],
)
def test_a_file_of_something_else_is_refused_and_stays(
    path: Path, account: Account, clock: ManualClock, changes: dict[str, Any], message: str
) -> None:
    path.write_text(json.dumps(snapshot(account) | changes), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(StateFileError, match=message) as caught:
        open_account(path, clock)
    assert (str(caught.value).startswith(f"{path}: damaged"), path.read_bytes()) == (True, before)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\xfa", b"[" * 100_000], ids=["empty", "half", "binary", "deep"]
)
def test_what_is_not_json_is_refused(path: Path, clock: ManualClock, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StateFileError, match="damaged: it is not valid JSON"):
        open_account(path, clock)


def _is_written(path: Path, name: str) -> bool:
    return path.exists() and name.encode() in path.read_bytes()


@pytest.mark.anyio
async def test_a_write_that_took_long_is_followed_by_a_longer_pause(
    path: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every change would keep a core busy with writing a large account."""
    pauses: list[float] = []
    instead = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await instead(0)

    times = iter(range(0, 10_000, 100))
    monkeypatch.setattr(state_file, "thread_time", lambda: float(next(times)))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    app = create_app(catalogue(), account=account, host_access=HostAccess(state_file=path))
    for name in ("first.example.com", "second.example.com"):
        async with client(app) as mailgun:
            (await mailgun.post("/v4/domains", data={"name": name})).raise_for_status()
        while not _is_written(path, name):
            await instead(0)
    # The write took 100 seconds, so the next one begins about 400 seconds after it.
    assert pauses == [1.0, pytest.approx(400, abs=100)]


@pytest.mark.anyio
async def test_a_change_just_before_the_end_is_written_before_the_server_knows_that_it_may_end(
    path: Path, account: Account, clock: ManualClock
) -> None:
    """The server ends the loop once it knows: a write that had only begun would be lost."""
    app = create_app(catalogue(), account=account, host_access=HostAccess(state_file=path))
    read_at_the_end: list[Account | None] = []

    async def receive() -> Message:
        return next(stages)

    async def send(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            async with client(app) as mailgun:
                (await mailgun.post("/v4/domains", data={"name": "last.example.com"})).raise_for_status()
        elif message["type"] == "lifespan.shutdown.complete":
            read_at_the_end.append(open_account(path, clock))

    stages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    await app({"type": "lifespan"}, receive, send)
    (written,) = read_at_the_end
    assert written is not None
    assert "last.example.com" in written.domains
