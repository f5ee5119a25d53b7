"""Makes passwords where the model writes `generate`: one that a model makes up is guessable, and the model knows it."""

from collections.abc import Callable, Sequence
from typing import Any

from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.types import Arguments

WORD = "generate"
LENGTH = 28
"""Within Mailgun's 5 to 32; with 57 characters to choose from 163 bits."""
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
"""Without characters that look alike."""
KINDS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789")
"""The first characters are one of each kind, for servers that require every kind."""

Choose = Callable[[Sequence[str]], str]
"""Picks one at random, unguessably: `secrets.choice`. Passed in, so that this module is deterministic."""


def generate(choose: Choose) -> str:
    """Return a new password of letters and digits."""
    return "".join(choose(KINDS[index] if index < len(KINDS) else ALPHABET) for index in range(LENGTH))


def fill(operation: Operation, arguments: Arguments, choose: Choose) -> tuple[Arguments, dict[str, str]]:
    """Return the arguments with a new password for each `generate` at a secret argument, and the new passwords by
    their pointer: `/password`, or `/password/0` in a list.

    Arguments without `generate` are returned as they are.
    """
    generated: dict[str, str] = {}
    filled = {
        argument.name: _filled(arguments[argument.name], f"/{argument.name}", generated, choose)
        for argument in operation.arguments
        if _takes_password(argument) and argument.name in arguments
    }
    return ({**arguments, **filled}, generated) if generated else (arguments, {})


def _takes_password(argument: Argument) -> bool:
    # A private key is secret too, but the server cannot make one up.
    return argument.secret and argument.encode != "file"


def _filled(value: Any, pointer: str, generated: dict[str, str], choose: Choose) -> Any:
    if isinstance(value, list):
        return [_filled(item, f"{pointer}/{index}", generated, choose) for index, item in enumerate(value)]
    if value != WORD:
        return value
    generated[pointer] = generate(choose)
    return generated[pointer]
