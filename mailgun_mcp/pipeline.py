"""One call from its name to its result. Every way in (MCP, CLI, Python) runs through `run`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from mailgun_mcp.catalogue.load import Catalogue
from mailgun_mcp.catalogue.operation import Arguments, Operation
from mailgun_mcp.catalogue.parts import Files
from mailgun_mcp.catalogue.request import Request, RequestFault, build
from mailgun_mcp.catalogue.validate import faults
from mailgun_mcp.catalogue.validate import prepare as prepare_validation
from mailgun_mcp.guard.decide import Policy, decide
from mailgun_mcp.local_tools import LOCAL_TOOLS
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.errors import MailgunFault, Response
from mailgun_mcp.nearest import unknown
from mailgun_mcp.results import Results
from mailgun_mcp.shape import shape

Notify = Callable[[str], Awaitable[None]]


class UnknownTool(LookupError):
    """No tool has this name; the message names the nearest."""


class Refused(Exception):
    """A call that policy does not let through; the message says why, and what a person can do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to."""

    text: str
    structured: dict[str, Any] | None = None
    """Satisfies the tool's output schema; None for a fault."""
    kind: Literal["done", "invalid", "refused", "failed"] = "done"

    @property
    def is_error(self) -> bool:
        """Whether the call failed."""
        return self.kind != "done"


@dataclass(frozen=True, slots=True)
class App:
    """What every call of one server shares."""

    catalogue: Catalogue
    client: Client
    policy: Policy = "guarded"
    files: Files = field(default_factory=Files)
    subaccount: str | None = None
    results: Results = field(default_factory=Results)

    def prepare(self) -> None:
        """Do ahead what the first call would wait for; any thread may."""
        prepare_validation()
        self.client.prepare()


async def _quiet(_: str) -> None:
    return None


async def run(app: App, tool: str, arguments: Arguments, notify: Notify = _quiet) -> Outcome:
    """Make the call and return what it came to; faults of the call are outcomes, not exceptions.

    `notify` is told of progress. Raises UnknownTool when there is no such tool.
    """
    try:
        if tool in LOCAL_TOOLS:
            structured = LOCAL_TOOLS[tool].run(app.results, arguments)
        else:
            operation = _find(app, tool)
            request = _build(app, operation, arguments)
            _decide(app, operation, request)
            response = await _send(app, operation, request, notify)
            structured = shape(operation, arguments, response)
    except (Refused, RequestFault, MailgunFault) as fault:
        return _fault(tool, fault)
    structured, text = app.results.fit(structured)
    return Outcome(text, structured)


def _find(app: App, tool: str) -> Operation:
    if tool not in app.catalogue:
        raise UnknownTool(unknown("tool", tool, [*app.catalogue.names, *LOCAL_TOOLS]))
    return app.catalogue.find(tool)


def _build(app: App, operation: Operation, arguments: Arguments) -> Request:
    found = faults(operation, arguments)
    if found:
        raise RequestFault(found)
    return build(operation, arguments, app.files, subaccount=app.subaccount)


def _decide(app: App, operation: Operation, request: Request) -> None:
    decision = decide(operation, app.policy)
    if not decision.allowed:
        raise Refused(
            f"Refused by policy ({decision.rule}): {decision.reason}. Nothing was sent; it would have been "
            f"{request.line}. This server cannot ask for a confirmation yet: a person can do it in Mailgun's control "
            "panel, or start the server with `--policy unguarded`."
        )


async def _send(app: App, operation: Operation, request: Request, notify: Notify) -> Response:
    return await app.client.send(request, repeatable=operation.idempotent, notify=notify)


def _fault(tool: str, fault: Exception) -> Outcome:
    match fault:
        case RequestFault():
            listed = "\n".join(f"- {item}" for item in fault.faults)
            text = f"Nothing was sent: {len(fault.faults)} fault(s) in the arguments of {tool}.\n{listed}"
            return Outcome(text, kind="invalid")
        case MailgunFault():
            return Outcome(f"{fault}. {fault.step}", kind="failed")
        case _:
            return Outcome(str(fault), kind="refused")
