"""The shape of a policy file: what pydantic checks and editors complete. Imported when a file is read.

A key may be left out (`exclude_unset` tells which were). A key without a value is refused: `allow_recipients:` could
mean nobody or everybody.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from mailgun_mcp.policy.file.fields import (
    CURRENCY,
    FILLED,
    AddressGlobs,
    Amount,
    ArgumentConditions,
    Count,
    DomainGlobs,
    Duration,
    Hours,
    Name,
    OneOrMore,
    OneOrMoreAddresses,
    OneOrMoreDomains,
    Reversibles,
    Risks,
    SessionOrDuration,
    Text,
    Weekdays,
    checked,
    notify_url,
    zone,
)
from mailgun_mcp.policy.model import DecisionEffect, Level, Method, WebhookEvent, WebhookFormat


def _not_blank(record: BaseModel) -> BaseModel:
    if not record.model_fields_set:
        raise ValueError("it is empty: leave it out")
    return record


class Closed(BaseModel):
    """A record that refuses unknown keys and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _has_a_value(cls, value: object) -> object:
        # None is the value of a key that is left out, and nobody can write it.
        if value is None:
            raise ValueError("no value")
        return value


class RecipientsDocument(Closed):
    """The recipients of a send: to, cc, bcc and recipient variables; a mailing list counts as its members."""

    more_than: Count | None = Field(default=None)
    less_than: Count | None = Field(default=None)
    at_least: Count | None = Field(default=None)
    at_most: Count | None = Field(default=None)
    domains: OneOrMoreDomains | None = Field(default=None, description="globs of recipients' domains")
    addresses: OneOrMoreAddresses | None = Field(
        default=None, description="globs of addresses; one without @ is for the domain"
    )
    outside: OneOrMoreAddresses | None = Field(default=None, description="recipients that none of these globs match")

    _not_empty = model_validator(mode="after")(_not_blank)


class MatchDocument(Closed):
    """Which calls a rule is about. All keys that are given must match; {} matches every call."""

    tool: OneOrMore | None = Field(default=None, description="globs of tool names: delete_*")
    toolset: OneOrMore | None = Field(default=None, description="globs of toolsets: bounces")
    risk: Risks | None = Field(default=None, description="what a call can do")
    bulk: bool | None = Field(default=None, description="whether a call can affect many things at once")
    reversible: Reversibles | None = Field(default=None, description="how much of it can be put back")
    domain: OneOrMoreDomains | None = Field(default=None, description="globs of the domains that the call names")
    account: OneOrMore | None = Field(default=None, description="globs of account names")
    region: OneOrMore | None = Field(default=None, description="us, eu")
    subaccount: OneOrMore | None = Field(
        default=None, description="globs of subaccount ids: acted in, or named by the call"
    )
    principal: OneOrMore | None = Field(
        default=None, description="globs of who calls: the user who runs the server, or anonymous"
    )
    client: OneOrMore | None = Field(
        default=None, description="globs of what the MCP client calls itself, which proves nothing"
    )
    arguments: ArgumentConditions | None = Field(
        default=None, description="conditions by path: template, variables.plan"
    )
    recipients: RecipientsDocument | None = Field(default=None, description="how many recipients, and who")
    hour: Hours | None = Field(
        default=None, description="hours of the day in the policy's timezone: 9-17 is until 17:00"
    )
    weekday: Weekdays | None = Field(default=None, description="days of the week in the policy's timezone")
    after_untrusted: SessionOrDuration | None = Field(
        default=None, description="third-party text was shown to this principal: session, or a time such as 15m"
    )
    destinations: OneOrMoreAddresses | None = Field(
        default=None, description="globs of the hosts and addresses that data would go to"
    )


class RuleDocument(Closed):
    """What is decided when a call matches."""

    name: Name | None = Field(default=None, description="a name shown in decisions")
    match: MatchDocument
    decision: DecisionEffect
    level: Level | None = Field(default=None, description="what a confirmation must prove")
    reason: Text | None = Field(default=None, description="shown to the model and to the person")

    @model_validator(mode="after")
    def _level_of_confirm(self) -> "RuleDocument":
        if "level" in self.model_fields_set and self.decision != "confirm":
            raise ValueError(f"only decision: confirm has a level, not {self.decision}")
        return self


