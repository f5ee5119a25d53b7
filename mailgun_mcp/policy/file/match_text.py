"""The match of a grant as a person writes it: `tool=delete_*,domain=staging.*`, or JSON."""

import json
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.policy.file.load import PolicyError, parse_policy, read_arguments
from mailgun_mcp.settings import SettingsError


def parse_match(text: str, name: str) -> dict[str, Any]:
    """Return the match, checked like that of a policy rule. Raises SettingsError, which calls the text `name`."""
    try:
        match = read_arguments(text) if text.lstrip().startswith("{") else _pairs(text)
        policy = {"version": 1, "rules": [{"match": match, "decision": "allow"}]}
        parse_policy(json.dumps(policy), Catalogue.load(), name)
    except PolicyError as error:
        raise SettingsError(
            "; ".join(problem.replace(f"{name}:1: ", f"{name}: ") for problem in error.problems)
        ) from error
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error
    if not match:
        raise SettingsError(f"{name}: this matches every call; give at least one key, such as tool=delete_*")
    return match


def _pairs(text: str) -> dict[str, Any]:
    """Return the pairs of `key=value,key=value`. A repeated key adds a value."""
    match: dict[str, list[Any]] = {}
    for pair in text.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not (key and equals and value):
            raise ValueError(f"{pair.strip()!r} must be KEY=GLOB")
        match.setdefault(key, []).append({"true": True, "false": False}.get(value, value))
    return {key: values[0] if len(values) == 1 else values for key, values in match.items()}
