"""The registry of handlers: which function answers an operation, and how faithfully.

A handler may take `account`, `request`, both in this order, or no parameters.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal, TypeVar

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest

Fidelity = Literal["stateful", "computed", "fixed", "shape only"]
HandlerAnswer = Callable[[Account, SimulatedRequest], Reply | Awaitable[Reply]]
"""Answers an operation. A handler that searches many events is a coroutine, to let other requests run meanwhile."""
Function = TypeVar("Function", bound=Callable[..., Reply | Awaitable[Reply]])

MEANINGS: dict[Fidelity, str] = {
    "stateful": "reads and changes the account by Mailgun's rules; reads see writes",
    "computed": "computed from the account's events and use",
    "fixed": "a list that is the same for every account",
    "shape only": "a valid value of the documented shape, with nothing behind it",
}


@dataclass(frozen=True, slots=True)
class Handler:
    """The function that answers an operation, the fidelity of the answer, and a note for docs/simulated.md."""

    answer: HandlerAnswer
    fidelity: Fidelity
    note: str


class HandlerError(TypeError):
    """A handler that can't be registered."""


HANDLERS: dict[str, Handler] = {}
"""Operation -> its handler, filled by `handles` when the sections are imported."""


def handles(operation: str, *, fidelity: Fidelity, note: str) -> Callable[[Function], Function]:
    """Register the decorated function as the handler of `operation`. Raises HandlerError."""

    def register(function: Function) -> Function:
        if operation in HANDLERS:
            raise HandlerError(f"{operation} already has a handler")
        parameters = tuple(signature(function).parameters)
        if parameters not in ADAPTERS:
            raise HandlerError(
                f"the handler of {operation} may take account, request, both or neither, not {list(parameters)}"
            )
        if (fidelity in ("fixed", "shape only")) != (not parameters):
            raise HandlerError(f"the handler of {operation} takes {list(parameters)}, so it isn't {fidelity!r}")
        HANDLERS[operation] = Handler(ADAPTERS[parameters](function), fidelity, note)
        return function

    return register


ADAPTERS: dict[tuple[str, ...], Callable[[Callable[..., Any]], HandlerAnswer]] = {
    ("account", "request"): lambda function: function,
    ("account",): lambda function: lambda account, _: function(account),
    ("request",): lambda function: lambda _, request: function(request),
    (): lambda function: lambda _, __: function(),
}
"""The parameters of a function -> the adapter that calls it with an account and a request."""
