"""Copies what a call is about to remove or overwrite, page by page, before the call is made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.form import Preview, copied
from mailgun_mcp.errors import MailgunError, StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.database import Store, in_thread
from mailgun_mcp.undo.reader import Reader
from mailgun_mcp.undo.resource_values import Thing, canonical
from mailgun_mcp.undo.snapshots import Entry, Phase, Snapshots

PART = 500
"""Records that are compressed and stored at once."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Place:
    """The account that a call is made in."""

    account: str
    endpoint: str
    subaccount: str | None


@dataclass
class _Counted:
    """What a copy holds, for a person to read."""

    counts: dict[str, int] = field(default_factory=dict)
    first: list[tuple[Thing, dict[str, Any]]] = field(default_factory=list)

    @property
    def records(self) -> int:
        return sum(self.counts.values())

    def add(self, thing: Thing, value: dict[str, Any]) -> None:
        self.counts[thing.resource] = self.counts.get(thing.resource, 0) + 1
        if len(self.first) < SHOWN:
            self.first.append((thing, value))


class Snapshot:
    """The copy of one call: drafted before a person is asked, kept when the call is made."""

    def __init__(
        self,
        reader: Reader,
        store: Store,
        clock: Callable[[], float],
        operation: Operation,
        arguments: Arguments,
        place: Place,
        *,
        most: int,
    ) -> None:
        self._reader = reader
        self._store = store
        self._clock = clock
        self._operation = operation
        self._arguments = arguments
        self._place = place
        self._most = most
        self._draft: str | None = None
        self._counted = _Counted()
        self._kept = False
        self.beyond = False
        """There is more than is copied: none of it can be put back."""

    @property
    def taken(self) -> bool:
        """Whether it was looked at what the call touches."""
        return self._draft is not None or self.beyond

    @property
    def summary(self) -> str:
        """What the copy holds, in words."""
        counted = [self._reader.catalogue.resource(name).count(number) for name, number in self._counted.counts.items()]
        if self._counted.records == 1:
            counted = [str(self._counted.first[0][0])]
        return ", ".join(counted)

    async def take(self) -> Preview:
        """Copy what is there now, in the place of an earlier draft, and return what a person should see of it.

        Raises MailgunError when it cannot be read, StateError when it cannot be kept.
        """
        await self.drop()
        self._counted, digest, waiting = _Counted(), sha256(), list[Entry]()
        self._draft = await in_thread(
            Snapshots(self._store).begin,
            tool=self._operation.name,
            account=self._place.account,
            endpoint=self._place.endpoint,
            subaccount=self._place.subaccount,
            now=self._clock(),
        )
        async for found in self._reader.before(self._operation, self._arguments):
            thing = found.thing
            digest.update(f"{thing} {canonical(found.value)}\n".encode())
            if found.value is not None:
                self._counted.add(thing, found.value)
            if self._counted.records > self._most:
                await self.drop()
                self.beyond = True
                break
            waiting.append([thing.resource, thing.scope, thing.key, found.value, found.kind, found.renamed])
            if len(waiting) == PART:
                await self._add("before", waiting)
                waiting = []
        if not self.beyond:
            await self._add("before", waiting)
        return Preview(self._told(), digest.hexdigest(), self.beyond)

    async def keep(self, call: str, *, until: float) -> None:
        """Keep the copy as that of a call which is about to be made. Raises StateError when it cannot be."""
        if self._draft is not None:
            await in_thread(
                Snapshots(self._store).keep,
                self._draft,
                call,
                summary=self.summary,
                records=self._counted.records,
                until=until,
            )
            self._draft, self._kept = call, True

    @property
    def told(self) -> dict[str, Any]:
        """What the journal says of the copy."""
        return {"records": self._counted.records, "copied": not self.beyond}

    @property
    def kept(self) -> bool:
        """Whether there is a copy to put back from."""
        return self._kept

    async def observe(self, body: Any) -> None:
        """Note how things are after the call: at an undo, what differs from that was changed by somebody else.

        That it cannot be read or written down is logged: an undo then asks a person.
        """
        if self._draft is None:
            return
        try:
            await in_thread(Snapshots(self._store).settle, self._draft, "done")
            # What Mailgun named is known now, whatever becomes of the look at it.
            made = self._reader.made(self._operation, self._arguments, body)
            await self._add("before", [[thing.resource, thing.scope, thing.key, None, "makes", None] for thing in made])
            found = [
                [thing.resource, thing.scope, thing.key, value]
                async for thing, value in self._reader.after(self._operation, self._arguments, body)
            ]
            await self._add("after", found)
        except (MailgunError, StateError) as fault:
            logger().warning("not looked at after the call", call=self._draft, reason=str(fault))

    async def discard(self) -> None:
        """Forget the draft of a call that came to nothing; what is kept stays."""
        if not self._kept:
            await self.drop()

    async def drop(self) -> None:
        """Forget the copy: the call was not made."""
        name, self._draft, self._kept = self._draft, None, False
        if name is None:
            return
        try:
            await in_thread(Snapshots(self._store).drop, name)
        except StateError as error:
            # It is swept later.
            logger().warning("a draft stays behind", reason=str(error))

    async def _add(self, phase: Phase, entries: list[Entry]) -> None:
        if entries and self._draft is not None:
            await in_thread(Snapshots(self._store).add, self._draft, phase, entries)

    def _told(self) -> str:
        resources = [self._reader.catalogue.resource(name) for name in self._counted.counts]
        counts = [resource.count(self._counted.counts[resource.name]) for resource in resources]
        examples = [
            (str(thing) if len(counts) > 1 else thing.key or str(thing), value) for thing, value in self._counted.first
        ]
        return copied(counts, examples, self._counted.records, beyond=self._most if self.beyond else None)
