"""Reads what a call touches, before it and after, with the reads that the catalogue names for each resource."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import next_page
from mailgun_mcp.catalogue.resource import Effect, EffectKind, Read, Resource
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Notify
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.response import parse_json
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.undo.resource_values import (
    Scope,
    Thing,
    Value,
    at,
    folded,
    is_there,
    items_of,
    key_of,
    keys_of,
    scope_of,
    value_of,
)

FEW = 100
"""Things that are read one by one; of more the whole list is read."""
WHOLE = "*"
"""As a key: all that is in the scope was looked at, and what was not found is not there."""
Found = tuple[Thing, Value | None]


@dataclass(frozen=True, slots=True)
class Affected:
    """A thing as it is before the call."""

    thing: Thing
    value: Value | None
    kind: EffectKind
    renamed: str | None = None
    """The key that the call gives it."""


class Reader:
    """Reads the things of one account."""

    def __init__(self, catalogue: Catalogue, client: Client, *, subaccount: str | None, notify: Notify) -> None:
        self.catalogue = catalogue
        self._client = client
        self._subaccount = subaccount
        self._notify = notify

    async def before(self, operation: Operation, arguments: Arguments) -> AsyncIterator[Affected]:
        """Yield what the call is about to remove, change or make, as it is now: None for what is not there.

        What Mailgun itself will name is not among it. Raises MailgunError when it cannot be read.
        """
        for effect in operation.affects:
            resource = self.catalogue.resource(effect.resource)
            scope = scope_of(effect, resource, arguments)
            if effect.kind == "makes":
                for key in keys_of(effect, arguments) or ():
                    yield Affected(_thing(resource, scope, key), None, effect.kind)
                continue
            renamed = _renamed(effect, arguments)
            async for thing, value in self.things(resource, scope, keys_of(effect, arguments)):
                yield Affected(thing, value, effect.kind, None if renamed == thing.key else renamed)
                if effect.kind == "removes" and value is not None:
                    async for part, told in self.parts(thing):
                        yield Affected(part, told, effect.kind)

    def made(self, operation: Operation, arguments: Arguments, body: Any) -> Iterator[Thing]:
        """Yield what the call made under a key that Mailgun gave, as its answer tells."""
        for effect in operation.affects:
            if effect.made:
                resource = self.catalogue.resource(effect.resource)
                for key in _keys_after(effect, arguments, body) or ():
                    yield _thing(resource, scope_of(effect, resource, arguments), key)

    async def after(self, operation: Operation, arguments: Arguments, body: Any) -> AsyncIterator[Found]:
        """Yield what the call made or changed, as it is now. What it removed is not looked for.

        Raises MailgunError when it cannot be read.
        """
        for effect in operation.affects:
            if effect.kind == "removes" or effect.later:
                continue
            resource = self.catalogue.resource(effect.resource)
            scope = scope_of(effect, resource, arguments)
            keys = _keys_after(effect, arguments, body)
            if keys is None and resource.key is not None:
                yield _thing(resource, scope, WHOLE), None
            async for thing, value in self.things(resource, scope, keys):
                yield thing, value
                if effect.kind == "makes" and value is not None:
                    async for part in self.parts(thing):
                        yield part

    async def things(self, resource: Resource, scope: Scope, keys: list[str] | None) -> AsyncIterator[Found]:
        """Yield the things of the scope, or those with the keys: None as value for one that is not there."""
        if resource.key is None:
            yield _thing(resource, scope, None), await self.one(resource, scope, None)
        elif keys is None:
            async for found in self._all(resource, scope):
                yield found
        elif resource.one is not None and (len(keys) <= FEW or resource.all is None):
            for key in keys:
                yield _thing(resource, scope, key), await self.one(resource, scope, key)
        else:
            single = keys[0] if len(keys) == 1 else None
            found_now = {thing.key: value async for thing, value in self._all(resource, scope, single)}
            for key in keys:
                yield _thing(resource, scope, key), found_now.get(key)

    async def parts(self, thing: Thing) -> AsyncIterator[Found]:
        """Yield the parts of a thing: the members of a list, the versions of a template."""
        for part in self.catalogue.parts_of(thing.resource):
            holder = next(name for name, parent in part.of.items() if parent == thing.resource)
            scope = {name: thing.where[name] for name in part.within if name != holder} | {holder: str(thing.key)}
            async for found in self.things(part, scope, None):
                yield found

    async def one(self, resource: Resource, scope: Scope, key: str | None) -> Value | None:
        """Return one thing, or None when it is not there."""
        if resource.one is None:
            found = [value async for thing, value in self._all(resource, scope, key) if thing.key == key]
            return found[0] if found else None
        operation = self.catalogue.find(resource.one.tool)
        body = await self._body(operation, _arguments(resource.one, operation, scope, key))
        item = at(body, resource.one.items)
        if item is None and resource.one.items and "/" not in resource.one.items:
            # Some answers come with the thing at their top (reference, section 12).
            item = body
        return value_of(resource, item) if is_there(resource, scope, item) else None

    async def _all(self, resource: Resource, scope: Scope, key: str | None = None) -> AsyncIterator[Found]:
        read = resource.all
        if read is None:
            return
        operation = self.catalogue.find(read.tool)
        place = read.items or (operation.pages.items if operation.pages else None)
        asked = _arguments(read, operation, scope, key)
        seen = 0
        while True:
            body = await self._body(operation, asked)
            for item in items_of(resource, at(body, place)):
                if is_there(resource, scope, item):
                    name = key_of(resource, item)
                    value = await self.one(resource, scope, name) if resource.each else value_of(resource, item)
                    seen += 1
                    yield _thing(resource, scope, name), value
            following = next_page(operation, asked, body)
            if following is None:
                return
            await self._notify(f"reading {resource.plural}: {seen:,} so far")
            asked = {**asked, **following}

    async def _body(self, operation: Operation, arguments: Arguments) -> Any:
        """Return what the read tells, or None where nothing is there."""
        request = build(operation, arguments, Files(), subaccount=self._subaccount)
        try:
            response = await self._client.send(request, repeatable=True, notify=self._notify)
            return parse_json(response.content)
        except MailgunError as fault:
            if fault.status == 404:
                return None
            raise
        except (ValueError, UnicodeDecodeError) as error:
            raise UnreadableError(f"What {operation.name} tells cannot be read", "Try again.") from error


def _thing(resource: Resource, scope: Scope, key: str | None) -> Thing:
    return Thing(resource.name, tuple(scope.items()), key)


def _keys_after(effect: Effect, arguments: Arguments, body: Any) -> list[str] | None:
    """Return which things to look at after the call: under the key that Mailgun gave, or the call."""
    if effect.made:
        made = at(body, effect.made)
        return [] if made is None else [str(made)]
    renamed = _renamed(effect, arguments)
    return keys_of(effect, arguments) if renamed is None else [renamed]


def _renamed(effect: Effect, arguments: Arguments) -> str | None:
    given = arguments.get(effect.renamed) if effect.renamed else None
    return folded(str(given)) if given else None


def _arguments(read: Read, operation: Operation, scope: Scope, key: str | None) -> Arguments:
    """Return the arguments of the read; a page as large as it can be."""
    properties = operation.input_schema.get("properties", {})
    words: dict[Any, Any] = {"$key": key, **{f"${name}": value for name, value in scope.items()}}
    given = {name: value for name, value in scope.items() if name in properties}
    most = properties.get("limit", {}).get("maximum")
    if most and read.items is None:
        given["limit"] = most
    written = {
        name: words.get(value, value) if isinstance(value, str) else value for name, value in read.arguments.items()
    }
    return {**given, **{name: value for name, value in written.items() if value is not None}}
