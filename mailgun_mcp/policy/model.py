"""What a policy is: rules, what they decide, and the settings beside them. Records only.

On the start-up path: neither pydantic nor YAML is imported here (`policy_file` reads files).
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
"""In rising order of what they ask of a person."""


def reaches(given: Level, needed: Level) -> bool:
    """Return whether a confirmation at one level is one at another level, or more."""
    return LEVELS.index(given) >= LEVELS.index(needed)


Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Decision:
    """What policy says of one call."""

    effect: DecisionEffect
    rule: str
    """The name of the rule that decided."""
    reason: str
    level: Level | None = None
    """What a confirmation must prove; None unless the effect is `confirm`."""
    beyond_grants: bool = False
    """Whether a person must see this call: one who allowed calls of its kind could not know what it costs."""

    @property
    def allowed(self) -> bool:
        """Whether the call may be made without asking anyone."""
        return self.effect == "allow"


@dataclass(frozen=True, slots=True)
class Condition(Generic[Subject]):
    """One key of a `match`."""

    key: str
    expected: str
    """What the rule says, in words."""
    holds: Callable[[Subject], bool] = field(compare=False)
    seen: Callable[[Subject], str] = field(compare=False)
    """What the call says, in words."""

    def __str__(self) -> str:
        return f"{self.key}: {self.expected}"


@dataclass(frozen=True, slots=True)
class Match:
    """A compiled `match`: every condition must hold."""

    of_operation: tuple[Condition[Operation], ...] = ()
    """The same for every call of one operation: evaluated once."""
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
    """What is decided when a call matches."""

    name: str
    """`FILE:LINE (NAME)` for a file's rule, `guarded/destructive` for a profile's."""
    match: Match
    effect: DecisionEffect
    level: Level | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SendLimit:
    """A rule that is built from `send` or `spend`. It only tightens: its effect is `confirm` or `deny`."""

    name: str
    effect: Literal["confirm", "deny"]
    covers: Callable[[Operation], bool] = field(compare=False)
    check: Callable[[Facts], str | None] = field(compare=False)
    """Why the call must be confirmed or is refused; None when it is allowed."""
    beyond_grants: bool = False


@dataclass(frozen=True, slots=True)
class SendRules:
    """The send firewall. None: no restriction. Empty: nothing. `("*",)`: everything."""

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
    """Of each principal."""
    confirm_per_hour: int | None = None
    """Recipients in an hour above which a person is asked. That of the file that is nearest counts."""
    duplicate_window: float | None = None
    """Seconds."""
    test_mode: bool | None = None
    unknown_lists: Literal["confirm", "allow"] | None = None
    """What becomes of a send to a list of unknown size. That of the file that is nearest counts."""


@dataclass(frozen=True, slots=True)
class SpendRules:
    """What billing operations may cost in a calendar month."""

    monthly_budget: float
    currency: str = "USD"
    prices: Mapping[str, float] = field(default_factory=dict)
    """Unit or tool -> what one costs. See `policy.prices`."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How often one principal may call."""

    principal_calls_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class ConfirmationRules:
    """How a person is asked, and for how long a question stands."""

    methods: tuple[Method, ...] = ("elicitation", "approval")
    ttl: float = 600.0
    """Seconds."""
    max_pending: int = 20
    """Approvals of one principal that may wait at the same time. More would hide each other from the person."""


@dataclass(frozen=True, slots=True)
class HeadRules:
    """Where the head of the audit log goes, so that a log that was cut or replaced is found."""

    file: str | None = None
    """A file that gets one line for each head."""
    syslog: bool = False
    command: tuple[str, ...] | None = None
    """Is run with the head, as JSON, on its standard input."""
    every: float = 600.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class AuditRules:
    """What the audit log records of calls, and for how long it is kept."""

    personal: bool = True
    """Whether the values of arguments that hold personal data are written down."""
    reads: bool = True
    keep: float = 400 * 86_400.0
    """Seconds."""
    most_bytes: int = 512 * 1024 * 1024
    heads: HeadRules | None = None


@dataclass(frozen=True, slots=True)
class UndoRules:
    """What is copied before it is lost, and for how long it can be put back."""

    records: int = 100_000
    """The most records that are copied for one call."""
    keep: float = 30 * 86_400.0
    """Seconds."""
    too_many: Literal["confirm", "allow"] = "confirm"
    """What becomes of a call that would lose more than is copied, where the rules allow it."""


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """An endpoint that hears of approvals."""

    url: str
    format: WebhookFormat = "standard"
    events: tuple[WebhookEvent, ...] | None = None
    """None for all."""
    secret_file: str | None = None
    """A file with the secret that signs what is sent."""


@dataclass(frozen=True, slots=True)
class NotifyRules:
    """What is called when a call waits for approval, so that somebody can answer."""

    command: tuple[str, ...] | None = None
    url: str | None = None
    webhooks: tuple[WebhookRules, ...] = ()
    """What an HTTP server tells of approvals, until it was received."""


@dataclass(frozen=True, slots=True)
class Example:
    """One of the `tests` of a policy file: a call and what must be decided."""

    line: int
    call: str
    tool: str
    arguments: Mapping[str, Any]
    assumptions: Mapping[str, Any]
    """Facts beside the call, as written; see `hypothetical.suppose`."""
    expect: DecisionEffect
    level: Level | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicableRule:
    """A rule that can concern an operation, and the rest of its match."""

    rule: Rule
    holds: Callable[[Facts], bool] = field(compare=False)


@dataclass(frozen=True, slots=True)
class ApplicableRules:
    """The part of a policy that can concern one operation, denies apart from the rest."""

    denying_limits: tuple[SendLimit, ...]
    denies: tuple[ApplicableRule, ...]
    others: tuple[ApplicableRule, ...]
    confirming_limits: tuple[SendLimit, ...]
    """They confirm what the rules would allow."""


NOTHING_MATCHED = Decision("deny", "nothing", "no rule allows this call, and what no rule allows is denied")


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in the order in which they are asked: the file's before those that it extends."""

    name: str
    rules: tuple[Rule, ...]
    send: tuple[SendRules, ...] = ()
    """One for each file that has them; all of them hold."""
    spend: tuple[SpendRules, ...] = ()
    limits: tuple[CallLimits, ...] = ()
    """One for each file that has them; all of them hold."""
    confirmation: ConfirmationRules = ConfirmationRules()
    audit: AuditRules = AuditRules()
    undo: UndoRules = UndoRules()
    secrets: Literal["withhold", "reveal"] = "withhold"
    notify: NotifyRules | None = None
    timezone: tzinfo = UTC
    otherwise: Decision = NOTHING_MATCHED
    """When no rule matches."""
    tests: tuple[Example, ...] = ()
    digest: str = ""
    """SHA-256 of what the policy says: comments, order of keys and tests do not change it."""
    plans: dict[Operation, ApplicableRules] = field(default_factory=dict, compare=False, repr=False)
    """What `engine` worked out for each operation so far."""

    @property
    def names_accounts(self) -> bool:
        """Whether a rule depends on the name of the account."""
        return any(condition.key == "account" for rule in self.rules for condition in rule.match.of_call)
