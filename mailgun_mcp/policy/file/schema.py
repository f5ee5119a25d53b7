"""The shape of a policy file: what pydantic checks and editors complete. Imported when a file is read.

A key that is left out is unset (`exclude_unset` tells); one without a value is refused, for nobody can say whether
`allow_recipients:` means nobody or everybody.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from mailgun_mcp.policy.conditions import as_list
from mailgun_mcp.policy.model import DecisionEffect, Level, Method
from mailgun_mcp.text.durations import duration, minutes_of, weekdays_of
from mailgun_mcp.text.suggest import unknown

UNSET: Any = None
"""The value of a key that is left out; `None` itself is no value of any key."""

Risk = Literal["read", "write", "send", "destructive", "credential", "billing"]
Reversible = Literal["whole", "part", "no"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _checked(check: Callable[[Any], object]) -> AfterValidator:
    def validate(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(validate)


def _one_or_many(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(unknown("time zone", name, available_timezones())) from error


def _domain_glob(glob: str) -> None:
    if "@" in glob:
        raise ValueError(f"{glob!r} is an address, not a domain: leave out the part up to @")


def _notify_url(url: str) -> None:
    parts = urlsplit(url)
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise ValueError(f"{url!r} is not an https URL (http is for loopback only)")


Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, le=1e9, strict=False)]


def _a_duration(value: Any) -> Any:
    """Also of a number, so that `ttl: 15` is told what is missing."""
    if isinstance(value, (str, int, float)):
        duration(str(value))
    return value


Duration = Annotated[
    str,
    BeforeValidator(_a_duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+[smhd]( ?[0-9]+[smhd])*$", "examples": ["15m", "2h", "7d"]}),
]
Globs = list[Text]
"""Of a send rule: empty means something."""
DomainGlobs = list[Annotated[Text, _checked(_domain_glob)]]

_FILLED = Field(min_length=1)
OneOrMore = Annotated[Globs, _FILLED, BeforeValidator(as_list), _one_or_many({"type": "string", "minLength": 1})]
Risks = Annotated[
    list[Risk],
    _FILLED,
    BeforeValidator(as_list),
    _one_or_many({"enum": ["read", "write", "send", "destructive", "credential", "billing"]}),
]
Reversibles = Annotated[
    list[Reversible], _FILLED, BeforeValidator(as_list), _one_or_many({"enum": ["whole", "part", "no"]})
]
Hours = Annotated[
    list[Annotated[str | int, _checked(minutes_of)]],
    _FILLED,
    BeforeValidator(as_list),
    _one_or_many({"type": ["string", "integer"], "examples": ["9-17", "22:30-6"]}),
]
Weekdays = Annotated[
    list[Annotated[str, _checked(lambda span: weekdays_of([span]))]],
    _FILLED,
    BeforeValidator(as_list),
    _one_or_many({"type": "string", "examples": ["mon", "mon-fri"]}),
]
Conditions = Annotated[
    dict[str, Any],
    _FILLED,
    WithJsonSchema({"type": "object", "minProperties": 1, "additionalProperties": {"title": "Condition"}}),
]
"""Checked by `policy_checks`: a union of so many shapes would be told in riddles."""


def _says_something(record: BaseModel) -> BaseModel:
    if not record.model_fields_set:
        raise ValueError("it says nothing: leave it out")
    return record


class Closed(BaseModel):
    """A record that refuses unknown keys and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RecipientsDocument(Closed):
    """The recipients of a send: to, cc, bcc and recipient variables; a mailing list counts as its members."""

    more_than: Count = Field(default=UNSET)
    less_than: Count = Field(default=UNSET)
    at_least: Count = Field(default=UNSET)
    at_most: Count = Field(default=UNSET)
    domains: OneOrMore = Field(default=UNSET, description="globs of recipients' domains")
    addresses: OneOrMore = Field(default=UNSET, description="globs of addresses; one without @ is for the domain")
    outside: OneOrMore = Field(default=UNSET, description="recipients that none of these globs match")

    _not_empty = model_validator(mode="after")(_says_something)


