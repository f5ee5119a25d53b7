"""Options of a send that headers set."""

from typing import Any

from mailgun_mcp.policy.option_headers import with_options_of

NAMES = frozenset({"tags", "test_mode", "template", "dkim"})


def options(headers: list[tuple[str, Any]], arguments: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    faults: list[str] = []
    return with_options_of(headers, arguments, NAMES, faults), faults


def test_a_header_stands_for_its_argument() -> None:
    assert options([("X-Mailgun-Template-Name", "welcome"), ("X-Note", "hi")], {"to": ["a"]}) == (
        {"to": ["a"], "template": "welcome"},
        [],
    )


def test_a_flag_is_read_as_a_flag() -> None:
    assert options([("X-Mailgun-Dkim", " Yes "), ("X-Mailgun-Drop-Message", "maybe")], {})[0] == {
        "dkim": True,
        "test_mode": "maybe",
    }


def test_tags_add_up() -> None:
    assert options([("X-Mailgun-Tag", "b"), ("X-Mailgun-Tag", "c")], {"tags": ["a"]}) == ({"tags": ["a", "b", "c"]}, [])


def test_a_contradiction_is_a_fault() -> None:
    assert options([("X-Mailgun-Drop-Message", "no")], {"test_mode": True})[1] == [
        "test_mode: True and False (in the header X-Mailgun-Drop-Message) contradict each other"
    ]


def test_what_the_operation_has_no_argument_for_is_left_out() -> None:
    assert options([("X-Mailgun-Track", "no")], {}) == ({}, [])
