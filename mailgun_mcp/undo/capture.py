"""Captures what a call is about to remove or overwrite, page by page, before the call is made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.errors import MailgunError, StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.output.names import is_name
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.leaves import texts
from mailgun_mcp.undo.narrowed import Narrowed
from mailgun_mcp.undo.preview import describe_capture
from mailgun_mcp.undo.reader import ResourceReader
from mailgun_mcp.undo.records import Affected, ResourceRef, Value
from mailgun_mcp.undo.resource_values import canonical
from mailgun_mcp.undo.snapshots import Snapshots

PART = 500
"""How many records are compressed and stored together."""
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class AccountScope:
    """The account in which a call is made."""

    account: str
    endpoint: str
    subaccount: str | None


@dataclass
class _Contents:
    """What a capture contains, for a person to read."""

    counts: dict[str, int] = field(default_factory=dict)
    """Resource -> how many were captured."""
    examples: list[tuple[ResourceRef, Value]] = field(default_factory=list)

    absent: list[ResourceRef] = field(default_factory=list)
    """The first of the resources that the call names but that do not exist."""

    @property
    def records(self) -> int:
        return sum(self.counts.values())

    @property
    def can_be_orders(self) -> bool:
        """Whether it contains more than names and dates, so that a text in it could be an instruction."""
        words = [name for ref in self.absent for name in ref.names]
        for ref, value in self.examples:
            words += [*ref.names, *texts(value, names=True)]
        return not all(is_name(text.strip("*")) for text in words)

    def add(self, ref: ResourceRef, value: Value | None) -> None:
        if value is None:
            self.absent += [ref] if len(self.absent) < EXAMPLES else []
            return
        self.counts[ref.resource] = self.counts.get(ref.resource, 0) + 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((ref, value))


class Capture:
    """The capture of one call: a draft until a person has agreed, saved when the call is made."""

    def __init__(
        self,
        reader: ResourceReader,
        snapshots: Snapshots,
        clock: Callable[[], float],
        operation: Operation,
        arguments: Arguments,
        scope: AccountScope,
        *,
        limit: int,
    ) -> None:
        self._reader = reader
        self._snapshots = snapshots
        self._clock = clock
        self._operation = operation
        self._arguments = arguments
        self._scope = scope
        self._limit = limit
        self._name: str | None = None
        """Name of the draft, later of the snapshot."""
        self._contents = _Contents()
        self.saved = False
        """Whether there is a snapshot to undo the call with."""
        self.until = 0.0
        """Time until which the call can be undone."""
        self.too_many = False
        """Whether there are more records than can be captured, so that the call cannot be undone."""

    @property
    def summary(self) -> str:
        """What was captured, in words."""
        if self._contents.records == 1:
            return str(self._contents.examples[0][0])
        return ", ".join(self._counted())

    @property
    def audit_fields(self) -> dict[str, int | bool]:
        """What the audit log records of the capture."""
        return {"records": self._contents.records, "copied": not self.too_many}

    async def take(self) -> Preview:
        """Capture the current state, replacing any earlier draft, and return what a person should see of it.

        Raises MailgunError if it cannot be read, StateError if it cannot be stored.
        """
        await self.delete()
        self._contents, digest, waiting = _Contents(), sha256(), list[Affected]()
        self._name = name = await in_thread(
            self._snapshots.begin,
            tool=self._operation.name,
            account=self._scope.account,
            endpoint=self._scope.endpoint,
            subaccount=self._scope.subaccount,
            now=self._clock(),
        )
        narrowed = Narrowed(self._operation, self._arguments)
        async for affected in self._reader.before(self._operation, self._arguments):
            state = None if affected.value is None else {**affected.value, **affected.shown}
            digest.update(f"{affected.ref} {canonical(state)}\n".encode())
            self._contents.add(affected.ref, state)
            if affected.value is not None:
                narrowed.add(affected.ref, affected.value)
            if self._contents.records > self._limit:
                await self.delete()
                self.too_many = True
                break
            waiting.append(affected)
            if len(waiting) == PART:
                await in_thread(self._snapshots.add_affected, name, waiting)
                waiting = []
        if not self.too_many:
            await in_thread(self._snapshots.add_affected, name, waiting)
        text = "\n".join([*narrowed.lines, self._description()])
        return Preview(text, digest.hexdigest(), self.too_many, narrowed.raises, self._contents.can_be_orders)

    async def save(self, call: str, *, until: float) -> None:
        """Save the draft as the snapshot of a call that is about to be made. Raises StateError if that fails."""
        if self._name is None:
            return
        await in_thread(
            self._snapshots.save,
            self._name,
            call,
            summary=self.summary,
            records=self._contents.records,
            until=until,
        )
        self._name, self.saved, self.until = call, True, until

    async def observe(self, body: Any) -> None:
        """Record the state after the call. For an undo, any later difference means that somebody else changed it.

        A failure to read or store it is logged, and an undo then asks a person.
        """
        if self._name is None:
            return
        try:
            await in_thread(self._snapshots.set_outcome, self._name, "done")
            # The keys that Mailgun assigned are now known, even if the next read fails.
            created = self._reader.created(self._operation, self._arguments, body)
            await in_thread(self._snapshots.add_affected, self._name, [Affected(ref, None, "makes") for ref in created])
            observed = [one async for one in self._reader.after(self._operation, self._arguments, body)]
            await in_thread(self._snapshots.add_observed, self._name, observed)
        except (MailgunError, StateError) as fault:
            logger().warning("the state after the call could not be recorded", call=self._name, reason=str(fault))

    async def discard(self) -> None:
        """Delete the draft of a call that was not made. A saved snapshot stays."""
        if not self.saved:
            await self.delete()

    async def delete(self) -> None:
        """Delete the draft or snapshot: the call was not made."""
        name, self._name, self.saved = self._name, None, False
        if name is None:
            return
        try:
            await in_thread(self._snapshots.delete, name)
        except StateError as error:
            # It is removed later, when it expires.
            logger().warning("a draft could not be deleted", reason=str(error))

    def _counted(self) -> list[str]:
        catalogue = self._reader.catalogue
        return [catalogue.resource(name).count(number) for name, number in self._contents.counts.items()]

    def _description(self) -> str:
        limit = self._limit if self.too_many else None
        contents = self._contents
        return describe_capture(
            self._counted(), contents.examples, contents.records, absent=contents.absent, limit=limit
        )
