"""Names of resources, records of their state around a call, and the form in which both are stored. Pure."""

from dataclasses import dataclass, field
from typing import Any, cast

from mailgun_mcp.catalogue.former_names import FORMER_SCOPES
from mailgun_mcp.catalogue.resource import EffectKind

Value = dict[str, Any]
"""The fields of a resource, as Mailgun returned them."""
Scope = dict[str, str]
"""The arguments that say where a resource is."""
EVERYTHING = "*"
"""Key of a record that says: the whole scope was read, so whatever was not found there does not exist."""


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """Names one resource: its kind, where it is, and its key. The key is None if only one exists there."""

    resource: str
    scope: tuple[tuple[str, str], ...]
    key: str | None

    @property
    def where(self) -> Scope:
        """The scope as arguments."""
        return dict(self.scope)

    @property
    def names(self) -> list[str]:
        """The names that refer to the resource."""
        return [self.key] if self.key is not None else [value for _, value in self.scope]

    def __str__(self) -> str:
        return " ".join([self.resource.replace("_", " "), *self.names])


@dataclass(frozen=True, slots=True)
class Affected:
    """A resource before a call that affects it; the value is None if it does not exist."""

    ref: ResourceRef
    value: Value | None
    kind: EffectKind
    renamed: str | None = None
    """The key that the call gives to the resource."""
    shown: Value = field(default_factory=dict)
    """Further fields that a person is shown. They are not stored."""

    def stored(self) -> list[Any]:
        """Return the JSON array to store."""
        return [*_stored_ref(self.ref), self.value, self.kind, self.renamed]

    @classmethod
    def from_stored(cls, entry: object) -> "Affected":
        """Return the record of a stored array. Raises ValueError for anything else."""
        resource, scope, key, value, kind, renamed = _fields(entry, 6)
        return cls(_ref(resource, scope, key), value, cast("EffectKind", kind), renamed)


@dataclass(frozen=True, slots=True)
class Observed:
    """A resource as it was read; the value is None if it does not exist."""

    ref: ResourceRef
    value: Value | None
    shown: Value = field(default_factory=dict)
    """Further fields that a person is shown. They are not stored."""

    def stored(self) -> list[Any]:
        """Return the JSON array to store."""
        return [*_stored_ref(self.ref), self.value]

    @classmethod
    def from_stored(cls, entry: object) -> "Observed":
        """Return the record of a stored array. Raises ValueError for anything else."""
        resource, scope, key, value = _fields(entry, 4)
        return cls(_ref(resource, scope, key), value)


def _stored_ref(ref: ResourceRef) -> list[Any]:
    return [ref.resource, [list(pair) for pair in ref.scope], ref.key]


def _fields(entry: object, count: int) -> list[Any]:
    if not isinstance(entry, list) or len(entry) != count:
        raise ValueError(f"not an array of {count} values")
    return entry


def _ref(resource: Any, scope: Any, key: Any) -> ResourceRef:
    if not isinstance(resource, str) or not isinstance(scope, list):
        raise ValueError("not the name of a resource")
    return ResourceRef(resource, tuple((FORMER_SCOPES.get(name, name), value) for name, value in scope), key)
