"""The vocabulary of `x-mailgun-mcp`: what OpenAPI cannot say about an operation.

Closed on purpose: an unknown key or a missing field stops the compile, so that no
operation reaches a model without a reviewed risk. Imported by the compiler only.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mailgun_mcp.catalogue.types import Risk

WireFormat = Literal["yes_no", "yes", "rfc2822", "epoch", "rfc3339", "comma", "json"]


class ClosedModel(BaseModel):
    """A record that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PreviewSpec(ClosedModel):
    """The read that shows what a call would affect."""

    tool: str
    arguments: dict[str, str] = Field(default_factory=dict)
    """The preview's argument -> this operation's argument, where the names differ."""


class PagesSpec(ClosedModel):
    """How a list result leads to the next page (Mailgun has six ways).

    `skip`: skip/limit arguments and a total. `query`: the next URL's query holds this
    operation's own arguments. `path`: an opaque token ends the next URL's path. `url`: the
    next URL's query is opaque. `body_skip`, `body_token`: a `pagination` object in the body.
    """

    style: Literal["skip", "query", "path", "url", "body_skip", "body_token"]
    items: str
    total: str | None = None


class PriceSpec(ClosedModel):
    """What a call costs, as far as it is known: Mailgun's prices depend on the plan."""

    unit: str
    """What is charged once a call: `validation`, `dedicated IP a month`."""
    amount: float | None = None
    currency: str = "USD"


class AtLeastOne(ClosedModel):
    at_least_one: Annotated[list[str], Field(min_length=2)]


class ExactlyOne(ClosedModel):
    exactly_one: Annotated[list[str], Field(min_length=2)]


class AtMostOne(ClosedModel):
    at_most_one: Annotated[list[str], Field(min_length=2)]


class Requires(ClosedModel):
    """When `argument` is given, each of `requires` is needed as well."""

    argument: str
    requires: Annotated[list[str], Field(min_length=1)]


class MaxRecipients(ClosedModel):
    """At most so many addresses over all the arguments `over`."""

    max_recipients: int
    over: Annotated[list[str], Field(min_length=1)]


class MaxBytes(ClosedModel):
    """At most so many bytes as sent, over the arguments `over` (all of the body when absent)."""

    max_bytes: int
    over: list[str] | None = None


ArgumentRule = AtLeastOne | ExactlyOne | AtMostOne | Requires | MaxRecipients | MaxBytes


ArgumentSource = str | bool | int | list[str] | dict[str, Any]
"""What an argument of a read or write is: `$key`, `$was`, `$` and an argument of the scope, or a field's name; in a
list the same; `{literal: …}` for a text as it is; `{field: NAME, when: {FIELD: VALUE}}` for a field that is only told then.
"""


class ReadSpec(ClosedModel):
    """How a resource is read: the tool, its arguments, and where in the answer the items are."""

    tool: str
    arguments: dict[str, ArgumentSource] = Field(default_factory=dict)
    items: str | None = None
    """Of `all`: the list, or the object whose keys name the items; `pages.items` of the tool when left out.
    Of `one`: the item; the whole answer when left out, and where the answer has no such place.
    """


class WriteSpec(ClosedModel):
    """How a resource is put back, changed or removed. An argument that is named as a field or as an argument of the
    scope takes it; the others are written out.
    """

    tool: str
    arguments: dict[str, ArgumentSource] = Field(default_factory=dict)
    batch: str | None = None
    """The argument that takes many items at once, each an object of the fields."""
    most: int | None = None
    """Items in a batch at most, where fewer than the argument's schema allows are wanted."""
    made: str | None = None
    """The place in the answer of the key that Mailgun gave."""


class ResourceSpec(ClosedModel):
    """A kind of thing that Mailgun keeps, and calls remove or overwrite: how it is read and put back."""

    plural: str | None = None
    within: list[str] = Field(default_factory=list)
    """The arguments that say where it is: its scope."""
    of: dict[str, str] = Field(default_factory=dict)
    """An argument of the scope -> the resource whose key it is: this one is a part of that one."""
    key: str | None = None
    """The field of an item that names it within its scope; None where there is only one."""
    assigned: bool = False
    """Mailgun gives the key: what is put back gets another one."""
    all: ReadSpec | None = None
    one: ReadSpec | None = None
    each: bool = False
    """`all` tells only which there are; each is read by `one`."""
    where: dict[str, str] = Field(default_factory=dict)
    """A field of an item -> the argument of the scope that it must equal: `all` lists others as well."""
    present: dict[str, list[Any]] | None = None
    """A place in an item -> the values with which the thing is there (`[]`: any that is not empty)."""
    fields: dict[str, str] | list[str] = Field(default_factory=list)
    """What is kept and compared: names, or name -> place in the item."""
    put: WriteSpec | None = None
    replace: WriteSpec | None = None
    """`put` when left out."""
    remove: WriteSpec | None = None

    @model_validator(mode="after")
    def _readable(self) -> "ResourceSpec":
        if self.all is None and self.one is None:
            raise ValueError("a resource is read by all or one")
        if self.each and (self.all is None or self.one is None):
            raise ValueError("each needs all and one")
        return self


