"""Passwords made by the server where the model gives the word `generate`: a model's own are guessable, and known to it."""

from collections.abc import Callable, Sequence
from typing import Any

from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.types import Arguments

WORD = "generate"
LENGTH = 28
"""Within Mailgun's 5 to 32; with 57 characters to choose from 163 bits."""
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
"""Without what looks alike."""
KINDS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789")
"""Each has a place of its own, so that a rule that wants every kind is met."""

Choose = Callable[[Sequence[str]], str]
"""Picks one at random, unguessably: `secrets.choice`. Given, because what decides here has no chance in it."""


def generate(choose: Choose) -> str:
    """Return a new password of letters and digits."""
    return "".join(choose(KINDS[index] if index < len(KINDS) else ALPHABET) for index in range(LENGTH))


def fill(operation: Operation, arguments: Arguments, choose: Choose) -> tuple[Arguments, dict[str, str]]:
    """Return the arguments with a new password for each `generate` at a secret argument, and these by their place.

    A place is `/password`, or `/password/0` in a list. Arguments without any are returned as they are.
    """
    generated: dict[str, str] = {}
    filled = {
        argument.name: _filled(arguments[argument.name], f"/{argument.name}", generated, choose)
        for argument in operation.arguments
        if _takes_password(argument) and argument.name in arguments
    }
    return ({**arguments, **filled}, generated) if generated else (arguments, {})


def _takes_password(argument: Argument) -> bool:
    # A private key is secret as well, but not for us to make up.
    return argument.secret and argument.encode != "file"


def _filled(value: Any, place: str, generated: dict[str, str], choose: Choose) -> Any:
    if isinstance(value, list):
        return [_filled(item, f"{place}/{index}", generated, choose) for index, item in enumerate(value)]
    if value != WORD:
        return value
    generated[place] = generate(choose)
    return generated[place]
