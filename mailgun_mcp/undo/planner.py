"""Plans how to restore resources, from their state before the call, right after it, and now.

A resource in its state before the call needs nothing. One in the state in which the call left it is restored. Any
other was changed by somebody since; that is a conflict, and nothing is done. So an interrupted undo can simply be
repeated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.resource import EffectKind, Resource
from mailgun_mcp.undo.plan import Action, Conflict, Failure, Plan, Step, current_scope
from mailgun_mcp.undo.reader import ResourceReader
from mailgun_mcp.undo.records import EVERYTHING, Affected, Observed, ResourceRef, Scope, Value
from mailgun_mcp.undo.resource_values import UnwritableError, batch_size, equal, same_keys
from mailgun_mcp.undo.snapshots import BegunStep

NOT_FOUND = (
    "the call created it, but it does not exist now: it was removed, or is stored under another name. Look for it"
)
Current = dict[str | None, Value]
"""What exists now, by the key that it had before the call."""


@dataclass(frozen=True, slots=True)
class Change:
    """A resource before and after the call; a value is None if it did not exist then."""

    ref: ResourceRef
    before: Value | None
    after: Value | None
    kind: EffectKind
    renamed: str | None = None
    after_known: bool = True
    """Whether the state right after the call could be read."""


def changes_of(affected: Iterable[Affected], observed: Iterable[Observed]) -> Iterator[Change]:
    """Yield what a call changed, from the state saved before it and the state read after it."""
    after = {one.ref: one.value for one in observed}
    scopes = {ref for ref in after if ref.key == EVERYTHING}
    for one in affected:
        ref = replace(one.ref, key=one.renamed) if one.renamed else one.ref
        after_known = ref in after or one.kind == "removes" or replace(one.ref, key=EVERYTHING) in scopes
        value = after.pop(ref, None)
        if after_known and one.kind == "changes" and not one.renamed and equal(value, one.value):
            # A read may not show the effect of a call for a moment.
            after_known, value = False, None
        yield Change(one.ref, one.value, value, one.kind, one.renamed, after_known)
    for ref, value in after.items():
        if ref not in scopes:
            yield Change(ref, None, value, "makes")


class Planner:
    """Plans one undo. `begun` is what an earlier attempt began; see `Snapshots.steps`.

    `done` says that the call succeeded, so that what it creates must have existed.
    """

    def __init__(self, reader: ResourceReader, begun: dict[str, BegunStep], *, done: bool = True) -> None:
        self._reader = reader
        self._done = done
        self._seen_after: set[tuple[str, str | None]] = set()
        """Resource and key, in any spelling, of what existed after the call."""
        self._catalogue = reader.catalogue
        self._begun = begun
        self._plan = Plan()
        self._removed: set[ResourceRef] = set()
        self._existing_keys: tuple[str, ...] = ()
        """All keys of the kind that is being planned, if Mailgun assigns them."""

    async def plan(self, changes: list[Change]) -> Plan:
        """Return a plan to restore the resources. Raises MailgunError if their current state cannot be read."""
        refs = {change.ref for change in changes}
        self._seen_after = {_spelling(change.ref) for change in changes if change.after is not None}
        for resource, scope, group in _groups(self._catalogue, changes):
            current = await self._read_current(resource, current_scope(resource, scope, self._plan.new_keys), group)
            for change in group:
                self._decide(resource, change, current)
                if change.kind == "makes" and change.before is None and change.ref in self._removed:
                    await self._find_added_parts(change.ref, refs)
        self._plan.steps = list(_batched(self._plan.steps, self._catalogue))
        return self._plan

    async def _read_current(self, resource: Resource, scope: Scope, group: list[Change]) -> Current:
        """Return what exists now. A resource with a new key is under its former key."""
        keys = [key for change in group for key in (change.ref.key, change.renamed) if key is not None]
        current = await self._read_existing(resource, scope, keys or None)
        if resource.assigned and any(change.before is not None and change.ref.key not in current for change in group):
            everything = await self._read_existing(resource, scope, None)
            for change in group:
                key = self._assigned_key(change, everything)
                if key is not None:
                    self._plan.new_keys[resource.name, str(change.ref.key)] = key
                    current[change.ref.key] = everything[key]
            self._existing_keys = tuple(str(key) for key in everything)
        return current

    async def _read_existing(self, resource: Resource, scope: Scope, keys: list[str] | None) -> Current:
        return {
            one.ref.key: one.value async for one in self._reader.read(resource, scope, keys) if one.value is not None
        }

    def _assigned_key(self, change: Change, everything: Current) -> str | None:
        """Return the key that the resource got in an earlier attempt, as recorded or as its content shows."""
        begun = self._begun.get(str(change.ref))
        if begun is None:
            return None
        if begun.new_key is not None:
            return begun.new_key if begun.new_key in everything else None
        taken = (*begun.existing_keys, *self._plan.new_keys.values())
        return next(
            (str(key) for key, value in everything.items() if key not in taken and equal(value, change.before)), None
        )

    def _decide(self, resource: Resource, change: Change, current: Current) -> None:
        value = current.get(change.ref.key)
        still_renamed = change.renamed is not None and change.renamed in current
        if self._is_missing(change, value, still_renamed=still_renamed):
            self._plan.impossible.append(Failure(replace(change.ref, key=change.renamed or change.ref.key), NOT_FOUND))
            return
        if equal(value, change.before) and not still_renamed:
            self._plan.unchanged += 1
            return
        ref = change.ref
        if still_renamed:
            ref, value = replace(change.ref, key=change.renamed), current[change.renamed]
        # A part that exists only once, such as the active version, follows from what else is restored.
        follows = change.kind == "removes" and resource.key is None and bool(resource.of)
        if change.after_known and not equal(value, change.after) and not follows:
            self._plan.conflicts.append(Conflict(ref, change.after, value, self._untrusted(resource)))
            return
        self._plan.uncertain |= not change.after_known
        if change.before is None:
            self._remove(resource, change, ref, value)
        else:
            self._restore(resource, change, ref, exists=value is not None)

    def _untrusted(self, resource: Resource) -> bool:
        return any(
            self._catalogue.find(read.tool).shows_third_party_text for read in (resource.one, resource.all) if read
        )

    def _is_missing(self, change: Change, value: Value | None, *, still_renamed: bool) -> bool:
        """Return whether something that the call created or renamed was never seen: it may exist under another key."""
        makes = change.before is None or change.renamed is not None
        if not self._done or change.ref.key is None or change.kind == "removes" or not makes or still_renamed:
            return False
        return value is None and change.after is None and _spelling(change.ref) not in self._seen_after

    def _remove(self, resource: Resource, change: Change, ref: ResourceRef, value: Value | None) -> None:
        """Plan to remove what the call created, unless it is removed together with the whole that it belongs to."""
        if any(
            whole.resource == parent and whole.key == ref.where[name]
            for name, parent in resource.of.items()
            for whole in self._removed
        ):
            return
        self._removed.add(ref)
        if resource.remove is None:
            self._give_up(ref, "remove")
            return
        values = () if value is None else (value,)
        self._add(Step("remove", resource.remove, (ref,), values, old_key=change.ref.key))

    def _restore(self, resource: Resource, change: Change, ref: ResourceRef, *, exists: bool) -> None:
        """Plan to restore the resource to its state before the call."""
        action: Action = "replace" if exists else "put"
        write = (resource.replace or resource.put) if exists else resource.put
        if write is None or change.before is None:
            self._give_up(ref, action)
            return
        assigned = resource.assigned and not exists
        self._add(
            Step(
                action,
                write,
                (ref,),
                (change.before,),
                old_key=change.ref.key,
                assigned=assigned,
                existing_keys=self._existing_keys if assigned else (),
            )
        )

    def _give_up(self, ref: ResourceRef, action: Action) -> None:
        words = {"put": "create", "replace": "change", "remove": "remove"}
        self._plan.impossible.append(Failure(ref, f"Mailgun has no operation to {words[action]} it"))

    def _add(self, step: Step) -> None:
        try:
            step.call(self._catalogue, self._plan.new_keys)
        except UnwritableError as error:
            self._plan.impossible.append(Failure(step.refs[0], str(error), (str(error),)))
        else:
            self._plan.steps.append(step)

    async def _find_added_parts(self, whole: ResourceRef, refs: set[ResourceRef]) -> None:
        """Find what somebody added to a resource that the call created: it would be removed with that resource."""
        async for part in self._reader.read_parts(whole):
            if part.value is not None and part.ref not in refs:
                self._plan.conflicts.append(Conflict(part.ref, None, part.value))


def _spelling(ref: ResourceRef) -> tuple[str, str | None]:
    return ref.resource, same_keys(ref.resource, ref.key)


def _groups(catalogue: Catalogue, changes: list[Change]) -> Iterator[tuple[Resource, Scope, list[Change]]]:
    """Yield the changes that are read together: those of one kind in one scope, wholes before their parts."""
    groups: dict[tuple[str, Any], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.ref.resource, change.ref.scope), []).append(change)
    for (name, scope), group in groups.items():
        yield catalogue.resource(name), dict(scope), group


def _batched(steps: list[Step], catalogue: Catalogue) -> Iterator[Step]:
    """Yield the steps, joining those that a single call can make."""
    waiting: Step | None = None
    for step in steps:
        if waiting is not None and _join(waiting, step, catalogue):
            waiting = replace(waiting, refs=waiting.refs + step.refs, values=waiting.values + step.values)
            continue
        if waiting is not None:
            yield waiting
        waiting = step
    if waiting is not None:
        yield waiting


def _join(one: Step, other: Step, catalogue: Catalogue) -> bool:
    batched = one.write.batch is not None and one.write == other.write and "remove" not in (one.action, other.action)
    same_scope = one.refs[0].scope == other.refs[0].scope
    return batched and same_scope and len(one.refs) < batch_size(one.write, catalogue.find(one.write.tool))
