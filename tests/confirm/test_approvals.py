"""Held calls: who may answer, what a yes is good for, and how it ends."""

import string
from dataclasses import replace

import pytest

from mailgun_mcp.confirm.approvals import Answer, Approval, Approvals, ApprovalStatus
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.policy.model import LEVELS, Level
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.ids import ALPHABET
from tests.support.apps import put_unused_state
from tests.support.engines import on_both_engines
from tests.support.state import NOW, TTL, asked, granted, request_approval

pytestmark = on_both_engines

NAME = "mail.example.com"


@pytest.fixture(autouse=True)
def _tables_are_there(store: Store, state_url: str | None) -> None:
    if state_url is None:
        put_unused_state(store.directory)


def approved(store: Store, level: Level = "ask", **changes: str) -> Approval:
    """A call that has the yes that it needs."""
    approval = request_approval(store, asked(level, **changes))
    for by in ("ann", "bob") if level == "two_people" else ("ann",):
        approval = Approvals(store).approve(approval.id, by=by, now=NOW, typed=approval.typed)
    return approval


def ended(store: Store, status: ApprovalStatus) -> Approval:
    """A call that no longer waits for an answer, as it is at NOW."""
    approval = request_approval(store, asked()) if status in ("denied", "stale") else approved(store)
    match status:
        case "denied":
            return Approvals(store).deny(approval.id, by="ann", now=NOW)
        case "stale":
            request_approval(store, asked(preview="changed"))
        case "used":
            assert Approvals(store).consume(approval.id, NOW)
        case "expired":
            return Approvals(store).get(approval.id, NOW + TTL)
    return Approvals(store).get(approval.id, NOW)


def test_a_pending_call_says_all_that_a_person_needs(store: Store) -> None:
    form = asked("typed")
    approval = request_approval(store, form)
    assert approval == Approval(
        id=approval.id,
        created=NOW,
        expires=NOW + TTL,
        status="pending",
        tool="delete_domain",
        title="Delete a domain",
        text=form.text,
        level="typed",
        typed=NAME,
        account="main",
        principal="local",
        client="tests",
        binding=form.binding.digest,
        preview="seen",
        answers=(),
        details={
            **{"target": "", "facts": [], "arguments": {}, "recipients": [], "recipient_count": 0},
            **{"senders": [], "destinations": []},
        },
    )
    assert Approvals(store).get(approval.id, NOW) == approval
    assert Approvals(store).list(NOW) == (approval,)


def test_ids_are_short_readable_and_never_the_same(store: Store) -> None:
    ids = [request_approval(store, asked(request=str(number))).id for number in range(50)]
    assert len(set(ids)) == 50
    assert {len(name) for name in ids} == {8}
    assert set("".join(ids)) <= set(ALPHABET) <= set(string.ascii_lowercase + string.digits) - set("il1o0")


def test_what_a_program_is_shown_is_not_what_the_yes_is_bound_by(store: Store) -> None:
    record = approved(store, "typed").record
    assert record == {
        "id": record["id"],
        "status": "approved",
        "tool": "delete_domain",
        "title": "Delete a domain",
        "text": asked().text,
        "level": "typed",
        "typed": NAME,
        "account": "main",
        "principal": "local",
        "client": "tests",
        "target": NAME,
        "created": "2027-01-15T08:00:00Z",
        "expires": "2027-01-15T08:10:00Z",
        "answers": [{"by": "ann", "at": "2027-01-15T08:00:00Z", "yes": True}],
    }


def test_the_same_call_has_one_pending_approval(store: Store) -> None:
    first = request_approval(store, asked())
    assert request_approval(store, asked(), NOW + 60) == first
    assert Approvals(store).list(NOW) == (first,)


@pytest.mark.parametrize("other", [asked(request="other"), asked(principal="someone")], ids=["request", "principal"])
def test_another_call_has_its_own_pending_approval(store: Store, other: Form) -> None:
    first, second = request_approval(store, asked()), request_approval(store, other)
    assert Approvals(store).list(NOW, "pending") == tuple(sorted((first, second), key=lambda one: one.id))


def test_a_call_needs_another_approval_when_its_target_changed(store: Store) -> None:
    first, second = request_approval(store, asked()), request_approval(store, asked(preview="changed"))
    assert Approvals(store).list(NOW, "pending") == (second,)
    assert Approvals(store).get(first.id, NOW) == replace(first, status="stale")


@pytest.mark.parametrize("level", LEVELS)
def test_a_yes_lets_the_call_through_once_and_names_who_gave_it(store: Store, level: Level) -> None:
    approval = approved(store, level)
    people = ("ann", "bob") if level == "two_people" else ("ann",)
    assert approval.answers == tuple(Answer(by, NOW, True) for by in people)
    assert granted(store, asked(level)) == approval
    assert [Approvals(store).consume(approval.id, NOW) for _ in range(3)] == [True, False, False]
    assert granted(store, asked(level)) is None
    assert Approvals(store).get(approval.id, NOW) == replace(approval, status="used")


