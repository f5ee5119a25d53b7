"""The vocabulary of `x-mailgun-mcp`: what OpenAPI cannot say about an operation.

An unknown key or a missing field stops the compile, so that no operation reaches a model
without a reviewed risk. Only the compiler imports this module.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.types import RISKS, Risk

Author = Literal[
    "account",
    "mailgun",
    "mail",
    "recipient",
    "receiving server",
    "recipient's client",
    "list member",
    "DNS",
    "third party",
]
"""Who wrote a text of a response. `mail` is whoever wrote the mail that it is about: the account itself, where Mailgun
says that it sent it.
"""
OURS = ("account", "mailgun")
"""Their text is not third-party text."""

WireFormat = Literal[
    "yes_no", "yes", "rfc2822", "epoch", "rfc3339", "comma", "json", "duration_months", "duration_minutes"
]


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
    """What a call costs, where that is known: Mailgun's prices depend on the plan."""

    unit: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    """What each call is charged for, as the prices of a policy name it: `validation`, `dedicated_ip`."""
    amount: float | None = None
    currency: str = "USD"


class AtLeastOne(ClosedModel):
    at_least_one: Annotated[list[str], Field(min_length=2)]


class ExactlyOne(ClosedModel):
    exactly_one: Annotated[list[str], Field(min_length=2)]


class AtMostOne(ClosedModel):
    at_most_one: Annotated[list[str], Field(min_length=2)]


class Requires(ClosedModel):
    """When `argument` is present, each of `requires` must be present as well."""

    argument: str
    requires: Annotated[list[str], Field(min_length=1)]


class Fits(ClosedModel):
    """When the arguments have the values of `when`, those of `needs` must be there, with that value where one is given."""

    when: Annotated[dict[str, str], Field(min_length=1)]
    needs: Annotated[dict[str, str | None], Field(min_length=1)]


class MaxRecipients(ClosedModel):
    """The most addresses that the arguments `over` may hold together."""

    max_recipients: int
    over: Annotated[list[str], Field(min_length=1)]


class MaxBytes(ClosedModel):
    """The most bytes that the arguments `over` may take in the request together (the whole body when absent)."""

    max_bytes: int
    over: list[str] | None = None


ArgumentRule = AtLeastOne | ExactlyOne | AtMostOne | Requires | Fits | MaxRecipients | MaxBytes


ArgumentSource = str | bool | int | list[str] | dict[str, Any]
"""Where the value of an argument of a read or write comes from: `$key`, `$was`, `$` and an argument of the scope, or the
name of a field; or a list of these. `{literal: …}` is that text. `{field: NAME, when: {FIELD: VALUE}}` is a field that is
sent only under that condition.
"""


class ReadSpec(ClosedModel):
    """How a resource is read: the tool, its arguments, and where in the answer the items are."""

    tool: str
    arguments: dict[str, ArgumentSource] = Field(default_factory=dict)
    items: str | None = None
    """In `all`: the path of the list, or of the object whose keys name the items; the tool's `pages.items` by default.
    In `one`: the path of the item; the whole answer by default, and when the answer has nothing at that path.
    """


class WriteSpec(ClosedModel):
    """How a resource is put back, changed or removed. An argument with the name of a field, or of an argument of the
    scope, takes its value; the others are written out.
    """

    tool: str
    arguments: dict[str, ArgumentSource] = Field(default_factory=dict)
    batch: str | None = None
    """The argument that takes many items at once, each an object with the fields."""
    most: int | None = None
    """The most items in a batch, where that should be fewer than the argument's schema allows."""
    made: str | None = None
    """The path, in the answer, of the key that Mailgun assigned."""


class ResourceSpec(ClosedModel):
    """A kind of resource that calls remove or overwrite: how it is read and put back."""

    plural: str | None = None
    within: list[str] = Field(default_factory=list)
    """The arguments that say where the resource is: its scope."""
    of: dict[str, str] = Field(default_factory=dict)
    """An argument of the scope -> the resource whose key it is, and which this resource is part of."""
    key: str | None = None
    """The field of an item that names it within its scope; None where there is only one."""
    assigned: bool = False
    """Whether Mailgun assigns the key: what is put back gets another one."""
    all: ReadSpec | None = None
    one: ReadSpec | None = None
    each: bool = False
    """Whether `all` only lists the keys, so that `one` must read each item."""
    where: dict[str, str] = Field(default_factory=dict)
    """A field of an item -> the argument of the scope that it must equal, where `all` lists other items as well."""
    present: dict[str, list[Any]] | None = None
    """A path in an item -> the values with which the resource counts as existing (`[]`: any that is not empty)."""
    fields: dict[str, str] | list[str] = Field(default_factory=list)
    """The fields that are saved and compared: names, or name -> path in the item."""
    shown: list[str] = Field(default_factory=list)
    """Further fields that a person is shown. A call cannot write them."""
    put: WriteSpec | None = None
    replace: WriteSpec | None = None
    """`put` by default."""
    remove: WriteSpec | None = None

    @model_validator(mode="after")
    def _readable(self) -> "ResourceSpec":
        if self.all is None and self.one is None:
            raise ValueError("a resource needs `all` or `one`, to be read")
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
    """The path, in the arguments, of the key or the keys (`bounces/*/address`). Without it the call affects all in the scope."""
    when: str | None = None
    """An argument without which the resource is not affected."""
    made: str | None = None
    """The path, in the response, of the key that Mailgun assigned."""
    renamed: str | None = None
    """The argument with the new key."""
    later: bool = False
    """Whether Mailgun works in the background: the state afterwards is not known, and what the call adds stays."""


