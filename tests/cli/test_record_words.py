"""A recorded call and a saved copy are read as sentences and lists, never as JSON."""

from typing import Any

import pytest

from mailgun_mcp.cli.record_words import OUTCOMES, call_lines, created, resource_lines, snapshot_lines, value_lines

CALL: dict[str, Any] = {
    "id": "3r5u7c6epswn",
    "when": "2026-03-07T22:30:00Z",
    "outcome": "done",
    "tool": "add_bounces",
    "risk": "write",
    "principal": "kim",
    "client": "zed",
    "account": "production",
    "endpoint": "https://api.mailgun.net",
    "key": "6ed24f51",
    "region": "us",
    "policy": ["guarded", "1198f1"],
    "digest": "36e030",
    "decision": {"effect": "confirm", "rule": "guarded/bulk", "reason": "it is large", "level": "typed"},
    "confirmation": {"level": "typed", "by": "kim", "method": "approval"},
    "grants": ["until 2026-03-07T23:00:00Z kim allows calls with {'tool': 'add_*'}"],
    "untrusted": {"age": 75.2},
    "snapshot": {"copied": True, "records": 1},
    "status": 200,
    "ms": 57.5,
    "attempts": 2,
    "arguments": {"domain": "mg.example.com", "bounces": [{"address": "a@b.example", "error": "no\nuser"}], "tags": []},
}


def test_a_call_is_one_fact_a_line() -> None:
    assert list(call_lines(CALL)) == [
        "id           3r5u7c6epswn",
        "when         2026-03-07T22:30:00Z",
        "tool         add_bounces, risk write",
        "by           kim, with the client zed",
        "account      production at https://api.mailgun.net",
        "API key      its fingerprint starts with 6ed24f51",
        "region       us",
        "decision     confirm (typed) by the rule guarded/bulk: it is large",
        "confirmed    by kim, by approval, at the level typed",
        "grants       until 2026-03-07T23:00:00Z kim allows calls with {'tool': 'add_*'}",
        "third party  their text had been shown 75 seconds before",
        "saved        a copy of 1 record",
        "outcome      done",
        "answer       HTTP 200, after 57.5 ms, in 2 attempts",
        "policy       guarded, digest 1198f1",
        "request      digest 36e030",
        "arguments",
        "  domain: mg.example.com",
        "  bounces:",
        "    1.",
        "      address: a@b.example",
        "      error: no\\nuser",
        "  tags: none",
    ]


def test_facts_that_are_missing_have_no_line() -> None:
    assert list(call_lines({"id": "a", "when": "b", "outcome": "pending", "argument_names": ["to", "text"]})) == [
        "id           a",
        "when         b",
        f"outcome      {OUTCOMES['pending']}",
        "arguments    to, text (--values shows what they were)",
    ]
    untold = {**CALL, "untrusted": {"age": None}, "snapshot": {"copied": True, "records": 0}, "client": ""}
    lines = list(call_lines(untold))
    assert "saved        nothing: it did not exist before" in lines
    assert "by           kim" in lines
    assert not any(line.startswith("third party") for line in lines)


@pytest.mark.parametrize(
    ("reached", "line"),
    [
        ({"count": 1, "names": ["eve@evil.example"]}, "reached      eve@evil.example"),
        ({"count": 900, "names": ["a@b.example", "c.example"]}, "reached      a@b.example, c.example, 898 more"),
        ({"count": 3, "domains": ["b.example"]}, "reached      b.example"),
    ],
)
def test_whom_a_call_reached_is_said(reached: dict[str, Any], line: str) -> None:
    assert line in list(call_lines({"id": "x", "when": "y", "outcome": "done", "reached": reached}))


def test_an_outcome_starts_with_the_word_that_a_list_is_filtered_by() -> None:
    assert {outcome: text.partition(":")[0] for outcome, text in OUTCOMES.items()} == {name: name for name in OUTCOMES}


def test_what_was_too_large_to_copy_is_said() -> None:
    lines = list(call_lines({**CALL, "snapshot": {"copied": False, "records": 200000}}))
    assert "saved        nothing: 200,000 records are too many to copy, so it cannot be undone" in lines


def test_a_saved_copy_has_a_line_for_each_value() -> None:
    bounce = {"resource": "bounce", "in": {"domain": "mg.example.com"}, "key": "a@b.example", "value": {"code": "550"}}
    assert list(resource_lines(bounce)) == ["\nsaved: bounce a@b.example (domain: mg.example.com)", "  code: 550"]
    route: dict[str, Any] = {"resource": "route", "in": {}, "key": "7f", "value": None}
    assert list(resource_lines(route)) == ["\nsaved: route 7f", "  (did not exist; an undo removes it)"]
    plan = {"resource": "ip_pool", "in": {}, "key": "x", "value": "y"}
    assert list(resource_lines(plan)) == ["\nsaved: ip pool x", "  value: y"]


def test_what_a_call_created_is_named() -> None:
    routes = [{"resource": "route", "key": str(number)} for number in range(3)]
    assert created(iter(routes[:1])) == "new: route 0"
    assert created(iter(routes)) == "new: route 0, route 1, …"
    assert created(iter(())) == ""


def test_an_undo_says_until_when_it_is_possible() -> None:
    record = {"id": "a", "tool": "create_route", "created": "b", "account": "us", "status": "saved", "until": "c"}
    record |= {"outcome": "done"}
    assert list(snapshot_lines({**record, "summary": ""})) == [
        "id           a",
        "tool         create_route",
        "when         b",
        "account      us",
        "outcome      done",
        "undo         possible until c",
        "saved        nothing: the call created what is named below",
    ]
    assert "undo         done" in list(snapshot_lines({**record, "status": "undone", "summary": "route 7f"}))


def test_values_are_indented_by_their_depth() -> None:
    assert list(value_lines([[1, True], {}, {"a": [{"b": None}]}])) == [
        "  1. 1, yes",
        "  2. none",
        "  3.",
        "    a:",
        "      1.",
        "        b:",
    ]
