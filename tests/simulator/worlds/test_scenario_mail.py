"""Messages of a scenario are stored as long as they could be read."""

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.worlds.scenario_mail import bounce_hard, make_message, store


def test_old_messages_are_not_stored_and_bounces_are_suppressed() -> None:
    clock = ManualClock()
    account, domain = Account(clock), Domain("1", "a.example", 0.0, "active")
    new, old = (
        make_message(account, "a.example", "b@x.example", "t", "Hi", clock.now() - days * DAY) for days in (1, 9)
    )
    store(account, domain, new)
    store(account, domain, old)
    assert list(domain.messages) == [new.key]
    bounce_hard(account, domain, new, clock.now())
    assert "b@x.example" in domain.bounces
