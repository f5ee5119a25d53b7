"""What is written of a call, before it and after it, and what becomes of one that can't be written down."""

import asyncio
import json
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest

from mailgun_mcp.audit import recorder
from mailgun_mcp.audit.call_record import new_record
from mailgun_mcp.audit.log import AuditLog, LoggedCall
from mailgun_mcp.call.counters import Nonces
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.model import AuditRules
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.store.database import FILE, Store
from tests.support.apps import close_opened
from tests.support.arguments import minimal
from tests.support.calls import run
from tests.support.empty_lists import empty_lists
from tests.support.operations import catalogue, find
from tests.support.policies import policy
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


def calls_of(services: Services) -> list[LoggedCall]:
    services.recorder.close()
    return list(services.audit_log.calls())


async def recorded(services: Services, tool: str, arguments: Arguments) -> LoggedCall:
    await run(services, tool, arguments)
    return calls_of(services)[-1]


async def test_a_call_that_changes_something_is_written_down_whole(mailgun: Recorder) -> None:
    mailgun.answer = lambda line: httpx.Response(200, json=empty_lists(), headers={"X-Mailgun-Request-Id": "req-1"})
    services = recorded_services(mailgun, policy=profile("unguarded"))
    call = await recorded(services, "delete_bounce", BOUNCE)
    assert call.result | {"ms": 0} == {"outcome": "done", "status": 200, "attempts": 1, "request_id": "req-1", "ms": 0}
    account = await services.account.current(changes=False)
    assert call.fields | {"digest": ""} == {
        "tool": "delete_bounce",
        "risk": "destructive",
        "principal": "local",
        "arguments": BOUNCE,
        "account": account.name,
        "account_id": account.id,
        "endpoint": account.endpoint,
        "key": account.fingerprint[:8],
        "policy": ["unguarded", profile("unguarded").digest],
        "digest": "",
        "untrusted": {"age": None},
        "decision": {
            "effect": "allow",
            "rule": "unguarded/everything",
            "reason": "the operator started the server without guard rails",
        },
        "snapshot": {"records": 1, "copied": True},
    }
    assert [entry.kind for entry in services.audit_log.of_call(call.id)] == ["intent", "outcome"]


@pytest.mark.parametrize(
    ("tool", "arguments", "answer", "outcome"),
    [
        ("get_bounce", BOUNCE, 200, "done"),
        ("get_bounce", BOUNCE, 404, "failed"),
        ("get_bounce", {"domain": "x"}, 200, "invalid"),
        ("delete_bounce", BOUNCE, 200, "pending"),
        ("update_route", {"id": "1"}, 200, "done"),
        ("create_account_template", {"name": "welcome"}, 500, "unknown"),
        ("create_account_template", {"name": "welcome"}, 400, "failed"),
        ("list_undoable", {}, 200, "done"),
        ("undo_operation", {"id": "none"}, 200, "failed"),
    ],
)
async def test_every_call_has_an_outcome(
    tool: str, arguments: Arguments, answer: int, outcome: str, mailgun: Recorder
) -> None:
    mailgun.answer = lambda _: httpx.Response(answer, json=empty_lists())
    call = await recorded(recorded_services(mailgun), tool, arguments)
    assert (call.fields["tool"], call.outcome) == (tool, outcome)


async def test_a_refusal_is_written_down_with_its_rule(mailgun: Recorder) -> None:
    call = await recorded(recorded_services(mailgun, policy=profile("read-only")), "delete_bounce", BOUNCE)
    assert (call.outcome, call.fields["decision"]["rule"], mailgun.lines) == ("refused", "read-only/otherwise", [])


async def test_the_intent_is_there_before_the_request_leaves() -> None:
    wrong = {}
    for operation in catalogue():
        if operation.risk != "read":
            seen = await kinds_while_sending(operation)
            # The outcome comes later.
            if seen[:1] not in ([["intent"]], []) or not (seen or operation.method == "GET"):
                wrong[operation.name] = seen
    assert wrong == {}


