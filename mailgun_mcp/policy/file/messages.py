"""Tells what pydantic found wrong with a policy file in the words of somebody who writes one."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from mailgun_mcp.policy.file.schema import MODELS
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.text.yaml import YamlDocument, YamlPath

WORDS = {"a valid boolean": "true or false", "a valid dictionary": "a mapping", "a valid string": "text"}


def told(error: ValidationError, document: YamlDocument) -> Iterator[tuple[int, str]]:
    """Yield the line and the words of each fault."""
    for fault in error.errors(include_url=False):
        yield _told(fault, document)


def _told(fault: Any, document: YamlDocument) -> tuple[int, str]:
    """Return the line and the words of a fault that pydantic found."""
    place: YamlPath = fault["loc"]
    where, given = _path(place), fault["input"]
    match fault["type"]:
        case "extra_forbidden":
            model = MODELS.get(_names(place[:-1]))
            known = [field.alias or name for name, field in model.model_fields.items()] if model else []
            text = unknown("key", str(place[-1]), known) + (f" (in {_path(place[:-1])})" if len(place) > 1 else "")
        case "missing":
            text = f"{where} is missing"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", fault["ctx"]["expected"]) or [fault["ctx"]["expected"]]
            text = f"{where}: {unknown('value', str(given), choices)}"
        case _ if given is None:
            text = f"{where} has no value: give it one, or leave it out"
        case _:
            text = f"{where}: {_lowered(fault['msg'])}"
    return document.line(place), text


def _lowered(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should", "should")
    for theirs, ours in WORDS.items():
        message = message.replace(theirs, ours)
    return message


def _path(place: YamlPath) -> str:
    parts = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return parts.removeprefix(".") or "the policy"


def _names(place: YamlPath) -> tuple[str, ...]:
    return tuple(step for step in place if isinstance(step, str))
