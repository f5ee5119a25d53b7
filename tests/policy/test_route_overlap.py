"""Whether one mail can match two routes, and what they do together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.policy.route_overlap import (
    MANY_TOGETHER,
    TAKES_OVER,
    UNKNOWN_ROUTES,
    ExistingRoute,
    may_overlap,
    new_route,
    of_other_routes,
)
from mailgun_mcp.policy.route_reach import MOST_TARGETS
from mailgun_mcp.request.route_language import RouteInput, RouteSyntaxError, parse_expression

FEW = [f"person{number}@example.org" for number in range(MOST_TARGETS)]
ANN, BEN = 'match_recipient("ann@mg.example.com")', 'match_recipient("ben@mg.example.com")'


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (ANN, ANN, True),
        (ANN, BEN, False),
        (ANN, 'match_recipient("^ANN@mg\\.example\\.com$")', True),
        (ANN, 'match_recipient("a.n@mg.example.com")', True),
        (ANN, 'match_recipient("ann@mg.example")', True),
        (ANN, 'match_recipient("joann@mg.example.com")', True),
        (ANN, 'match_recipient("^a.*@mg.example.com$")', True),
        (ANN, 'match_recipient("ann")', True),
        ('match_recipient("ann@")', 'match_recipient("@mg.example.com")', True),
        ('match_recipient("joann@mg.ex")', ANN, True),
        ('match_recipient("ann@")', 'match_recipient("ben@")', False),
        (ANN, "catch_all()", True),
        (ANN, 'match_header("subject", "hi")', True),
        (ANN, f'{BEN} and match_header("subject", "hi")', False),
        (f'{BEN} and match_header("subject", "hi")', ANN, False),
        (ANN, f"{BEN} or {ANN}", True),
        (f"{BEN} or {BEN}", ANN, False),
        (ANN, "no route", True),
    ],
)
def test_two_routes_overlap_unless_their_recipients_differ_for_certain(one: str, other: str, overlap: bool) -> None:
    assert may_overlap(one, other) is overlap
    assert may_overlap(other, one) is overlap


PATTERNS = st.lists(st.sampled_from(["a", "b", ".", "@", "^", "$", "*", "[ab]", "(a|b)", "\\."]), max_size=6).map(
    "".join
)
EXPRESSIONS = st.recursive(
    PATTERNS.map(lambda pattern: f'match_recipient("{pattern}")') | st.just("catch_all()"),
    lambda parts: st.builds("({}) {} ({})".format, parts, st.sampled_from(["and", "or"]), parts),
    max_leaves=3,
)


@given(EXPRESSIONS, EXPRESSIONS, st.text("ab@.", max_size=5))
def test_whatever_matches_two_routes_is_an_overlap(one: str, other: str, recipient: str) -> None:
    mail = RouteInput(recipient, {}, caught=False)
    try:
        both = [parse_expression(text).match(mail) is not None for text in (one, other)]
    except RouteSyntaxError:
        both = [True, True]
    assert may_overlap(one, other) or both != [True, True]


def test_the_addresses_of_a_route_are_those_that_it_forwards_to() -> None:
    actions = (
        'forward("ann@example.org, ben@example.org")',
        'forward("https://user@hooks.example/x")',
        "store(notify='https://a.example')",
        "forward(cid@example.org)",
    )

    assert ExistingRoute("catch_all()", actions, 0).addresses == {
        *("ann@example.org", "ben@example.org", "cid@example.org")
    }


@pytest.mark.parametrize(
    ("expression", "caught"),
    [("catch_all()", True), (f"{ANN} or catch_all()", True), (ANN, False), ("catch_all(", True)],
)
def test_a_route_that_catches_the_rest_is_known(expression: str, caught: bool) -> None:
    assert ExistingRoute(expression, (), 0).catches_all is caught


def route(expression: str, *actions: str, priority: float = 0) -> ExistingRoute:
    return ExistingRoute(expression, actions, priority)


def test_targets_of_all_routes_for_one_mail_are_counted_together_each_once() -> None:
    five = f'forward("{", ".join(FEW[:5])}")'
    new = ("match_recipient('a@mg.example.com')", 0, ["six@example.org", *FEW[5:]])
    same = route("match_recipient('.*@mg.example.com')", five, "store(notify='https://a.example')", "stop()")

    assert of_other_routes(*new, [same]) == (MANY_TOGETHER,)
    assert of_other_routes(*new, [route("match_recipient('b@mg.example.com')", five)]) == ()
    assert of_other_routes(new[0], 0, FEW, [same]) == ()
    assert of_other_routes(new[0], 0, [], [route("match_recipient('a@')", five, five)]) == ()


def test_routes_that_cannot_be_read_count_as_the_worst() -> None:
    assert of_other_routes("match_recipient('a@mg.example.com')", 0, [], None) == (UNKNOWN_ROUTES,)


def test_a_route_before_a_catch_all_takes_its_mail() -> None:
    def reasons(expression: str, priority: float, other: float) -> tuple[object, ...]:
        return of_other_routes(expression, priority, [], [route("catch_all()", "stop()", priority=other)])

    assert reasons("match_recipient('a@mg.example.com')", 0, 10) == (TAKES_OVER,)
    assert reasons("match_header('subject', '.*')", 10, 10) == (TAKES_OVER,)
    assert reasons("catch_all()", 5, 10) == (TAKES_OVER,)
    assert reasons("match_recipient('a@mg.example.com')", 11, 10) == ()


def test_a_note_of_a_route_has_what_adds_up_and_no_url() -> None:
    actions = (
        'forward("Ann@Example.org, ben@example.org")',
        'forward("https://hooks.example/x?token=s3cret")',
        "stop()",
    )
    made = new_route({"expression": ANN, "action": list(actions), "priority": 3})
    noted = ExistingRoute.from_note(made.note)
    assert (noted.expression, noted.priority, noted.addresses) == (ANN, 3, made.addresses)
    assert len(noted.addresses) == 2
    assert "hooks" not in made.note


@pytest.mark.parametrize("arguments", [{}, {"expression": None, "action": "stop()", "priority": "first"}])
def test_a_route_of_arguments_that_nobody_has_validated_has_a_note(arguments: dict[str, Any]) -> None:
    assert ExistingRoute.from_note(new_route(arguments).note).priority == 0
