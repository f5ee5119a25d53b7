"""Says what pydantic found wrong with a policy file, in the words of a policy file."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from mailgun_mcp.policy.file.fields import CURRENCY, NAME
from mailgun_mcp.policy.file.schema import MODELS
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.text.validation_words import in_words
from mailgun_mcp.text.yaml import YamlDocument, YamlPath

PATTERNS = {
    NAME: "is not a name: write letters, digits, '-', '_' and '.', without spaces, at most 64",
    CURRENCY: "is not a currency: write its three letters, such as USD",
}
"""Pattern -> what is wrong with a text that does not match it."""


def problems_of(error: ValidationError, document: YamlDocument) -> Iterator[tuple[int, str]]:
    """Yield the line and the description of each fault."""
    for fault in error.errors(include_url=False):
        yield _problem(fault, document)


def _problem(fault: Any, document: YamlDocument) -> tuple[int, str]:
    """Return the line and the description of one fault of pydantic's."""
    path: YamlPath = fault["loc"]
    where, value = _dotted(path), fault["input"]
    match fault["type"]:
        case "extra_forbidden":
            model = MODELS.get(_names(path[:-1]))
            names = [field.alias or name for name, field in model.model_fields.items()] if model else []
            text = unknown("key", str(path[-1]), names) + (f" (in {_dotted(path[:-1])})" if len(path) > 1 else "")
        case "missing":
            text = f"{where} is missing"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", fault["ctx"]["expected"]) or [fault["ctx"]["expected"]]
            if str(value) in choices:
                text = f"{where}: write {value} without quotation marks"
            else:
                text = f"{where}: {unknown('value', str(value), choices)}"
        case "string_pattern_mismatch":
            text = f"{where}: {value!r:.80} {PATTERNS[fault['ctx']['pattern']]}"
        case kind if value is None and kind != "model_type":
            text = f"{where} has no value: give it one, or leave it out"
        case _:
            text = f"{where}: {in_words(fault['type'], fault['msg'])}"
    return document.line(path), text


def _dotted(path: YamlPath) -> str:
    parts = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return parts.removeprefix(".") or "the policy"


def _names(path: YamlPath) -> tuple[str, ...]:
    return tuple(step for step in path if isinstance(step, str))