class MatchDocument(Closed):
    """Which calls a rule is about. All keys that are given must match; {} matches every call."""

    tool: OneOrMore = Field(default=UNSET, description="globs of tool names: delete_*")
    toolset: OneOrMore = Field(default=UNSET, description="globs of toolsets: bounces")
    risk: Risks = Field(default=UNSET, description="what a call can do")
    bulk: bool = Field(default=UNSET, description="whether a call can touch many things at once")
    reversible: Reversibles = Field(default=UNSET, description="how much of it can be put back")
    domain: OneOrMore = Field(default=UNSET, description="globs of the domains that the call names")
    account: OneOrMore = Field(default=UNSET, description="globs of account names")
    region: OneOrMore = Field(default=UNSET, description="us, eu")
    subaccount: OneOrMore = Field(default=UNSET, description="globs of subaccount ids: acted in, or named by the call")
    principal: OneOrMore = Field(default=UNSET, description="globs of who is responsible; local on stdio")
    client: OneOrMore = Field(default=UNSET, description="globs of what the MCP client calls itself; no proof")
    arguments: Conditions = Field(default=UNSET, description="conditions by path: template, variables.plan")
    recipients: RecipientsDocument = Field(default=UNSET, description="how many recipients, and which")
    hour: Hours = Field(default=UNSET, description="hours of the day in the policy's timezone: 9-17 is until 17:00")
    weekday: Weekdays = Field(default=UNSET, description="days of the week in the policy's timezone")
    after_untrusted: Duration = Field(
        default=UNSET, description="third-party text was shown to this principal at most so long ago"
    )
    destinations: OneOrMore = Field(default=UNSET, description="globs of hosts and addresses that data would go to")


class RuleDocument(Closed):
    """What is decided when a call matches."""

    name: Name = Field(default=UNSET, description="a name to be told by, beside file and line")
    match: MatchDocument
    decision: DecisionEffect
    level: Level = Field(default=UNSET, description="what a confirmation must prove")
    reason: Text = Field(default=UNSET, description="told to the model and the person")

    @model_validator(mode="after")
    def _level_of_confirm(self) -> "RuleDocument":
        if "level" in self.model_fields_set and self.decision != "confirm":
            raise ValueError(f"a level belongs to decision: confirm, not to {self.decision}")
        return self


class SendDocument(Closed):
    """The send firewall. A list that is left out restricts nothing, an empty one allows nothing."""

    allow_recipients: Globs = Field(default=UNSET, description="every recipient must match one")
    deny_recipients: Globs = Field(default=UNSET, description="no recipient may match one")
    allow_domains: DomainGlobs = Field(default=UNSET, description="every recipient's domain must match one")
    deny_domains: DomainGlobs = Field(default=UNSET, description="no recipient's domain may match one")
    allow_destinations: Globs = Field(default=UNSET, description="where route forwards, webhooks and archives may go")
    deny_destinations: Globs = Field(default=UNSET, description="where they may not")
    sender_domains: DomainGlobs = Field(default=UNSET, description="domains that mail may be from")
    recipients_per_call: Count = Field(default=UNSET)
    recipients_per_hour: Count = Field(default=UNSET)
    duplicate_window: Duration = Field(default=UNSET, description="the same message again within it is confirmed")
    test_mode: bool = Field(default=UNSET, description="refuse every send that is not in test mode")


class SpendDocument(Closed):
    """What billing operations may cost in a calendar month."""

    monthly_budget: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"


class ConfirmationDocument(Closed):
    """How a person is asked, and for how long a question stands."""

    methods: Annotated[list[Method], _FILLED] = Field(default=UNSET)
    ttl: Duration = Field(default=UNSET)


class AuditDocument(Closed):
    """What is written down of calls, and for how long it is kept."""

    personal: bool = Field(default=UNSET, description="also personal data in arguments; default true")
    reads: bool = Field(default=UNSET, description="also calls that only read; default true")
    keep: Duration = Field(default=UNSET, description="how long; default 400d")
    keep_megabytes: Annotated[int, Field(ge=1)] = Field(default=UNSET, description="how much at most; default 512")

    _not_empty = model_validator(mode="after")(_says_something)


class UndoDocument(Closed):
    """What is copied before it is lost, and for how long it can be put back."""

    records: Count = Field(default=UNSET, description="at most so many things of one call; default 100000")
    keep: Duration = Field(default=UNSET, description="how long it can be put back; default 30d")
    too_many: Literal["confirm", "allow"] = Field(
        default=UNSET, description="a call that would lose more than is copied; default confirm"
    )

    _not_empty = model_validator(mode="after")(_says_something)


