"""An approval as the page shows it: every line and every argument is there, and only how they look is added."""

from dataclasses import replace
from typing import Any

from mailgun_mcp.confirm.approvals import Answer, Approval, ApprovalStatus
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import BrowserSession
from mailgun_mcp.store.database import Store
from mailgun_mcp.web.approvals.views import LONGEST, MOST, Argument, Line, channel_of, view, visible
from tests.support.state import NOW, TTL, asked, request_approval

ANN = Principal("ann")
FACTS = [
    "Send an email.",
    "Risk: send, bulk. It sends mail.",
    "1 outside the account's domains: bob@gmail.com",
    "It cannot be undone: mail that was sent cannot be called back.",
    "Now there: 2 bounces:",
    "- a",
    "- b",
    "POST /v3/mail.example.com/messages",
]


def approval(store: Store, arguments: dict[str, Any] | None = None) -> Approval:
    made = request_approval(store, asked("typed"))
    return replace(made, details={"facts": FACTS, "arguments": arguments or {}, "target": "x"})


def test_every_line_of_the_form_is_shown_with_what_it_is_about(store: Store) -> None:
    shown = view(approval(store), ANN, "page", NOW + 60)
    assert (shown.headline, shown.request) == ("Send an email", "POST /v3/mail.example.com/messages")
    assert shown.lines == (
        Line(FACTS[1], "risk"),
        Line(FACTS[2], "outside"),
        Line(FACTS[3], "final"),
        Line(FACTS[4], "fact", ("a", "b")),
    )
    assert (shown.risk, shown.bulk, shown.seconds_left, shown.span) == ("send", True, TTL - 60, TTL)
    assert (shown.open, shown.status, shown.missing, shown.why_not) == (True, "Waits for an answer", 1, None)


def test_arguments_are_whole_and_what_is_left_out_of_huge_ones_is_said(store: Store) -> None:
    many = [f"{number}@example.com" for number in range(MOST + 5)]
    values = {"a": "x", "b": "y\nz", "c": "x" * (LONGEST + 1), "d": ["p", "q"], "e": many, "f": {"g": 1}, "h": []}
    shown = {one.name: one for one in view(approval(store, values), ANN, "page", NOW).arguments}
    assert shown["a"] == Argument("a", "x")
    assert shown["b"] == Argument("b", "y\nz", long=True)
    assert (shown["c"].text, shown["c"].note) == ("x" * LONGEST, "20,001 characters, the first 20,000 are shown")
    assert shown["d"] == Argument("d", None, ("p", "q"))
    assert (len(shown["e"].items), shown["e"].note) == (MOST, "1,005 items, 5 of them not shown here")
    assert (shown["f"].text, shown["h"].text) == ('{"g": 1}', "[]")


def test_an_approval_of_an_older_version_has_the_text_of_its_form(store: Store) -> None:
    shown = view(replace(approval(store), details={}), ANN, "page", NOW)
    assert (shown.headline, shown.lines, shown.arguments) == ("Delete a domain", (), ())
    assert shown.request == "DELETE /v3/domains/mail.example.com"


def test_an_approval_that_time_ended_is_not_said_to_be_ended_by_people(store: Store) -> None:
    given = replace(approval(store), answers=(Answer("ann", NOW, True),))
    statuses: tuple[ApprovalStatus, ...] = ("approved", "used", "denied", "expired", "stale", "withdrawn")
    by_people = {status: view(replace(given, status=status), ANN, "page", NOW).by_people for status in statuses}
    assert by_people == {
        **dict.fromkeys(("approved", "used", "denied"), True),
        **dict.fromkeys(("expired", "stale", "withdrawn"), False),
    }


def test_a_person_sees_the_accounts_that_they_may_answer_for(store: Store) -> None:
    scopes = parse_scopes(["approve"])
    approvals = [approval(store)]
    assert visible(approvals, Principal("ann", access=Access(scopes, accounts=("main",)))) == approvals
    assert visible(approvals, Principal("ann", access=Access(scopes, accounts=("other",)))) == []


def test_a_link_stands_for_the_terminal_that_printed_it() -> None:
    assert channel_of(BrowserSession(ANN, "link", NOW)) == "terminal"
    assert channel_of(BrowserSession(ANN, "issuer", NOW)) == "page"
