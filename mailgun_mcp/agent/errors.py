"""The reasons why a chat cannot do what was asked. Each error has the HTTP status that an adapter answers with."""

import re
from collections.abc import Sequence
from typing import Any

WORD = re.compile(r"(?<!^)(?=[A-Z])")


class AgentError(Exception):
    """The request cannot be carried out. `str()` says why and what to do, and may be shown to the person."""

    status = 400

    @property
    def kind(self) -> str:
        """The name of the error without `Error`."""
        return type(self).__name__.removesuffix("Error")

    @property
    def code(self) -> str:
        """The same for programs, such as `too_large`."""
        return WORD.sub("_", self.kind).lower()


class BadMessageError(AgentError):
    """The message or an id is invalid."""


class TooLargeError(BadMessageError):
    """The message is too large."""

    status = 413


class NotFoundError(AgentError):
    """The principal has no such conversation."""

    status = 404

    def __init__(self, conversation: str) -> None:
        super().__init__(f"There is no conversation {conversation[:80]!r}")


class BusyError(AgentError):
    """A run is active in the conversation."""

    status = 409

    def __init__(self) -> None:
        super().__init__("The assistant is still answering in this conversation. Wait for it, or cancel it first.")


class StoppingError(AgentError):
    """The server is stopping."""

    status = 503

    def __init__(self) -> None:
        super().__init__("This server is stopping. Nothing was done. Send it again in a few seconds.")


class WaitingError(AgentError):
    """Approvals are open, and a new message does not answer them."""

    status = 409

    def __init__(self, approvals: Sequence[dict[str, Any]]) -> None:
        names = ", ".join(str(approval["approval"]) for approval in approvals)
        super().__init__(f"The assistant waits for a person's answer ({names}). Answer it, or cancel it first.")
        self.approvals = tuple(approvals)
        """The bodies of the `approval_needed` events."""


class AnswerError(AgentError):
    """An answer to an approval that is not open in this conversation or has expired, or an incomplete answer."""


class ForbiddenError(AgentError):
    """The person may not give this answer."""

    status = 403


class ModelError(AgentError):
    """The model did not answer."""

    status = 502


class LimitError(AgentError):
    """A limit on usage is reached. The run stops before its next request to the model."""

    status = 429