class NotifyDocument(Closed):
    """What is called when a call is held."""

    command: Annotated[list[Text], _FILLED] = Field(default=UNSET, description="program and arguments")
    url: Annotated[str, _checked(_notify_url)] = Field(default=UNSET, description="a webhook")

    _not_empty = model_validator(mode="after")(_says_something)


class FactsDocument(Closed):
    """What is supposed beside the call."""

    principal: Text = Field(default=UNSET)
    client: str = Field(default=UNSET)
    account: Text = Field(default=UNSET)
    region: Literal["us", "eu"] = Field(default=UNSET)
    subaccount: Text = Field(default=UNSET)
    at: Text = Field(
        default=UNSET, description="when: 2026-03-07 22:30, in the policy's timezone unless it has its own"
    )
    after_untrusted: Duration = Field(default=UNSET, description="third-party text was shown so long ago")
    recipients_last_hour: Count = Field(default=UNSET)
    sent_before: Duration = Field(default=UNSET, description="the same message was sent so long ago")
    spent_this_month: Amount = Field(default=UNSET)
    list_members: dict[str, Count] = Field(default=UNSET, description="members of each mailing list")


class ExampleDocument(Closed):
    """A call and what must be decided."""

    call: Text = Field(description='"delete_domain {name: mg.prod.example.com}"')
    facts: FactsDocument = Field(default=UNSET)
    expect: DecisionEffect
    level: Level = Field(default=UNSET)
    rule: Text = Field(default=UNSET, description="name of the rule that must decide")


class PolicyDocument(Closed):
    """A policy of mailgun-mcp: which calls are made, which a person confirms, which are refused."""

    version: Literal[1]
    extends: Text = Field(
        default=UNSET, description="read-only, guarded, strict, unguarded, or another file relative to this one"
    )
    rules: list[RuleDocument] = Field(default=UNSET, description="any deny wins; otherwise the first that matches")
    send: SendDocument = Field(default=UNSET)
    spend: SpendDocument = Field(default=UNSET)
    confirmation: ConfirmationDocument = Field(default=UNSET)
    audit: AuditDocument = Field(default=UNSET)
    undo: UndoDocument = Field(default=UNSET)
    secrets: Literal["withhold", "reveal"] = Field(default=UNSET)
    notify: NotifyDocument = Field(default=UNSET)
    timezone: Annotated[Text, _checked(_zone)] = Field(default=UNSET, description="IANA name, for hours and weekdays")
    tests: list[ExampleDocument] = Field(default=UNSET, description="run by `mailgun-mcp policy test`")


CONDITION_SCHEMA: dict[str, Any] = {
    "title": "Condition",
    "description": "A glob, number, true, false or null; a list of them (any of); or comparisons, all of which must hold.",
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Condition"}},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "equals": {"description": "exactly this value"},
                **{name: {"type": "number"} for name in ("more_than", "less_than", "at_least", "at_most")},
                **{
                    name: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Condition"}}
                    for name in ("any", "all")
                },
                "not": {"$ref": "#/$defs/Condition"},
                "exists": {"type": "boolean", "description": "whether the argument is given"},
            },
        },
    ],
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file."""
    schema = _finished(PolicyDocument.model_json_schema())
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$defs"] = {**schema["$defs"], "Condition": CONDITION_SCHEMA}
    found: dict[str, Any] = schema
    return found


def _finished(node: Any) -> Any:
    """Pydantic writes `default: null` for what is unset, which editors would offer, and knows no `Condition`."""
    if isinstance(node, list):
        return [_finished(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node == {"title": "Condition"}:
        return {"$ref": "#/$defs/Condition"}
    return {key: _finished(value) for key, value in node.items() if not (key == "default" and value is None)}


MODELS: dict[tuple[str, ...], type[Closed]] = {
    (): PolicyDocument,
    ("rules",): RuleDocument,
    ("rules", "match"): MatchDocument,
    ("rules", "match", "recipients"): RecipientsDocument,
    ("send",): SendDocument,
    ("spend",): SpendDocument,
    ("confirmation",): ConfirmationDocument,
    ("audit",): AuditDocument,
    ("undo",): UndoDocument,
    ("notify",): NotifyDocument,
    ("tests",): ExampleDocument,
    ("tests", "facts"): FactsDocument,
}
"""The record at each place of the file, list positions left out: to name the nearest known key."""
