"""Mail from outside goes the way of the routes and lists, and leaves events, copies and postings."""

import hmac
from collections.abc import Sequence
from urllib.parse import parse_qs

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.inbound import NO_RECIPIENT, NOT_ALLOWED, deliver_inbound, receiving_domain
from mailgun_mcp.simulator.mail.webhooks import encode_posting
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.lists import MailingList, Member
from mailgun_mcp.simulator.model.routes import InboundMail, Route
from mailgun_mcp.simulator.model.webhooks import Posting
from mailgun_mcp.simulator.worlds.demo import NEWS
from tests.simulator.conftest import PLAIN

SUPPORT = f"support@{PLAIN}"
MAIL = {"from": "Ann <ann@x.example>", "to": SUPPORT, "subject": "Help", "text": "Please", "html": "<p>Please</p>"}
MIME = (
    b"From: Ann <ann@x.example>\r\nTo: Desk <support@plain.example.com>\r\nSubject: Help\r\nMessage-ID: <1@x.example>\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nPlease\r\n'
    b'--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\n1,2\r\n--b--\r\n'
)


@pytest.fixture(autouse=True)
def nothing_yet(account: Account) -> None:
    account.routes.by_id.clear()
    account.webhooks.by_id.clear()
    account.webhooks.outbox.clear()


def route(account: Account, expression: str, *actions: str, priority: int = 0) -> Route:
    added = Route(account.hex_id(), account.serial, expression, 0.0, list(actions), priority)
    account.routes.by_id[added.id] = added
    return added


def kinds(domain: Domain) -> list[str]:
    return [event.record["event"] for event in domain.events]


def form(posting: Posting) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encode_posting(posting)[1].decode()).items()}


def only(received: Sequence[InboundMail]) -> InboundMail:
    (one,) = received
    return one


def test_mail_that_nobody_wants_is_refused_and_leaves_nothing(account: Account, plain: Domain) -> None:
    for recipient in (SUPPORT, "someone@elsewhere.example"):
        assert only(deliver_inbound(account, {**MAIL, "to": recipient})).refused == NO_RECIPIENT
    assert kinds(plain) == []
    assert [received.recipient for received in account.routes.received][-2:] == [SUPPORT, "someone@elsewhere.example"]


def test_stored_mail_can_be_read_and_is_announced(account: Account, plain: Domain) -> None:
    stored = route(account, "catch_all()", 'store(notify="https://x.example/new")')
    received = only(deliver_inbound(account, MAIL))
    assert (received.routes, received.refused) == ([stored.id], "")
    assert received.actions == ['store(notify="https://x.example/new")']
    message = plain.messages[received.storage_key]
    assert (message.text, message.subject, message.sender) == ("Please", "Help", "ann@x.example")
    assert kinds(plain) == ["accepted", "stored"]
    accepted, stored_event = [event.record for event in plain.events]
    assert accepted["flags"]["is-routed"] is True
    assert [taken["id"] for taken in accepted["routes"]] == [stored.id]
    (posting,) = account.webhooks.outbox
    assert (posting.kind, posting.url) == ("store", "https://x.example/new")
    assert form(posting)["message-url"] == stored_event["storage"]["url"]


def test_a_forward_to_a_url_is_a_signed_form(account: Account) -> None:
    route(account, r'match_recipient("(.*)@")', r'forward("https://x.example/in?box=\1")')
    deliver_inbound(account, MAIL)
    (posting,) = account.webhooks.outbox
    fields = form(posting)
    assert posting.url == "https://x.example/in?box=support"
    assert {name: fields[name] for name in ("recipient", "sender", "from", "subject", "body-plain", "body-html")} == {
        "recipient": SUPPORT,
        "sender": "ann@x.example",
        "from": "Ann <ann@x.example>",
        "subject": "Help",
        "body-plain": "Please",
        "body-html": "<p>Please</p>",
    }
    key = account.administration.access.signing_key
    expected = hmac.new(key.encode(), (fields["timestamp"] + fields["token"]).encode(), "sha256").hexdigest()
    assert fields["signature"] == expected


def test_mime_is_taken_apart_and_its_files_go_along(account: Account) -> None:
    route(account, "catch_all()", 'forward("https://x.example/in")')
    deliver_inbound(account, MIME)
    (posting,) = account.webhooks.outbox
    content_type, body = encode_posting(posting)
    assert content_type.startswith("multipart/form-data; boundary=")
    assert b'name="attachment-1"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n1,2' in body
    assert b'name="attachment-count"\r\n\r\n1' in body


