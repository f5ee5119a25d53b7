"""A domain drops stored messages when their retention ends."""

from mailgun_mcp.simulator.model.domains import RETENTION, Domain
from mailgun_mcp.simulator.model.messages import StoredMessage


def domain_with(*times: float) -> Domain:
    domain = Domain("1", "d.example", 0.0)
    for at in times:
        domain.messages[str(at)] = StoredMessage(str(at), "id", "d.example", at, "a@d.example", [], {})
    return domain


def test_messages_are_dropped_once_their_retention_is_over() -> None:
    domain = domain_with(0.0, 10.0, 20.0)
    domain.forget_expired(RETENTION + 10.0)
    assert list(domain.messages) == ["10.0", "20.0"]


def test_a_domain_can_set_its_own_retention() -> None:
    domain = domain_with(0.0, 10.0)
    domain.settings["message_ttl"] = 5
    domain.forget_expired(10.0)
    assert (domain.retention, list(domain.messages)) == (5.0, ["10.0"])


def test_addresses_of_another_domain_are_not_shared() -> None:
    one, other = domain_with(), domain_with()
    one.absent_records.add("dkim")
    assert other.absent_records == set()
