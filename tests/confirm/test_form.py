"""A form shows the exact call: nothing in a value adds lines, and nothing secret is shown."""

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.form import NOTHING, REASON, Binding, Form, Preview, Target, raised, render
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.model import Decision, Level
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from tests.support.operations import catalogue

BINDING = Binding("local", "main", "tool", "request", "policy")
BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


def form(tool: str, arguments: Arguments, level: Level = "ask", preview: Preview = NOTHING) -> Form:
    operation = catalogue().find(tool)
    request = build(operation, arguments, Files(), subaccount=None)
    facts = gather(
        operation,
        arguments,
        Context(account="main", region="eu", principal="local", client="an assistant"),
        request.digest,
    )
    decision = Decision("confirm", "rule", "it removes something", level)
    return render(Target(facts, decision, preview), request, BINDING)


def test_a_form_says_what_is_done_where_why_and_whether_it_can_be_undone() -> None:
    assert form("delete_bounce", BOUNCE, preview=Preview("Nothing is there now.", "digest")).text.splitlines() == [
        "Remove a bounce: ann@example.com (domain mg.example.com).",
        "Risk: destructive.",
        "Account main, region EU, called by local with an assistant",
        "It can be undone with undo_operation.",
        "Asked because it removes something (rule).",
        "Nothing is there now.",
        "DELETE /v3/mg.example.com/bounces/ann%40example.com",
        "  domain: mg.example.com",
        "  address: ann@example.com",
    ]


def test_arguments_stand_in_the_order_of_the_catalogue() -> None:
    message = {"text": "hi", "from": "a@mg.example.com", "to": ["b@mg.example.com"], "domain": "mg.example.com"}
    names = [line.split(":")[0].strip() for line in form("send_message", message).text.splitlines()[-4:]]
    assert names == ["domain", "from", "to", "text"]


def test_a_long_state_of_the_target_leaves_room_for_the_arguments() -> None:
    preview = Preview("\n".join(f"- put back bounce {number}" for number in range(500)), "digest")
    asked = form("delete_bounce", BOUNCE, preview=preview)
    assert len(asked.text) <= 4_000
    assert "more lines)" in asked.text
    assert asked.text.endswith("  address: ann@example.com")


def test_a_form_is_data_as_well() -> None:
    call = form("delete_bounce", BOUNCE).call
    assert (call.target, call.arguments) == ("ann@example.com", BOUNCE)
    assert call.facts == tuple(form("delete_bounce", BOUNCE).text.splitlines()[:6])


@pytest.mark.parametrize(
    ("level", "typed"), [("ask", None), ("typed", "ann@example.com"), ("approval", "ann@example.com")]
)
def test_above_a_plain_question_the_name_of_the_target_is_typed(level: Level, typed: str | None) -> None:
    asked = form("delete_bounce", BOUNCE, level)
    assert asked.typed == typed
    assert (f"To confirm, type: {typed}" in asked.text) == (typed is not None)
    assert asked.schema["properties"]["confirm"]["type"] == ("boolean" if typed is None else "string")


@pytest.mark.parametrize(
    ("level", "higher"),
    [("ask", "typed"), ("typed", "approval"), ("approval", "approval"), ("two_people", "two_people")],
)
def test_where_too_much_would_be_lost_the_level_is_one_higher(level: Level, higher: Level) -> None:
    asked = form("delete_bounce", BOUNCE, level, Preview("Currently there: more than 5 records.", "", too_many=True))
    assert raised(level) == asked.level == higher
    assert "It cannot be undone: there are too many records to save." in asked.text


def test_no_value_writes_a_line_of_its_own() -> None:
    lines = form("create_route", {"expression": "catch_all()", "action": ["stop()"], "description": "x\ny"}).text
    assert "  description: x ⏎ y" in lines.splitlines()


def test_no_password_is_shown() -> None:
    arguments = {"domain": "mg.example.com", "login": "ann", "password": "hunter2hunter2"}
    asked = form("create_smtp_credentials", arguments)
    assert "hunter2" not in f"{asked.text}{asked.call}"


def test_a_binding_is_of_one_call_under_one_policy() -> None:
    others = [Binding(*("other" if at == index else "same" for at in range(5))) for index in range(5)]
    assert len({binding.digest for binding in [Binding(*["same"] * 5), *others]}) == 6


def test_a_client_that_sends_every_field_has_a_text_for_the_reason() -> None:
    assert REASON["default"] == ""
