"""A rule on principals that nobody can be is found, and one that somebody can be is not."""

import pytest

from mailgun_mcp.policy.file.load import PolicyError
from mailgun_mcp.policy.file.principals import principal_words, unmatched_principals
from tests.support.operations import catalogue
from tests.support.policies import policy

HERE = ["ann", "intern-7", "anonymous"]


def unmatched(principal: str) -> list[str]:
    text = f"extends: guarded\nrules:\n  - {{match: {{principal: {principal}, risk: send}}, decision: deny}}\n"
    return list(unmatched_principals(policy(text), catalogue(), HERE))


@pytest.mark.parametrize("principal", ["ann", "'intern-*'", "'*'", "[bob, ann]", "anonymous"])
def test_a_rule_that_somebody_matches_is_in_order(principal: str) -> None:
    assert unmatched(principal) == []


@pytest.mark.parametrize("principal", ["bob", "'trainee-*'", "[bob, carl]"])
def test_a_rule_that_nobody_matches_is_named(principal: str) -> None:
    (fault,) = unmatched(principal)
    assert fault.startswith("policy.yaml:4 (rule 1): no principal is called ")


def test_the_words_of_rules_can_be_looked_up() -> None:
    rules = policy("rules: [{match: {principal: [ann, bob]}, decision: deny}]\n")
    assert principal_words(rules) == {"ann", "bob"}
    assert principal_words(policy("extends: guarded\n")) == set()


@pytest.mark.parametrize("principal", ["local", "[ann, local]"])
def test_the_principal_of_the_previous_version_is_an_error_wherever_the_policy_is_read(principal: str) -> None:
    with pytest.raises(PolicyError, match="nobody is called 'local' any more"):
        unmatched(principal)
