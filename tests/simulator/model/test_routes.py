"""Routes are tried by priority, then in the order of creation; inbound mail is remembered up to a limit."""

from mailgun_mcp.simulator.model.routes import INBOUND_LIMIT, InboundMail, Route, Routes


def test_routes_are_tried_by_priority_and_then_by_age() -> None:
    routes = Routes()
    for name, serial, priority in (("late", 1, 9), ("second", 3, 0), ("first", 2, 0)):
        routes.by_id[name] = Route(name, serial, "catch_all()", 0.0, priority=priority)
    assert [route.id for route in routes.in_order()] == ["first", "second", "late"]


def test_the_oldest_inbound_mail_is_forgotten() -> None:
    routes = Routes()
    for number in range(INBOUND_LIMIT + 1):
        routes.received.append(InboundMail(float(number), "a@d.example", "b@x.example", "Hi"))
    assert (len(routes.received), routes.received[0].at) == (INBOUND_LIMIT, 1.0)
