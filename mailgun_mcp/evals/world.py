"""The simulated account of one run of a task, and the requests that reach it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.app.mailgun_clients import SIMULATOR_KEY
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.evals.task import Task, ToolCall
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.policy.file.load import open_policy
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.http.asgi import MAX_CONTENT, headers_of, raw_path, read_body, replayed
from mailgun_mcp.simulator.http.body import decompress
from mailgun_mcp.simulator.http.decode import RawRequest, decode
from mailgun_mcp.simulator.http.router import router_of
from mailgun_mcp.simulator.model.clock import SystemClock
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.transport import InProcessTransport
from mailgun_mcp.simulator.worlds.scenario_history import scenario_account

JUDGE = Caller(Principal("judge"), client="eval")


class SetupError(Exception):
    """A call that prepares the account failed. This is the fault of the task, not of the agent."""


@dataclass(frozen=True, slots=True)
class MailgunRequest:
    """A request that reached the simulator."""

    operation: str
    """Name of the operation, or method and path if there is no operation."""
    arguments: Arguments
    reads: bool
    """Whether the request only reads."""
    status: int


class World:
    """The account of one run."""

    def __init__(self, task: Task, directory: Path) -> None:
        if task.account is None:
            raise ValueError(f"task {task.id} has no account")
        self._directory = directory
        self._router = router_of(_catalogue())
        self._app = create_app(_catalogue(), account=scenario_account(task.account, SystemClock()))
        self._recording = False
        self.requests: list[MailgunRequest] = []
        """The requests to Mailgun that the agent's calls made, in order."""

    @property
    def app(self) -> ASGIApp:
        """The simulator as an application that records the requests of the agent's server."""
        return self._recorded

    def services(self, policy: str, *, search_mode: bool = False) -> Services:
        """Return the services of a server in this process that uses this account as Mailgun."""
        return self._services(self._recorded, "state", open_policy(policy, _catalogue()), search_mode=search_mode)

    async def prepare(self, calls: tuple[ToolCall, ...]) -> None:
        """Make the calls that prepare the account. Raises SetupError if one fails."""
        for result, call in await self._make(calls):
            if result.is_error:
                raise SetupError(f"the setup {call.parts()[0]} failed: {result.text}")
        self._recording = True

    async def read(self, calls: tuple[ToolCall, ...]) -> list[CallResult]:
        """Make some reads in the account, and return the results."""
        self._recording = False
        return [result for result, _ in await self._make(calls)]

    async def _make(self, calls: tuple[ToolCall, ...]) -> list[tuple[CallResult, ToolCall]]:
        if not calls:
            return []
        async with self._services(self._app, "judge", profile("unguarded")) as services:
            return [(await run(services, *call.parts(), JUDGE), call) for call in calls]

    def _services(self, app: ASGIApp, state: str, policy: Policy, *, search_mode: bool = False) -> Services:
        client = Client(
            resolve(region="us"),
            SIMULATOR_KEY,
            user_agent="eval",
            rate_limit=(0, 10.0),
            connect=lambda: InProcessTransport(app),
        )
        return Services(
            catalogue=_catalogue(),
            client=client,
            state=self._directory / state,
            policy=policy,
            simulator=True,
            search_mode=search_mode,
        )

    async def _recorded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._recording:
            await self._app(scope, receive, send)
            return
        content = await read_body(receive)
        status = _Status(send)
        await self._app(scope, replayed(content), status)
        self.requests.append(self._request(scope, content, status.code))

    def _request(self, scope: Scope, content: bytes, status: int) -> MailgunRequest:
        match = self._router.match(scope["method"], raw_path(scope))
        if match is None:
            # The catalogue lacks this operation. It counts as a change unless its method only reads.
            name = f"{scope['method']} {raw_path(scope)}"
            return MailgunRequest(name, {}, scope["method"] in ("GET", "HEAD", "OPTIONS"), status)
        headers = headers_of(scope)
        try:
            content = decompress(content, headers.get("content-encoding", ""), MAX_CONTENT)
            sent = RawRequest(scope["query_string"].decode("latin-1"), headers, content)
            arguments = decode(match.operation, match.values, sent, _ignore)
        except ApiError:
            arguments = dict(match.values)
        return MailgunRequest(match.operation.name, arguments, match.operation.risk == "read", status)


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load()


@dataclass(slots=True)
class _Status:
    """An ASGI `send` that passes a response on and remembers its status."""

    send: Callable[[Message], Awaitable[None]]
    code: int = field(default=0)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.code = message["status"]
        await self.send(message)


def _ignore(_: str) -> None:
    """Ignore an unknown parameter, as the simulator does."""
