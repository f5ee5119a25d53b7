"""Route expressions hold for the mail they describe; actions get what was captured."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.request.route_language import (
    RouteAction,
    RouteInput,
    RouteSyntaxError,
    parse_action,
    parse_expression,
)

MAIL = RouteInput(
    "chris+news@example.com", {"subject": "Urgent: help wanted", "content-language": "en-US"}, caught=False
)
CAUGHT = RouteInput(MAIL.recipient, MAIL.headers, caught=True)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ('match_recipient(".*@example.com")', True),
        (r'match_recipient("^chris\+(.*)@example.com$")', True),
        ('match_recipient("CHRIS.*")', True),
        ('match_recipient("news@example.com")', False),
        ('match_header("subject", ".*help")', True),
        ("match_header('Subject', '(.*)(urgent|asap)(.*)')", True),
        ('match_header("subject", "help")', False),
        ('match_header("x-none", ".*")', False),
        ("catch_all()", True),
        ("match_recipient('.*') and match_header('content-language', '.*en-US')", True),
        ("match_recipient('.*') AND match_header('content-language', 'de')", False),
        ("match_recipient('nobody') or match_header('subject', 'urgent')", True),
        ("match_recipient('nobody') and catch_all() or catch_all()", True),
        ("match_recipient('nobody') and (catch_all() or catch_all())", False),
        ('  match_recipient ( "chris.*" )  ', True),
        (r'match_recipient("chris\"?.*")', True),
    ],
)
def test_expressions_hold_for_the_mail_they_describe(expression: str, holds: bool) -> None:
    assert (parse_expression(expression).match(MAIL) is not None) is holds


def test_catch_all_leaves_what_another_route_took() -> None:
    assert parse_expression("catch_all()").match(CAUGHT) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "match_recipient",
        "match_recipient(",
        "match_recipient()",
        'match_recipient("a", "b")',
        'match_recipient("(")',
        "match_recipient(.*)",
        'match_header("subject")',
        'match_sender("a")',
        'not match_recipient("a")',
        'match_recipient("a") match_recipient("b")',
        'match_recipient("a") and',
        '(match_recipient("a")',
        "(" * 4000,
        'forward("a@x.example")',
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(RouteSyntaxError):
        parse_expression(expression)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ('forward("a@x.example")', RouteAction("forward", ("a@x.example",))),
        (
            'forward("https://x.example/in, a@x.example")',
            RouteAction("forward", ("https://x.example/in", "a@x.example")),
        ),
        ("store()", RouteAction("store")),
        ('store(notify="https://x.example/new")', RouteAction("store", ("https://x.example/new",))),
        ("stop()", RouteAction("stop")),
    ],
)
def test_actions_are_read_and_written(text: str, action: RouteAction) -> None:
    assert parse_action(text) == action
    assert str(action) == text


@pytest.mark.parametrize("text", ["forward()", 'forward("")', "stop", 'stop("now")', 'delete("a")', "catch_all()", ""])
def test_what_is_no_action_is_refused(text: str) -> None:
    with pytest.raises(RouteSyntaxError):
        parse_action(text)


def test_captures_go_into_the_targets() -> None:
    expression = parse_expression(
        r'match_recipient("(?P<user>.*?)\+(.*)@(?P<host>.*)") and match_header("subject", "(u)")'
    )
    captures = expression.match(MAIL)
    assert captures is not None
    action = parse_action(r'forward("https://x.example/\g<host>/\g<user>?box=\2&none=\9\g<nobody>")')
    assert action.filled_in(captures).targets == ("https://x.example/example.com/chris?box=news&none=",)


@given(st.text(alphabet="match_recipient()\"',\\ andor.*stop=", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_expression, parse_action):
        with suppress(RouteSyntaxError):
            assert parse(text) == parse(text)