class UndoSpec(ClosedModel):
    """Whether and how the call can be undone; see `reversible`."""

    affects: list[EffectSpec] = Field(default_factory=list)
    missing: str | None = None
    """What is not put back, when the undo is partial."""
    why: str | None = None
    """Why nothing can be put back."""
    nothing: str | None = None
    """Set when nothing is lost: what reverses the call."""


class AnswerSpec(ClosedModel):
    """What a model gets of the answer to a read, unless it asks for more with `fields` or `full`."""

    fields: list[str] = Field(default_factory=list)
    """The fields of an item that are returned: names, or places in it (`message/headers/subject`). All when empty."""
    items: str | None = None
    """The list in the answer; `pages.items` when left out, `""` for the answer itself, `*` for what it has by id."""
    repeats: dict[str, str] = Field(default_factory=dict)
    """A place in the answer -> the field beside it: left out where both are equal."""
    unless: dict[str, str] = Field(default_factory=dict)
    """A usual field of the answer itself -> another one: left out where that one says something."""


class MoreThan(ClosedModel):
    """More items than so many."""

    more_than: int


class Contains(ClosedModel):
    """A text with this word in it."""

    contains: str


class NarrowsSpec(ClosedModel):
    """The call leaves an existing resource with fewer of the values of a field: what is there decides, so it is read first."""

    resource: str
    field: str


class RaiseSpec(ClosedModel):
    """What makes a call riskier than its operation: one of its arguments, or what it would change."""

    when: dict[str, list[Any] | MoreThan | Contains] = Field(default_factory=dict)
    """Argument -> values of which one is enough; `[]` is any value. One argument is enough."""
    narrows: NarrowsSpec | None = None
    risk: Risk
    reason: Annotated[str, Field(min_length=10)]
    """As `risk_reason`."""

    @model_validator(mode="after")
    def _one_condition(self) -> "RaiseSpec":
        if bool(self.when) == bool(self.narrows):
            raise ValueError("a raise has either when or narrows")
        return self


class AbsenceSpec(ClosedModel):
    """A read whose answer "no" is HTTP 404: the result says so, and the call is not an error."""

    messages: list[str]
    """What Mailgun's message contains then. Another 404, such as that of an unknown domain, stays an error."""
    flag: str
    """The field of the result that is false then, and true where there is one."""


class OperationExtension(ClosedModel):
    """`x-mailgun-mcp` of an operation. Every field without a default must be written out."""

    risk: Risk
    asked: list[str] = Field(default_factory=list)
    """How people ask for it, in words that the description does not use: for `search_tools`, never listed."""
    risk_reason: str | None = None
    """What the call can do that gives it its risk, as a clause. Needed when the HTTP method suggests another risk."""
    bulk: bool
    idempotent: bool
    reversible: Literal["whole", "part", "no"] | None
    undo: UndoSpec | None
    preview: PreviewSpec | None
    pages: PagesSpec | None
    secrets: list[str]
    personal: list[str]
    authors: dict[str, Author] = Field(default_factory=dict)
    """Place in the response -> who wrote all that is there, where the names of its fields do not say it."""
    raises: list[RaiseSpec] = Field(default_factory=list)
    """What makes a call riskier than `risk` says."""
    rules: list[ArgumentRule] = Field(default_factory=list)
    price: PriceSpec | None = None
    """Needed for risk `billing`."""
    storage_host: Literal["optional", "required"] | None = None
    """Whether the operation lives on the storage host of the message: adds that argument."""
    file: bool = False
    """The answer is a file of any type, not JSON."""
    answer: AnswerSpec | None = None
    absence: AbsenceSpec | None = None
    echo: list[str] = Field(default_factory=list)
    """The arguments that the result repeats, because they cannot be read back."""

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
        if any(RISKS.index(item.risk) <= RISKS.index(self.risk) for item in self.raises):
            raise ValueError(f"raises must name a worse risk than {self.risk}")
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
    values_elsewhere: bool = False
    """The allowed values and the default are not listed, because the description says which tool or argument lists them."""
    send: Any = None
    """What is sent where a call gives no value. Mailgun's own default stays where this is left out."""
    prefix: str | None = None
    """On a pattern property: the prefix that every key gets in the request (`h:`)."""


class DocumentExtension(ClosedModel):
    """`x-mailgun-mcp` at the top of a document."""

    toolset: str
    title: str
    order: int
    resources: dict[str, ResourceSpec] = Field(default_factory=dict)


Extension = TypeVar("Extension", bound=BaseModel)


def extension_of(kind: type[Extension], node: Node, where: str) -> Extension:
    """Return the `x-mailgun-mcp` of a node. Raises CatalogueError with all that is wrong with it."""
    if "x-mailgun-mcp" not in node:
        raise CatalogueError(f"{where}: x-mailgun-mcp is missing")
    try:
        return kind.model_validate(node["x-mailgun-mcp"])
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'x-mailgun-mcp'}: {fault['msg']}" for fault in error.errors()
        )
        raise CatalogueError(f"{where}: x-mailgun-mcp: {faults}") from None
