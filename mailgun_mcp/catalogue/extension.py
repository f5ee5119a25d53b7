"""The vocabulary of `x-mailgun-mcp`: what OpenAPI cannot say about an operation.

Closed on purpose: an unknown key or a missing field stops the compile, so that no
operation reaches a model without a reviewed risk. Imported by the compiler only.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Risk = Literal["read", "write", "send", "destructive", "credential", "billing"]
Wire = Literal["yes_no", "yes", "rfc2822", "epoch", "rfc3339", "comma", "json"]


class Closed(BaseModel):
    """A record that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Preview(Closed):
    """The read that shows what a call would touch."""

    tool: str
    arguments: dict[str, str] = Field(default_factory=dict)
    """The preview's argument -> this operation's argument, where the names differ."""


class Pages(Closed):
    """How a list result leads to the next page (Mailgun has six ways).

    `skip`: skip/limit arguments and a total. `query`: the next URL's query holds this
    operation's own arguments. `path`: an opaque token ends the next URL's path. `url`: the
    next URL's query is opaque. `body_skip`, `body_token`: a `pagination` object in the body.
    """

    style: Literal["skip", "query", "path", "url", "body_skip", "body_token"]
    items: str
    total: str | None = None


class Price(Closed):
    """What a call costs, as far as it is known: Mailgun's prices depend on the plan."""

    unit: str
    """What is charged once a call: `validation`, `dedicated IP a month`."""
    amount: float | None = None
    currency: str = "USD"


class AtLeastOne(Closed):
    at_least_one: Annotated[list[str], Field(min_length=2)]


class ExactlyOne(Closed):
    exactly_one: Annotated[list[str], Field(min_length=2)]


class AtMostOne(Closed):
    at_most_one: Annotated[list[str], Field(min_length=2)]


class Requires(Closed):
    """When `argument` is given, each of `requires` is needed as well."""

    argument: str
    requires: Annotated[list[str], Field(min_length=1)]


class MaxRecipients(Closed):
    """At most so many addresses over all the arguments `over`."""

    max_recipients: int
    over: Annotated[list[str], Field(min_length=1)]


class MaxBytes(Closed):
    """At most so many bytes as sent, over the arguments `over` (all of the body when absent)."""

    max_bytes: int
    over: list[str] | None = None


Rule = AtLeastOne | ExactlyOne | AtMostOne | Requires | MaxRecipients | MaxBytes


class OperationExtension(Closed):
    """`x-mailgun-mcp` of an operation. Every field without a default must be written out."""

    risk: Risk
    bulk: bool
    idempotent: bool
    reversible: Literal["whole", "part", "no"] | None
    preview: Preview | None
    pages: Pages | None
    secrets: list[str]
    untrusted: list[str]
    personal: list[str]
    rules: list[Rule] = Field(default_factory=list)
    price: Price | None = None
    """Needed for risk `billing`."""
    storage_host: Literal["optional", "required"] | None = None
    """The operation lives on the storage host of the message: adds that argument."""

    @model_validator(mode="after")
    def _consistent(self) -> "OperationExtension":
        if self.risk == "read" and self.reversible is not None:
            raise ValueError("a read changes nothing: reversible must be null")
        if self.risk in ("write", "send", "destructive", "billing") and self.reversible is None:
            raise ValueError(f"risk {self.risk} changes something: reversible must be whole, part or no")
        if (self.risk == "billing") != (self.price is not None):
            raise ValueError("price belongs to risk billing, and billing needs it")
        if self.risk == "read" and not self.idempotent:
            raise ValueError("a read is idempotent")
        if self.risk == "read" and self.preview is not None:
            raise ValueError("a read needs no preview")
        return self


class PropertyExtension(Closed):
    """`x-mailgun-mcp` of a parameter, a body property or a whole body schema."""

    argument: str | None = None
    wire: Wire | None = None
    single_line: bool = False
    """The value becomes a mail header: a line break in it is refused."""
    secret: bool = False
    """The value is a password or private key: never shown, logged or recorded."""
    prefix: str | None = None
    """On a pattern property: the prefix that every key gets on the wire (`h:`)."""


class DocumentExtension(Closed):
    """`x-mailgun-mcp` at the top of a document."""

    toolset: str
    title: str
    order: int
