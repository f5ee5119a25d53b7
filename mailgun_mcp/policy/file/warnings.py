"""What is valid in a policy but probably a mistake: rules that never decide, and lists that let nobody through."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.globs import TextPredicate, address_matcher, host_matcher, is_glob, matcher
from mailgun_mcp.policy.model import Condition, Policy, Rule, SendRules
from mailgun_mcp.policy.profiles import PROFILES

OF_NAMES = ("domain", "account", "region", "subaccount", "principal", "client")
"""Conditions whose expectation is a list of globs of names."""
FILLERS = ("x", "sample-1")
"""What stands for `*` in a text that a glob should match."""
SOMEBODY = ("somebody-7c1e@destination-7c1e.example",)
"""An address that no list names. If no list says who is allowed, it can pass unless a list denies everybody."""


def warnings(policy: Policy, catalogue: Catalogue) -> Iterator[str]:
    """Yield what is valid in the policy but probably a mistake."""
    yield from _shadowed_rules(policy.rules, catalogue)
    yield from _closed_lists(policy.send)


def unknown_domains(policy: Policy, domains: Sequence[str]) -> Iterator[str]:
    """Yield the globs of domains in the file's rules and senders that match none of the account's domains."""
    named = [(rule.name, glob) for rule in _of_file(policy.rules) for glob in _globs(rule, "domain")]
    named += [("send.sender_domains", glob) for send in policy.send for glob in send.sender_domains or ()]
    shown = ", ".join(domains[:5]) + (f" and {len(domains) - 5} more" if len(domains) > 5 else "")
    for where, glob in named:
        if not any(map(host_matcher([glob]), domains)):
            yield f"{where}: {glob!r} matches no domain of the account ({shown or 'it has none'})"


def _shadowed_rules(rules: Sequence[Rule], catalogue: Catalogue) -> Iterator[str]:
    """A deny always wins; of the others the first that matches decides. So a rule behind a wider one never does."""
    own = _of_file(rules)
    for index, rule in enumerate(own):
        earlier = [] if rule.effect == "deny" else own[:index]
        wider = next((other for other in earlier if other.effect != "deny" and _is_wider(other, rule, catalogue)), None)
        deny = next(
            (other for other in own if other.effect == "deny" != rule.effect and _is_wider(other, rule, catalogue)),
            None,
        )
        if blocker := deny or wider:
            yield f"{rule.name} never decides: {blocker.name} matches every call that it matches{_why(blocker)}"
    for rule in own:
        if rule.effect != "deny" and not rule.match.of_operation and not rule.match.of_call:
            asking = [other for other in rules[rules.index(rule) + 1 :] if other.effect == "confirm"]
            if asking:
                later = "the rule" if len(asking) == 1 else f"the {len(asking)} rules, the profile's included,"
                yield f"{rule.name} matches every call, so {later} after it that should ask a person never will"


def _why(blocker: Rule) -> str:
    return ", and a deny always wins" if blocker.effect == "deny" else " and comes first"


def _of_file(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.name.partition("/")[0] not in PROFILES]


def _is_wider(one: Rule, other: Rule, catalogue: Catalogue) -> bool:
    """Return whether `one` surely matches every call that `other` matches."""
    if one.effect == "allow" != other.effect and one.match.of_call:
        # With several values in a call, an allow needs all to match and the others need one.
        return False
    operations: Iterable[Operation] = catalogue
    if not all(one.match.covers(operation) for operation in operations if other.match.covers(operation)):
        return False
    return all(any(_implies(narrow, wide) for narrow in other.match.of_call) for wide in one.match.of_call)


def _implies(narrow: Condition[Facts], wide: Condition[Facts]) -> bool:
    if narrow.key != wide.key:
        return False
    if narrow.expected == wide.expected:
        return True
    globs = wide.expected.split(" or ")
    if wide.key not in OF_NAMES or any(character in wide.expected for character in "?["):
        return False
    return all(map(matcher(globs), narrow.expected.split(" or ")))


def _globs(rule: Rule, key: str) -> list[str]:
    return [
        glob for condition in rule.match.of_call if condition.key == key for glob in condition.expected.split(" or ")
    ]


def _closed_lists(send: Sequence[SendRules]) -> Iterator[str]:
    allowing, denying = ("allow_recipients", "allow_domains"), ("deny_recipients", "deny_domains")
    yield from _closed(send, allowing, denying, _recipient_tests(send), "no recipient", _addresses)
    denied = [matcher(rules.deny_destinations) for rules in send if rules.deny_destinations]
    allowed = [matcher(rules.allow_destinations) for rules in send if rules.allow_destinations is not None]
    tests = [*allowed, *map(_not, denied)]
    yield from _closed(send, ("allow_destinations",), ("deny_destinations",), tests, "no destination", _texts)
    yield from _closed(send, ("sender_domains",), (), [], "no sender", _texts)


def _closed(
    send: Sequence[SendRules],
    allowing: Sequence[str],
    denying: Sequence[str],
    tests: Sequence[TextPredicate],
    nobody: str,
    samples: Callable[[str], Iterator[str]],
) -> Iterator[str]:
    lists = {name: globs for rules in send for name in allowing if (globs := getattr(rules, name)) is not None}
    empty = [name for name, globs in lists.items() if not globs]
    if empty:
        yield f"send.{empty[0]} is empty, so {nobody} is allowed. Leave it out to restrict nothing"
        return
    candidates = [sample for globs in lists.values() for glob in globs for sample in samples(glob)]
    if not any(all(test(sample) for test in tests) for sample in candidates or SOMEBODY):
        names = lists or {name: None for rules in send for name in denying if getattr(rules, name)}
        yield f"send.{' and send.'.join(names)}: {nobody} can pass, with all lists taken together"


def _recipient_tests(send: Sequence[SendRules]) -> list[TextPredicate]:
    tests: list[TextPredicate] = []
    for rules in send:
        if rules.allow_recipients is not None:
            tests.append(address_matcher(rules.allow_recipients))
        if rules.allow_domains is not None:
            tests.append(_of_domain(rules.allow_domains))
        if rules.deny_recipients:
            tests.append(_not(address_matcher(rules.deny_recipients)))
        if rules.deny_domains:
            tests.append(_not(_of_domain(rules.deny_domains)))
    return tests


def _of_domain(globs: Sequence[str]) -> TextPredicate:
    matches = host_matcher(globs)
    return lambda address: matches(address.rpartition("@")[2])


def _not(test: TextPredicate) -> TextPredicate:
    return lambda text: not test(text)


def _addresses(glob: str) -> Iterator[str]:
    """Yield addresses that the glob of an address or of a domain matches."""
    for text in _texts(glob):
        if "@" in text:
            yield text
        else:
            yield f"{FILLERS[0]}@{text if '.' in text else f'{text}.example'}"


def _texts(glob: str) -> Iterator[str]:
    if not is_glob(glob):
        yield glob
        return
    for filler in FILLERS:
        yield glob.replace("*", filler).replace("?", filler[0])
