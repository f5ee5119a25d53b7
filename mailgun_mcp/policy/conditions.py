"""Compiles a `match`, as it is written in YAML, into conditions on a call.

Where a call has several values (domains, recipients, destinations, items of a list), a rule that allows needs every
one to match, and a rule that confirms or denies needs any one. So a stranger among colleagues does not slip through.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import tzinfo
from functools import partial
from operator import attrgetter
from typing import Any

from mailgun_mcp.catalogue.catalogue import SUBACCOUNT_HEADER
from mailgun_mcp.catalogue.former_names import tool_names, toolset_names
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.globs import TextPredicate, address_matcher, host_matcher, matcher
from mailgun_mcp.policy.model import Condition, DecisionEffect, Match
from mailgun_mcp.policy.values import COMPARISONS, MISSING, compile_value, find, number
from mailgun_mcp.text.durations import WEEKDAYS, duration, minutes_of, weekdays_of

SHOWN = 3
LONGEST = 80


def compile_match(match: Mapping[str, Any], effect: DecisionEffect, zone: tzinfo) -> Match:
    """Return the compiled `match` of a rule with `effect`; hours and weekdays are those of `zone`.

    Raises ValueError, and KeyError for an unknown key: `file.load` reports both with the line.
    """
    of_operation = tuple(OF_OPERATION[key](key, wanted) for key, wanted in match.items() if key in OF_OPERATION)
    of_call: list[Condition[Facts]] = []
    for key, wanted in match.items():
        if key not in OF_OPERATION:
            of_call += OF_CALL[key](key, wanted, effect == "allow", zone)
    return Match(of_operation, tuple(of_call))


def as_list(value: Any) -> list[Any]:
    """Return `value` as a list: one or many are written alike."""
    return value if isinstance(value, list) else [value]


def show(value: Any) -> str:
    """Return `value` short and on one line; texts of a call may hold anything."""
    if isinstance(value, str):
        return repr(value) if len(value) <= LONGEST else f"{value[:LONGEST]!r}…"
    if isinstance(value, Collection) and not isinstance(value, Mapping):
        items = list(value)
        more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
        return (", ".join(show(item) for item in items[:SHOWN]) or "none") + more
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _words(wanted: Any) -> str:
    if isinstance(wanted, Mapping):
        return " and ".join(f"{str(key).replace('_', ' ')} {_words(item)}" for key, item in wanted.items())
    if isinstance(wanted, list):
        return " or ".join(_words(item) for item in wanted)
    return str(wanted).lower() if isinstance(wanted, bool) else str(wanted)


def _named(
    key: str, wanted: Any, *, name: Callable[[Operation], str], names: Callable[[str], list[str]]
) -> Condition[Operation]:
    matches = matcher(as_list(wanted))
    return Condition(key, _words(wanted), lambda operation: any(map(matches, names(name(operation)))), name)


def _one_of(key: str, wanted: Any, *, value: Callable[[Operation], str | None]) -> Condition[Operation]:
    known = frozenset(as_list(wanted))
    return Condition(key, _words(wanted), lambda operation: value(operation) in known, lambda op: str(value(op)))


def _bulk(key: str, wanted: bool) -> Condition[Operation]:
    return Condition(key, _words(wanted), lambda operation: operation.bulk is wanted, lambda op: _words(op.bulk))


OF_OPERATION: dict[str, Callable[[str, Any], Condition[Operation]]] = {
    "tool": partial(_named, name=lambda operation: operation.name, names=tool_names),
    "toolset": partial(_named, name=lambda operation: operation.toolset, names=toolset_names),
    "risk": partial(_one_of, value=lambda operation: operation.risk),
    "reversible": partial(_one_of, value=lambda operation: operation.reversible),
    "bulk": _bulk,
}

Conditions = list[Condition[Facts]]


def _text(key: str, wanted: Any, _every: bool, _zone: tzinfo, *, value: Callable[[Facts], str | None]) -> Conditions:
    matches = matcher(as_list(wanted))

    def holds(facts: Facts) -> bool:
        text = value(facts)
        return text is not None and matches(text)

    return [Condition(key, _words(wanted), holds, lambda facts: show(value(facts)))]


def _many(
    key: str,
    wanted: Any,
    every: bool,
    _zone: tzinfo,
    *,
    values: Callable[[Facts], Iterable[str]],
    compiled: Callable[[Iterable[str]], TextPredicate] = matcher,
) -> Conditions:
    matches = compiled(as_list(wanted))
    return [_quantified(key, wanted, every, values, matches)]


def _quantified(
    key: str, wanted: Any, every: bool, values: Callable[[Facts], Iterable[str]], matches: TextPredicate
) -> Condition[Facts]:
    def all_hold(facts: Facts) -> bool:
        found = values(facts)
        return bool(found) and all(map(matches, found))

    def any_holds(facts: Facts) -> bool:
        for value in values(facts):  # noqa: SIM110 - half the time of `any`, in the innermost loop of a decision
            if matches(value):
                return True
        return False

    return Condition(key, _words(wanted), all_hold if every else any_holds, lambda facts: show(tuple(values(facts))))


def _arguments(_key: str, wanted: Mapping[str, Any], every: bool, _zone: tzinfo) -> Conditions:
    return [_argument(path, condition, every) for path, condition in wanted.items()]


def _argument(path: str, wanted: Any, every: bool) -> Condition[Facts]:
    test = compile_value(wanted, every=every)
    head = path.partition(".")[0]

    def seen(facts: Facts) -> str:
        if any(argument.secret and argument.name == head for argument in facts.operation.arguments):
            return "a secret"
        value = find(facts.arguments, path)
        return "not given" if value is MISSING else show(value)

    return Condition(f"arguments.{path}", _words(wanted), lambda facts: test(find(facts.arguments, path)), seen)


def _recipients(key: str, wanted: Mapping[str, Any], every: bool, _zone: tzinfo) -> Conditions:
    return [_of_recipients(f"{key}.{name}", name, value, every) for name, value in wanted.items()]


def _of_recipients(key: str, name: str, wanted: Any, every: bool) -> Condition[Facts]:
    if name in COMPARISONS:
        compare, limit = COMPARISONS[name], number(wanted)
        return Condition(
            key,
            str(wanted),
            lambda facts: compare(facts.recipient_count, limit),
            lambda facts: str(facts.recipient_count),
        )
    matches = address_matcher(as_list(wanted))
    if name == "outside":
        return _quantified(key, wanted, every, attrgetter("recipients"), lambda address: not matches(address))
    return _quantified(key, wanted, every, attrgetter("recipients"), matches)


def _hour(key: str, wanted: Any, _every: bool, zone: tzinfo) -> Conditions:
    minutes = frozenset[int]().union(*(minutes_of(span) for span in as_list(wanted)))

    def holds(facts: Facts) -> bool:
        now = _local(facts, zone)
        return now.hour * 60 + now.minute in minutes

    return [Condition(key, _words(wanted), holds, lambda facts: f"{_local(facts, zone):%H:%M} {zone}")]


def _weekday(key: str, wanted: Any, _every: bool, zone: tzinfo) -> Conditions:
    days = weekdays_of(as_list(wanted))
    return [
        Condition(
            key,
            _words(wanted),
            lambda facts: _local(facts, zone).weekday() in days,
            lambda facts: f"{WEEKDAYS[_local(facts, zone).weekday()]} {zone}",
        )
    ]


def _local(facts: Facts, zone: tzinfo) -> Any:
    now = facts.context.now
    if now.tzinfo is None:
        raise ValueError("the time of the call has no zone")
    return now.astimezone(zone)


def _after_untrusted(key: str, wanted: str | bool, _every: bool, _zone: tzinfo) -> Conditions:
    def describe(facts: Facts) -> str:
        return _ago(facts.context.untrusted_age)

    if wanted is True or wanted == "session":
        return [Condition(key, "session", lambda facts: facts.context.after_untrusted, describe)]
    limit = duration(str(wanted))

    def holds(facts: Facts) -> bool:
        age = facts.context.untrusted_age
        # Stated so that an age that is not a number counts as recent.
        return age is not None and not age > limit

    return [Condition(key, str(wanted), holds, describe)]


def _ago(age: float | None) -> str:
    return "never shown" if age is None else f"shown {age:.0f}s ago"


def _subaccounts(facts: Facts) -> list[str]:
    """The one that the call acts in, and those that it names."""
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
