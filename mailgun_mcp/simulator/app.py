"""The simulator as an ASGI application."""

import re
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.catalogue.catalogue import SUBACCOUNT_HEADER, Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.analytics.usage import count_usage
from mailgun_mcp.simulator.http.asgi import MAX_CONTENT, headers_of, raw_path, read_body
from mailgun_mcp.simulator.http.auth import (
    ApiClient,
    acting_account,
    authenticate,
    authorize,
    check_client_address,
    set_own_key,
)
from mailgun_mcp.simulator.http.body import decompress
from mailgun_mcp.simulator.http.decode import RawRequest, decode
from mailgun_mcp.simulator.http.documented import documented_reply
from mailgun_mcp.simulator.http.error_overrides import check_with_overrides
from mailgun_mcp.simulator.http.regions import check_name, in_region
from mailgun_mcp.simulator.http.router import RouteMatch, router_of
from mailgun_mcp.simulator.http.tracking_hosts import UNKNOWN_DOMAIN
from mailgun_mcp.simulator.http.undocumented_routes import UndocumentedRequest, find_route
from mailgun_mcp.simulator.http.unknown_parameters import IgnoredParameters, drop_unknown
from mailgun_mcp.simulator.mail.delivery import deliver_due
from mailgun_mcp.simulator.model.account import STORAGE, Account
from mailgun_mcp.simulator.model.clock import SystemClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import CHALLENGE, TEXT, ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.all_sections import HANDLERS
from mailgun_mcp.simulator.sections.undocumented import UNDOCUMENTED_ROUTES
from mailgun_mcp.simulator.worlds.demo import demo_account

if TYPE_CHECKING:
    from mailgun_mcp.simulator.control.faults import Sleep
    from mailgun_mcp.simulator.control.harness import Environment, Harness, HostAccess
    from mailgun_mcp.simulator.smtp.server import SmtpSockets

GREETING = "Mailgun Magnificent API"
FORBIDDEN = Reply("Forbidden", 401, TEXT, CHALLENGE)
INVALID_KEY = Reply({"message": "Invalid private key"}, 401, headers=CHALLENGE)
SAYS_SO_IN_JSON = re.compile(
    r"/v4/domains|/v3/domains/[^/]+(/(webhooks|tracking|dkim_|sending_queues)|$)|/v1/dkim/|/v3/[^/]+/envelopes$"
)
"""The paths that refuse a wrong key in JSON. All others, and requests without a key, get plain text."""
NO_PATH = Reply(GREETING, 404, TEXT)
FAILED = Reply({"message": "Internal Server Error"}, 500)


def create_app(
    catalogue: Catalogue,
    *,
    account: Account | None = None,
    key: str | None = None,
    storage_url: str = STORAGE,
    control: bool = False,
    environment: "Environment | None" = None,
    sleep: "Sleep | None" = None,
    host_access: "HostAccess | None" = None,
    region: str = "us",
    strict: bool = False,
    smtp: "SmtpSockets | None" = None,
) -> ASGIApp:
    """Return the simulator as an ASGI application.

    Without `account`, it starts with the demo account. With `key`, it accepts only that API key, as an admin's, and
    the keys of the account. Without `key`, it accepts any key that was not deleted.
    With `control`, the routes under `/simulator/` can change it while it runs. `environment` has the initial faults,
    limits and delays. `sleep` is called to delay slow answers.
    `host_access` says where webhooks may be posted, and which file stores the account. `storage_url` is the start of
    the URLs of the demo account's stored messages. `region` applies to every host that is not one of Mailgun's.
    Unknown parameters are ignored, as Mailgun does. With `strict`, they are refused.
    With `smtp`, it also serves SMTP on those sockets while the application runs.
    """
    account = account or demo_account(SystemClock(), storage_url=storage_url)
    if not control and environment is None and host_access is None and smtp is None:
        return _Simulator(catalogue, account, key, region, None if strict else IgnoredParameters())
    from mailgun_mcp.simulator.control.routes import with_control_routes

    harness = create_harness(
        catalogue,
        account,
        key=key,
        region=region,
        strict=strict,
        environment=environment,
        sleep=sleep,
        host_access=host_access,
    )
    app: ASGIApp = with_control_routes(harness, key=key) if control else harness
    if host_access is not None and host_access.state_file is not None:
        from mailgun_mcp.simulator.control.state_file import with_state_file

        app = with_state_file(app, harness, host_access.state_file)
    if smtp is not None:
        from mailgun_mcp.simulator.smtp.server import with_smtp

        app = with_smtp(app, harness, catalogue.find("send_mime_message"), smtp)
    return app


def create_harness(
    catalogue: Catalogue,
    account: Account,
    *,
    key: str | None = None,
    region: str = "us",
    strict: bool = False,
    environment: "Environment | None" = None,
    sleep: "Sleep | None" = None,
    host_access: "HostAccess | None" = None,
) -> "Harness":
    """Return the simulator as an object that can be changed while it runs. The arguments are those of `create_app`."""
    from mailgun_mcp.simulator.control.harness import Environment, Harness

    ignored = None if strict else IgnoredParameters()

    def build(account: Account) -> ASGIApp:
        return _Simulator(catalogue, account, key, region, ignored)

    return Harness(router_of(catalogue), account, build, environment or Environment(), sleep, host_access, ignored)


