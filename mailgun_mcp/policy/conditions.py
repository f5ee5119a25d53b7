"""Compiles the `match` of a YAML policy into conditions on a call.

A call can have several values (domains, recipients, destinations, items of a list). A rule that allows then needs every
value to match; a rule that confirms or denies needs only one. So one outside address among allowed ones is enough to
stop a send.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from operator import attrgetter
from typing import Any

from mailgun_mcp.catalogue.catalogue import SUBACCOUNT_HEADER
from mailgun_mcp.catalogue.former_names import current_path, tool_names, toolset_names
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.globs import TextPredicate, address_matcher, host_matcher, matcher
from mailgun_mcp.policy.model import Condition, DecisionEffect, Match
from mailgun_mcp.policy.values import COMPARISONS, MISSING, compile_value, find, number
from mailgun_mcp.text.characters import excerpt
from mailgun_mcp.text.durations import WEEKDAYS, duration, in_words, minutes_of, weekdays_of

ABOUT_PEOPLE = frozenset({"recipients.domains", "recipients.addresses", "recipients.outside"})
"""Conditions about who gets the mail. For them, the members of mailing lists must be read."""
MAX_ITEMS = 3
MAX_LENGTH = 80


def compile_match(match: Mapping[str, Any], effect: DecisionEffect, zone: tzinfo) -> Match:
    """Return the compiled `match` of a rule with `effect`. Hours and weekdays are those of `zone`.

    Raises ValueError, or KeyError for an unknown key; `file.load` reports both with the line.
    """
    of_operation = tuple(OF_OPERATION[key](key, expected) for key, expected in match.items() if key in OF_OPERATION)
    of_call: list[Condition[Facts]] = []
    for key, expected in match.items():
        if key not in OF_OPERATION:
            of_call += OF_CALL[key](key, expected, effect == "allow", zone)
    return Match(of_operation, tuple(of_call))


def as_list(value: Any) -> list[Any]:
    """Return `value` as a list: a policy may write a single value without brackets."""
    return value if isinstance(value, list) else [value]


def show(value: Any) -> str:
    """Return `value` shortened and on one line; the texts of a call may contain anything."""
    if isinstance(value, str):
        return repr(value) if len(value) <= MAX_LENGTH else f"{value[:MAX_LENGTH]!r}…"
    if isinstance(value, Collection) and not isinstance(value, Mapping):
        items = list(value)
        more = f" and {len(items) - MAX_ITEMS} more" if len(items) > MAX_ITEMS else ""
        return (", ".join(show(item) for item in items[:MAX_ITEMS]) or "none") + more
    text = repr(value)
    return excerpt(text, MAX_LENGTH)


def _words(expected: Any) -> str:
    if isinstance(expected, Mapping):
        return " and ".join(f"{str(key).replace('_', ' ')} {_words(item)}" for key, item in expected.items())
    if isinstance(expected, list):
        return " or ".join(_words(item) for item in expected)
    return str(expected).lower() if isinstance(expected, bool) else str(expected)


def _named(
    key: str, expected: Any, *, name: Callable[[Operation], str], names: Callable[[str], list[str]]
) -> Condition[Operation]:
    matches = matcher(as_list(expected))
    return Condition(key, _words(expected), lambda operation: any(map(matches, names(name(operation)))), name)


def _one_of(key: str, expected: Any, *, value: Callable[[Operation], str | None]) -> Condition[Operation]:
    choices = frozenset(as_list(expected))
    return Condition(key, _words(expected), lambda operation: value(operation) in choices, lambda op: str(value(op)))


def _bulk(key: str, expected: bool) -> Condition[Operation]:
    return Condition(key, _words(expected), lambda operation: operation.bulk is expected, lambda op: _words(op.bulk))


OF_OPERATION: dict[str, Callable[[str, Any], Condition[Operation]]] = {
    "tool": partial(_named, name=lambda operation: operation.name, names=tool_names),
    "toolset": partial(_named, name=lambda operation: operation.toolset, names=toolset_names),
    "risk": partial(_one_of, value=lambda operation: operation.risk),
    "reversible": partial(_one_of, value=lambda operation: operation.reversible),
    "bulk": _bulk,
}

Conditions = list[Condition[Facts]]


def _text(key: str, expected: Any, _every: bool, _zone: tzinfo, *, value: Callable[[Facts], str | None]) -> Conditions:
    matches = matcher(as_list(expected))

    def holds(facts: Facts) -> bool:
        text = value(facts)
        return text is not None and matches(text)

    return [Condition(key, _words(expected), holds, lambda facts: show(value(facts)))]


def _many(
    key: str,
    expected: Any,
    every: bool,
    _zone: tzinfo,
    *,
    values: Callable[[Facts], Iterable[str]],
    compiled: Callable[[Iterable[str]], TextPredicate] = matcher,
) -> Conditions:
    matches = compiled(as_list(expected))
    return [_quantified(key, expected, every, values, matches)]


def _quantified(
    key: str, expected: Any, every: bool, values: Callable[[Facts], Iterable[str]], matches: TextPredicate
) -> Condition[Facts]:
    def all_hold(facts: Facts) -> bool:
        actual = values(facts)
        return bool(actual) and all(map(matches, actual))

    def any_holds(facts: Facts) -> bool:
        for value in values(facts):  # noqa: SIM110 - half the time of `any`, in the innermost loop of a decision
            if matches(value):
                return True
        return False

    return Condition(key, _words(expected), all_hold if every else any_holds, lambda facts: show(tuple(values(facts))))


def _arguments(_key: str, expected: Mapping[str, Any], every: bool, _zone: tzinfo) -> Conditions:
    return [_argument(path, condition, every) for path, condition in expected.items()]


def _argument(path: str, expected: Any, every: bool) -> Condition[Facts]:
    test = compile_value(expected, every=every)

    def value_of(facts: Facts) -> Any:
        return find(facts.stated, current_path(facts.operation, path))

    def given_in(facts: Facts) -> Any:
        return find(facts.arguments, current_path(facts.operation, path))

    def seen(facts: Facts) -> str:
        head = current_path(facts.operation, path).partition(".")[0]
        if any(argument.secret and argument.name == head for argument in facts.operation.arguments):
            return "a secret"
        value = value_of(facts)
        shown = "not given" if value is MISSING else show(value)
        return shown if value == given_in(facts) else f"{shown} (by a header)"

    # Mailgun may or may not take an option from a header, so a rule that allows needs both readings to match.
    combine = all if every else any

    def holds(facts: Facts) -> bool:
        if facts.stated is facts.arguments:
            return test(value_of(facts))
        return combine((test(value_of(facts)), test(given_in(facts))))

    return Condition(f"arguments.{path}", _words(expected), holds, seen)


def _recipients(key: str, expected: Mapping[str, Any], every: bool, _zone: tzinfo) -> Conditions:
    return [_of_recipients(f"{key}.{name}", name, value, every) for name, value in expected.items()]


def _of_recipients(key: str, name: str, expected: Any, every: bool) -> Condition[Facts]:
    if name in COMPARISONS:
        compare, limit = COMPARISONS[name], number(expected)
        return Condition(
            key,
            str(expected),
            _or_worst(every, lambda facts: facts.unknown_size, lambda facts: compare(facts.recipient_count, limit)),
            lambda facts: str(facts.recipient_count),
        )
    matches = address_matcher(as_list(expected))
    test: TextPredicate = (lambda address: not matches(address)) if name == "outside" else matches
    condition = _quantified(key, expected, every, attrgetter("people"), test)
    return replace(condition, holds=_or_worst(every, lambda facts: facts.unread_people, condition.holds))


def _or_worst(every: bool, doubt: Callable[[Facts], bool], holds: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    """Return a test that assumes the worst in doubt: a rule that allows does not match then, any other rule does."""
    return lambda facts: (not every) if doubt(facts) else holds(facts)


def _hour(key: str, expected: Any, _every: bool, zone: tzinfo) -> Conditions:
    minutes = frozenset[int]().union(*(minutes_of(span) for span in as_list(expected)))

    def holds(facts: Facts) -> bool:
        now = _local(facts, zone)
        return now.hour * 60 + now.minute in minutes

    return [Condition(key, _words(expected), holds, lambda facts: f"{_local(facts, zone):%H:%M} {zone}")]


def _weekday(key: str, expected: Any, _every: bool, zone: tzinfo) -> Conditions:
    days = weekdays_of(as_list(expected))
    return [
        Condition(
            key,
            _words(expected),
            lambda facts: _local(facts, zone).weekday() in days,
            lambda facts: f"{WEEKDAYS[_local(facts, zone).weekday()]} {zone}",
        )
    ]


def _local(facts: Facts, zone: tzinfo) -> Any:
    now = facts.context.now
    if now.tzinfo is None:
        raise ValueError("the time of the call has no time zone")
    return now.astimezone(zone)


def _after_untrusted(key: str, expected: str | bool, _every: bool, _zone: tzinfo) -> Conditions:
    def describe(facts: Facts) -> str:
        return _ago(facts.context.untrusted_age)

    if expected is True or expected == "session":
        return [Condition(key, "session", lambda facts: facts.context.after_untrusted, describe)]
    limit = duration(str(expected))

    def holds(facts: Facts) -> bool:
        age = facts.context.untrusted_age
        # Written so that an age that is not a number counts as recent.
        return age is not None and not age > limit

    return [Condition(key, str(expected), holds, describe)]


def _ago(age: float | None) -> str:
    return "never shown" if age is None else f"shown {in_words(age)} ago"


def _subaccounts(facts: Facts) -> list[str]:
    """Return the subaccount that the call acts in, and those that it names."""
    naming = [
        argument.name
        for argument in facts.operation.arguments
        if argument.name == "subaccount_id" or argument.wire == SUBACCOUNT_HEADER
    ]
    values = [facts.context.subaccount, *(facts.arguments.get(name) for name in naming)]
    return [value for value in values if isinstance(value, str)]


OF_CALL: dict[str, Callable[[str, Any, bool, tzinfo], Conditions]] = {
    "domain": partial(_many, values=attrgetter("domains"), compiled=host_matcher),
    "destinations": partial(_many, values=attrgetter("destinations"), compiled=address_matcher),
    "subaccount": partial(_many, values=_subaccounts),
    "account": partial(_text, value=lambda facts: facts.context.account),
    "region": partial(_text, value=lambda facts: facts.context.region),
    "principal": partial(_text, value=lambda facts: facts.context.principal),
    "client": partial(_text, value=lambda facts: facts.context.client),
    "arguments": _arguments,
    "recipients": _recipients,
    "hour": _hour,
    "weekday": _weekday,
    "after_untrusted": _after_untrusted,
}