@pytest.mark.parametrize(
    "other",
    [asked(request="other"), asked(principal="someone")],
    ids=["another request", "another principal"],
)
def test_a_yes_is_good_for_no_other_call(store: Store, other: Form) -> None:
    approval = approved(store)
    assert granted(store, other) is None
    assert Approvals(store).get(approval.id, NOW) == approval


def test_a_yes_is_stale_when_the_target_changed_since(store: Store) -> None:
    approval = approved(store)
    assert granted(store, asked(preview="changed")) is None
    assert granted(store, asked()) is None
    assert Approvals(store).get(approval.id, NOW).status == "stale"
    assert not Approvals(store).consume(approval.id, NOW)
    assert Approvals(store).has_outdated(asked().binding.digest)


def test_what_nobody_approved_is_not_outdated(store: Store) -> None:
    request_approval(store, asked("ask"))
    request_approval(store, asked("typed"))
    assert not Approvals(store).has_outdated(asked().binding.digest)


@pytest.mark.parametrize("given", LEVELS)
@pytest.mark.parametrize("needed", LEVELS)
def test_a_yes_is_good_where_no_more_is_asked_of_a_person(store: Store, given: Level, needed: Level) -> None:
    approved(store, given)
    assert (granted(store, asked(needed)) is not None) == (LEVELS.index(given) >= LEVELS.index(needed))


@pytest.mark.parametrize("first", LEVELS)
@pytest.mark.parametrize("then", LEVELS)
def test_a_pending_approval_stays_until_a_person_must_do_more(store: Store, first: Level, then: Level) -> None:
    before, after = request_approval(store, asked(first)), request_approval(store, asked(then))
    same = LEVELS.index(first) >= LEVELS.index(then)
    assert (before.id == after.id) == same
    assert Approvals(store).list(NOW, "stale") == (() if same else (replace(before, status="stale"),))


def test_nothing_is_granted_before_the_yes(store: Store) -> None:
    approval = request_approval(store, asked())
    assert granted(store, asked()) is None
    assert not Approvals(store).consume(approval.id, NOW)


def test_two_people_have_to_be_two(store: Store) -> None:
    approval = request_approval(store, asked("two_people"))
    once = Approvals(store).approve(approval.id, by="ann", now=NOW, typed=NAME)
    assert (once.status, once.people) == ("pending", "ann")
    assert granted(store, asked("two_people")) is None
    for again in ("ann", " ann ", "ANN", "\uff41\uff4e\uff4e"):
        with pytest.raises(StateError, match="a second person must approve it"):
            Approvals(store).approve(approval.id, by=again, now=NOW, typed=NAME)
    twice = Approvals(store).approve(approval.id, by="bob", now=NOW, typed=NAME)
    assert (twice.status, twice.people) == ("approved", "ann and bob")


@pytest.mark.parametrize("by", ["", " \n"])
def test_nobody_approves_nothing(store: Store, by: str) -> None:
    approval = request_approval(store, asked())
    with pytest.raises(StateError, match="needs the name of the person"):
        Approvals(store).approve(approval.id, by=by, now=NOW)
    assert Approvals(store).get(approval.id, NOW) == approval


@pytest.mark.parametrize("typed", [None, "", "  ", "mail.example.co", "MAIL.example.com", "yes"])
@pytest.mark.parametrize("level", [level for level in LEVELS if level != "ask"])
def test_a_wrong_name_is_no_yes(store: Store, level: Level, typed: str | None) -> None:
    approval = request_approval(store, asked(level))
    with pytest.raises(StateError, match=f"wrong name: .* {NAME}"):
        Approvals(store).approve(approval.id, by="ann", now=NOW, typed=typed)
    assert Approvals(store).get(approval.id, NOW) == approval


def test_a_name_may_stand_in_a_line_of_its_own(store: Store) -> None:
    approval = request_approval(store, asked("typed"))
    assert Approvals(store).approve(approval.id, by="ann", now=NOW, typed=f" {NAME}\n").status == "approved"


@pytest.mark.parametrize("typed", [None, "", " "])
def test_a_target_without_a_visible_name_is_never_approved_by_typing_nothing(store: Store, typed: str | None) -> None:
    approval = request_approval(store, replace(asked("typed"), typed=" "))
    with pytest.raises(StateError, match="wrong name"):
        Approvals(store).approve(approval.id, by="ann", now=NOW, typed=typed)


def test_one_no_ends_it_also_after_a_yes(store: Store) -> None:
    waiting, ready = request_approval(store, asked(request="waiting")), approved(store)
    for approval in (waiting, ready):
        denied = Approvals(store).deny(approval.id, by="bob", now=NOW)
        answers = (*approval.answers, Answer("bob", NOW, False))
        assert denied == replace(approval, status="denied", answers=answers)
        assert not Approvals(store).consume(approval.id, NOW)
    assert granted(store, asked()) is None


ENDINGS: dict[ApprovalStatus, str] = {
    "denied": "has been denied",
    "used": "was approved by ann and has been used",
    "expired": "has expired",
    "stale": "is about a target that has changed since",
}


