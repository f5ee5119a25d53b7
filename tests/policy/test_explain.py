"""Why a decision fell: what each rule made of the call, a policy's own tests, and the table."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.policy.engine import RuleResult, explain
from mailgun_mcp.policy.file.examples import run_examples
from tests.support.operations import catalogue
from tests.support.policies import EXAMPLES, TEAM, facts, policy, send


def test_each_rule_says_what_it_made_of_the_call() -> None:
    call = facts("delete_bounce", {"domain": "mg.example.com", "address": "a@gmail.com"})

    assert explain(policy(TEAM), call) == [
        RuleResult("send/recipients_per_call", "deny", False, "not about delete_bounce"),
        RuleResult("send/duplicate_window", "confirm", False, "not about delete_bounce"),
        RuleResult("send/unknown_lists", "confirm", False, "not about delete_bounce"),
        RuleResult("policy.yaml:5 (rule 2)", "deny", False, "domain is 'mg.example.com', not *.prod.example.com"),
        RuleResult("policy.yaml:6 (rule 3)", "deny", False, "tool is delete_bounce, not create_smtp_credentials"),
        RuleResult("policy.yaml:7 (broken)", "deny", False, "tool is delete_bounce, not send_message"),
        RuleResult("policy.yaml:4 (rule 1)", "confirm", False, "risk is destructive, not send"),
        RuleResult("policy.yaml:8 (bounces)", "allow", True, "it matches toolset: bounces", decides=True),
        RuleResult("read-only/reads", "allow", False, "risk is destructive, not read"),
    ]


def test_a_rule_that_failed_is_the_one_that_decides() -> None:
    verdicts = explain(policy(TEAM), send("a@example.com", subject="hello"))

    why = "rule policy.yaml:7 (broken) failed (ValueError)"
    assert [verdict for verdict in verdicts if verdict.decides] == [
        RuleResult("policy.yaml:7 (broken)", "deny", False, why, decides=True, failed=True)
    ]


def test_a_secret_argument_is_not_explained() -> None:
    call = facts("create_smtp_credentials", {"domain": "a.example.com", "password": "hunter2"})
    told = [verdict.why for verdict in explain(policy(TEAM), call)]

    assert "arguments.password is a secret, not 123*" in told
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(
    ("match", "why"),
    [
        ("{recipients: {more_than: 5}}", "recipients.more_than is 4, not 5"),
        (
            "{recipients: {domains: gmail.com}}",
            "recipients.domains is 'a@a.example', 'b@a.example', 'c@a.example' and 1 more, not gmail.com",
        ),
        ("{arguments: {cc: x}}", "arguments.cc is not given, not x"),
        ("{arguments: {subject: {not: {exists: true}}}}", "arguments.subject is 'hi', not not exists true"),
        ("{hour: 3}", "hour is 00:00 UTC, not 3"),
        ("{weekday: [mon, tue]}", "weekday is thu UTC, not mon or tue"),
        ("{after_untrusted: 5m}", "after_untrusted is never shown, not 5m"),
        ("{destinations: x}", "destinations is none, not x"),
        ("{region: eu}", "region is None, not eu"),
        ("{bulk: false}", "bulk is true, not false"),
        ("{reversible: whole}", "reversible is no, not whole"),
    ],
)
def test_why_a_rule_does_not_match_is_told_from_the_call(match: str, why: str) -> None:
    call = send("a@a.example", "b@a.example", "c@a.example", "d@a.example", subject="hi")
    (*_, verdict) = explain(policy(f"rules: [{{match: {match}, decision: deny}}]"), call)

    assert verdict.why == why


def test_long_values_are_cut() -> None:
    call = send("a@a.example", subject="x" * 500)
    (*_, verdict) = explain(policy("rules: [{match: {arguments: {subject: y}}, decision: deny}]"), call)

    assert verdict.why == f"arguments.subject is {'x' * 80!r}…, not y"


@pytest.mark.parametrize("text", EXAMPLES, ids=["solo", "team", "bot"])
def test_the_policies_of_the_guide_pass_their_tests(text: str) -> None:
    guide = policy(text.partition("version: 1\n")[2])
    results = run_examples(guide, catalogue())

    assert len(results) >= 8
    assert [(result.example.call, result.faults) for result in results if not result.passed] == []


def test_the_guide_names_every_key_of_the_schema() -> None:
    root = Path(__file__).parents[2] / "docs"
    guide = (root / "policies.md").read_text(encoding="utf-8")
    schema = json.loads((root / "policy.schema.json").read_text(encoding="utf-8"))
    records = [schema, *schema["$defs"].values()]
    keys = {key for record in records for key in record.get("properties", {})}

    assert {
        key for key in keys if f"`{key}`" not in guide and f"{key}:" not in guide and f" {key}," not in guide
    } == set()
