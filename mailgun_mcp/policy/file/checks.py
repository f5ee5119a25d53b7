"""What a policy file says beyond its shape: names that exist, conditions that can hold, levels that can be reached."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION, builtin_operation
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.former_names import FORMER_TOOLS, FORMER_TOOLSETS, argument_aliases
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.policy.conditions import as_list, compile_match
from mailgun_mcp.policy.globs import matcher
from mailgun_mcp.policy.model import ConfirmationRules
from mailgun_mcp.policy.prices import unit_of
from mailgun_mcp.policy.values import COMPARISONS
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.text.yaml import YamlPath

Problem = tuple[YamlPath, str]

NEVER_MATCHES = "(a rule that never matches protects nothing)"
FORMER_PRINCIPAL = "local"
FORMER_PRINCIPAL_PROBLEM = (
    "nobody is called 'local' any more: a principal is the user who runs the server, or 'anonymous' over HTTP without a "
    f"token {NEVER_MATCHES}. Write their name, or leave the key out to mean everyone"
)
CONDITION_KEYS = ("equals", *COMPARISONS, "any", "all", "not", "exists")


def problems(value: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    """Yield what is wrong with the rules of a file that has the right shape."""
    names: dict[str, int] = {}
    for index, rule in enumerate(value.get("rules", [])):
        path = ("rules", index)
        name = rule.get("name")
        if name is not None and names.setdefault(name, index) != index:
            yield (*path, "name"), f"rule {names[name] + 1} has the same name {name!r}"
        if FORMER_PRINCIPAL in as_list(rule["match"].get("principal", [])):
            yield (*path, "match", "principal"), FORMER_PRINCIPAL_PROBLEM
        match_problems = list(_of_match((*path, "match"), rule["match"], catalogue))
        yield from match_problems or _covering((*path, "match"), rule["match"], catalogue)
    yield from _of_prices(value.get("spend", {}).get("prices", {}), catalogue)


def _of_prices(prices: Mapping[str, float], catalogue: Catalogue) -> Iterator[Problem]:
    """Yield the prices of what costs nothing."""
    units = {operation.name: unit for operation in catalogue if (unit := unit_of(operation))}
    for name in prices:
        if name not in units and name not in units.values():
            yield ("spend", "prices", name), unknown("price", name, [*dict.fromkeys(units.values()), *units])


def unreachable_levels(value: Mapping[str, Any], confirmation: ConfirmationRules) -> Iterator[Problem]:
    """Yield the rules whose level no method of confirmation can reach."""
    if "approval" in confirmation.methods:
        return
    for index, rule in enumerate(value.get("rules", [])):
        if rule.get("level") in ("approval", "two_people"):
            yield ("rules", index, "level"), f"level {rule['level']} needs approval among confirmation.methods"


def condition_problems(path: YamlPath, condition: Any) -> Iterator[Problem]:
    """Yield what is wrong with the condition on an argument."""
    if isinstance(condition, Mapping):
        if not condition:
            yield path, "the condition is empty"
        for key, value in condition.items():
            yield from _of_condition_key((*path, key), key, value)
    elif isinstance(condition, list):
        yield from _of_conditions(path, condition)


def _of_condition_key(path: YamlPath, key: str, value: Any) -> Iterator[Problem]:
    if key not in CONDITION_KEYS:
        yield path, unknown("condition", key, CONDITION_KEYS)
    elif key in COMPARISONS and (isinstance(value, bool) or not isinstance(value, (int, float))):
        yield path, f"{key} needs a number, not {value!r}"
    elif key == "exists" and not isinstance(value, bool):
        yield path, f"exists needs true or false, not {value!r}"
    elif key == "not":
        yield from condition_problems(path, value)
    elif key in ("any", "all"):
        yield from _of_conditions(path, value) if isinstance(value, list) else [(path, f"{key} needs a list")]


def _of_conditions(path: YamlPath, conditions: list[Any]) -> Iterator[Problem]:
    if not conditions:
        yield path, "an empty list matches nothing"
    for index, item in enumerate(conditions):
        yield from condition_problems((*path, index), item)


def _of_match(path: YamlPath, match: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    operations = _operations(catalogue)
    toolsets = list(dict.fromkeys(operation.toolset for operation in operations))
    names = [operation.name for operation in operations]
    yield from _unknown_globs((*path, "tool"), "tool", match.get("tool", []), names, FORMER_TOOLS)
    yield from _unknown_globs((*path, "toolset"), "toolset", match.get("toolset", []), toolsets, FORMER_TOOLSETS)
    for argument, condition in match.get("arguments", {}).items():
        yield from condition_problems((*path, "arguments", argument), condition)


def _operations(catalogue: Catalogue) -> list[Operation]:
    """Return what policy decides on: the operations, workflows, and an undo, whose risk is that of what it does."""
    workflows = map(builtin_operation, WORKFLOW_TOOLS)
    return [
        *catalogue,
        *workflows,
        *(builtin_operation(UNDO_OPERATION, risk) for risk in ("write", "destructive", "credential")),
    ]


def _unknown_globs(
    path: YamlPath, kind: str, globs: Any, choices: Iterable[str], former_names: Iterable[str]
) -> Iterator[Problem]:
    names = list(choices)
    for index, glob in enumerate(as_list(globs)):
        matches = matcher([glob])
        if not any(map(matches, (*names, *former_names))):
            yield (*path, index), f"{unknown(kind, glob, names)} {NEVER_MATCHES}"


def _covering(path: YamlPath, match: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    """Yield the arguments that none of the rule's operations has."""
    compiled = compile_match(match, "deny", UTC)
    covered = [operation for operation in _operations(catalogue) if compiled.covers(operation)]
    if not covered:
        yield path, f"no operation matches all of this {NEVER_MATCHES}"
    names = _argument_names(covered)
    for argument in match.get("arguments", {}):
        name = argument.partition(".")[0]
        if covered and name not in names and not any(name in argument_aliases(operation) for operation in covered):
            yield (*path, "arguments", argument), unknown("argument", name, names)


def _argument_names(operations: Iterable[Operation]) -> set[str]:
    return {argument.name for operation in operations for argument in operation.arguments}
