"""Secrets in a result: each is stored for a person and replaced with a reference."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.output.json_paths import JsonPath, pointer, replace, tree_of
from mailgun_mcp.settings import shell_command

Keep = Callable[[str, str], str | None]
"""Stores a value under its JSON pointer and returns a reference to it; None if it could not be stored."""

NAMED = re.compile(
    r"(?:^|_)(?:secret|password|passwd|passphrase|token|pem|(?:api|signing|private|secret|access|smtp)_?key)$"
)
"""Names of secrets, for values that match no pattern of the catalogue."""
MASKED = re.compile(r"[*•.xX]*")
"""A value that Mailgun itself has masked."""
REFERENCE = "withheld: "
SHORTEST = 6
"""Shortest secret, in characters, that the rest of a result is searched for. Shorter ones occur in many words."""


def withhold(operation: Operation, result: dict[str, Any], keep: Keep, state: Path | None = None) -> dict[str, Any]:
    """Return the result with a reference in place of each secret. Types do not change, but a number becomes null.

    Secrets are the values at the operation's secret patterns and, if its risk is credential, values named like one.
    `state` is the state directory in which `keep` stores them. A withheld value is removed from all other texts too.
    Raises what `keep` raises: then nothing may be shown.
    """
    withholding = _Withholding(keep, state)
    redacted: dict[str, Any] = replace(result, tree_of(operation.secrets), withholding.visit)
    if operation.risk == "credential":
        redacted = withholding.named(redacted, ())
    return _mapped(redacted, withholding.without) if withholding.references else redacted


def reference_text(reference: str | None, state: Path | None = None) -> str:
    """Return the text that replaces a secret."""
    if reference is None:
        return f"{REFERENCE}it could not be saved for a person either, and is lost"
    return (
        f"{REFERENCE}{reference} (a person reads it with: {shell_command('secrets', 'show', reference, state=state)})"
    )


def is_secret_name(name: str) -> bool:
    """Return whether a key of this name holds a secret: `smtp_password`, `apiKey`, `http-signing-key`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return bool(NAMED.search(words.replace("-", "_").replace(" ", "_").lower()))


class _Withholding:
    def __init__(self, keep: Keep, state: Path | None) -> None:
        self._keep = keep
        self._state = state
        self.references: dict[str, str | None] = {}
        """Value -> its reference; None if the value could not be stored."""
        self._texts: set[str] = set()
        """The texts that replace the values."""

    def visit(self, value: Any, path: JsonPath, _: str) -> Any:
        """Return what replaces a value that matched a secret pattern."""
        if isinstance(value, dict):
            return {key: self.visit(item, (*path, key), "") for key, item in value.items()}
        if isinstance(value, list):
            return [self.visit(item, (*path, str(index)), "") for index, item in enumerate(value)]
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str):
            return self._withheld(value, path)
        self._withheld(str(value), path)
        return None

    def named(self, value: Any, path: JsonPath) -> Any:
        """Return the value with every text withheld whose key is the name of a secret."""
        if isinstance(value, dict):
            return {
                key: self._withheld(item, (*path, key))
                if isinstance(item, str) and is_secret_name(key)
                else self.named(item, (*path, key))
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.named(item, (*path, str(index))) for index, item in enumerate(value)]
        return value

    def _withheld(self, value: str, path: JsonPath) -> str:
        if MASKED.fullmatch(value) or value in self._texts:
            return value
        if value not in self.references:
            self.references[value] = self._keep(pointer(path), value)
        text = reference_text(self.references[value], self._state)
        self._texts.add(text)
        return text

    def without(self, text: str) -> str:
        """Return the text without the withheld secrets."""
        if text.startswith(REFERENCE):
            return text
        for value, reference in self.references.items():
            if len(value) >= SHORTEST and value in text:
                text = text.replace(value, f"(withheld: {reference or 'lost'})")
        return text


def _mapped(fields: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return the fields with every text in them changed, including keys."""
    return {change(key): _mapped_value(item, change) for key, item in fields.items()}


def _mapped_value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return _mapped(value, change)
    if isinstance(value, list):
        return [_mapped_value(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
