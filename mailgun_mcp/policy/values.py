"""Conditions on the value of an argument: `welcome-*`, `[a, b]`, `{more_than: 5}`, `{not: {exists: true}}`.

A condition checks every text and number inside the value. A rule that allows needs all of them to match, any other rule
needs one. What cannot be compared raises ValueError, and the engine denies.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mailgun_mcp.policy.globs import matcher
from mailgun_mcp.text.leaves import leaves

ValuePredicate = Callable[[Any], bool]


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()
"""The value of an argument that the call does not have."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "more_than": lambda value, limit: value > limit,
    "less_than": lambda value, limit: value < limit,
    "at_least": lambda value, limit: value >= limit,
    "at_most": lambda value, limit: value <= limit,
}


def compile_value(condition: Any, *, every: bool) -> ValuePredicate:
    """Return a test of a value; `every` for a rule that allows.

    Raises ValueError if `condition` is not valid.
    """
    if isinstance(condition, Mapping):
        tests = [_compile_key(key, value, every) for key, value in condition.items()]
        return lambda value: all(test(value) for test in tests)
    if isinstance(condition, list):
        leaf = _any_leaf(condition)
        if leaf is not None:
            return _quantified(leaf, every)
        tests = [compile_value(item, every=every) for item in condition]
        return lambda value: any(test(value) for test in tests)
    return _quantified(_leaf(condition), every)


def find(arguments: Mapping[str, Any], path: str) -> Any:
    """Return the value at `path` (`members.address`, `variables.*`), MISSING if there is none."""
    value: Any = arguments
    for step in path.split("."):
        value = _step(value, step)
        if value is MISSING:
            break
    return value


def number(value: Any) -> float:
    """Return `value` as a number. Raises ValueError if it is not one: a comparison would be meaningless."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{type(value).__name__} is not a number")
    try:
        result = float(value)
    except (ValueError, OverflowError) as error:
        raise ValueError("the value is not a number") from error
    if math.isnan(result):
        raise ValueError("the value is not a number")
    return result


def _compile_key(key: str, condition: Any, every: bool) -> ValuePredicate:
    if key in COMPARISONS:
        return _quantified(_compared(COMPARISONS[key], number(condition)), every)
    if key == "not":
        # "At least one is not" is the opposite of "all are".
        inner = compile_value(condition, every=not every)
        return lambda value: not inner(value)
    if key == "any":
        return compile_value(list(condition), every=every)
    if key == "all":
        tests = [compile_value(item, every=every) for item in condition]
        return lambda value: all(test(value) for test in tests)
    if key == "exists":
        return lambda value: (value is not MISSING) is bool(condition)
    if key == "equals":
        return _equals(condition, every)
    raise ValueError(f"unknown condition {key!r}")


def _compared(compare: Callable[[float, float], bool], limit: float) -> ValuePredicate:
    return lambda leaf: compare(number(leaf), limit)


def _quantified(test: ValuePredicate, every: bool) -> ValuePredicate:
    if every:
        return lambda value: bool(leaves := list(_leaves(value))) and all(test(leaf) for leaf in leaves)
    return lambda value: any(test(leaf) for leaf in _leaves(value))


def _any_leaf(choices: list[Any]) -> ValuePredicate | None:
    if any(isinstance(item, (Mapping, list)) for item in choices):
        return None
    tests = [_leaf(item) for item in choices]
    return lambda leaf: any(test(leaf) for test in tests)


def _equals(expected: Any, every: bool) -> ValuePredicate:
    if isinstance(expected, (Mapping, list)):
        return lambda value: _same(value, expected)
    return _quantified(lambda leaf: _same(leaf, expected), every)


def _leaf(expected: Any) -> ValuePredicate:
    if not isinstance(expected, str):
        return lambda leaf: _same(leaf, expected)
    matches = matcher([expected])
    return lambda leaf: (text := _text(leaf)) is not None and matches(text)


def _same(value: Any, expected: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(expected, Mapping):
        return value.keys() == expected.keys() and all(_same(value[key], expected[key]) for key in expected)
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(map(_same, value, expected))
    # True equals 1 in Python, but not here.
    return isinstance(value, bool) is isinstance(expected, bool) and bool(value == expected)


def _text(leaf: Any) -> str | None:
    if isinstance(leaf, bool):
        return str(leaf).lower()
    return str(leaf) if isinstance(leaf, (str, int, float)) else None


def _leaves(value: Any) -> Iterator[Any]:
    return iter(()) if value is MISSING else leaves(value)


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return _of_mapping(value, step)
    if isinstance(value, (list, tuple)):
        if step == "*":
            return list(value) or MISSING
        return [inner for item in value if (inner := _step(item, step)) is not MISSING] or MISSING
    return MISSING


def _of_mapping(value: Mapping[str, Any], step: str) -> Any:
    # Header names ignore case: `headers.reply-to` must match `Reply-To`.
    values = [item for name, item in value.items() if step == "*" or str(name).lower() == step.lower()]
    if not values:
        return MISSING
    return values[0] if len(values) == 1 and step != "*" else values
