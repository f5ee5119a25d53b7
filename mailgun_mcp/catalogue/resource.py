"""The resources that calls remove or overwrite: how they are read and put back."""

from dataclasses import dataclass
from typing import Any, Literal

from mailgun_mcp.catalogue.types import Record

EffectKind = Literal["removes", "changes", "makes"]
KEYED_BY_ADDRESS = frozenset({"bounce", "complaint", "list_member", "mailing_list", "sandbox_recipient", "unsubscribe"})
"""Resources that Mailgun finds by a mail address, in upper or lower case and with or without a display name."""


@dataclass(frozen=True, slots=True)
class Read:
    """How a resource is read; see `extension.ReadSpec`."""

    tool: str
    arguments: dict[str, Any]
    items: str | None


@dataclass(frozen=True, slots=True)
class Write:
    """How a resource is restored, changed or removed; see `extension.WriteSpec`."""

    tool: str
    arguments: dict[str, Any]
    batch: str | None
    most: int | None
    made: str | None


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of resource; see `extension.ResourceSpec`."""

    name: str
    plural: str
    within: tuple[str, ...]
    of: dict[str, str]
    key: str | None
    assigned: bool
    all: Read | None
    one: Read | None
    each: bool
    where: dict[str, str]
    present: dict[str, list[Any]] | None
    fields: dict[str, str]
    """Name -> path in the item."""
    shown: tuple[str, ...]
    """Further fields of an item that a person is shown."""
    put: Write | None
    replace: Write | None
    remove: Write | None

    @classmethod
    def from_record(cls, name: str, record: Record) -> "Resource":
        """Return the resource of a compiled record."""
        parts: Record = {
            "within": tuple(record["within"]),
            "shown": tuple(record["shown"]),
            **{part: Read(**record[part]) if record[part] else None for part in ("all", "one")},
            **{part: Write(**record[part]) if record[part] else None for part in ("put", "replace", "remove")},
        }
        return cls(name=name, **{**record, **parts})

    def count(self, number: int) -> str:
        """Return the number with the noun: `1 bounce`, `3,000 bounces`."""
        return f"{number:,} {self.name.replace('_', ' ') if number == 1 else self.plural}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call removes, changes or creates; see `extension.EffectSpec`."""

    resource: str
    kind: EffectKind
    within: dict[str, str]
    key: str | None
    when: str | None
    made: str | None
    renamed: str | None
    later: bool
