"""The state of a domain and of the account."""

from mailgun_mcp.call.workflows.domain_signals import limit_finding, queue_findings, state_findings, unverified_findings
from tests.support.workflows import read

VALID = {"record_type": "TXT", "value": "v=spf1 include:mailgun.org ~all", "name": "x.example", "valid": "valid"}


def domain(state: str, **record: str) -> object:
    fields = {"domain": {"name": "x.example", "state": state}, "sending_dns_records": [{**VALID, **record}]}
    return state_findings(read(fields))


def test_a_domain_in_order_has_no_findings() -> None:
    assert domain("active") == []


def test_a_record_that_is_not_valid_is_named() -> None:
    (finding,) = state_findings(
        read({"domain": {"name": "x.example"}, "sending_dns_records": [{**VALID, "valid": "no"}]})
    )
    assert (finding.cause, "valid SPF record" in finding.what) == ("dns_record_missing", True)


def test_a_disabled_domain_sends_nothing() -> None:
    (finding,) = state_findings(read({"domain": {"name": "x.example", "is_disabled": True}}))
    assert finding.cause == "domain_not_active"


def test_a_limit_counts_when_it_is_reached() -> None:
    assert limit_finding(read({"limit": 100, "current": 99})) is None
    assert limit_finding(read({})) is None
    finding = limit_finding(read({"limit": 100, "current": 100}))
    assert finding is not None
    assert "100 messages" in finding.what


def test_a_stopped_queue_is_named() -> None:
    (finding,) = queue_findings(
        read({"regular": {"is_disabled": True}, "scheduled": {"is_disabled": False}}), "x.example"
    )
    assert "regular queue" in finding.what


def test_domains_that_cannot_send_are_named() -> None:
    items = [{"name": "a.example", "state": "active"}, {"name": "b.example", "state": "unverified"}]
    assert ["b.example" in finding.what for finding in unverified_findings(read({"items": items}))] == [True]
