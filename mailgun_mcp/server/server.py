"""The MCP server: tools, prompts and resources of one `Services`, for any transport and both protocol eras."""

from collections.abc import Callable, Mapping
from functools import cache as once
from secrets import token_bytes
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from pydantic import ValidationError

from mailgun_mcp.call.access import may_be_shown
from mailgun_mcp.call.account_choice import names_of_choice, shown_tools
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.asker import NOBODY
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import UnknownToolError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.output.logs import logger
from mailgun_mcp.server.apps import shows_views
from mailgun_mcp.server.call_results import LINKS_SINCE, result_of
from mailgun_mcp.server.completions import Completions
from mailgun_mcp.server.context import ServerContext, client_name, principal_of
from mailgun_mcp.server.description import COMPLETE, EXTENSIONS, HOUR, NAME, SERVER_INFO, UI
from mailgun_mcp.server.direct_calls import BEGUN, CANCELLED, BegunCall, Called
from mailgun_mcp.server.elicitation import Elicitation, InputRequired
from mailgun_mcp.server.instructions import instructions
from mailgun_mcp.server.plain_calls import PlainCalls
from mailgun_mcp.server.prompts import Prompts
from mailgun_mcp.server.resources import Resources
from mailgun_mcp.server.skills import Skills
from mailgun_mcp.server.spans import Spans
from mailgun_mcp.server.subscriptions import Subscriptions
from mailgun_mcp.server.tasks import Tasks
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.suggest import sentence

REQUEST_STATE = "request state"
"""Purpose of the keys that seal the state that a client sends back with the answer to a question."""


class MailgunServer(Server[dict[str, Any]]):
    """The SDK's server, except that it does not announce change notices for lists that never change.

    In the newer era the SDK announces them for every list, because `subscriptions/listen` exists.
    """

    called: Called
    """Tells subscribers what changed, after a call that was made without the SDK."""
    end_subscriptions: Callable[[], None]
    """Ends the streams of subscriptions, which last as long as the server."""

    def get_capabilities(self, *arguments: Any, **options: Any) -> types.ServerCapabilities:
        """Return what the server can do."""
        capabilities = super().get_capabilities(*arguments, **options)
        for listing in (capabilities.tools, capabilities.prompts, capabilities.resources):
            if listing is not None:
                listing.list_changed = False
        return capabilities


def create_server(services: Services, principal: Principal | None) -> MailgunServer:
    """Return the server for `services`. The transports run it.

    `principal` makes every request. Pass None if the HTTP layers authenticate the principal of each request.

    An unauthenticated caller is never asked in the client: whoever calls could also give the answer.
    """
    prompts, skills = Prompts(services, principal), Skills(services, principal)
    resources, completions = Resources(services, principal, skills), Completions(services, principal)
    subscriptions = Subscriptions(services, resources)
    tasks = Tasks(services, principal, subscriptions.called)

    async def list_tools(_: ServerContext, __: types.PaginatedRequestParams | None) -> Any:
        # Never sent: `_cached_lists` answers with the compiled tools. The SDK announces the tools capability only if
        # there is a handler, and validating the 249 tools that it would return takes 20 ms.
        return {**COMPLETE, "tools": []}

    async def call_tool(context: ServerContext, params: types.CallToolRequestParams) -> Any:
        result = await _call(services, tasks, principal_of(context, principal), context, params)
        if isinstance(result, dict) and result.get("isError") is False:
            await subscriptions.called(params.name, params.arguments or {})
        return result

    calls = PlainCalls(call_tool)
    server = MailgunServer(
        NAME,
        version=SERVER_INFO["version"],
        title=SERVER_INFO["title"],
        description=SERVER_INFO["description"],
        instructions=instructions(services),
        website_url=SERVER_INFO["websiteUrl"],
        cache_hints={
            **dict.fromkeys(
                ("tools/list", "prompts/list", "resources/list", "resources/templates/list"),
                CacheHint(HOUR, "public" if principal else "private"),
            ),
        },
        get_tool_input_schema=_header_arguments,
        on_list_tools=list_tools,
        on_call_tool=calls.handle,
        on_list_prompts=prompts.list_prompts,
        on_get_prompt=prompts.get_prompt,
        on_completion=completions.complete,
        on_list_resources=resources.list_resources,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read,
    )
    skills.add_to(server)
    tasks.add_to(server)
    subscriptions.add_to(server)
    server.extensions |= {UI: EXTENSIONS[UI]}
    _add_middleware(server, services, principal)
    server.middleware.append(calls.answer)
    server.called, server.end_subscriptions = subscriptions.called, subscriptions.end_streams
    return server


