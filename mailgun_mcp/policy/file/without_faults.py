"""The part of a policy file that has the right shape, so that what else is wrong with it is reported at the same time."""

from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from mailgun_mcp.policy.file.schema import PolicyDocument
from mailgun_mcp.text.yaml import YamlPath

MOST_ROUNDS = 5
"""How often faults are left out. What remains may have a wrong shape too, such as a condition that is now empty."""


def values_without_faults(document: dict[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """Return the values of a file without what `error` reports, or None if that cannot be found."""
    rest = deepcopy(document)
    for _ in range(MOST_ROUNDS):
        # From the end, so that the items of a list keep their numbers.
        for fault in reversed(error.errors(include_url=False)):
            _leave_out(rest, fault["loc"])
        try:
            return PolicyDocument.model_validate({"version": 1, **rest}).model_dump(exclude_unset=True)
        except ValidationError as next_error:
            error = next_error
    return None


def _leave_out(document: dict[str, Any], path: YamlPath) -> None:
    """Remove the innermost key on `path`. A rule stays in its place, so that the others keep theirs."""
    section, item = path[0] if path else None, path[1] if len(path) > 1 else None
    if section == "tests" and isinstance(item, int):
        document["tests"][item] = {"tool": "list_domains", "expect": "allow"}
    elif section == "rules" and isinstance(item, int):
        rule = document["rules"][item]
        if isinstance(rule, dict):
            _remove(rule, path[2:])
        document["rules"][item] = {"match": {}, "decision": "deny", **(rule if isinstance(rule, dict) else {})}
    else:
        _remove(document, path[:1])


def _remove(mapping: dict[str, Any], path: YamlPath) -> None:
    """Remove the key at the end of `path`, or the item of a list. If there is no such key, remove the last one before it."""
    for position, key in enumerate(path):
        inner = mapping.get(str(key))
        step = path[position + 1] if position + 1 < len(path) else None
        if isinstance(inner, list) and isinstance(step, int) and step < len(inner):
            del inner[step]
            return
        if not (isinstance(inner, dict) and isinstance(step, str)):
            mapping.pop(str(key), None)
            return
        mapping = inner