async def kinds_while_sending(operation: Operation) -> list[list[str]]:
    """Make the call in a state of its own, and return what the log holds whenever Mailgun gets a change."""
    seen: list[list[str]] = []
    mailgun = Recorder()
    services = recorded_services(mailgun, policy=profile("unguarded"))

    def look(line: str) -> httpx.Response:
        if mailgun.changes:
            store = Store(services.state)
            seen.append([entry.kind for entry in AuditLog(store).entries()])
            store.close()
            mailgun.lines.clear()
        return httpx.Response(200, json=empty_lists())

    mailgun.answer = look
    await run(services, operation.name, minimal(operation))
    close_opened()
    return seen


async def test_a_read_is_made_while_its_intent_is_written_and_shown_after_it(mailgun: Recorder) -> None:
    services = recorded_services(mailgun)
    await run(services, "get_bounce", BOUNCE)
    log, asked, goes_on = services.recorder._log, Event(), Event()
    append = log.append

    def append_late(*arguments: Any, **options: Any) -> Any:
        assert goes_on.wait(30)
        return append(*arguments, **options)

    log.append = append_late  # type: ignore[method-assign]

    def answer(_: str) -> httpx.Response:
        asked.set()
        return httpx.Response(200, json=empty_lists())

    mailgun.answer = answer
    read = asyncio.create_task(run(services, "get_bounce", BOUNCE))
    await asyncio.to_thread(asked.wait, 30)
    assert not read.done()
    goes_on.set()
    assert (await read).kind == "done"
    assert [call.result["outcome"] for call in calls_of(services)] == ["done", "done"]


