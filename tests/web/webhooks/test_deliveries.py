"""Deliveries: queued once, taken by one process, tried again with growing pauses, and given up in the end."""

from mailgun_mcp.store.database import Store
from mailgun_mcp.web.webhooks.deliveries import BACK_OFF, LEASE, Deliveries
from mailgun_mcp.web.webhooks.events import Event
from tests.support.engines import on_both_engines
from tests.support.state import NOW

pytestmark = on_both_engines

EVENT = Event("approval.pending", "3r5u7c6e", 0, NOW, {"id": "3r5u7c6e"})


def test_an_event_is_queued_once_for_each_endpoint(store: Store) -> None:
    deliveries = Deliveries(store)
    for _ in range(2):
        deliveries.queue(["a", "b"], EVENT, NOW)
    taken = deliveries.take(NOW, 10)
    assert sorted((one.endpoint, one.event, one.subject, one.body) for one in taken) == [
        ("a", "approval.pending", "3r5u7c6e", EVENT.data),
        ("b", "approval.pending", "3r5u7c6e", EVENT.data),
    ]
    assert deliveries.queued(NOW) == {("a", EVENT.type, EVENT.subject, 0), ("b", EVENT.type, EVENT.subject, 0)}


def test_what_one_process_took_another_takes_only_after_its_lease(store: Store) -> None:
    deliveries = Deliveries(store)
    deliveries.queue(["a"], EVENT, NOW)
    (first,) = deliveries.take(NOW, 10)
    assert deliveries.take(NOW + LEASE - 1, 10) == ()
    (second,) = deliveries.take(NOW + LEASE, 10)
    assert first.id == second.id
    deliveries.delivered(second)
    assert deliveries.take(NOW + 10 * LEASE, 10) == ()


def test_pauses_grow_until_it_is_given_up(store: Store) -> None:
    deliveries, now = Deliveries(store), NOW
    deliveries.queue(["a"], EVENT, now)
    for pause in BACK_OFF:
        (delivery,) = deliveries.take(now, 10)
        assert not deliveries.failed(delivery, now)
        assert deliveries.take(now + pause - 1, 10) == ()
        now += pause
    (delivery,) = deliveries.take(now, 10)
    assert deliveries.failed(delivery, now)
    assert deliveries.take(now + 1e6, 10) == ()
    assert list(BACK_OFF) == sorted(BACK_OFF)