class SendDocument(Closed):
    """The send firewall. A list that is left out restricts nothing, an empty one allows nothing."""

    allow_recipients: AddressGlobs | None = Field(default=None, description="every recipient must match one")
    deny_recipients: AddressGlobs | None = Field(default=None, description="no recipient may match one")
    allow_domains: DomainGlobs | None = Field(default=None, description="every recipient's domain must match one")
    deny_domains: DomainGlobs | None = Field(default=None, description="no recipient's domain may match one")
    allow_destinations: AddressGlobs | None = Field(
        default=None, description="where route forwards, webhooks and archives may go"
    )
    deny_destinations: AddressGlobs | None = Field(default=None, description="where they may not")
    sender_domains: DomainGlobs | None = Field(default=None, description="domains that mail may be from")
    recipients_per_call: Count | None = Field(default=None)
    recipients_per_hour: Count | None = Field(default=None)
    principal_recipients_per_hour: Count | None = Field(
        default=None, description="the same for each principal: the mail of one does not count for another"
    )
    confirm_per_hour: Count | None = Field(
        default=None, description="above this many recipients in an hour, a person is asked"
    )
    duplicate_window: Duration | None = Field(
        default=None, description="the same message again within this time is confirmed"
    )
    test_mode: bool | None = Field(default=None, description="refuse every send that is not in test mode")
    unknown_lists: Literal["confirm", "allow"] | None = Field(
        default=None,
        description="confirm (the default) or allow a send when it cannot be known how many people a list reaches",
    )


class SpendDocument(Closed):
    """What billing operations may cost in a calendar month."""

    monthly_budget: Amount
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)] = "USD"
    prices: Annotated[dict[str, Amount], FILLED] | None = Field(
        default=None,
        description="what one costs: message (to one recipient), validation, dedicated_ip, subaccount_features, or a tool's name",
    )


class LimitsDocument(Closed):
    """How often each principal may call, and above how many addresses a person is asked."""

    principal_calls_per_hour: Count | None = Field(
        default=None, description="calls of one principal in one account, reads included"
    )
    confirm_addresses_per_hour: Count | None = Field(
        default=None,
        description="above this many addresses put on suppression lists, mailing lists and routes in an hour, "
        "a person is asked",
    )

    _not_empty = model_validator(mode="after")(_not_blank)


class ConfirmationDocument(Closed):
    """How a person is asked, and how long a question stays open."""

    methods: Annotated[list[Method], FILLED] | None = Field(default=None)
    ttl: Duration | None = Field(default=None)
    max_pending: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="approvals of one principal that may wait at once; default 20"
    )


class HeadsDocument(Closed):
    """Where the server writes the head of the audit log, so that a log that was cut or replaced is found."""

    file: Text | None = Field(default=None, description="a file that gets one line for each head")
    syslog: bool | None = Field(default=None, description="write it to the system's log")
    command: Annotated[list[Text], FILLED] | None = Field(
        default=None, description="program and arguments; gets the head as JSON on its standard input"
    )
    every: Duration | None = Field(default=None, description="how often; default 10m")

    _not_empty = model_validator(mode="after")(_not_blank)


class AuditDocument(Closed):
    """What the audit log records, and how long it is kept."""

    personal: bool | None = Field(default=None, description="record personal data in arguments too; default true")
    reads: bool | None = Field(default=None, description="record reads too; default true")
    keep: Duration | None = Field(default=None, description="how long entries are kept; default 400d")
    keep_megabytes: Annotated[int, Field(ge=1)] | None = Field(default=None, description="size limit; default 512")
    heads: HeadsDocument | None = Field(default=None, description="where the head of the log is written")

    _not_empty = model_validator(mode="after")(_not_blank)


class UndoDocument(Closed):
    """What is saved before it is lost, and how long it can be put back."""

    records: Count | None = Field(default=None, description="limit for one call; default 100000")
    keep: Duration | None = Field(default=None, description="how long it can be put back; default 30d")
    too_many: Literal["confirm", "allow"] | None = Field(
        default=None, description="what happens to a call that would lose more; default confirm"
    )

    _not_empty = model_validator(mode="after")(_not_blank)


class WebhookDocument(Closed):
    """An endpoint that an HTTP server tells of approvals."""

    url: Annotated[str, checked(notify_url)] = Field(description="https URL; http is for loopback only")
    format: WebhookFormat | None = Field(default=None, description="default standard: Standard Webhooks")
    events: Annotated[list[WebhookEvent], FILLED] | None = Field(default=None, description="default all")
    secret_file: Text | None = Field(default=None, description="file with the secret that signs: whsec_ and base64")

    @model_validator(mode="after")
    def _is_signed(self) -> "WebhookDocument":
        if self.format in (None, "standard") and self.secret_file is None:
            raise ValueError("add secret_file: what is sent in the format standard is signed")
        return self


