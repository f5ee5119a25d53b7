"""Finds rules on principals that no principal can match: a rule that never matches protects nothing."""

from collections.abc import Iterable, Iterator

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.policy.facts import Context, Facts
from mailgun_mcp.policy.model import Policy

KEY = "principal"


def unmatched_principals(policy: Policy, catalogue: Catalogue, principals: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each rule on principals that none of `principals` matches."""
    operation = next(iter(catalogue))
    callers = [Facts(operation, {}, Context(principal=name)) for name in principals]
    for rule in policy.rules:
        for condition in rule.match.of_call:
            if condition.key == KEY and not any(map(condition.holds, callers)):
                yield (
                    f"{rule.name}: no principal is called {condition.expected}, so the rule never matches. A principal is "
                    "the user who runs the server, or `anonymous` over HTTP without a token. Add --principals NAME if "
                    "the user is on another machine"
                )


def principal_words(policy: Policy) -> set[str]:
    """Return the words that rules on principals have, to look up those that are names and not globs."""
    conditions = [condition for rule in policy.rules for condition in rule.match.of_call if condition.key == KEY]
    return {word for condition in conditions for word in condition.expected.split(" or ")}
