"""The errors that can end a call. Each says what happened, and what to do next.

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
        ├── NotSentError          the request never left, and another attempt would not help
        │   └── UnreachableError  no connection to Mailgun
        ├── NoAnswerError         the request was sent, but no complete answer came
        ├── RejectedError         Mailgun refused it (HTTP 3xx or 4xx)
        │   └── RateLimitedError  too many calls (HTTP 429)
        ├── ServerError           Mailgun failed (HTTP 5xx)
        ├── UnreadableError       Mailgun answered with something that cannot be read
        ├── NotPreparedError      a read that the call depends on failed; the call itself was not sent
        └── OutcomeUnknownError   a call that changes something may or may not have taken effect

    UnknownToolError              no tool has this name: the request is invalid, so it is not the result of a call

A command that cannot start raises a SettingsError: PolicyError (`policy.file.load`), CatalogueError
(`catalogue.errors`), EndpointError (`mailgun.endpoint`), and the simulator's ScenarioError and StateFileError.
"""

from collections.abc import Sequence
from typing import Literal

ErrorKind = Literal["invalid", "refused", "failed"]
"""The kinds of failed calls that a client distinguishes."""
Outcome = Literal["done", "failed", "unknown", "refused", "pending", "asked", "invalid"]
"""The outcome of a call in the audit log. `unknown` is also used if a process ended before it recorded the outcome."""
RETRIED = frozenset({429, 502, 503, 504})
"""HTTP statuses after which the same request may succeed a little later."""


class CallError(Exception):
    """Ends a call. `str()` says what happened."""

    outcome: Outcome = "failed"
    kind: ErrorKind = "failed"

    def __init__(self, message: str, next_step: str = "", *, quoted: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.next_step = next_step
        """What to do now. Empty if the message says it."""
        self.quoted = tuple(quoted)
        """The parts of the message that third parties may have written."""

    def text(self, tool: str) -> str:  # noqa: ARG002 - some errors name the tool
        """Return the text for the model that called `tool`."""
        return f"{self}. {self.next_step}" if self.next_step else str(self)


class ArgumentError(CallError):
    """The arguments cannot become a request. Nothing was sent."""

    outcome: Outcome = "invalid"
    kind: ErrorKind = "invalid"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)

    def text(self, tool: str) -> str:
        """Return the faults, one per line."""
        listed = "\n".join(f"- {fault}" for fault in self.faults)
        if len(self.faults) == 1:
            return f"Nothing was sent: 1 fault in the arguments of {tool}.\n{listed}"
        return f"Nothing was sent: {len(self.faults)} faults in the arguments of {tool}.\n{listed}"


class DeniedError(CallError):
    """The policy does not allow the call."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"


class OwnKeyMissingError(DeniedError):
    """The caller has no Mailgun account here until they store their own key."""

    def __init__(self, page: str) -> None:
        super().__init__(
            "Refused (access/accounts): you have no Mailgun account on this server yet. Nothing was sent. Store your own "
            f"Mailgun API key at {page} in a browser, and make the call again. Do not send the key to the assistant."
        )


class NotConfirmedError(CallError):
    """No person confirmed the call, or it waits for a person's approval."""

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
        """The pending approval as data: id, level, expiry, and the form that a person sees."""
        self.verdict = verdict
        self.approval = approval
        """The id of the pending approval, if there is one."""
        if approval:
            self.outcome = "pending"


class ChangedSinceError(CallError):
    """Somebody has changed what an undo would restore. The message says what."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"


class UndoInterruptedError(CallError):
    """An undo stopped half-way. The same undo continues from there."""


class StateError(CallError):
    """The state cannot be read or written, or does not allow what was asked. The message says what to do."""

    def text(self, tool: str) -> str:  # noqa: ARG002 - as in CallError
        """Return the message. Nothing was sent, because nothing is sent that cannot be recorded."""
        return f"Nothing was sent: {self}"


def reason_of(error: Exception) -> str:
    """Return why a file or connection could not be used, without the number and the name that Python adds."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class UnknownNameError(StateError):
    """Nothing has this name. The message suggests the nearest one."""


class AccountError(StateError):
    """The API key, or what was asked of an account, does not match the account's name. The message says what to do."""

    outcome: Outcome = "refused"
    kind: ErrorKind = "refused"


class MailgunError(CallError):
    """Mailgun did not do what was asked. The subclasses say in which phase of the exchange it went wrong."""

    status: int | None = None
    """HTTP status of the answer, if there was one."""
    transient = False
    """Whether the same call may succeed a little later."""
    reached = False
    """Whether the call may have reached Mailgun and taken effect."""
    wait: float | None = None
    """Seconds after which Mailgun asks clients to try again."""

    def __init__(self, message: str, next_step: str, *, quoted: Sequence[str] = ()) -> None:
        super().__init__(message, next_step, quoted=quoted)


class NotSentError(MailgunError):
    """The request never left, and another attempt would not change that."""


class UnreachableError(NotSentError):
    """No connection to Mailgun; the request never left."""

    transient = True


class NoAnswerError(MailgunError):
    """The request was sent, but no complete answer came."""

    reached = True

    def __init__(self, message: str, next_step: str, *, repeatable: bool) -> None:
        super().__init__(message, next_step)
        self.transient = repeatable


class _StatusError(MailgunError):
    """Mailgun answered with a status other than success. `reached` includes earlier attempts."""

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
    """Mailgun failed (HTTP 5xx). The call may have taken effect anyway."""

    def __init__(
        self, message: str, next_step: str, *, status: int, wait: float | None = None, quoted: Sequence[str] = ()
    ) -> None:
        super().__init__(message, next_step, status=status, wait=wait, reached=True, quoted=quoted)


class UnreadableError(MailgunError):
    """Mailgun's answer cannot be read. The call most likely took effect."""

    def __init__(self, message: str, next_step: str, *, status: int | None = None) -> None:
        super().__init__(message, next_step)
        self.status = status
        self.reached = True


class NotPreparedError(MailgunError):
    """A read that the call depends on failed. The call itself was not sent."""


class OutcomeUnknownError(MailgunError):
    """A call that changes something may or may not have taken effect. The next step names its record."""

    outcome: Outcome = "unknown"
    reached = True


class SettingsError(ValueError):
    """A flag, variable, key or file is unknown or unusable. Nothing was done."""


class UnknownToolError(LookupError):
    """No tool has this name. The message suggests the nearest one."""
