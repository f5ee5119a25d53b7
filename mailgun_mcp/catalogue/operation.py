"""One Mailgun operation, as compiled into the catalogue."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from mailgun_mcp.catalogue.resource import Effect
from mailgun_mcp.catalogue.types import Record, Risk, Schema

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header name by RFC 9110, section 5.6.2."""


@dataclass(frozen=True, slots=True)
class Argument:
    """Where an argument goes in the request, and how it is written there."""

    name: str
    location: Literal["path", "query", "header", "form", "json", "body", "host", "page_path", "page_url", "answer"]
    wire: str
    encode: str
    format: str | None = None
    single_line: bool = False
    secret: bool = False
    nested: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pages:
    """How a list result leads to the next page; see `extension.PagesSpec` for the styles."""

    style: str
    items: str
    total: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Which part of an answer a model gets unless it asks for more; see `extension.AnswerSpec`."""

    items: str
    """The list whose items have the fields; empty if the answer itself has them."""
    fields: tuple[str, ...]
    repeats: dict[str, str]
    unless: dict[str, str]


@dataclass(frozen=True, slots=True)
class Absence:
    """How Mailgun says that what a read asks for does not exist; see `extension.AbsenceSpec`."""

    messages: tuple[str, ...]
    flag: str


@dataclass(frozen=True, slots=True)
class PreviewRead:
    """The read that shows what a call would affect: its tool, and the arguments that have other names in the call."""

    tool: str
    arguments: dict[str, str]


@dataclass(frozen=True, slots=True)
class UndoInfo:
    """What a call removes, changes or creates, and what an undo cannot restore; see `extension.UndoSpec`."""

    affects: tuple[Effect, ...]
    missing: str | None
    why: str | None
    nothing: str | None

    @property
    def summary(self) -> str:
        """What a person should know about the undo, as the end of a sentence about the call."""
        if self.why:
            return f"cannot be undone: {self.why}"
        if self.nothing:
            return f"loses nothing: {self.nothing}"
        return f"can be undone, except {self.missing}" if self.missing else "can be undone"


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs: a unit, and its price if that is known."""

    unit: str
    amount: float | None
    currency: str


@dataclass(frozen=True, slots=True)
class Narrows:
    """The call reduces the values that a field of an existing resource has."""

    resource: str
    field: str


@dataclass(frozen=True, slots=True, eq=False)
class Raise:
    """What makes a call riskier than its operation: one of its arguments, or the state that it would change."""

    when: dict[str, Any]
    """Argument -> the values that count, empty for any; or `more_than` items, or a text that it `contains`."""
    narrows: Narrows | None
    risk: Risk
    reason: str

    @classmethod
    def from_record(cls, record: Record) -> "Raise":
        """Return the Raise of a compiled record."""
        narrows = record["narrows"]
        return cls(record["when"], Narrows(**narrows) if narrows else None, record["risk"], record["reason"])


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A method and path of the API, with everything that is needed to call it.

    Compared by identity: a catalogue creates each operation once.
    """

    name: str
    title: str
    toolset: str
    method: str
    path: str
    body: Literal["multipart", "urlencoded", "json"] | None
    arguments: tuple[Argument, ...]
    risk: Risk
    risk_reason: str | None
    """Why the operation has its risk, as a clause; None if the HTTP method is reason enough."""
    bulk: bool
    idempotent: bool
    reversible: Literal["whole", "part", "no"] | None
    undo: UndoInfo | None
    preview: PreviewRead | None
    pages: Pages | None
    price: Price | None
    secrets: tuple[str, ...]
    authors: Record | str | None
    """Who wrote what in a result, as an object of its shape: None for the account or Mailgun, else the third party.

    `*` stands for the items of a list, and for the fields of an object that are not named.
    """
    personal: tuple[str, ...]
    raises: tuple[Raise, ...]
    """What can make a call riskier than `risk`: see `raised_risk`."""
    rules: tuple[dict[str, Any], ...]
    wrap: str | None
    unlisted: dict[str, Schema]
    """Path in the arguments (`pagination/limit`) -> the part of its schema that is checked but not listed."""
    open: dict[str, bool | Record]
    """Path of an object in the arguments (`members/*/vars`) -> the schema of its other properties, True for any."""
    tool: Record
    """The tool as listed: name, title, description, schemas, annotations, `_meta`."""
    file: bool = False
    """Whether the answer is a file of any type instead of JSON."""
    answer: Answer | None = None
    absence: Absence | None = None
    echo: tuple[str, ...] = ()
    """Arguments that the result repeats because they cannot be read back."""
    sent: Record = field(default_factory=dict)
    """Path of an argument (`pagination/limit`) -> the value to send if the call gives none."""
    times: tuple[str, ...] = ()
    """The paths of times in the answer."""

    @classmethod
    def from_record(cls, record: Record) -> "Operation":
        """Return the operation of a compiled record."""
        tool = record["tool"]
        pages, preview = record["pages"], record["preview"]
        return cls(
            name=tool["name"],
            title=tool["title"],
            toolset=tool["_meta"]["mailgun-mcp/toolset"],
            method=record["method"],
            path=record["path"],
            body=record["body"],
            arguments=tuple(
                Argument(
                    name=item["name"],
                    location=item["in"],
                    wire=item["wire"],
                    encode=item["encode"],
                    format=item.get("format"),
                    single_line=item.get("single_line", False),
                    secret=item.get("secret", False),
                    nested=item.get("nested", {}),
                )
                for item in record["arguments"]
            ),
            risk=record["risk"],
            risk_reason=record["risk_reason"],
            bulk=record["bulk"],
            idempotent=record["idempotent"],
            reversible=record["reversible"],
            undo=_undo(record["undo"]) if record["undo"] else None,
            preview=PreviewRead(preview["tool"], preview["arguments"]) if preview else None,
            pages=Pages(pages["style"], pages["items"], pages["total"]) if pages else None,
            price=Price(**record["price"]) if record["price"] else None,
            secrets=tuple(record["secrets"]),
            authors=record["authors"],
            personal=tuple(record["personal"]),
            raises=tuple(Raise.from_record(item) for item in record["raises"]),
            rules=tuple(record["rules"]),
            wrap=record["wrap"],
            unlisted=record["unlisted"],
            open=record["open"],
            tool=tool,
            file=record["file"],
            answer=_answer(record["answer"]) if record["answer"] else None,
            absence=Absence(tuple(record["absence"]["messages"]), record["absence"]["flag"])
            if record["absence"]
            else None,
            echo=tuple(record["echo"]),
            sent=record["sent"],
            times=tuple(record["times"]),
        )

    @property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments as listed; `call_schema` returns the one that calls are checked against."""
        schema: dict[str, Any] = self.tool["inputSchema"]
        return schema

    @property
    def output_schema(self) -> dict[str, Any]:
        """The JSON Schema of the result."""
        schema: dict[str, Any] = self.tool["outputSchema"]
        return schema

    @property
    def shows_third_party_text(self) -> bool:
        """Whether results have a field that third parties write."""
        return _names_third_party(self.authors)

    @property
    def affects(self) -> tuple[Effect, ...]:
        """What the call removes, changes or creates that an undo can restore."""
        return self.undo.affects if self.undo else ()


def _names_third_party(authors: Any) -> bool:
    return any(map(_names_third_party, authors.values())) if isinstance(authors, dict) else authors is not None


def _undo(record: Record) -> UndoInfo:
    return UndoInfo(**{**record, "affects": tuple(Effect(**effect) for effect in record["affects"])})


def _answer(record: Record) -> Answer:
    return Answer(record["items"], tuple(record["fields"]), record["repeats"], record["unless"])
