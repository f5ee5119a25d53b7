"""Events have the fields of their kind, in the JSON form of the API, and count where they must."""

from typing import Any

import pytest

from mailgun_mcp.simulator.mail.record_events import (
    EVENT_FIELDS,
    WITH_STORAGE,
    delivered_status,
    not_attempted_status,
    record_event,
    refused_status,
    sending_ip,
    storage_location,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.model.messages import StoredMessage

DETAILS: dict[str, dict[str, Any]] = {"failed": {"severity": "permanent", "reason": "bounce"}}


@pytest.fixture
def account() -> Account:
    return Account(ManualClock(), storage_url="http://127.0.0.1:8025")


@pytest.fixture
def domain(account: Account) -> Domain:
    account.domains["d.example"] = Domain("1", "d.example", 0.0, "active")
    return account.domains["d.example"]


@pytest.fixture
def message() -> StoredMessage:
    headers = {"to": "ann@gmail.com", "From": "a@d.example", "Subject": "Hi"}
    return StoredMessage("key", "id@d.example", "d.example", 0.0, "a@d.example", ["ann@gmail.com"], headers, tags=["t"])


@pytest.mark.parametrize("kind", EVENT_FIELDS)
def test_every_kind_names_recipient_provider_message_and_tags(
    account: Account, domain: Domain, message: StoredMessage, kind: str
) -> None:
    record = record_event(account, domain, kind, message, "ann@gmail.com", 1.0, **DETAILS.get(kind, {})).record
    assert (record["event"], record["recipient"], record["recipient-provider"]) == (kind, "ann@gmail.com", "Gmail")
    assert (record["message"]["headers"]["message-id"], record["tags"]) == ("id@d.example", ["t"])
    assert ("storage" in record) == (kind in WITH_STORAGE)
    assert domain.events[-1].record == record


def test_a_header_is_read_whatever_the_case_of_its_name(
    account: Account, domain: Domain, message: StoredMessage
) -> None:
    record = record_event(account, domain, "accepted", message, "ann@gmail.com", 1.0).record
    assert record["message"]["headers"]["to"] == "ann@gmail.com"


@pytest.mark.parametrize(("severity", "level"), [("permanent", "error"), ("temporary", "warn")])
def test_the_log_level_of_a_failure_follows_its_severity(
    account: Account, domain: Domain, message: StoredMessage, severity: str, level: str
) -> None:
    details = {"severity": severity, "reason": "generic"}
    assert record_event(account, domain, "failed", message, "a@x.example", 1.0, **details).record["log-level"] == level


def test_details_change_single_flags_and_write_hyphens(
    account: Account, domain: Domain, message: StoredMessage
) -> None:
    details = {"severity": "permanent", "flags": {"is-delayed-bounce": True}, "delivery_status": {"code": 550}}
    record = record_event(account, domain, "failed", message, "a@x.example", 1.0, **details).record
    assert (record["flags"]["is-delayed-bounce"], record["flags"]["is-routed"]) == (True, False)
    assert record["delivery-status"] == {"code": 550}


def test_stored_copies_are_at_the_simulator(account: Account, message: StoredMessage) -> None:
    assert storage_location(account, message)["url"] == "http://127.0.0.1:8025/v3/domains/d.example/messages/key"


def test_a_message_leaves_from_its_own_ip_then_the_domains_then_the_shared_one(
    domain: Domain, message: StoredMessage
) -> None:
    assert sending_ip(domain, message) == SHARED_IP
    domain.administration.sending.ips = ["203.0.113.11"]
    assert sending_ip(domain, message) == "203.0.113.11"
    message.sending_ip = "203.0.113.12"
    assert sending_ip(domain, message) == "203.0.113.12"


@pytest.mark.parametrize(
    ("text", "code"), [("5.7.1 Blocked", "5.7.1"), ("4.2.2 Over quota", "4.2.2"), ("Blocked 5.7.1", None)]
)
def test_a_refusal_names_the_enhanced_code_that_its_text_starts_with(text: str, code: str | None) -> None:
    assert refused_status("a@x.example", 550, text).get("enhanced-code") == code
    assert refused_status("a@x.example", 550, text, **{"enhanced-code": "5.0.0"})["enhanced-code"] == "5.0.0"


def test_only_attempts_name_a_server() -> None:
    assert delivered_status("a@x.example")["mx-host"] == "mx.x.example"
    assert "mx-host" not in not_attempted_status(605, "Not delivering")
