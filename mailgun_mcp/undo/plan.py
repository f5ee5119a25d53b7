"""Works out what would put things back: from the copy, from how things were after the call, and from how they are now.

A thing that is as it was before needs nothing; one that is as the call left it is put back; of any other somebody
changed it since, and nothing is done. So an undo that broke half-way is simply made again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import EffectKind, Resource, Write
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.undo.reader import WHOLE, Reader
from mailgun_mcp.undo.resource_values import (
    Scope,
    Thing,
    Unwritable,
    Value,
    arguments_of,
    batch_of,
    canonical,
    most_of,
    same,
)
from mailgun_mcp.undo.snapshots import Entry

UNKNOWN: Any = object()
"""How a thing was after the call when nobody could look."""
Action = Literal["put", "replace", "remove"]
Keys = dict[tuple[str, str], str]
"""Resource and the key that a thing had -> the key that it has now."""


@dataclass(frozen=True, slots=True)
class Record:
    """A thing before the call and after it: None where it was not there."""

    thing: Thing
    before: Value | None
    after: Any
    kind: EffectKind
    renamed: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A thing that somebody changed after the call."""

    thing: Thing
    after: Value | None
    now: Value | None
    foreign: bool = False
    """Third parties wrote some of it: what they wrote is not repeated."""

    def __str__(self) -> str:
        if self.now is None:
            return f"{self.thing} is gone"
        if self.after is None:
            return f"{self.thing} was made since"
        differing = [name for name in {**self.after, **self.now} if self.after.get(name) != self.now.get(name)]
        if self.foreign:
            return f"{self.thing}: another {', '.join(differing)}"
        changes = (f"{name} was {self.after.get(name)!r} and is {self.now.get(name)!r}" for name in differing)
        return f"{self.thing}: {', '.join(changes)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of an undo."""

    action: Action
    write: Write
    things: tuple[Thing, ...]
    values: tuple[Value, ...]
    was: str | None = None
    """The key that the thing had."""
    assigned: bool = False
    known: tuple[str, ...] = ()
    """Keys that are there already, where Mailgun gives the thing another one."""

    def call(self, catalogue: Catalogue, keys: Keys) -> tuple[Operation, Arguments]:
        """Return the operation and its arguments. Raises Unwritable."""
        operation = catalogue.find(self.write.tool)
        things = [_moved(thing, catalogue.resource(thing.resource), keys) for thing in self.things]
        if self.write.batch and self.action != "remove":
            return operation, batch_of(self.write, self.write.batch, operation, things[0].where, list(self.values))
        return operation, arguments_of(
            self.write, operation, things[0], self.values[0] if self.values else None, self.was
        )

    def halves(self) -> "tuple[Step, Step]":
        """Return the step as two."""
        middle = len(self.things) // 2
        return (
            replace(self, things=self.things[:middle], values=self.values[:middle]),
            replace(self, things=self.things[middle:], values=self.values[middle:]),
        )


@dataclass
class Plan:
    """What an undo would do."""

    steps: list[Step] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What cannot be put back, and why."""
    done: int = 0
    """Things that are as they were."""
    unsure: bool = False
    """Of some of it nobody knows whether somebody changed it since."""
    keys: Keys = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One name for what the undo would do."""
        told = [
            [step.action, step.write.tool, [str(thing) for thing in step.things], list(map(canonical, step.values))]
            for step in self.steps
        ]
        return sha256(repr([told, [str(conflict) for conflict in self.conflicts], self.left]).encode()).hexdigest()


def records_of(before: Iterator[Entry], after: Iterator[Entry]) -> Iterator[Record]:
    """Yield the records of a snapshot from its entries."""
    afterwards = {_thing(entry): entry[3] for entry in after}
    wholes = {thing for thing in afterwards if thing.key == WHOLE}
    for entry in before:
        thing, (value, kind, renamed) = _thing(entry), entry[3:]
        reached = replace(thing, key=renamed) if renamed else thing
        unseen = None if kind == "removes" or replace(thing, key=WHOLE) in wholes else UNKNOWN
        told = afterwards.pop(reached, unseen)
        if kind == "changes" and not renamed and told is not UNKNOWN and same(told, value):
            # What a call changes can take a moment to be seen.
            told = UNKNOWN
        yield Record(thing, value, told, kind, renamed)
    for thing, value in afterwards.items():
        if thing not in wholes:
            yield Record(thing, None, value, "makes")


