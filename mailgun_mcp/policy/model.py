"""What a policy consists of: rules, what they decide, and other settings. Records only.

Loaded at every start, so it imports neither pydantic nor YAML (`policy.file` reads files).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Generic, Literal, TypeVar

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.facts import Facts

DecisionEffect = Literal["allow", "confirm", "deny"]
Level = Literal["ask", "typed", "approval", "two_people"]
Method = Literal["elicitation", "approval"]
WebhookFormat = Literal["standard", "slack", "teams"]
WebhookEvent = Literal[
    "approval.pending",
    "approval.approved",
    "approval.denied",
    "approval.expired",
    "approval.withdrawn",
    "approval.used",
    "operation.undone",
]

LEVELS: tuple[Level, ...] = ("ask", "typed", "approval", "two_people")
"""All levels, from the least to the most that they demand of a person."""


def reaches(given: Level, needed: Level) -> bool:
    """Return whether a confirmation at the `given` level satisfies the `needed` level."""
    return LEVELS.index(given) >= LEVELS.index(needed)


Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's decision on one call."""

    effect: DecisionEffect
    rule: str
    """The name of the rule that decided."""
    reason: str
    level: Level | None = None
    """The level that a confirmation needs; None unless the effect is `confirm`."""
    beyond_grants: bool = False
    """Whether no grant covers the call: a person who allowed calls like it could not know the cost of this one."""

    @property
    def allowed(self) -> bool:
        """Whether the call may be made without asking anyone."""
        return self.effect == "allow"


@dataclass(frozen=True, slots=True)
class Condition(Generic[Subject]):
    """One key of a `match`."""

    key: str
    expected: str
    """What the rule expects, in words."""
    holds: Callable[[Subject], bool] = field(compare=False)
    seen: Callable[[Subject], str] = field(compare=False)
    """Returns what the call has instead, in words."""

    def __str__(self) -> str:
        return f"{self.key}: {self.expected}"


@dataclass(frozen=True, slots=True)
class Match:
    """A compiled `match`: every condition must hold."""

    of_operation: tuple[Condition[Operation], ...] = ()
    """Conditions that are the same for all calls of an operation, so they are evaluated once."""
    of_call: tuple[Condition[Facts], ...] = ()

    def __str__(self) -> str:
        return ", ".join(str(condition) for condition in (*self.of_operation, *self.of_call)) or "every call"

    def covers(self, operation: Operation) -> bool:
        """Return whether a call of `operation` can match."""
        return all(condition.holds(operation) for condition in self.of_operation)

    def holds(self, facts: Facts) -> bool:
        """Return whether the call matches."""
        return self.covers(facts.operation) and all(condition.holds(facts) for condition in self.of_call)


@dataclass(frozen=True, slots=True)
class Rule:
    """The decision on calls that match."""

    name: str
    """`FILE:LINE (NAME)` for a rule in a file, `guarded/destructive` for a profile's."""
    match: Match
    effect: DecisionEffect
    level: Level | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SendLimit:
    """A rule that is built from `send` or `spend`. It can only tighten: its effect is `confirm` or `deny`."""

    name: str
    effect: Literal["confirm", "deny"]
    covers: Callable[[Operation], bool] = field(compare=False)
    check: Callable[[Facts], str | None] = field(compare=False)
    """Returns why the call must be confirmed or is refused; None if it is allowed."""
    beyond_grants: bool = False


@dataclass(frozen=True, slots=True)
class SendRules:
    """The send firewall. None: no restriction. Empty: nothing is allowed. `("*",)`: everything is."""

    allow_recipients: tuple[str, ...] | None = None
    deny_recipients: tuple[str, ...] | None = None
    allow_domains: tuple[str, ...] | None = None
    deny_domains: tuple[str, ...] | None = None
    allow_destinations: tuple[str, ...] | None = None
    deny_destinations: tuple[str, ...] | None = None
    sender_domains: tuple[str, ...] | None = None
    recipients_per_call: int | None = None
    recipients_per_hour: int | None = None
    principal_recipients_per_hour: int | None = None
    """Like `recipients_per_hour`, but for each principal."""
    confirm_per_hour: int | None = None
    """Recipients per hour above which a person is asked. The setting of the nearest file counts."""
    duplicate_window: float | None = None
    """Seconds within which the same request counts as a duplicate."""
    test_mode: bool | None = None
    unknown_lists: Literal["confirm", "allow"] | None = None
    """What happens to a send to a list of unknown size. The setting of the nearest file counts."""


@dataclass(frozen=True, slots=True)
class SpendRules:
    """What billing operations may cost in a calendar month."""

    monthly_budget: float
    currency: str = "USD"
    prices: Mapping[str, float] = field(default_factory=dict)
    """Unit or tool -> price of one. See `policy.prices`."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How often one principal may call, and how many addresses calls may put on lists before a person is asked."""

    principal_calls_per_hour: int | None = None
    confirm_addresses_per_hour: int | None = None
    """Addresses per hour above which a person is asked. The setting of the nearest file counts."""


