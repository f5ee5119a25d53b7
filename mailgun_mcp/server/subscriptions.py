"""Subscriptions to resources, in both protocol eras. Reports changes made through any server that shares this state.

Changes made elsewhere, such as on Mailgun's website, are not noticed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
from mailgun_mcp.catalogue.search.tools import CALL_TOOL
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.server.changes_elsewhere import ChangesElsewhere
from mailgun_mcp.server.context import ServerContext
from mailgun_mcp.server.resource_kinds import KINDS, SCHEME
from mailgun_mcp.server.resources import Resources
from mailgun_mcp.server.tasks import declares_tasks, missing_capability

MOST_CONNECTIONS = 1_000
MOST_WATCHED = 10_000
OF_TOOLSETS = {
    "domains": ("domains",),
    "templates": ("templates", "template"),
    "webhooks": ("webhook",),
    "lists": ("list",),
    "routes": ("route",),
}
"""Toolset -> the kinds of resources that its calls change."""
OTHER_NAMES = {"webhook_name": ("id",), "template_name": ("name",)}
"""Argument of a reading tool -> the names that other tools use for it, such as the tool that creates the item."""


@dataclass(slots=True)
class _Connection:
    """A connection of the older era, and its subscriptions."""

    session: ServerSession
    uris: set[str] = field(default_factory=set)


class Subscriptions:
    """Knows who subscribed to which resources, and notifies them."""

    def __init__(self, services: Services, resources: Resources) -> None:
        self._services = services
        self._resources = resources
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._connections: dict[int, _Connection] = {}
        self._watched: dict[str, None] = {}
        self._elsewhere = ChangesElsewhere(services, self.called)

    def add_to(self, server: Server[dict[str, Any]]) -> None:
        """Register the methods of both eras."""
        server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, self._subscribe)
        server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, self._unsubscribe)
        server.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, self._listened)

    async def called(self, tool: str, arguments: Arguments) -> None:
        """Notify subscribers of what a successful call changed."""
        if tool == CALL_TOOL:
            tool, arguments = str(arguments.get("name", "")), arguments.get("arguments") or {}
        for uri in dict.fromkeys(self._changed(tool, arguments)):
            await self._bus.publish(ResourceUpdated(uri))
            for key, connection in list(self._connections.items()):
                if uri in connection.uris:
                    await self._tell(key, connection, uri)

    def _changed(self, tool: str, arguments: Arguments) -> Iterator[str]:
        if tool == UNDO_OPERATION:
            # An undo can put anything back.
            yield from self._watched
        elif tool in self._services.catalogue:
            operation = self._services.catalogue.find(tool)
            if operation.risk != "read":
                yield from changed_uris(operation.toolset, arguments)

    async def _tell(self, key: int, connection: _Connection, uri: str) -> None:
        try:
            await connection.session.send_resource_updated(uri)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, MCPError):
            self._connections.pop(key, None)

    def end_streams(self) -> None:
        """End the open streams of subscriptions, because the server stops. Clients open them again."""
        self._listen.close()

    async def _subscribe(self, context: ServerContext, params: types.SubscribeRequestParams) -> types.EmptyResult:
        uri = str(params.uri)
        self._watch(context, [uri])
        await self._elsewhere.start()
        # All requests of one connection share this object, so its id identifies the connection.
        connection = self._connections.setdefault(id(context.session.client_params), _Connection(context.session))
        connection.uris.add(uri)
        while len(self._connections) > MOST_CONNECTIONS:
            del self._connections[next(iter(self._connections))]
        return types.EmptyResult()

    async def _unsubscribe(self, context: ServerContext, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        connection = self._connections.get(id(context.session.client_params))
        if connection is not None:
            connection.uris.discard(str(params.uri))
        return types.EmptyResult()

    async def _listened(
        self, context: ServerContext, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        if "taskIds" in (params.notifications.model_extra or {}) and not declares_tasks(context):
            raise missing_capability()
        self._watch(context, [str(uri) for uri in params.notifications.resource_subscriptions or ()])
        if self._watched:
            await self._elsewhere.start()
        return await self._listen(context, params)

    def _watch(self, context: ServerContext, uris: Iterable[str]) -> None:
        """Remember these URIs as watched. Raises MCPError for a resource that the principal may not read."""
        for uri in uris:
            if not self._resources.is_readable(context, uri):
                raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
            self._watched[uri] = None
            while len(self._watched) > MOST_WATCHED:
                del self._watched[next(iter(self._watched))]


def changed_uris(toolset: str, arguments: Arguments) -> Iterator[str]:
    """Yield the resources that a call of a toolset may have changed, as far as its arguments name them."""
    kinds = {kind.name: kind for kind in KINDS}
    for name in OF_TOOLSETS.get(toolset, ()):
        path = kinds[name].path
        for variable in kinds[name].variables:
            argument = kinds[name].arguments.get(variable, variable)
            value = next(
                (arguments[each] for each in (argument, *OTHER_NAMES.get(argument, ())) if each in arguments), None
            )
            if value is None:
                break
            path = path.replace(f"{{{variable}}}", quote(str(value), safe="@"))
        else:
            yield SCHEME + path
