"""What can end a call. Each error says what happened, and what to do next.

The tree:

    CallError                     ends a call; becomes its result and the outcome in the audit log
    ├── ArgumentError             the arguments are not valid; nothing was sent
    ├── DeniedError               the policy does not let the call through; nothing was sent
    ├── NotConfirmedError         no person said yes, or not yet; nothing was sent
    ├── ChangedSinceError         an undo would overwrite somebody's later change; nothing was sent
    ├── UndoInterruptedError      an undo stopped half-way; it can be continued
    ├── StateError                the state cannot be read or written, or does not allow what was asked
    │   ├── UnknownNameError      nothing in the state has this name
    │   └── AccountError          the API key and the name of the account do not belong together
    └── MailgunError              Mailgun did not do what was asked
        ├── NotSentError          the request never left, and would not leave at another try
        │   └── UnreachableError  no connection to Mailgun
        ├── NoAnswerError         the request was sent, and no whole answer came
        ├── RejectedError         Mailgun refused it (HTTP 3xx or 4xx)
        │   └── RateLimitedError  too many calls (HTTP 429)
        ├── ServerError           Mailgun failed (HTTP 5xx)
        ├── UnreadableError       Mailgun answered with something that cannot be read
        ├── NotPreparedError      a read that the call depends on failed; the call itself was not sent
        └── OutcomeUnknownError   a call that changes something may or may not have taken effect

    UnknownToolError              no tool has this name: the request is broken, so it is not the result of a call

What keeps a command from starting is a SettingsError: PolicyError (`policy.file.load`), CatalogueError
(`catalogue.errors`), EndpointError (`mailgun.endpoint`), and the simulator's ScenarioError and StateFileError.
"""

from collections.abc import Sequence
from typing import Literal

ErrorKind = Literal["invalid", "refused", "failed"]
"""What a client reads about a call that was not made or did not succeed."""
Outcome = Literal["done", "failed", "unknown", "refused", "pending", "asked", "invalid"]
"""What became of a call, as the audit log says it. `unknown` also where a process ended before it could say."""
RETRIED = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed a little later."""


class CallError(Exception):
    """Ends a call. `str()` says what happened."""

    outcome: Outcome = "failed"
    kind: ErrorKind = "failed"

    def __init__(self, message: str, next_step: str = "", *, quoted: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.next_step = next_step
        """What to do now. Empty where the message says it."""
        self.quoted = tuple(quoted)
        """The parts of the message that third parties may have written."""

    def text(self, tool: str) -> str:  # noqa: ARG002 - some errors name the tool
        """Return the text for the model that called `tool`."""
        return f"{self}. {self.next_step}" if self.next_step else str(self)


class ArgumentError(CallError):
    """Arguments that cannot become a request; nothing was sent."""

    outcome: Outcome = "invalid"
    kind: ErrorKind = "invalid"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)

    def text(self, tool: str) -> str:
        """Return the faults, one a line."""
        listed = "\n".join(f"- {fault}" for fault in self.faults)
        if len(self.faults) == 1:
            return f"Nothing was sent: 1 fault in the arguments of {tool}.\n{listed}"
        return f"Nothing was sent: {len(self.faults)} faults in the arguments of {tool}.\n{listed}"


class DeniedError(CallError):
    """A call that the policy does not let through."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"


class OwnKeyMissingError(DeniedError):
    """The caller has no Mailgun account here until they store a key of their own."""

    def __init__(self, page: str) -> None:
        super().__init__(
            "Refused (access/accounts): you have no Mailgun account on this server yet. Nothing was sent. Store your own "
            f"Mailgun API key at {page} in a browser, and make the call again. Do not send the key to the assistant."
        )