class NotifyDocument(Closed):
    """What is called when an approval is pending."""

    command: Annotated[list[Text], FILLED] | None = Field(default=None, description="program and arguments")
    url: Annotated[str, checked(notify_url)] | None = Field(default=None, description="a webhook")
    webhooks: Annotated[list[WebhookDocument], FILLED] | None = Field(
        default=None,
        description="what an HTTP server sends about each approval, signed, and again until it was received",
    )

    _not_empty = model_validator(mode="after")(_not_blank)


class FactsDocument(Closed):
    """What is assumed beside the call."""

    principal: Text | None = Field(default=None)
    client: str | None = Field(default=None)
    account: Text | None = Field(default=None)
    region: Literal["us", "eu"] | None = Field(default=None)
    subaccount: Text | None = Field(default=None)
    at: Text | None = Field(
        default=None, description="when: 2026-03-07 22:30, in the policy's timezone unless it has its own"
    )
    after_untrusted: Duration | None = Field(default=None, description="how long ago third-party text was shown")
    recipients_last_hour: Count | None = Field(default=None)
    addresses_last_hour: Count | None = Field(default=None)
    sent_before: Duration | None = Field(default=None, description="how long ago the same message was sent")
    spent_this_month: Amount | None = Field(default=None)
    list_members: dict[str, Count] | None = Field(default=None, description="members of each mailing list")


class ExampleDocument(Closed):
    """A call and the decision it must get."""

    tool: Text | None = Field(default=None, description="the tool that is called: delete_domain")
    arguments: dict[str, Any] | None = Field(default=None, description="its arguments: {domain: mg.prod.example.com}")
    call: Text | None = Field(
        default=None, description='both in one text: "delete_domain {domain: mg.prod.example.com}"'
    )
    facts: FactsDocument | None = Field(default=None)
    expect: DecisionEffect
    level: Level | None = Field(default=None)
    rule: Text | None = Field(default=None, description="name of the rule that must decide")

    @model_validator(mode="after")
    def _one_call(self) -> "ExampleDocument":
        if (self.tool is None) == (self.call is None):
            raise ValueError("name the call once: by tool and arguments, or by call")
        if self.call is not None and self.arguments is not None:
            raise ValueError("arguments belong to tool, not to call")
        return self


class PolicyDocument(Closed):
    """A policy of mailgun-mcp: which calls are made, which a person confirms, which are refused."""

    version: Literal[1]
    extends: Text | None = Field(
        default=None, description="read-only, guarded, strict, unguarded, or another file relative to this one"
    )
    rules: list[RuleDocument] | None = Field(
        default=None, description="any deny wins; otherwise the first that matches"
    )
    send: SendDocument | None = Field(default=None)
    spend: SpendDocument | None = Field(default=None)
    limits: LimitsDocument | None = Field(default=None)
    confirmation: ConfirmationDocument | None = Field(default=None)
    audit: AuditDocument | None = Field(default=None)
    undo: UndoDocument | None = Field(default=None)
    secrets: Literal["withhold", "reveal"] | None = Field(default=None)
    notify: NotifyDocument | None = Field(default=None)
    timezone: Annotated[Text, checked(zone)] | None = Field(
        default=None, description="IANA name, for hours and weekdays"
    )
    tests: list[ExampleDocument] | None = Field(default=None, description="run by `mailgun-mcp policy test`")


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
    return dict(schema)


def _finished(node: Any) -> Any:
    """Pydantic allows `null` for a key that may be left out, which a file must not use, and does not know `Condition`."""
    if isinstance(node, list):
        return [_finished(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node == {"title": "Condition"}:
        return {"$ref": "#/$defs/Condition"}
    schema = {key: _finished(value) for key, value in node.items() if not (key == "default" and value is None)}
    if {"type": "null"} in schema.get("anyOf", ()):
        choices = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
        schema = {**schema, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}
    return schema


MODELS: dict[tuple[str, ...], type[Closed]] = {
    (): PolicyDocument,
    ("rules",): RuleDocument,
    ("rules", "match"): MatchDocument,
    ("rules", "match", "recipients"): RecipientsDocument,
    ("send",): SendDocument,
    ("spend",): SpendDocument,
    ("limits",): LimitsDocument,
    ("confirmation",): ConfirmationDocument,
    ("audit",): AuditDocument,
    ("audit", "heads"): HeadsDocument,
    ("undo",): UndoDocument,
    ("notify",): NotifyDocument,
    ("notify", "webhooks"): WebhookDocument,
    ("tests",): ExampleDocument,
    ("tests", "facts"): FactsDocument,
}
"""The document class at each path of the file, without list positions: to suggest the right key."""