def _add_middleware(server: Server[dict[str, Any]], services: Services, principal: Principal | None) -> None:
    """Add the middleware around every request, the outermost first."""
    # The SDK's own middleware only does tracing: it is replaced, or no tracer is configured.
    is_traced = not isinstance(get_tracer_provider(), ProxyTracerProvider)
    server.middleware[:] = [Spans(server, services)] if is_traced else []
    state = RequestStateSecurity(
        keys=services.seal_keys.derived(REQUEST_STATE) if services.seal_keys else [token_bytes(32)],
        ttl=services.policy.confirmation.ttl,
        bind_principal=lambda context: principal_of(context, principal).id,
    )
    server.middleware += [
        _hide_internal_errors,
        _cached_lists(services, principal),
        RequestStateBoundary(state, default_audience=NAME),
    ]


async def _call(
    services: Services, tasks: Tasks, principal: Principal, context: ServerContext, params: types.CallToolRequestParams
) -> Any:
    caller = _caller(services, principal, context, params)
    if services.personal is not None:
        from mailgun_mcp.server.own_key import OwnKey

        question = await OwnKey(services, principal, context, params, caller.notify).ask()
        if question is not None:
            return question
    begun = _begun(context)
    try:
        if begun is not None:
            if begun.is_cancelled:
                # The SDK did not know the call yet when the client cancelled it.
                raise MCPError(**CANCELLED)
            outcome = await begun.outcome(caller)
        else:
            outcome = await run(services, params.name, params.arguments or {}, caller)
    except InputRequired as question:
        return question.result
    except UnknownToolError as error:
        raise MCPError(types.INVALID_PARAMS, sentence(str(error))) from error
    task = await tasks.created(context, caller, params.name, params.arguments or {}, outcome)
    return task or result_of(outcome, links=context.protocol_version >= LINKS_SINCE)


def _begun(context: ServerContext) -> BegunCall | None:
    """Return the call that was begun without the SDK. On stdio it replaces the request; over HTTP the scope has it."""
    request: Any = context.request
    if request is None or isinstance(request, BegunCall):
        return request
    begun: BegunCall | None = request.scope.get(BEGUN)
    return begun


def _caller(
    services: Services, principal: Principal, context: ServerContext, params: types.CallToolRequestParams
) -> Caller:
    async def burn(nonce: str) -> bool:
        now = services.clock()
        return await in_thread(services.nonces.burn, nonce, now + services.policy.confirmation.ttl, now)

    notify = _progress(context)
    asker = Elicitation(context, params, burn, notify) if principal.authenticated else NOBODY
    return Caller(principal, client_name(context), asker, notify, shows_views(context))


def _progress(context: ServerContext) -> Notify:
    steps = 0

    async def notify(message: str) -> None:
        nonlocal steps
        steps += 1
        await context.session.report_progress(steps, None, message)

    return notify


async def _hide_internal_errors(ctx: ServerContext, call_next: CallNext) -> HandlerResult:
    """Hide the text of unexpected exceptions from the client: the SDK would send it unchanged to older clients."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        logger().exception("request failed", method=ctx.method)
        raise MCPError(types.INTERNAL_ERROR, "Internal error") from error


def _header_arguments(_: str) -> dict[str, Any]:
    """Return the part of a tool's schema that the SDK compares with HTTP headers. Empty: no argument is also a header.

    Otherwise the SDK would search the whole schema at each call.
    """
    return {}


def _cached_lists(services: Services, only: Principal | None) -> ServerMiddleware[dict[str, Any]]:
    """Return a middleware that caches each list in the form that is sent. Lists do not change while the server runs.

    Principals see the tools that they have scopes for. Those with several accounts also see an argument to choose one.
    """
    cache: dict[tuple[str, str, frozenset[str] | None, tuple[str, ...]], dict[str, Any]] = {}
    # Read on first use: on stdio, most clients got the list before this server existed.
    listed_tools = once(lambda: services.listed_tools)

    async def serve(ctx: ServerContext, call_next: CallNext) -> HandlerResult:
        if not ctx.method.endswith("/list"):
            return await call_next(ctx)
        if (ctx.params or {}).get("cursor"):
            raise MCPError(types.INVALID_PARAMS, "Unknown cursor: this list has one page")
        principal = principal_of(ctx, only)
        access = principal.access
        names = await names_of_choice(services, principal)
        key = (ctx.method, ctx.protocol_version, access.scopes, names)
        if key in cache and _is_valid(ctx.params):
            return cache[key]
        result = await call_next(ctx)
        if not isinstance(result, dict):
            return result
        if ctx.method == "tools/list":
            # The catalogue holds the tools in the form that is sent. The SDK would need 20 ms to produce the same.
            tools = listed_tools()
            shown = tools if access.scopes is None else [tool for tool in tools if may_be_shown(tool, access)]
            result = {**result, "tools": shown_tools(shown, names)}
        cache[key] = result
        return result

    return serve


def _is_valid(params: Mapping[str, Any] | None) -> bool:
    """Return whether the SDK would list for these parameters. If not, it says what is wrong with them."""
    try:
        types.PaginatedRequestParams.model_validate(params or {}, by_name=False)
    except ValueError:
        return False
    return True
