"""Decides when to note the head of the log beside the database, and when to export it as the policy says."""

from collections.abc import Callable

from mailgun_mcp.audit.heads import export
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.model import HeadRules

NOTED_EVERY = 5.0
"""Seconds between two notes of the head beside the database."""


class HeadSchedule:
    """Notes and exports the head while a log grows. Only the thread that writes the log uses it."""

    def __init__(
        self, log: AuditLog, clock: Callable[[], float], monotonic: Callable[[], float], rules: HeadRules | None
    ) -> None:
        self._log = log
        self._clock = clock
        self._monotonic = monotonic
        self._rules = rules
        self._noted_at: float | None = None
        self._exported_at: float | None = None
        self._unnoted = self._unexported = False
        self._complained = False

    def wrote(self) -> None:
        """Take note that the log has grown."""
        self._unnoted = True
        self._unexported = self._rules is not None

    @property
    def wait(self) -> float | None:
        """Return the seconds until something is due, or None if the log has not grown."""
        due = []
        if self._unnoted:
            due.append(self._left(self._noted_at, NOTED_EVERY))
        if self._rules and self._unexported:
            due.append(self._left(self._exported_at, self._rules.every))
        return min(due, default=None)

    def run(self, *, now: bool = False) -> None:
        """Note and export the head if that is due; with `now`, do whatever has not been done yet."""
        noting = self._unnoted and (now or self._left(self._noted_at, NOTED_EVERY) <= 0)
        rules = self._rules if self._unexported else None
        exporting = rules is not None and (now or self._left(self._exported_at, rules.every) <= 0)
        if not noting and not exporting:
            return
        try:
            head = self._log.head(self._clock())
            if noting:
                self._noted_at, self._unnoted = self._monotonic(), False
                self._log.note_head(head)
        except StateError as error:
            self._complain(error)
            return
        if rules and exporting:
            self._exported_at, self._unexported = self._monotonic(), False
            export(rules, head)

    def _left(self, last: float | None, every: float) -> float:
        return 0.0 if last is None else max(0.0, last + every - self._monotonic())

    def _complain(self, error: StateError) -> None:
        if not self._complained:
            self._complained = True
            logger().error("the head of the audit log could not be recorded", reason=str(error))
