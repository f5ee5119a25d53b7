"""The tests that a policy file brings along."""

from mailgun_mcp.policy.file.examples import run_examples
from tests.support.operations import catalogue
from tests.support.policies import TEAM, policy


def test_a_test_that_fails_says_how() -> None:
    wrong = policy(
        TEAM
        + """
tests:
  - {call: "delete_bounce {domain: a.example.com}", expect: deny, level: typed, rule: "send/*"}
  - {call: "delete_bounce {domain: a.example.com}", expect: allow, rule: bounces}
  - {call: "delete_bounce {domain: a.example.com}", expect: allow, rule: "policy.yaml:8*"}
"""
    )

    assert [result.faults for result in run_examples(wrong, catalogue())] == [
        (
            "expected deny, got allow",
            "expected level typed, got none",
            "expected rule send/*, got policy.yaml:8 (bounces)",
        ),
        (),
        (),
    ]
