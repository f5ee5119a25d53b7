"""Who watches the state hears of what any process changes, on both engines."""

from threading import Event, current_thread

import anyio
import pytest

from mailgun_mcp.call.counters import Nonces
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.store import changes as module
from mailgun_mcp.store.changes import Changes, pauses, watching
from mailgun_mcp.store.database import Store, in_thread
from tests.support.engines import on_both_engines, on_sqlite
from tests.support.state import NOW, asked, request_approval

pytestmark = [pytest.mark.anyio, on_both_engines]
PATIENCE = 10.0


async def told(changes: Changes) -> None:
    """Wait until nothing more is said of what happened before."""
    while await changes.wait(0.7):
        pass


async def test_a_change_by_another_process_is_noticed(store: Store) -> None:
    other = store.reopened()
    approval = request_approval(other, asked())
    async with watching(store) as changes:
        await told(changes)
        await in_thread(Approvals(other).approve, approval.id, by="ann", now=NOW)
        assert await changes.wait(PATIENCE)
        assert Approvals(store).get(approval.id, NOW).status == "approved"
    other.close()


async def test_a_change_by_this_process_is_noticed_by_all_who_watch(store: Store) -> None:
    async with watching(store) as first, watching(store) as second:
        await told(first)
        await told(second)
        await in_thread(request_approval, store, asked())
        assert await first.wait(PATIENCE)
        assert await second.wait(PATIENCE)


async def test_a_change_between_the_reading_and_the_waiting_is_not_missed(store: Store) -> None:
    async with watching(store) as changes:
        await in_thread(request_approval, store, asked())
        assert await changes.wait(PATIENCE)


async def test_without_a_change_the_waiting_ends_in_time(store: Store) -> None:
    request_approval(store, asked())
    async with watching(store) as changes:
        await told(changes)
        assert await changes.wait(0.1) is False


@on_sqlite
async def test_a_change_is_noticed_although_an_earlier_watch_ends_late(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_close, closed, close = Event(), Event(), Store.close

    def close_late(self: Store) -> None:
        if current_thread().name == "state changes":
            may_close.wait(PATIENCE)
            close(self)
            closed.set()
        else:
            close(self)

    monkeypatch.setattr(Store, "close", close_late)
    request_approval(store, asked())
    async with watching(store) as changes:
        await changes.wait(PATIENCE)
    async with watching(store) as changes:
        await told(changes)
        may_close.set()
        await in_thread(closed.wait, PATIENCE)
        await in_thread(request_approval, store, asked(request="another"))
        assert await changes.wait(PATIENCE)


async def test_the_thread_ends_with_the_last_who_watches(store: Store) -> None:
    async with watching(store):
        watcher = module._watchers[store]
        ended = watcher._ended
        async with watching(store):
            pass
        assert not ended.is_set()
    assert ended.is_set()


@on_sqlite
async def test_a_state_that_is_made_while_somebody_watches_is_noticed(store: Store) -> None:
    async with watching(store) as changes:
        await told(changes)
        await in_thread(Nonces(store).burn, "nonce", NOW + 1, NOW)
        assert await changes.wait(PATIENCE)


async def test_a_pause_ends_with_a_change_on_postgresql_and_in_time_on_sqlite(store: Store) -> None:
    seconds, notified = (0.01, PATIENCE) if store.sealer is None else (PATIENCE, 60.0)
    with anyio.fail_after(PATIENCE):
        async with pauses(store, seconds, notified=notified) as pause:
            # The first may end at once: what was before it began to watch counts as a change.
            await pause()
            await in_thread(request_approval, store, asked())
            await pause()
