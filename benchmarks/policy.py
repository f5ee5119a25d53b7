"""What a decision costs under a policy of 100 rules, in microseconds and as a ratio to a floor.

    python benchmarks/policy.py [--rounds N]

The floor evaluates 100 trivial Python predicates on the same call. Both take turns in each round, and the
shortest time of each counts: the others are what else the machine does. `typical` is a policy whose rules are about many things;
`worst` has 100 rules that are all about the operation called, each with a glob on its domain, and none matches.
`facts` is what reading a send to 1,000 named recipients in one text takes. Exits with 1 when a limit is broken.
"""

import argparse
import sys
import time
from collections.abc import Callable

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.file.load import parse_policy
from mailgun_mcp.policy.model import Policy

RULES = 100
LIMIT = 50.0
FACTS_LIMIT = 5_000.0
"""Limit on the time to read the facts of a send to 1,000 recipients in one text, in microseconds."""
DECISIONS = 50
"""Decisions per measurement. So few that some measurements are not disturbed by other programs."""

TYPICAL = (
    'match: {{tool: "delete_*", domain: "*.prod{number}.example.com"}}\n    decision: deny',
    "match: {{toolset: bounces, domain: sandbox{number}.mailgun.org}}\n    decision: allow",
    "match: {{risk: send, recipients: {{more_than: {number}00}}}}\n    decision: confirm",
    "match: {{risk: [send, destructive], after_untrusted: {number}m}}\n    decision: confirm\n    level: approval",
    "match: {{principal: agent-{number}, hour: 22-6}}\n    decision: deny",
)
WORST = ('match: {{risk: send, domain: "*.prod{number}.example.com"}}\n    decision: deny',)
SEND = 'send:\n  allow_recipients: ["*@example.com"]\n  recipients_per_hour: 2000\n  duplicate_window: 10m\n'


def _policy(rules: tuple[str, ...], catalogue: Catalogue) -> Policy:
    written = "\n".join(f"  - {rules[number % len(rules)].format(number=number + 1)}" for number in range(RULES))
    return parse_policy(f"version: 1\nextends: guarded\n{SEND}rules:\n{written}\n", catalogue)


def _is(number: int) -> Callable[[Facts], bool]:
    return lambda facts: facts.recipient_count == number


def _floor(facts: Facts) -> Callable[[], object]:
    predicates = [_is(number) for number in range(10, 10 + RULES)]

    def evaluate() -> object:
        return any(predicate(facts) for predicate in predicates)

    return evaluate


def _microseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(DECISIONS):
        work()
    return (time.perf_counter() - began) / DECISIONS * 1e6


def _measure(policy: Policy, facts: Facts, rounds: int) -> tuple[float, float]:
    """Return the shortest times of a decision and of the floor."""
    floor = _floor(facts)
    decide(policy, facts)
    figures = [(_microseconds(lambda: decide(policy, facts)), _microseconds(floor)) for _ in range(rounds)]
    decisions, floors = zip(*figures, strict=True)
    return min(decisions), min(floors)


def _facts_of_a_large_send(catalogue: Catalogue, rounds: int) -> float:
    to = ", ".join(f'"Name {number}" <user{number}@example.com>' for number in range(1000))
    arguments = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": [to], "text": "hi"}
    operation = catalogue.find("send_message")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        facts = gather(operation, arguments, Context())
        times.append(time.perf_counter() - began)
        assert facts.recipient_count == 1000
    return min(times) * 1e6


def main() -> int:
    """Print a line for each policy, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    rounds = parser.parse_args().rounds
    catalogue = Catalogue.load()
    arguments = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["b@example.com"], "text": "hi"}
    facts = gather(catalogue.find("send_message"), arguments, Context())
    kept = True
    for name, rules in (("typical", TYPICAL), ("worst", WORST)):
        policy = _policy(rules, catalogue)
        assert decide(policy, facts).effect == "allow", decide(policy, facts)
        ours, floor = _measure(policy, facts, rounds)
        kept = kept and ours < LIMIT
        print(
            f"{name:<8} {ours:6.1f} us a decision, {RULES} rules (limit {LIMIT:g}); "
            f"floor {floor:5.1f} us, ratio {ours / floor:.2f}"
        )
    large = _facts_of_a_large_send(catalogue, max(rounds // 10, 1))
    print(f"facts    {large:6.0f} us for 1,000 named recipients in one text (limit {FACTS_LIMIT:g})")
    return 0 if kept and large < FACTS_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