class Planner:
    """Works out one undo. `begun` is what an earlier try of it began; see `Snapshots.steps`."""

    def __init__(self, reader: Reader, begun: dict[str, tuple[list[str], str | None]]) -> None:
        self._reader = reader
        self._catalogue = reader.catalogue
        self._begun = begun
        self._plan = Plan()
        self._removed: set[Thing] = set()
        self._known: tuple[str, ...] = ()
        """Keys that are there of the kind that is looked at."""

    async def plan(self, records: list[Record]) -> Plan:
        """Return what would put the records back. Raises MailgunError when it cannot be seen how things are."""
        recorded = {record.thing for record in records}
        for resource, scope, group in _groups(self._catalogue, records):
            place = _scope(resource, scope, self._plan.keys)
            now = await self._now(resource, place, group)
            for record in group:
                await self._decide(resource, record, now)
                if record.kind == "makes" and record.before is None and record.thing in self._removed:
                    await self._look_for_more(record.thing, recorded)
        self._plan.steps = list(_together(self._plan.steps, self._catalogue))
        return self._plan

    async def _now(self, resource: Resource, scope: Scope, group: list[Record]) -> dict[str | None, Value]:
        """Return what is there now, by key; things with a new key stand under the one that they had."""
        keys = [key for record in group for key in (record.thing.key, record.renamed) if key is not None]
        found = {
            thing.key: value
            async for thing, value in self._reader.things(resource, scope, keys or None)
            if value is not None
        }
        if resource.assigned and any(record.before is not None and record.thing.key not in found for record in group):
            everything = {
                thing.key: value
                async for thing, value in self._reader.things(resource, scope, None)
                if value is not None
            }
            for record in group:
                made = self._made(record, everything)
                if made is not None:
                    self._plan.keys[resource.name, str(record.thing.key)] = made
                    found[record.thing.key] = everything[made]
            self._known = tuple(str(key) for key in everything)
        return found

    def _made(self, record: Record, everything: dict[str | None, Value]) -> str | None:
        """Return the key that the thing got in an earlier try, as it was told or as its content shows."""
        if str(record.thing) not in self._begun:
            return None
        known, made = self._begun[str(record.thing)]
        if made is not None:
            return made if made in everything else None
        return next(
            (
                str(key)
                for key, value in everything.items()
                if key not in known and same(value, record.before) and str(key) not in self._plan.keys.values()
            ),
            None,
        )

    async def _decide(self, resource: Resource, record: Record, now: dict[str | None, Value]) -> None:
        found = now.get(record.thing.key)
        if same(found, record.before) and not (record.renamed and record.renamed in now):
            self._plan.done += 1
            return
        current = record.thing
        if record.renamed and record.renamed in now:
            current, found = replace(record.thing, key=record.renamed), now[record.renamed]
        # Which version is active, say, follows from what else came back, and is set right after that.
        follows = record.kind == "removes" and resource.key is None and bool(resource.of)
        if record.after is not UNKNOWN and not same(found, record.after) and not follows:
            self._plan.conflicts.append(Conflict(current, record.after, found, self._foreign(resource)))
            return
        self._plan.unsure |= record.after is UNKNOWN
        self._add(resource, record, current, found)

    def _foreign(self, resource: Resource) -> bool:
        return any(self._catalogue.find(read.tool).untrusted for read in (resource.one, resource.all) if read)

    def _add(self, resource: Resource, record: Record, current: Thing, found: Value | None) -> None:
        if record.before is None:
            action: Action = "remove"
            if self._goes_with_its_whole(resource, current):
                return
            self._removed.add(current)
        else:
            action = "put" if found is None else "replace"
        write = (resource.replace or resource.put) if action == "replace" else getattr(resource, action)
        if write is None:
            self._plan.left.append(f"{current}: no operation of the reference could {action} it")
            return
        value = record.before if record.before is not None else found
        step = Step(
            action,
            write,
            (current,),
            () if value is None else (value,),
            was=record.thing.key,
            assigned=resource.assigned and action == "put",
            known=self._known if resource.assigned and action == "put" else (),
        )
        try:
            step.call(self._catalogue, self._plan.keys)
        except Unwritable as error:
            self._plan.left.append(f"{current}: {error}")
            return
        self._plan.steps.append(step)

    def _goes_with_its_whole(self, resource: Resource, thing: Thing) -> bool:
        return any(
            whole.resource == parent and whole.key == thing.where[name]
            for name, parent in resource.of.items()
            for whole in self._removed
        )

    async def _look_for_more(self, thing: Thing, recorded: set[Thing]) -> None:
        """What was added to a thing that the call made would go with it."""
        async for part, value in self._reader.parts(thing):
            if value is not None and part not in recorded:
                self._plan.conflicts.append(Conflict(part, None, value))


def _thing(entry: Entry) -> Thing:
    resource, scope, key = entry[:3]
    return Thing(resource, tuple((name, value) for name, value in scope), key)


def _groups(catalogue: Catalogue, records: list[Record]) -> Iterator[tuple[Resource, Scope, list[Record]]]:
    """Yield the records that are read together: those of one kind in one scope, wholes before their parts."""
    groups: dict[tuple[str, Any], list[Record]] = {}
    for record in records:
        groups.setdefault((record.thing.resource, record.thing.scope), []).append(record)
    for (name, scope), group in groups.items():
        yield catalogue.resource(name), dict(scope), group


def _scope(resource: Resource, scope: Scope, keys: Keys) -> Scope:
    """Return the scope with the keys that things have now."""
    return {
        name: keys.get((resource.of[name], value), value) if name in resource.of else value
        for name, value in scope.items()
    }


def _moved(thing: Thing, resource: Resource, keys: Keys) -> Thing:
    key = thing.key if thing.key is None else keys.get((thing.resource, thing.key), thing.key)
    return replace(thing, scope=tuple(_scope(resource, thing.where, keys).items()), key=key)


def _together(steps: list[Step], catalogue: Catalogue) -> Iterator[Step]:
    """Yield the steps with those together that one call can take."""
    waiting: Step | None = None
    for step in steps:
        if waiting is not None and _joins(waiting, step, catalogue):
            waiting = replace(waiting, things=waiting.things + step.things, values=waiting.values + step.values)
            continue
        if waiting is not None:
            yield waiting
        waiting = step
    if waiting is not None:
        yield waiting


def _joins(one: Step, other: Step, catalogue: Catalogue) -> bool:
    batched = one.write.batch is not None and one.write == other.write and "remove" not in (one.action, other.action)
    same_place = one.things[0].scope == other.things[0].scope
    return batched and same_place and len(one.things) < most_of(one.write, catalogue.find(one.write.tool))