@dataclass(frozen=True, slots=True)
class ConfirmationRules:
    """How a person is asked, and how long a question stays open."""

    methods: tuple[Method, ...] = ("elicitation", "approval")
    ttl: float = 600.0
    """How long an approval stays pending, in seconds."""
    max_pending: int = 20
    """Most approvals of one principal that may be pending at a time. More would hide each other from the person."""


@dataclass(frozen=True, slots=True)
class HeadRules:
    """Where to send the head of the audit log, so that a truncated or replaced log is detected."""

    file: str | None = None
    """A file that gets one line for each head."""
    syslog: bool = False
    command: tuple[str, ...] | None = None
    """A command that gets the head as JSON on its standard input."""
    every: float = 600.0
    """Interval between two heads, in seconds."""


@dataclass(frozen=True, slots=True)
class AuditRules:
    """What the audit log records about calls, and how long it is kept."""

    personal: bool = True
    """Whether values of arguments with personal data are recorded."""
    reads: bool = True
    keep: float = 400 * 86_400.0
    """How long entries are kept, in seconds."""
    most_bytes: int = 512 * 1024 * 1024
    heads: HeadRules | None = None


@dataclass(frozen=True, slots=True)
class UndoRules:
    """What is copied before it is lost, and how long it can be restored."""

    records: int = 100_000
    """Most records that are copied for one call."""
    keep: float = 30 * 86_400.0
    """How long copies are kept, in seconds."""
    too_many: Literal["confirm", "allow"] = "confirm"
    """What happens to an allowed call that would lose more records than are copied."""


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """A webhook that is notified of approvals."""

    url: str
    format: WebhookFormat = "standard"
    events: tuple[WebhookEvent, ...] | None = None
    """The events to send; None for all."""
    secret_file: str | None = None
    """A file with the secret that signs notifications."""


@dataclass(frozen=True, slots=True)
class NotifyRules:
    """What is run or called when a call waits for approval, so that somebody can answer."""

    command: tuple[str, ...] | None = None
    url: str | None = None
    webhooks: tuple[WebhookRules, ...] = ()
    """Webhooks of an HTTP server. It repeats each notification until it is received."""


@dataclass(frozen=True, slots=True)
class Example:
    """One of the `tests` in a policy file: a call, and the decision expected on it."""

    line: int
    call: str
    tool: str
    arguments: Mapping[str, Any]
    assumptions: Mapping[str, Any]
    """Facts besides the call, as written; see `hypothetical.assumed_facts`."""
    expect: DecisionEffect
    level: Level | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicableRule:
    """A rule that can apply to an operation, and the rest of its match."""

    rule: Rule
    holds: Callable[[Facts], bool] = field(compare=False)


@dataclass(frozen=True, slots=True)
class ApplicableRules:
    """The part of a policy that can apply to one operation, with denying rules kept apart."""

    denying_limits: tuple[SendLimit, ...]
    denies: tuple[ApplicableRule, ...]
    others: tuple[ApplicableRule, ...]
    confirming_limits: tuple[SendLimit, ...]
    """Limits that require confirmation of what the rules would allow."""


NOTHING_MATCHED = Decision("deny", "nothing", "no rule allows this call, and what no rule allows is denied")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy. Its rules are in the order of evaluation: those of a file before those that it extends."""

    name: str
    rules: tuple[Rule, ...]
    send: tuple[SendRules, ...] = ()
    """One per file that has send rules; all of them apply."""
    spend: tuple[SpendRules, ...] = ()
    limits: tuple[CallLimits, ...] = ()
    """One per file that has call limits; all of them apply."""
    confirmation: ConfirmationRules = ConfirmationRules()
    audit: AuditRules = AuditRules()
    undo: UndoRules = UndoRules()
    secrets: Literal["withhold", "reveal"] = "withhold"
    notify: NotifyRules | None = None
    timezone: tzinfo = UTC
    otherwise: Decision = NOTHING_MATCHED
    """The decision if no rule matches."""
    tests: tuple[Example, ...] = ()
    digest: str = ""
    """SHA-256 of the policy's meaning: comments, order of keys and tests do not change it."""
    plans: dict[Operation, ApplicableRules] = field(default_factory=dict, compare=False, repr=False)
    """What `engine` has computed for each operation so far."""

    @property
    def counts_calls(self) -> bool:
        """Whether a limit depends on how many calls were made."""
        return any(rules.principal_calls_per_hour is not None for rules in self.limits)

    @property
    def names_accounts(self) -> bool:
        """Whether a rule depends on the name of the account."""
        return any(condition.key == "account" for rule in self.rules for condition in rule.match.of_call)
