"""Reads the resources that a call affects, before and after it, through the reads that the catalogue names for them."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import Effect, Read, Resource
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.undo.page_reader import PageReader, check_list, largest_page
from mailgun_mcp.undo.records import EVERYTHING, Affected, Observed, ResourceRef, Scope, Value
from mailgun_mcp.undo.resource_values import (
    effect_keys,
    effect_scope,
    exists,
    item_key,
    list_items,
    normal_key,
    resource_value,
    same_keys,
    value_at,
)

MAX_SINGLE_READS = 100
"""Most resources that are read one by one. For more, the whole list is read."""


class ResourceReader:
    """Reads the resources of one account."""

    def __init__(self, catalogue: Catalogue, client: Client, *, subaccount: str | None, notify: Notify) -> None:
        self.catalogue = catalogue
        self._pages = PageReader(client, subaccount, notify)

    async def before(self, operation: Operation, arguments: Arguments) -> AsyncIterator[Affected]:
        """Yield the current state of what the call is about to remove, change or create.

        Resources whose key Mailgun will assign are left out. Raises MailgunError if a read fails.
        """
        for effect in operation.affects:
            resource = self.catalogue.resource(effect.resource)
            scope = effect_scope(effect, resource, arguments)
            keys = effect_keys(effect, arguments)
            if effect.kind == "makes":
                for key in keys or ():
                    yield Affected(_ref(resource, scope, key), None, effect.kind)
                continue
            new_key = _new_key(effect, arguments)
            async for one in self.read(resource, scope, keys):
                renamed = None if new_key == one.ref.key else new_key
                yield Affected(one.ref, one.value, effect.kind, renamed, one.shown)
                if effect.kind == "removes" and one.value is not None:
                    async for part in self.read_parts(one.ref):
                        yield Affected(part.ref, part.value, effect.kind)

    def created(self, operation: Operation, arguments: Arguments, body: Any) -> Iterator[ResourceRef]:
        """Yield what the call created under a key assigned by Mailgun, according to its answer."""
        for effect in operation.affects:
            if effect.made:
                resource = self.catalogue.resource(effect.resource)
                for key in _keys_after(effect, arguments, body) or ():
                    yield _ref(resource, effect_scope(effect, resource, arguments), key)

    async def after(self, operation: Operation, arguments: Arguments, body: Any) -> AsyncIterator[Observed]:
        """Yield the current state of what the call created or changed. What it removed is not read.

        Raises MailgunError if a read fails.
        """
        for effect in operation.affects:
            if effect.kind == "removes" or effect.later:
                continue
            resource = self.catalogue.resource(effect.resource)
            scope = effect_scope(effect, resource, arguments)
            keys = _keys_after(effect, arguments, body)
            if keys is None and resource.key is not None:
                yield Observed(_ref(resource, scope, EVERYTHING), None)
            async for one in self.read(resource, scope, keys):
                yield one
                if effect.kind == "makes" and one.value is not None:
                    async for part in self.read_parts(one.ref):
                        yield part

    async def read(self, resource: Resource, scope: Scope, keys: list[str] | None) -> AsyncIterator[Observed]:
        """Yield the resources in the scope, or only those with the given keys."""
        if resource.key is None:
            yield await self._read_one(resource, scope, None)
        elif keys is None:
            async for one in self._read_list(resource, scope):
                yield one
        elif resource.one is not None and (len(keys) <= MAX_SINGLE_READS or resource.all is None):
            for key in keys:
                yield await self._read_one(resource, scope, key)
        else:
            only_key = keys[0] if len(keys) == 1 else None
            left = dict.fromkeys(keys)
            spellings = {same_keys(resource.name, key) for key in keys}
            async for one in self._read_list(resource, scope, only_key):
                # Under the key that Mailgun stores. Another spelling of it may be the same resource or a separate one.
                if same_keys(resource.name, one.ref.key) in spellings:
                    left.pop(str(one.ref.key), None)
                    yield one
            for key in left:
                yield Observed(_ref(resource, scope, key), None)

    async def read_parts(self, whole: ResourceRef) -> AsyncIterator[Observed]:
        """Yield the parts of a resource: the members of a list, the versions of a template."""
        for part in self.catalogue.parts_of(whole.resource):
            owner = next(name for name, parent in part.of.items() if parent == whole.resource)
            scope = {name: whole.where[name] for name in part.within if name != owner} | {owner: str(whole.key)}
            async for one in self.read(part, scope, None):
                yield one

    async def _read_one(self, resource: Resource, scope: Scope, key: str | None) -> Observed:
        """Return the resource under the key as it was asked for."""
        ref = _ref(resource, scope, key)
        if resource.one is None:
            listed = [one async for one in self._read_list(resource, scope, key)]
            spelling = same_keys(resource.name, key)
            same = [one for one in listed if same_keys(resource.name, one.ref.key) == spelling]
            nearest_spelling = min(same, key=lambda one: one.ref.key != key, default=None)
            return Observed(ref, None) if nearest_spelling is None else replace(nearest_spelling, ref=ref)
        operation = self.catalogue.find(resource.one.tool)
        body = await self._pages.read(operation, _read_arguments(resource.one, operation, scope, key))
        item = value_at(body, resource.one.items)
        if item is None and resource.one.items and "/" not in resource.one.items:
            # Some answers have the fields of the resource at the top level instead of under its name.
            item = body
        return _observed(resource, ref, item) if exists(resource, scope, item) else Observed(ref, None)

    async def _read_list(self, resource: Resource, scope: Scope, key: str | None = None) -> AsyncIterator[Observed]:
        read = resource.all
        if read is None:
            return
        operation = self.catalogue.find(read.tool)
        path = read.items or (operation.pages.items if operation.pages else None)
        count = 0
        async for page in self._pages.pages(operation, _read_arguments(read, operation, scope, key)):
            if page.body is not None and path:
                check_list(operation, page.body, path)
            if count:
                await self._pages.notify(f"reading {resource.plural}: {count:,} so far")
            for item in list_items(resource, value_at(page.body, path)):
                if exists(resource, scope, item):
                    count += 1
                    name = item_key(resource, item)
                    if resource.each:
                        yield await self._read_one(resource, scope, name)
                    else:
                        yield _observed(resource, _ref(resource, scope, name), item)


def _ref(resource: Resource, scope: Scope, key: str | None) -> ResourceRef:
    return ResourceRef(resource.name, tuple(scope.items()), key)


def _observed(resource: Resource, ref: ResourceRef, item: Value) -> Observed:
    shown = {name: item[name] for name in resource.shown if item.get(name) is not None}
    return Observed(ref, resource_value(resource, item), shown)


def _keys_after(effect: Effect, arguments: Arguments, body: Any) -> list[str] | None:
    """Return the keys, after the call, of what it affected: as Mailgun assigned them or the call changed them."""
    if effect.made:
        key = value_at(body, effect.made)
        return [] if key is None else [str(key)]
    new_key = _new_key(effect, arguments)
    return effect_keys(effect, arguments) if new_key is None else [new_key]


def _new_key(effect: Effect, arguments: Arguments) -> str | None:
    key = arguments.get(effect.renamed) if effect.renamed else None
    return normal_key(effect.resource, str(key)) if key else None


def _read_arguments(read: Read, operation: Operation, scope: Scope, key: str | None) -> Arguments:
    """Return the arguments of the read, for the largest possible page."""
    properties = operation.input_schema.get("properties", {})
    variables: dict[Any, Any] = {"$key": key, **{f"${name}": value for name, value in scope.items()}}
    arguments: Arguments = {name: value for name, value in scope.items() if name in properties}
    if read.items is None:
        arguments |= largest_page(operation)
    named = {
        name: variables.get(value, value) if isinstance(value, str) else value for name, value in read.arguments.items()
    }
    return {**arguments, **{name: value for name, value in named.items() if value is not None}}
