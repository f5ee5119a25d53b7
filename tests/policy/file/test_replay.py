"""A policy decides again on the calls of an audit log, as the server would have."""

import json
from typing import Any

import httpx
import pytest

from mailgun_mcp.audit.log import CallFilter
from mailgun_mcp.cli.audit import record_of
from mailgun_mcp.policy.file.replay import ReplayError, replay
from tests.support.calls import run
from tests.support.operations import catalogue
from tests.support.policies import policy
from tests.support.recorder import Clock, Recorder, recorded_services

READ_MAIL: dict[str, Any] = {
    "tool": "get_stored_message",
    "arguments": {"domain": "a.example.com", "storage_key": "k"},
}
NEVER: dict[str, Any] = {"untrusted": {"age": None}}
SEND: dict[str, Any] = {
    "tool": "send_message",
    "arguments": {"domain": "a.example.com", "to": ["x@example.com"]},
    **NEVER,
}


def replayed(text: str, *entries: dict[str, Any]) -> list[str]:
    """Return the effect of each entry, with a mark where it differs from what was recorded."""
    lines = [json.dumps(entry) for entry in entries]
    calls = replay(lines, policy(text), catalogue())
    return [f"{call.decision.effect if call.decision else None}{'*' if call.differs else ''}" for call in calls]


def test_a_replay_knows_what_came_before_each_call() -> None:
    assert replayed(
        "extends: guarded\nsend: {recipients_per_hour: 2, duplicate_window: 10m}",
        {**SEND, "when": "2026-01-01T09:00:00Z", "decision": "allow"},
        {**SEND, "when": "2026-01-01T09:05:00Z", "decision": "allow"},
        {**SEND, "when": "2026-01-01T09:30:00Z", "decision": {"effect": "deny", "rule": "send/recipients_per_hour"}},
        {**READ_MAIL, "when": "2026-01-01T11:00:00Z"},
        {**SEND, "when": "2026-01-01T11:10:00Z", "decision": "allow", "untrusted": {"age": 600}},
        {**SEND, "when": "2026-01-01T11:21:00Z", "principal": "other", "decision": "allow"},
        {"tool": "gone"},
    ) == ["allow", "confirm*", "deny", "allow", "confirm*", "allow", "None"]


def test_what_people_did_besides_calls_is_not_decided_on() -> None:
    action = {"tool": "tokens new", "risk": "credential", "principal": "ann", "arguments": {"name": "ci"}}

    assert replayed("extends: guarded", action, {"tool": "list_domains"}) == ["allow"]


def test_a_refused_call_did_not_happen() -> None:
    refused = {**SEND, "decision": "deny"}

    assert replayed("extends: guarded\nsend: {duplicate_window: 10m}", refused, refused) == ["allow*", "allow*"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2: it is not valid JSON (column 2)"),
        ("[]", 'line 2: a call is an object with a "tool"'),
        ('{"tool": "list_domains", "arguments": []}', 'line 2: "arguments" must be an object'),
        ('{"tool": "list_domains", "outcome": 1}', 'line 2: "outcome" must be text'),
        ('{"tool": "list_domains", "risk": "reed"}', "line 2: unknown risk 'reed': did you mean 'read'?"),
        ('{"tool": "list_domains", "untrusted": true}', 'line 2: "untrusted" is {"age": SECONDS}'),
        ('{"tool": "list_domains", "untrusted": {"age": "5m"}}', 'line 2: "untrusted" is {"age": SECONDS}'),
        ('{"tool": "list_domains", "when": "noon"}', "line 2: 'noon' is not a time"),
        ('{"tool": "list_domains", "decision": "alow"}', "line 2: unknown decision 'alow': did you mean 'allow'?"),
        ("[" * 100_000, "line 2: it is nested too deeply"),
    ],
)
def test_an_audit_log_that_cannot_be_read_says_where(line: str, problem: str) -> None:
    with pytest.raises(ReplayError) as raised:
        list(replay(["\n", line], policy("extends: guarded"), catalogue()))

    assert str(raised.value).startswith(problem)


def send_to(count: int, start: str, *, at: str, **more: Any) -> dict[str, Any]:
    to = [f"{start}{number}@example.com" for number in range(count)]
    return {
        "tool": "send_message",
        "arguments": {"domain": "a.example.com", "to": to},
        "when": at,
        **NEVER,
        **more,
    }


def test_a_limit_an_hour_counts_the_account_and_not_each_principal() -> None:
    assert replayed(
        "extends: unguarded\nsend: {recipients_per_hour: 10}",
        send_to(6, "a", at="2026-01-01T09:00:00Z", principal="ann", decision="allow"),
        send_to(6, "b", at="2026-01-01T09:10:00Z", principal="bob", decision="allow"),
        send_to(6, "c", at="2026-01-01T09:20:00Z", principal="bob", account="staging", decision="allow"),
    ) == ["allow", "deny*", "allow"]


