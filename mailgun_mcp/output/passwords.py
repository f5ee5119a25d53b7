"""Generates a password for each `generate` that a model writes: its own choice would be guessable, and known to it."""

from collections.abc import Callable, Sequence
from typing import Any

from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.types import Arguments

WORD = "generate"
LENGTH = 28
"""Length in characters. Mailgun takes 5 to 32; with 57 different characters, this gives 163 bits."""
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
"""Characters of passwords, without those that look alike."""
KINDS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789")
"""Kinds of characters. A password begins with one of each kind, for servers that require every kind."""

Choose = Callable[[Sequence[str]], str]
"""Picks one item in an unpredictable way: `secrets.choice`. Passed in, so that this module is deterministic."""


def generate(choose: Choose) -> str:
    """Return a new password of letters and digits."""
    return "".join(choose(KINDS[index] if index < len(KINDS) else ALPHABET) for index in range(LENGTH))


def fill(operation: Operation, arguments: Arguments, choose: Choose) -> tuple[Arguments, dict[str, str]]:
    """Replace each `generate` in a secret argument with a new password. Return the arguments, and the passwords by JSON
    pointer: `/password`, or `/password/0` in a list.

    Arguments without `generate` are returned unchanged.
    """
    generated: dict[str, str] = {}
    filled = {
        argument.name: _filled(arguments[argument.name], f"/{argument.name}", generated, choose)
        for argument in operation.arguments
        if _takes_password(argument) and argument.name in arguments
    }
    return ({**arguments, **filled}, generated) if generated else (arguments, {})


def _takes_password(argument: Argument) -> bool:
    # A private key is secret too, but the server cannot generate one.
    return argument.secret and argument.encode != "file"


def _filled(value: Any, pointer: str, generated: dict[str, str], choose: Choose) -> Any:
    if isinstance(value, list):
        return [_filled(item, f"{pointer}/{index}", generated, choose) for index, item in enumerate(value)]
    if value != WORD:
        return value
    generated[pointer] = generate(choose)
    return generated[pointer]