class NotConfirmedError(CallError):
    """A call that no person confirmed, or that waits for a person's approval."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"

    def __init__(
        self,
        message: str,
        verdict: str,
        approval: str | None = None,
        *,
        details: dict[str, str] | None = None,
        quoted: Sequence[str] = (),
    ) -> None:
        super().__init__(message, quoted=quoted)
        self.details = details
        """The pending approval as data: id, level, when it expires, and the form that a person is shown."""
        self.verdict = verdict
        self.approval = approval
        """The id of the pending approval, where there is one."""
        if approval:
            self.outcome = "pending"


class ChangedSinceError(CallError):
    """Somebody changed what an undo would put back; the message says what."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"


class UndoInterruptedError(CallError):
    """An undo that stopped half-way. The same undo goes on from there."""


class StateError(CallError):
    """The state cannot be read or written, or does not allow what was asked. The message says what to do."""

    def text(self, tool: str) -> str:  # noqa: ARG002 - as in CallError
        """Return the message: what cannot be recorded is not sent."""
        return f"Nothing was sent: {self}"


class UnknownNameError(StateError):
    """Nothing has this name. The message names the nearest."""


class AccountError(StateError):
    """The API key, or what was asked of an account, does not fit the account's name. The message says what to do."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"


class MailgunError(CallError):
    """Mailgun did not do what was asked. The subclasses say in which phase of the exchange it went wrong."""

    status: int | None = None
    """Of the answer, where there was one."""
    transient = False
    """Whether the same call may succeed a little later."""
    reached = False
    """Whether the call may have reached Mailgun and taken effect."""
    wait: float | None = None
    """Seconds after which Mailgun asks to try again."""

    def __init__(self, message: str, next_step: str, *, quoted: Sequence[str] = ()) -> None:
        super().__init__(message, next_step, quoted=quoted)


class NotSentError(MailgunError):
    """The request never left, and would not leave at another try either."""


class UnreachableError(NotSentError):
    """No connection to Mailgun; the request never left."""

    transient = True


class NoAnswerError(MailgunError):
    """The request was sent, and no whole answer came."""

    reached = True

    def __init__(self, message: str, next_step: str, *, repeatable: bool) -> None:
        super().__init__(message, next_step)
        self.transient = repeatable


class _StatusError(MailgunError):
    """Mailgun answered with a status that is not a success. `reached` tells of earlier tries as well."""

    def __init__(
        self,
        message: str,
        next_step: str,
        *,
        status: int,
        wait: float | None = None,
        reached: bool = False,
        quoted: Sequence[str] = (),
    ) -> None:
        super().__init__(message, next_step, quoted=quoted)
        self.status = status
        self.transient = status in RETRIED
        self.wait = wait
        self.reached = reached


class RejectedError(_StatusError):
    """Mailgun refused the request (HTTP 3xx or 4xx)."""


class RateLimitedError(RejectedError):
    """Too many calls (HTTP 429) or recipients (HTTP 420); `wait` says when to try again."""


class ServerError(_StatusError):
    """Mailgun failed (HTTP 5xx): the call may have taken effect all the same."""

    def __init__(
        self, message: str, next_step: str, *, status: int, wait: float | None = None, quoted: Sequence[str] = ()
    ) -> None:
        super().__init__(message, next_step, status=status, wait=wait, reached=True, quoted=quoted)


class UnreadableError(MailgunError):
    """Mailgun answered with something that cannot be read: the call most likely took effect."""

    def __init__(self, message: str, next_step: str, *, status: int | None = None) -> None:
        super().__init__(message, next_step)
        self.status = status
        self.reached = True


class NotPreparedError(MailgunError):
    """A read that the call depends on failed; the call itself was not sent."""


class OutcomeUnknownError(MailgunError):
    """A call that changes something may or may not have taken effect; the next step names its record."""

    outcome: Outcome = "unknown"
    reached = True


class SettingsError(ValueError):
    """A flag, variable, key or file is unknown or cannot be used. Nothing was done."""


class UnknownToolError(LookupError):
    """No tool has this name; the message names the nearest."""