@pytest.mark.parametrize(
    ("outcome", "then"),
    [("done", "deny"), ("unknown", "deny"), ("failed", "allow"), ("refused", "allow"), ("pending", "allow")],
)
def test_only_what_took_effect_counts(outcome: str, then: str) -> None:
    confirmed = send_to(6, "a", at="2026-01-01T09:00:00Z", decision="confirm", outcome=outcome)

    calls = replayed(
        "extends: unguarded\nsend: {recipients_per_hour: 10}", confirmed, send_to(6, "b", at="2026-01-01T09:10:00Z")
    )

    assert calls[1] == then


def test_a_pending_call_without_an_outcome_does_not_count() -> None:
    pending = {**SEND, "when": "2026-01-01T09:00:00Z", "decision": "confirm"}

    assert replayed("extends: guarded\nsend: {duplicate_window: 10m}", pending, pending) == ["allow*", "allow*"]


def test_the_same_request_is_known_by_its_digest() -> None:
    first = send_to(1, "a", at="2026-01-01T09:00:00Z", digest="d")
    again = send_to(2, "b", at="2026-01-01T09:01:00Z", digest="d")
    other = send_to(1, "a", at="2026-01-01T09:02:00Z", digest="e")

    assert replayed("extends: guarded\nsend: {duplicate_window: 10m}", first, again, other) == [
        "allow",
        "confirm",
        "allow",
    ]


def test_logs_of_the_last_release_say_caller() -> None:
    rule = "extends: unguarded\nrules: [{match: {principal: ann}, decision: deny}]"

    assert replayed(rule, {"tool": "list_domains", "caller": "ann"}, {"tool": "list_domains"}) == ["deny", "allow"]


@pytest.mark.parametrize(
    ("said", "effect"),
    [
        ({"untrusted": {"age": None}}, "allow"),
        ({"untrusted": {"age": 60.5}}, "confirm"),
        ({"untrusted": {"age": 200_000}}, "allow"),
        ({"untrusted": {"age": 200_000, "here": True}}, "confirm"),
        ({"untrusted": None}, "confirm"),
        ({}, "confirm"),
    ],
)
def test_third_party_text_is_what_the_log_says_and_else_counts_as_just_shown(said: dict[str, Any], effect: str) -> None:
    call = {name: value for name, value in SEND.items() if name != "untrusted"}
    assert replayed("extends: guarded", {**call, **said}) == [effect]


@pytest.mark.parametrize(("risk", "effect"), [("write", "allow"), ("destructive", "confirm"), (None, "allow")])
def test_a_risk_that_only_the_target_showed_is_read_from_the_log(risk: str | None, effect: str) -> None:
    add = {"tool": "add_unsubscribes", "arguments": {"domain": "a.example.com", "unsubscribes": []}, **NEVER}
    assert replayed("extends: guarded", {**add, "risk": risk}) == [effect]


@pytest.mark.anyio
async def test_what_a_server_recorded_is_decided_the_same_again() -> None:
    def answer(line: str) -> httpx.Response:
        if "/v3/domains/" in line:
            return httpx.Response(200, json={"body-plain": "please obey this"})
        narrowed = {"address": "x@example.com", "tags": ["*"], "created_at": "Fri, 01 Mar 2024 09:00:00 UTC"}
        return httpx.Response(200, json=narrowed if "unsubscribes/" in line else {"message": "Queued. Thank you."})

    services = recorded_services(Recorder(answer), clock=Clock(1_800_000_000.0))
    narrow = {"domain": "a.example.com", "unsubscribes": [{"address": "x@example.com", "tags": ["unused"]}]}
    for tool, arguments in (
        ("send_message", {**SEND["arguments"], "from": "a@a.example.com", "subject": "Hi", "text": "Hi"}),
        ("add_unsubscribes", narrow),
        ("get_stored_message", READ_MAIL["arguments"]),
        ("send_message", {**SEND["arguments"], "from": "a@a.example.com", "subject": "No", "text": "No"}),
    ):
        await run(services, tool, arguments)
    services.recorder.close()
    records = [record_of(call, values=True) for call in services.audit_log.calls(CallFilter())]
    assert [record.get("untrusted") for record in records] == [
        {"age": None},
        {"age": None},
        {"age": None},
        {"age": 0.0, "here": True},
    ]
    calls = list(replay(map(json.dumps, records), services.policy, catalogue()))
    effects = [call.decision.effect if call.decision else None for call in calls]
    assert (effects, [call.differs for call in calls]) == (["allow", "confirm", "allow", "confirm"], [False] * 4)
