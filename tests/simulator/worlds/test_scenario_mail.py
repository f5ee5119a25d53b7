"""Messages of a scenario are stored as long as they could be read."""

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.bounce_rules import classify
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


def test_each_provider_refuses_an_unknown_address_in_its_own_words() -> None:
    clock = ManualClock()
    account, domain = Account(clock), Domain("1", "a.example", 0.0, "active")
    words = {
        "b@gmail.com": ("550", "tried to reach"),
        "b@yahoo.com": ("554", "(b@yahoo.com)"),
        "b@outlook.com": ("550", "mailbox unavailable"),
        "b@x.example": ("550", "<b@x.example>"),
    }
    for address, (code, text) in words.items():
        message = make_message(account, "a.example", address, "t", "Hi", clock.now())
        bounce_hard(account, domain, message, clock.now())
        bounce = domain.bounces[address]
        assert (bounce.code, text in bounce.error) == (code, True)
        rule = classify(domain.events[-1].record)
        assert rule is not None
        assert rule.group.id == "invalid-recipient"