def test_a_url_that_ends_in_mime_gets_the_mail_as_it_came(account: Account) -> None:
    route(account, "catch_all()", 'forward("https://x.example/mime")')
    deliver_inbound(account, MIME)
    (posting,) = account.webhooks.outbox
    fields = form(posting)
    assert fields["body-mime"] == MIME.decode()
    assert "body-plain" not in fields


def test_a_forward_to_an_address_is_delivered_there(account: Account, plain: Domain) -> None:
    route(account, "catch_all()", 'forward("office@x.example, bounce@x.example")')
    deliver_inbound(account, MAIL)
    happened = [(event.record["event"], event.record["recipient"]) for event in plain.events]
    assert happened == [("accepted", SUPPORT), ("delivered", "office@x.example"), ("failed", "bounce@x.example")]
    assert all(event.record["flags"]["is-routed"] for event in plain.events)


def test_all_routes_run_by_priority_until_one_stops(account: Account) -> None:
    last = route(account, "catch_all()", priority=9)
    third = route(account, 'match_header("subject", "help")', "store()", "stop()", priority=3)
    first = route(account, 'match_recipient("support")', priority=1)
    route(account, 'match_recipient("nobody")', priority=2)
    route(account, 'match_recipient("support")', priority=4)
    received = only(deliver_inbound(account, MAIL))
    assert (received.routes, received.actions) == ([first.id, third.id], ["store()", "stop()"])
    other = only(deliver_inbound(account, {**MAIL, "to": f"other@{PLAIN}", "subject": ""}))
    assert other.routes == [last.id]


def test_catch_all_takes_only_what_no_route_before_it_took(account: Account) -> None:
    first = route(account, 'match_recipient("support")')
    rest = route(account, "catch_all()", priority=1)
    assert only(deliver_inbound(account, MAIL)).routes == [first.id]
    assert only(deliver_inbound(account, {**MAIL, "to": f"other@{PLAIN}"})).routes == [rest.id]


def test_the_envelope_goes_before_the_headers(account: Account, plain: Domain) -> None:
    route(account, "catch_all()", "store()")
    received = deliver_inbound(account, MAIL, sender="bounces@x.example", recipients=[f"a@{PLAIN}", f"b@{PLAIN}"])
    assert [one.recipient for one in received] == [f"a@{PLAIN}", f"b@{PLAIN}"]
    assert {message.sender for message in plain.messages.values()} == {"bounces@x.example"}


def test_only_a_wildcard_gets_the_mail_of_its_subdomains(account: Account) -> None:
    assert receiving_domain(account, f"a@deep.down.{NEWS}") is account.domains[NEWS]
    assert receiving_domain(account, f"a@{NEWS.upper()}") is account.domains[NEWS]
    assert receiving_domain(account, f"a@sub.{PLAIN}") is None


@pytest.mark.parametrize(
    ("level", "sender", "allowed"),
    [
        ("everyone", "stranger@x.example", True),
        ("members", "stranger@x.example", False),
        ("members", "Ann@x.example", True),
        ("members", "gone@x.example", False),
        ("readonly", "ann@x.example", False),
    ],
)
def test_a_list_passes_on_what_its_access_level_lets(
    account: Account, plain: Domain, level: str, sender: str, allowed: bool
) -> None:
    members = {
        "ann@x.example": Member("ann@x.example", "Ann"),
        "gone@x.example": Member("gone@x.example", subscribed=False),
    }
    account.lists[SUPPORT] = MailingList(SUPPORT, 0.0, access_level=level, members=members)  # type: ignore[arg-type]  # of the table
    received = only(deliver_inbound(account, {**MAIL, "from": sender}))
    if allowed:
        assert (received.mailing_list, received.refused) == (SUPPORT, "")
        assert [event.record["recipient"] for event in plain.events] == ["ann@x.example"] * 2
    else:
        assert (received.mailing_list, received.refused, kinds(plain)) == ("", NOT_ALLOWED, [])


def test_a_list_and_a_route_of_one_address_both_get_the_mail(account: Account, plain: Domain) -> None:
    account.lists[SUPPORT] = MailingList(
        SUPPORT, 0.0, access_level="everyone", members={"ann@x.example": Member("ann@x.example")}
    )
    route(account, "catch_all()", "store()")
    received = only(deliver_inbound(account, MAIL))
    assert received.mailing_list == SUPPORT
    assert sorted(kinds(plain)) == ["accepted", "accepted", "delivered", "stored"]
