"""The table of tasks: whose they are, who claims them, and how they end, on both engines."""

from concurrent.futures import ThreadPoolExecutor

from mailgun_mcp.call.call_tasks import CLAIM, RETENTION, CallTask, CallTasks
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines
from tests.support.state import NOW, TTL

pytestmark = on_both_engines

ARGUMENTS = {"domain": "mg.example.com", "note": "naïve \ud800 ✓"}


def created(store: Store, approval: str = "k7q2abcd") -> CallTask:
    return CallTasks(store).create("ann", "tests", "delete_bounce", ARGUMENTS, approval, now=NOW, ttl=TTL)


def test_a_task_is_read_by_its_principal_until_it_expires(store: Store) -> None:
    task = created(store)
    tasks = CallTasks(store.reopened())
    assert (task.arguments, task.status, task.outcome) == (ARGUMENTS, "waiting", {})
    assert tasks.find(task.id, "ann", NOW) == task
    assert tasks.find(task.id, "Ann", NOW) is None
    assert tasks.find(task.id, "ann", NOW + TTL + RETENTION) is None


def test_a_state_without_anything_has_no_tasks(store: Store) -> None:
    assert CallTasks(store).find("0" * 32, "ann", NOW) is None


def test_names_cannot_be_guessed(store: Store) -> None:
    assert len({created(store).id for _ in range(5)}) == 5
    assert len(created(store).id) == 32


def test_one_of_many_servers_claims_a_task(store: Store) -> None:
    task = created(store)
    stores = [store.reopened() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(lambda other: CallTasks(other).claim(task, NOW), stores))
    for other in stores:
        other.close()
    assert sorted(claims) == [False, False, False, True]
    found = CallTasks(store).find(task.id, "ann", NOW)
    assert found is not None
    assert (found.status, found.claimed_until) == ("running", NOW + CLAIM)


def test_a_claim_is_renewed_and_a_call_ends_once(store: Store) -> None:
    tasks, task = CallTasks(store), created(store)
    assert tasks.claim(task, NOW)
    tasks.renew(task, NOW + 10)
    running = tasks.find(task.id, "ann", NOW)
    assert running is not None
    assert running.claimed_until == NOW + 10 + CLAIM
    assert tasks.end(running, "completed", {"isError": False}, NOW + 11)
    assert not tasks.end(running, "failed", {"code": 1}, NOW + 12)
    ended = tasks.find(task.id, "ann", NOW)
    assert ended is not None
    assert (ended.status, ended.outcome, ended.updated) == ("completed", {"isError": False}, NOW + 11)


def test_a_task_can_wait_for_another_approval(store: Store) -> None:
    tasks, task = CallTasks(store), created(store)
    assert tasks.claim(task, NOW)
    tasks.wait(task, "another1", NOW)
    waiting = tasks.find(task.id, "ann", NOW)
    assert waiting is not None
    assert (waiting.status, waiting.approval) == ("waiting", "another1")


def test_the_last_task_of_an_approval_says_so_when_it_is_cancelled(store: Store) -> None:
    tasks, first, second = CallTasks(store), created(store), created(store)
    assert not tasks.cancel(first, NOW)
    assert tasks.cancel(second, NOW)
    assert not tasks.cancel(second, NOW), "it no longer waits"
    assert not tasks.claim(second, NOW)


def test_old_tasks_are_removed(store: Store) -> None:
    old = created(store)
    CallTasks(store).create("ann", "tests", "x", {}, "k7q2abcd", now=NOW + TTL + RETENTION, ttl=TTL)
    with store.reading() as connection:
        assert connection.execute("SELECT 1 FROM call_tasks WHERE id = ?", (old.id,)).fetchone() is None


def test_a_database_that_servers_share_has_nothing_in_the_clear(store: Store) -> None:
    task = created(store)
    with store.reading() as connection:
        row = connection.execute("SELECT arguments FROM call_tasks WHERE id = ?", (task.id,)).fetchone()
    assert (b"mg.example.com" in bytes(row["arguments"])) is (store.sealer is None)