async def test_the_outcome_of_a_read_is_written_although_no_call_follows(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgun_mcp.audit.recorder.LINGERING", 0.0)
    services = recorded_services(mailgun)
    await run(services, "get_bounce", BOUNCE)
    with anyio.fail_after(30):
        while [entry.kind for entry in services.audit_log.entries()] != ["intent", "outcome"]:
            await anyio.lowlevel.checkpoint()


async def test_the_log_has_the_order_of_the_calls_also_if_the_thread_is_overtaken(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained, goes_on = Event(), Event()

    class Overtaken(SimpleQueue[Any]):
        def empty(self) -> bool:
            is_empty = super().empty()
            if is_empty and pauses.is_set():
                pauses.clear()
                drained.set()
                goes_on.wait(30)
            return is_empty

    pauses = Event()
    monkeypatch.setattr("mailgun_mcp.audit.recorder.SimpleQueue", Overtaken)
    monkeypatch.setattr("mailgun_mcp.audit.recorder.LINGERING", 3600.0)
    services = recorded_services(mailgun, policy=profile("read-only"))
    await run(services, "get_bounce", BOUNCE)
    pauses.set()
    read = asyncio.create_task(run(services, "list_bounces", {"domain": "mg.example.com"}))
    await asyncio.to_thread(drained.wait, 30)
    services.recorder._on_timer()
    await run(services, "delete_bounce", BOUNCE)
    goes_on.set()
    await read
    services.recorder.close()
    written = [(json.loads(entry.body).get("tool"), entry.kind) for entry in services.audit_log.entries()]
    assert written == [
        ("get_bounce", "intent"),
        (None, "outcome"),
        ("list_bounces", "intent"),
        ("delete_bounce", "outcome"),
        (None, "outcome"),
    ]


async def test_a_read_that_is_cancelled_while_its_intent_is_written_has_its_outcome(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = recorded_services(mailgun)
    await run(services, "get_bounce", BOUNCE)
    goes_on, append = Event(), AuditLog.append

    def held_up(*arguments: Any, **options: Any) -> None:
        goes_on.wait(30)
        append(*arguments, **options)

    monkeypatch.setattr(AuditLog, "append", held_up)
    record = new_record(
        find("get_bounce"),
        BOUNCE,
        Caller(Principal("ann")),
        services.account.assumed,
        None,
        policy=("guarded", ""),
        rules=AuditRules(),
    )
    await services.recorder.begin(record)
    finishing = asyncio.create_task(services.recorder.finish(record, "done"))
    await asyncio.sleep(0)
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    goes_on.set()
    assert [call.result["outcome"] for call in calls_of(services)] == ["done", "done"]


async def test_secrets_are_not_written_down_and_long_texts_are_digested(mailgun: Recorder) -> None:
    services = recorded_services(mailgun, policy=profile("unguarded"))
    made = {"domain": "mg.example.com", "login": ["ann"], "password": ["hunter2hunter2"]}
    call = await recorded(services, "create_smtp_credentials", made)
    assert call.fields["arguments"]["password"] == ["[redacted]"]
    sent = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["b@x.example"], "text": "x" * 9_000}
    call = await recorded(services, "send_message", sent)
    assert call.fields["arguments"]["text"]["characters"] == 9_000
    assert b"hunter2" not in (services.state / FILE).read_bytes() + (services.state / f"{FILE}-wal").read_bytes()


async def test_personal_data_is_left_out_where_the_policy_says_so(mailgun: Recorder) -> None:
    services = recorded_services(mailgun, policy=policy("extends: unguarded\naudit: {personal: false}\n"))
    call = await recorded(services, "delete_bounce", BOUNCE)
    assert call.fields["arguments"] == {"domain": "mg.example.com", "address": "[personal]"}


async def test_reads_are_left_out_where_the_policy_says_so(mailgun: Recorder) -> None:
    services = recorded_services(mailgun, policy=policy("extends: unguarded\naudit: {reads: false}\n"))
    await run(services, "get_bounce", BOUNCE)
    call = await recorded(services, "delete_bounce", BOUNCE)
    assert [one.id for one in calls_of(services)] == [call.id]


async def test_what_is_old_is_removed_by_and_by(mailgun: Recorder) -> None:
    services = recorded_services(mailgun, policy=policy("extends: unguarded\naudit: {keep: 1d}\n"))
    await run(services, "get_bounce", BOUNCE)
    services.recorder.close()
    services.clock.now += 2 * 86_400.0  # type: ignore[attr-defined]  # the tests' own clock
    del services.__dict__["recorder"]
    call = await recorded(services, "get_bounce", BOUNCE)
    assert [one.id for one in calls_of(services)] == [call.id]
    assert services.audit_log.verify().broken is None


def full(services: Services) -> None:
    """Let the file not grow any more: SQLite says that the disk is full."""
    for store in (services.store, services.recorder._store):
        Nonces(store).burn("n", 2e9, 1e9)
        with store.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")


def damaged(services: Services) -> None:
    services.state.mkdir(0o700, exist_ok=True)
    (services.state / FILE).touch(0o600)
    (services.state / FILE).write_bytes(b"x" * 4096)


def open_to_others(services: Services) -> None:
    services.state.mkdir(exist_ok=True)
    services.state.chmod(0o755)


FAULTS = {"full": full, "damaged": damaged, "open to others": open_to_others}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("tool", ["delete_bounce", "update_route", "send_message", "create_route", "delete_domain"])
async def test_what_cannot_be_written_down_is_not_made(tool: str, fault: str, mailgun: Recorder) -> None:
    services = recorded_services(mailgun, policy=profile("unguarded"))
    if fault == "full":
        await fill(services)
    FAULTS[fault](services)
    outcome = await run(services, tool, minimal(find(tool)))
    assert (outcome.kind, mailgun.changes) == ("failed", [])
    assert outcome.text.startswith("Nothing was sent: the state in ") or str(services.state) in outcome.text


async def fill(services: Services) -> None:
    """Use up what is free inside the pages that there are."""
    full(services)
    for length in (300, 1):
        for _ in range(60):
            outcome = await run(services, "get_bounce", {**BOUNCE, "address": f"{'x' * length}@example.com"})
            assert outcome.kind == "done"


@pytest.mark.parametrize("fault", FAULTS)
async def test_reads_go_on_and_the_fault_is_logged_once(
    fault: str, mailgun: Recorder, capfd: pytest.CaptureFixture[str]
) -> None:
    services = recorded_services(mailgun)
    if fault == "full":
        await fill(services)
    FAULTS[fault](services)
    for _ in range(3):
        assert (await run(services, "get_bounce", BOUNCE)).kind == "done"
    services.recorder.close()
    assert capfd.readouterr().err.count("calls are not recorded") == 1


async def test_a_locked_store_is_told_and_nothing_is_sent(mailgun: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailgun_mcp.store.database.BUSY_SECONDS", 0.01)
    services = recorded_services(mailgun, policy=profile("unguarded"))
    await run(services, "get_bounce", BOUNCE)
    services.recorder.close()
    other = Store(services.state)
    with other.writing():
        outcome = await run(services, "delete_domain", {"domain": "mg.example.com"})
    other.close()
    assert (outcome.kind, mailgun.changes, "another process has locked" in outcome.text) == ("failed", [], True)


async def test_an_outcome_that_cannot_be_written_does_not_hide_the_result(mailgun: Recorder, capfd: Any) -> None:
    services = recorded_services(mailgun, policy=profile("unguarded"))

    def answer(line: str) -> httpx.Response:
        if mailgun.changes:
            open_to_others(services)
            services.recorder._store.close()
        return httpx.Response(200, json={"message": "gone"})

    mailgun.answer = answer
    outcome = await run(services, "delete_domain", {"domain": "mg.example.com"})
    assert json.loads(outcome.text) == {"message": "gone"}
    services.recorder.close()
    assert "an outcome is not recorded" in capfd.readouterr().err


def test_the_rules_have_the_defaults_that_the_guide_tells() -> None:
    assert AuditRules() == AuditRules(personal=True, reads=True, keep=400 * 86_400, most_bytes=512 * 1024 * 1024)
    guide = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    assert ("`400d`" in guide, "512" in guide) == (True, True)


@pytest.mark.parametrize("written", [True, False], ids=["after it was written", "before it was written"])
async def test_an_outcome_is_written_again_when_the_connection_to_the_log_was_lost(
    written: bool, mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call was made: its outcome is in the log once, whether or not the lost transaction had come through."""
    services = recorded_services(mailgun, policy=profile("unguarded"))
    whole, lost = AuditLog.append, list[Any]()

    def append(self: AuditLog, entries: Any, now: float, **options: Any) -> None:
        if entries[0].kind == "outcome" and len(lost) < 2:
            lost.append(entries[0])
            if written:
                whole(self, entries, now, **options)
            raise StateError("the connection was closed")
        whole(self, entries, now, **options)

    monkeypatch.setattr(Store, "retries", 3)
    monkeypatch.setattr(AuditLog, "append", append)
    result = await run(services, "delete_bounce", BOUNCE)
    assert result.kind == "done"
    call = services.audit_log.call(lost[0].call)
    assert (call.outcome, len(services.audit_log.of_call(call.id))) == ("done", 2)
    assert services.audit_log.verify().broken is None


async def test_calls_that_are_recorded_together_wake_the_event_loop_once(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = recorded_services(mailgun)
    await run(services, "list_domains", {})
    loop, free, wakes = asyncio.get_running_loop(), Event(), []
    wake, append = loop.call_soon_threadsafe, AuditLog.append

    def appended(*args: Any, **kwargs: Any) -> None:
        free.wait(10)
        append(*args, **kwargs)

    def woken(*args: Any, **kwargs: Any) -> asyncio.Handle:
        wakes.append(args)
        return wake(*args, **kwargs)

    monkeypatch.setattr(AuditLog, "append", appended)
    monkeypatch.setattr(loop, "call_soon_threadsafe", woken)
    async with anyio.create_task_group() as calls:
        for _ in range(20):
            calls.start_soon(run, services, "list_domains", {})
        # A read is made while its intent is written.
        while len(mailgun.lines) < 21:
            await anyio.lowlevel.checkpoint()
        free.set()
    # Once for those that came before the first append, once for those that came during it.
    assert len(wakes) <= 3
    assert len(calls_of(services)) == 21


async def test_calls_that_begin_close_to_each_other_share_a_round_trip_to_a_shared_database(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LINGERING", 3600.0)
    services = recorded_services(mailgun)
    await run(services, "list_domains", {})
    monkeypatch.setattr(services.recorder._store, "sealer", object())
    monkeypatch.setattr(recorder, "LONGEST_GATHERING", 60.0)
    append, intents = AuditLog.append, list[int]()

    def appended(self: AuditLog, entries: Any, *args: Any, **kwargs: Any) -> None:
        if count := sum(entry.kind == "intent" for entry in entries):
            intents.append(count)
        append(self, entries, *args, **kwargs)

    monkeypatch.setattr(AuditLog, "append", appended)

    async def call_later(turns: int) -> None:
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        await run(services, "list_domains", {})

    async with anyio.create_task_group() as calls:
        for number in range(20):
            calls.start_soon(call_later, number)
    # One call by itself does not wait for more.
    await run(services, "list_domains", {})
    assert intents == [20, 1]
    assert len(calls_of(services)) == 22


async def test_many_reads_at_once_share_a_transaction_and_a_few_do_not_wait_for_more(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LINGERING", 3600.0)
    services = recorded_services(mailgun)
    await run(services, "list_domains", {})
    wakes: list[int] = []
    wake = services.recorder._wake_thread

    def woken() -> None:
        wakes.append(len(services.running))
        wake()

    monkeypatch.setattr(services.recorder, "_wake_thread", woken)
    async with anyio.create_task_group() as calls:
        for _ in range(20):
            calls.start_soon(run, services, "list_domains", {})
    # The first few did not know of the others yet.
    assert wakes[:-1] == [*range(1, recorder.MANY)]
    assert wakes[-1] > recorder.MANY
    wakes.clear()
    await run(services, "list_domains", {})
    assert wakes == [1]
    assert len(calls_of(services)) == 22


async def test_a_call_that_changes_something_does_not_wait_for_other_calls(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = recorded_services(mailgun, policy=profile("unguarded"))
    await run(services, "delete_bounce", BOUNCE)
    for number in range(100):
        services.running.begin(str(number), part=True)
    gathered: list[object] = []
    monkeypatch.setattr(services.recorder, "_gather", lambda *args: gathered.append(args))
    await run(services, "delete_bounce", BOUNCE)
    assert gathered == []
    assert len(calls_of(services)) == 2


async def test_a_fault_that_nobody_expects_does_not_keep_later_calls_waiting(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LONGEST_BUSY", 0.0)
    services, tried = recorded_services(mailgun, policy=profile("unguarded")), Event()

    def broken(*_: Any, **__: Any) -> int:
        tried.set()
        raise TypeError("no such row")

    monkeypatch.setattr(services.recorder._log, "prune", broken)
    for _ in range(2):
        with anyio.fail_after(10):
            await run(services, "delete_bounce", BOUNCE)
    assert tried.is_set()
    assert len(calls_of(services)) == 2


async def test_what_no_call_waits_for_is_done_when_none_does_or_after_a_while(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LINGERING", 3600.0)
    monkeypatch.setattr(recorder, "LONGEST_BUSY", 3600.0)
    services, done, all_done = recorded_services(mailgun), list[str](), Event()
    log = services.recorder._log

    def noted(of: str) -> Any:
        do = getattr(log, of)

        def note(*args: Any, **kwargs: Any) -> Any:
            done.append(of)
            if len(done) > 1:
                all_done.set()
            return do(*args, **kwargs)

        return note

    for of in ("prune", "head"):
        monkeypatch.setattr(log, of, noted(of))
    for _ in range(3):
        await run(services, "list_domains", {})
    assert done == []
    services.recorder._on_timer()
    assert await anyio.to_thread.run_sync(all_done.wait, 10)
    assert done == ["prune", "head"]
    monkeypatch.setattr(recorder, "LONGEST_BUSY", 0.0)
    services.recorder._unpruned = recorder.PRUNED_EVERY
    await run(services, "list_domains", {})
    await run(services, "list_domains", {})
    assert "prune" in done[2:]


async def test_a_log_is_prepared_by_one_thread_and_not_after_its_end(
    mailgun: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, started = recorded_services(mailgun), []

    def start(**options: Any) -> Thread:
        started.append(options["name"])
        return Thread(**options)

    monkeypatch.setattr(recorder, "Thread", start)
    services.recorder.prepare()
    await run(services, "list_domains", {})
    services.recorder.prepare()
    assert started == ["audit log"]
    services.recorder.close()
    services.recorder.prepare()
    assert started == ["audit log"]
