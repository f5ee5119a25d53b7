"""What conversations cost, and what is said near and at a limit."""

from mailgun_mcp.agent.usage import Limits, Usage, UsageTable
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines
from tests.support.state import NOW

pytestmark = on_both_engines

USED = Usage(2, 100, 10, 0.5, 3, 1.5)


def test_usage_adds_up_by_conversation_principal_and_day(store: Store) -> None:
    table = UsageTable(store)
    table.add("one", "ann", USED, NOW)
    table.add("one", "ann", USED, NOW)
    table.add("two", "ben", USED, NOW)
    table.add("two", "ben", USED, NOW + 86_400)
    assert table.of_conversation("one") == Usage(4, 200, 20, 1.0, 6, 3.0)
    assert table.of_principal("ben", NOW) == USED
    assert table.of_server(NOW) == Usage(6, 300, 30, 1.5, 9, 4.5)
    assert table.of_conversation("three") == Usage()


def test_a_limit_warns_at_80_percent_and_stops_when_it_is_reached(store: Store) -> None:
    table = UsageTable(store)
    limits = Limits(conversation=Usage(10, None, None, 2.0, None, None))
    table.add("c", "ann", Usage(8, 0, 0, 0.1, 0, 0.0), NOW)
    stop, near = table.reached(limits, "c", "ann", NOW)
    assert stop is None
    assert near == ["Nearly at a limit: 8 of 10 requests to the model used by this conversation."]
    table.add("c", "ann", Usage(0, 0, 0, 1.9, 0, 0.0), NOW)
    stop, _ = table.reached(limits, "c", "ann", NOW)
    assert stop is not None
    assert "2.00 of 2.00 US dollars used by this conversation" in stop


def test_one_persons_day_and_the_servers_day_have_limits_too(store: Store) -> None:
    table = UsageTable(store)
    table.add("c", "ann", Usage(5, 0, 0, 3.0, 0, 0.0), NOW)
    day = Limits(principal_per_day=Usage(5, None, None, None, None, None))
    assert "by ann today" in str(table.reached(day, "d", "ann", NOW)[0])
    assert table.reached(day, "d", "ben", NOW)[0] is None
    server = Limits(server_per_day=Usage(None, None, None, 3.0, None, None))
    assert "everybody on this server today" in str(table.reached(server, "d", "ben", NOW)[0])