@pytest.mark.parametrize("status", ENDINGS)
@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_what_is_over_cannot_be_answered_and_says_why(store: Store, status: ApprovalStatus, answer: str) -> None:
    approval = ended(store, status)
    assert approval.status == status
    now = NOW + TTL if status == "expired" else NOW
    done = {"approve": "approved", "deny": "denied"}[answer]
    with pytest.raises(StateError, match=f"^approval {approval.id} {ENDINGS[status]}.* no longer be {done}$"):
        getattr(Approvals(store), answer)(approval.id, by="bob", now=now)
    assert Approvals(store).get(approval.id, now) == approval


def test_a_no_after_a_yes_is_told_of_who_said_no(store: Store) -> None:
    approval = approved(store)
    denied = Approvals(store).deny(approval.id, by="bob", now=NOW)
    assert denied.people == "bob"
    with pytest.raises(StateError, match="has been denied by bob: "):
        Approvals(store).approve(approval.id, by="carol", now=NOW)


def test_what_is_approved_says_by_whom_when_approved_again(store: Store) -> None:
    approval = approved(store)
    with pytest.raises(StateError, match="has already been approved by ann"):
        Approvals(store).approve(approval.id, by="bob", now=NOW)


def test_an_approval_expires_with_or_without_a_yes(store: Store) -> None:
    waiting, ready = request_approval(store, asked(request="waiting")), approved(store)
    before, after = NOW + TTL - 0.001, NOW + TTL
    assert {one.status for one in Approvals(store).list(before)} == {"pending", "approved"}
    assert granted(store, asked(), before) == ready
    assert {one.status for one in Approvals(store).list(after)} == {"expired"}
    assert not Approvals(store).consume(ready.id, after)
    assert granted(store, asked(), after) is None
    with pytest.raises(StateError, match="has expired"):
        Approvals(store).approve(waiting.id, by="ann", now=after)


def test_a_clock_that_is_set_back_revives_nothing(store: Store) -> None:
    approval = approved(store)
    assert granted(store, asked(), NOW + TTL) is None
    assert granted(store, asked(), NOW) is None
    assert Approvals(store).get(approval.id, NOW).status == "expired"


def test_after_it_expires_the_call_needs_another_approval(store: Store) -> None:
    first = request_approval(store, asked())
    second = request_approval(store, asked(), NOW + TTL)
    assert first.id != second.id
    assert Approvals(store).list(NOW + TTL, "pending") == (second,)


def test_an_unknown_id_names_what_waits(store: Store) -> None:
    approval = request_approval(store, asked())
    typo = approval.id[:-1] + "!"
    message = f"unknown approval '{typo}': did you mean '{approval.id}'"
    with pytest.raises(UnknownNameError, match=message):
        Approvals(store).get(typo, NOW)
    with pytest.raises(UnknownNameError, match=message):
        Approvals(store).approve(typo, by="ann", now=NOW)
    with pytest.raises(UnknownNameError, match=message):
        Approvals(store).deny(typo, by="ann", now=NOW)
    assert not Approvals(store).consume(typo, NOW)


def test_what_is_long_over_is_forgotten(store: Store) -> None:
    old = request_approval(store, asked(request="old"))
    new = request_approval(store, asked(), NOW + 500 * 86_400)
    assert Approvals(store).list(NOW + 500 * 86_400) == (new,)
    with pytest.raises(UnknownNameError):
        Approvals(store).get(old.id, NOW)


def test_a_no_has_a_reason_for_as_long_as_the_approval_would_have_lasted(store: Store) -> None:
    approval = request_approval(store, asked())
    denied = Approvals(store).deny(approval.id, by="ann", now=NOW, reason=" use the other domain ")
    assert denied.record["answers"][0]["reason"] == "use the other domain"
    answer = Approvals(store).last_denial(approval.binding, NOW + 1)
    assert answer == Answer("ann", NOW, False, "use the other domain")
    assert Approvals(store).last_denial(approval.binding, NOW + TTL) is None
    assert Approvals(store).last_denial("other", NOW) is None


def test_of_two_noes_to_a_call_the_newer_one_counts(store: Store) -> None:
    for reason in ("first", "second"):
        approval = request_approval(store, asked(), NOW + len(reason))
        Approvals(store).deny(approval.id, by="ann", now=NOW + len(reason), reason=reason)
    answer = Approvals(store).last_denial(approval.binding, NOW + 10)
    assert answer is not None
    assert answer.reason == "second"


def test_a_list_of_one_status_takes_time_into_account(store: Store) -> None:
    waiting, late = (request_approval(store, asked(request=str(ttl)), ttl=ttl) for ttl in (TTL, 1.0))
    assert {one.id for one in Approvals(store).list(NOW, "pending")} == {waiting.id, late.id}
    assert [one.id for one in Approvals(store).list(NOW + 2, "pending")] == [waiting.id]
    assert [one.id for one in Approvals(store).list(NOW + 2, "expired")] == [late.id]