class _Simulator:
    """Serves one account over HTTP. Handlers that write never await, so two writes cannot interleave."""

    def __init__(
        self, catalogue: Catalogue, account: Account, key: str | None, region: str, ignored: IgnoredParameters | None
    ) -> None:
        self._region = region
        self._ignored = ignored
        self._router = router_of(catalogue)
        self._catalogue = catalogue
        self._account = account
        self._any_key = not key
        if key:
            set_own_key(account, key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            reply = await self._answer(scope, receive)
            await reply(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = headers_of(scope)
        try:
            content = decompress(await read_body(receive), headers.get("content-encoding", ""), MAX_CONTENT)
            client = authenticate(self._account, headers.get("authorization", ""), any_key=self._any_key)
            if client is None:
                return _unauthorized(scope, headers)
            return await self._reply(
                scope, client, RawRequest(scope["query_string"].decode("latin-1"), headers, content)
            )
        except ApiError as refusal:
            return refusal.reply
        except Exception:  # noqa: BLE001 - the outermost frame: a bug here must look like one of Mailgun's
            _log_failure(scope)
            return FAILED

    async def _reply(self, scope: Scope, client: ApiClient, sent: RawRequest) -> Reply:
        path = raw_path(scope)
        match = self._router.match(scope["method"], path)
        check_client_address(client, (scope.get("client") or (None,))[0])
        if match is None:
            return await self._undocumented(scope, client, sent, path) or self._unmatched(path)
        authorize(client, match.operation, match.values)
        whole = acting_account(client, match.operation, sent.headers.get(SUBACCOUNT_HEADER.lower()))
        account = in_region(whole, match.operation, sent.headers.get("host", ""), self._region)
        deliver_due(account)
        domain = _domain(account, match.operation, match.values)
        arguments = self._arguments(match, sent)
        check_with_overrides(match.operation, arguments)
        check_name(whole, match.operation, arguments)
        accept = sent.headers.get("accept", "")
        request = SimulatedRequest(match.operation, arguments, _url(scope, sent, path), accept, domain, client.key)
        handler = HANDLERS.get(match.operation.name)
        answer = handler.answer(account, request) if handler else documented_reply(account, request)
        reply = answer if isinstance(answer, Reply) else await answer
        count_usage(account, request, reply)
        return reply

    def _arguments(self, match: RouteMatch, sent: RawRequest) -> Arguments:
        ignored, operation, now = self._ignored, match.operation, self._account.clock.now()
        if ignored is None:
            return decode(operation, match.values, sent)

        def ignore(name: str) -> None:
            ignored.add(operation, name, now)

        return drop_unknown(operation, decode(operation, match.values, sent, ignore), ignore)

    async def _undocumented(self, scope: Scope, client: ApiClient, sent: RawRequest, path: str) -> Reply | None:
        matched = find_route(UNDOCUMENTED_ROUTES, scope["method"], path)
        if matched is None:
            return None
        route, values = matched
        operation = self._catalogue.find(route.operation)
        authorize(client, operation, values)
        whole = acting_account(client, operation, sent.headers.get(SUBACCOUNT_HEADER.lower()))
        account = in_region(whole, operation, sent.headers.get("host", ""), self._region)

        async def read(path: str) -> Reply:
            path, _, query = path.partition("?")
            inner = {**scope, "method": "GET", "path": path, "raw_path": path.encode("latin-1", "replace")}
            return await self._reply(inner, client, RawRequest(query, sent.headers, b""))

        base_url = _url(scope, sent, "")
        request = UndocumentedRequest(values, sent.query, sent.content, sent.content_type, base_url, read)
        answer = route.handler(account, request)
        return answer if isinstance(answer, Reply) else await answer

    def _unmatched(self, path: str) -> Reply:
        if path.strip("/") == "":
            return Reply(GREETING, content_type=TEXT)
        allowed = ", ".join(self._router.methods(path))
        if not allowed:
            return NO_PATH
        return Reply({"message": "Method Not Allowed"}, 405, headers={"allow": allowed})


def _unauthorized(scope: Scope, headers: dict[str, str]) -> Reply:
    return INVALID_KEY if "authorization" in headers and SAYS_SO_IN_JSON.match(raw_path(scope)) else FORBIDDEN


def _domain(account: Account, operation: Operation, values: Arguments) -> Domain | None:
    """Return the domain named in the path. Raises ApiError when the account does not have it."""
    for argument in operation.arguments:
        if argument.location == "path" and argument.format == "hostname":
            name = values[argument.wire]
            domain = account.domains.get(name.lower())
            if domain is None and operation.toolset in UNKNOWN_DOMAIN:
                return UNKNOWN_DOMAIN[operation.toolset](account, operation, name)
            if domain is None:
                raise ApiError(404, f"Domain not found: {name}")
            return domain
    return None


def _url(scope: Scope, sent: RawRequest, path: str) -> str:
    return f"{scope.get('scheme', 'http')}://{sent.headers.get('host', 'api.mailgun.net')}{path}"


async def _lifespan(receive: Receive, send: Send) -> None:
    for stage in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{stage}.complete"})


def _log_failure(scope: Scope) -> None:
    import sys
    import traceback

    import structlog

    # Not structlog's default logger: unless configured, it writes to stdout, with all local variables.
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # With another formatter, older versions warn that the traceback is a text.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
    log = structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=processors)
    log.error("simulator_failed", method=scope["method"], path=scope["path"], exception=traceback.format_exc())
