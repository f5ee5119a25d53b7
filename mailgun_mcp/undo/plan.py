"""What an undo would do: its steps, what somebody changed since the call, and what cannot be restored."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import Resource, Write
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.undo.records import ResourceRef, Scope, Value
from mailgun_mcp.undo.resource_values import batch_arguments, canonical, write_arguments

Action = Literal["put", "replace", "remove"]
NewKeys = dict[tuple[str, str], str]
"""Resource and its former key -> its current key."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A resource that somebody changed after the call."""

    ref: ResourceRef
    after: Value | None
    now: Value | None
    untrusted: bool = False
    """Whether third parties wrote some of it, so that its text is not repeated."""

    def __str__(self) -> str:
        if self.now is None:
            return f"{self.ref} has been removed"
        if self.after is None:
            return f"{self.ref} has been created since"
        names = [name for name in {**self.after, **self.now} if self.after.get(name) != self.now.get(name)]
        if self.untrusted:
            return f"{self.ref}: {', '.join(names)} changed"
        changes = (f"{name} was {self.after.get(name)!r} and is now {self.now.get(name)!r}" for name in names)
        return f"{self.ref}: {', '.join(changes)}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A resource that was not restored, and why."""

    ref: ResourceRef
    reason: str
    quoted: tuple[str, ...] = ()
    """The parts of the reason that third parties may have written."""

    def __str__(self) -> str:
        return f"{self.ref}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of an undo."""

    action: Action
    write: Write
    refs: tuple[ResourceRef, ...]
    values: tuple[Value, ...]
    old_key: str | None = None
    """The key that the resource had before the call."""
    assigned: bool = False
    """Whether Mailgun assigns the key."""
    existing_keys: tuple[str, ...] = ()
    """Keys that already exist, if Mailgun assigns the new one."""

    def call(self, catalogue: Catalogue, new_keys: NewKeys) -> tuple[Operation, Arguments]:
        """Return the operation and its arguments. Raises UnwritableError."""
        operation = catalogue.find(self.write.tool)
        ref = _current_ref(self.refs[0], catalogue.resource(self.refs[0].resource), new_keys)
        if self.write.batch and self.action != "remove":
            return operation, batch_arguments(self.write, self.write.batch, operation, ref.where, list(self.values))
        value = self.values[0] if self.values else None
        return operation, write_arguments(self.write, operation, ref, value, self.old_key)

    def halves(self) -> "tuple[Step, Step]":
        """Return the step split in two."""
        middle = len(self.refs) // 2
        return (
            replace(self, refs=self.refs[:middle], values=self.values[:middle]),
            replace(self, refs=self.refs[middle:], values=self.values[middle:]),
        )


@dataclass
class Plan:
    """What an undo would do."""

    steps: list[Step] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    impossible: list[Failure] = field(default_factory=list)
    """What cannot be restored."""
    unchanged: int = 0
    """Resources that are already as they were before the call."""
    uncertain: bool = False
    """Whether the state right after the call is unknown for some resource, which may have been changed since."""
    new_keys: NewKeys = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of resources that would be restored or removed."""
        return sum(len(step.refs) for step in self.steps)

    @property
    def digest(self) -> str:
        """Digest that identifies what the undo would do."""
        steps = [
            [step.action, step.write.tool, [str(ref) for ref in step.refs], [canonical(value) for value in step.values]]
            for step in self.steps
        ]
        return sha256(
            repr(
                [steps, [str(conflict) for conflict in self.conflicts], [str(one) for one in self.impossible]]
            ).encode()
        ).hexdigest()


def current_scope(resource: Resource, scope: Scope, new_keys: NewKeys) -> Scope:
    """Return the scope with the current keys of the resources in it."""
    return {
        name: new_keys.get((resource.of[name], value), value) if name in resource.of else value
        for name, value in scope.items()
    }


def _current_ref(ref: ResourceRef, resource: Resource, new_keys: NewKeys) -> ResourceRef:
    key = ref.key if ref.key is None else new_keys.get((ref.resource, ref.key), ref.key)
    return replace(ref, scope=tuple(current_scope(resource, ref.where, new_keys).items()), key=key)