class EffectSpec(ClosedModel):
    """What a call removes, changes or makes."""

    resource: str
    kind: Literal["removes", "changes", "makes"]
    within: dict[str, str] = Field(default_factory=dict)
    """An argument of the resource's scope -> this operation's argument, where the names differ."""
    key: str | None = None
    """The place in the arguments of the key, or the keys (`bounces/*/address`); without one it is all in the scope."""
    when: str | None = None
    """An argument without which it is not affected."""
    made: str | None = None
    """The place in the response of the key that Mailgun gave."""
    renamed: str | None = None
    """The argument with the new key."""
    later: bool = False
    """It happens in the background: how things are afterwards is not known, and what it adds stays."""


class UndoSpec(ClosedModel):
    """What becomes of what the call removes or overwrites; see `reversible`."""

    affects: list[EffectSpec] = Field(default_factory=list)
    missing: str | None = None
    """What is not put back, where it is not whole."""
    why: str | None = None
    """Why nothing can be put back."""
    nothing: str | None = None
    """Nothing is lost: what takes the call back."""


class OperationExtension(ClosedModel):
    """`x-mailgun-mcp` of an operation. Every field without a default must be written out."""

    risk: Risk
    risk_reason: str | None = None
    """What the call can do that gives it its risk, as a clause. Needed where the method suggests another risk."""
    bulk: bool
    idempotent: bool
    reversible: Literal["whole", "part", "no"] | None
    undo: UndoSpec | None
    preview: PreviewSpec | None
    pages: PagesSpec | None
    secrets: list[str]
    untrusted: list[str]
    personal: list[str]
    rules: list[ArgumentRule] = Field(default_factory=list)
    price: PriceSpec | None = None
    """Needed for risk `billing`."""
    storage_host: Literal["optional", "required"] | None = None
    """The operation lives on the storage host of the message: adds that argument."""

    @model_validator(mode="after")
    def _consistent(self) -> "OperationExtension":
        if self.risk == "read" and self.reversible is not None:
            raise ValueError("a read changes nothing: reversible must be null")
        if self.risk in ("write", "send", "destructive", "billing") and self.reversible is None:
            raise ValueError(f"risk {self.risk} changes something: reversible must be whole, part or no")
        self._check_undo()
        if (self.risk == "billing") != (self.price is not None):
            raise ValueError("a price is required with risk billing, and not allowed with any other")
        if self.risk == "read" and not self.idempotent:
            raise ValueError("a read is idempotent")
        if self.risk == "read" and self.preview is not None:
            raise ValueError("a read needs no preview")
        return self

    def _check_undo(self) -> None:
        filled = {name for name, value in (self.undo or UndoSpec()) if value}
        allowed: dict[str | None, tuple[set[str], ...]] = {
            None: (set(),),
            "whole": ({"affects"}, {"nothing"}),
            "part": ({"affects", "missing"},),
            "no": ({"why"},),
        }
        if filled not in allowed[self.reversible] or (self.undo is None) != (self.reversible is None):
            raise ValueError(f"undo does not fit reversible {self.reversible}: see tools/README.md")


class PropertyExtension(ClosedModel):
    """`x-mailgun-mcp` of a parameter, a body property or a whole body schema."""

    argument: str | None = None
    wire: WireFormat | None = None
    single_line: bool = False
    """The value becomes a mail header: a line break in it is refused."""
    secret: bool = False
    """The value is a password or private key: never shown, logged or recorded."""
    prefix: str | None = None
    """On a pattern property: the prefix that every key gets on the wire (`h:`)."""


class DocumentExtension(ClosedModel):
    """`x-mailgun-mcp` at the top of a document."""

    toolset: str
    title: str
    order: int
    resources: dict[str, ResourceSpec] = Field(default_factory=dict)
