"""The risk of one call, if its arguments or the current state make it riskier than its operation.

A raised operation is a copy with another risk. The same reasons always give the same object, so that a policy plans for
it only once.
"""

from dataclasses import replace
from functools import cache
from typing import Any
from unicodedata import normalize

from mailgun_mcp.catalogue.operation import Operation, Raise
from mailgun_mcp.catalogue.types import RISKS, Arguments, Risk
from mailgun_mcp.text.leaves import leaves


def as_called(operation: Operation, arguments: Arguments) -> Operation:
    """Return the operation with the risk that these arguments give it."""
    if not operation.raises:
        return operation
    return raised(operation, tuple(item for item in operation.raises if _holds(item, arguments)))


@cache
def raised(operation: Operation, reasons: tuple[Raise, ...]) -> Operation:
    """Return the operation with the worst risk of `reasons`, if that is worse than its own."""
    if not reasons:
        return operation
    risk = max((item.risk for item in reasons), key=RISKS.index)
    if RISKS.index(risk) < RISKS.index(operation.risk):
        return operation
    texts = [operation.risk_reason] if operation.risk_reason else []
    texts += [item.reason for item in reasons]
    return replace(operation, risk=risk, risk_reason="; ".join(dict.fromkeys(texts)))


@cache
def at_least(operation: Operation, risk: Risk) -> Operation:
    """Return the operation with `risk`, if that is worse than its own."""
    return replace(operation, risk=risk) if RISKS.index(risk) > RISKS.index(operation.risk) else operation


def _holds(item: Raise, arguments: Arguments) -> bool:
    return any(_meets(arguments.get(name), condition) for name, condition in item.when.items())


def _meets(value: Any, condition: Any) -> bool:
    """Return whether a value meets a condition. Never raises, even for a value that has not been validated."""
    if value is None:
        return False
    if isinstance(condition, list):
        return not condition or not _folded(condition).isdisjoint(_folded(value))
    if "more_than" in condition:
        return isinstance(value, list) and len(value) > int(condition["more_than"])
    return any(str(condition["contains"]) in text for text in _folded(value))


def _folded(value: Any) -> frozenset[str]:
    """Return all texts in a value, with full-width and upper-case letters folded to plain lower case."""
    return frozenset(normalize("NFKC", str(leaf)).casefold() for leaf in leaves(value))
