"""Who may say yes to a call, on which channel."""

import pytest

from mailgun_mcp.confirm.answering import AnswerChannel, may_see, why_not
from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.policy.model import LEVELS, Level
from mailgun_mcp.store.database import Store
from tests.support.state import NOW, asked, request_approval

APPROVER = Access(parse_scopes(["approve"]))
CHANNELS: tuple[AnswerChannel, ...] = ("terminal", "page", "chat", "api")


def waiting(store: Store, level: Level = "approval") -> Approval:
    return request_approval(store, asked(level, principal="ann", request=level))


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("level", LEVELS)
def test_somebody_else_who_may_approve_may(store: Store, level: Level, channel: AnswerChannel) -> None:
    assert why_not(waiting(store, level), Principal("ben", access=APPROVER), channel) is None


def test_whoever_made_the_call_answers_only_where_the_client_could_have_asked(store: Store) -> None:
    ann = Principal("Ann", access=APPROVER)
    allowed = {
        (level, channel)
        for level in LEVELS
        for channel in CHANNELS
        if why_not(waiting(store, level), ann, channel) is None
    }
    terminal = {(level, "terminal") for level in LEVELS}
    assert allowed == terminal | {(level, channel) for level in ("ask", "typed") for channel in ("page", "chat")}


def test_the_scope_the_account_and_a_name_are_needed(store: Store) -> None:
    approval = waiting(store)
    people = [
        ANONYMOUS,
        Principal("ben", access=Access(parse_scopes(["read", "destructive"]))),
        Principal("ben", access=Access(APPROVER.scopes, accounts=("other",))),
        Principal("ben", access=Access(APPROVER.scopes, domains=("*",))),
    ]
    assert [why_not(approval, person, "page") is None for person in people] == [False] * 4
    assert [may_see(approval, person.access) for person in people[1:]] == [False] * 3
    assert may_see(approval, Access(APPROVER.scopes, accounts=("main",)))


def test_a_program_relays_for_others_and_never_for_its_own_calls(store: Store) -> None:
    ben = Principal("ben", access=APPROVER)
    assert why_not(waiting(store), ben, "api", relay="bot") is None
    assert why_not(waiting(store, "ask"), Principal("ann", access=APPROVER), "api", relay="bot") is None
    assert "somebody else" in str(why_not(waiting(store), Principal("ann", access=APPROVER), "api", relay="bot"))
    assert "with the token of Ann" in str(why_not(waiting(store, "ask"), ben, "api", relay="Ann"))


def test_nobody_approves_twice(store: Store) -> None:
    approval = waiting(store, "two_people")
    approval = Approvals(store).approve(approval.id, by="ben", now=NOW, typed=approval.typed)
    assert "second person" in str(why_not(approval, Principal("BEN", access=APPROVER), "page"))
    assert why_not(approval, Principal("kim", access=APPROVER), "page") is None
