"""One call from its name to its result. Every way in (MCP, CLI, Python) runs through `run`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from mailgun_mcp.caller import LOCAL, Caller
from mailgun_mcp.catalogue.load import ON_BEHALF_OF, Catalogue
from mailgun_mcp.catalogue.operation import Arguments, Operation
from mailgun_mcp.catalogue.parts import Files
from mailgun_mcp.catalogue.request import Request, RequestFault, build
from mailgun_mcp.catalogue.validate import faults
from mailgun_mcp.catalogue.validate import prepare as prepare_validation
from mailgun_mcp.confirm import NotConfirmed, confirm
from mailgun_mcp.guard.engine import decide
from mailgun_mcp.guard.facts import Facts, gather
from mailgun_mcp.guard.forms import Preview
from mailgun_mcp.guard.policy import Decision, Policy
from mailgun_mcp.guard.profiles import profile
from mailgun_mcp.guard.secrets_in import reference_text
from mailgun_mcp.held import HeldCalls
from mailgun_mcp.history import History
from mailgun_mcp.local_tools import LOCAL_TOOLS
from mailgun_mcp.look import look
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.errors import MailgunFault, Response
from mailgun_mcp.mailing_lists import MailingLists
from mailgun_mcp.nearest import unknown
from mailgun_mcp.protect import Protection
from mailgun_mcp.results import Results
from mailgun_mcp.shape import shape
from mailgun_mcp.state.store import StateError, Store


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


@dataclass(frozen=True)
class App:
    """What every call of one server shares."""

    catalogue: Catalogue
    """The tools that are offered."""
    client: Client
    state: Path
    """Directory of the state store; nothing is made there before something is kept."""
    policy: Policy = field(default_factory=lambda: profile("guarded"))
    files: Files = field(default_factory=Files)
    subaccount: str | None = None
    account: str = "default"
    results: Results = field(default_factory=Results)
    clock: Callable[[], float] = time.time
    everything: Catalogue | None = None
    """All tools, for the reads behind previews; the offered ones when None."""

    @property
    def known(self) -> Catalogue:
        """Every tool that the server itself may read with."""
        return self.everything or self.catalogue

    @cached_property
    def store(self) -> Store:
        """What is kept between calls and processes."""
        return Store(self.state)

    @cached_property
    def history(self) -> History:
        """What calls left behind."""
        region = self.client.endpoint.region
        return History(self.store, self.clock, account=self.account, region=region, subaccount=self.subaccount)

    @cached_property
    def mailing_lists(self) -> MailingLists:
        """The size of the account's mailing lists."""
        return MailingLists(self.known, self.client, self.clock)

    @cached_property
    def protection(self) -> Protection:
        """Keeps secrets from the model, and marks what third parties wrote."""
        return Protection(self.policy, self.state, self.results, self.clock, account=self.account)

    async def __aenter__(self) -> "App":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to Mailgun and the state store."""
        await self.client.aclose()
        self.store.close()

    def prepare(self) -> None:
        """Do ahead what the first call would wait for; any thread may."""
        prepare_validation()
        self.client.prepare()


async def run(app: App, tool: str, arguments: Arguments, caller: Caller = LOCAL) -> Outcome:
    """Make the call and return what it came to; faults of the call are outcomes, not exceptions.

    Raises UnknownTool when there is no such tool, and what the caller's asker raises to put a question off.
    """
    try:
        if tool in LOCAL_TOOLS:
            result = LOCAL_TOOLS[tool].run(app.results, arguments)
            # What is read on may be what third parties wrote.
            await app.history.shown_untrusted(caller)
            return _fit(app, result)
        operation = _find(app, tool)
        request = _build(app, operation, arguments)
        facts = await _facts(app, operation, arguments, request, caller)
        elevation = await _permit(app, facts, request, caller)
        request, generated = await _ready(app, operation, arguments, request)
        response = await _send(app, facts, request, caller)
        result = shape(operation, arguments, response)
        result = {**await _protect(app, operation, result, caller), **generated}
    except (Refused, NotConfirmed, RequestFault, MailgunFault, StateError) as fault:
        return _fault(tool, fault)
    return _fit(app, {**result, "elevated": elevation} if elevation else result)


def _find(app: App, tool: str) -> Operation:
    if tool not in app.catalogue:
        raise UnknownTool(unknown("tool", tool, [*app.catalogue.names, *LOCAL_TOOLS]))
    return app.catalogue.find(tool)


def _build(app: App, operation: Operation, arguments: Arguments) -> Request:
    found = faults(operation, arguments)
    if found:
        raise RequestFault(found)
    return build(operation, arguments, app.files, subaccount=app.subaccount)


async def _facts(app: App, operation: Operation, arguments: Arguments, request: Request, caller: Caller) -> Facts:
    subaccount = arguments.get(ON_BEHALF_OF)
    members: dict[str, int] = {}
    if operation.risk == "send":
        with _beforehand(operation, "the size of the mailing lists"):
            members = await app.mailing_lists.members(subaccount or app.subaccount)
    context = await app.history.context(
        operation, caller, digest=request.digest, subaccount=subaccount, list_members=members
    )
    return gather(operation, arguments, context, request.digest)


async def _permit(app: App, facts: Facts, request: Request, caller: Caller) -> list[str]:
    """Return the elevations that hold now. Raises Refused or NotConfirmed for a call that may not be made."""
    decision = decide(app.policy, facts)
    elevations = _elevations(app, facts, needed=decision.effect == "confirm")
    if decision.effect == "deny":
        raise Refused(_denied(decision, request))
    if decision.effect == "confirm" and not _elevated(decision, elevations):
        await _confirm(app, facts, request, decision, caller)
    return [told for _, told in elevations]


def _elevations(app: App, facts: Facts, *, needed: bool) -> list[tuple[bool, str]]:
    """What a person allowed for a while: whether it covers this call, and how it is told.

    A call that needs none goes on without a state that can be read.
    """
    if not app.store.exists:
        return []
    from mailgun_mcp.guard.conditions import compile_match
    from mailgun_mcp.state.approvals import iso

    try:
        active = app.store.elevations.active(app.clock())
    except StateError:
        if needed:
            raise
        return []
    return [
        (
            compile_match(elevation.match, "allow", app.policy.timezone).holds(facts),
            f"until {iso(elevation.until)} {elevation.by} allows calls with {elevation.match}",
        )
        for elevation in active
    ]


def _elevated(decision: Decision, elevations: list[tuple[bool, str]]) -> bool:
    """One person cannot allow for a while what needs two."""
    return decision.level != "two_people" and any(covers for covers, _ in elevations)


async def _confirm(app: App, facts: Facts, request: Request, decision: Decision, caller: Caller) -> None:
    async def see() -> Preview:
        with _beforehand(facts.operation, "what it would touch"):
            return await look(
                app.known,
                app.client,
                facts.operation,
                facts.arguments,
                subaccount=app.subaccount,
                notify=caller.notify,
            )

    held = HeldCalls(app.store, app.clock, app.policy.notify)
    await confirm(facts, request, decision, app.policy, asker=caller.asker, approvals=held, look=see)


@contextmanager
def _beforehand(operation: Operation, wanted: str) -> Iterator[None]:
    """Tell a fault of a look before the call from one of the call, which was then not made."""
    try:
        yield
    except MailgunFault as fault:
        sentence = f"{operation.name} was not made: {wanted} cannot be read. {fault}"
        raise MailgunFault(sentence, fault.step, status=fault.status, transient=fault.transient) from fault


def _denied(decision: Decision, request: Request) -> str:
    return (
        f"Refused by policy ({decision.rule}): {decision.reason}. Nothing was sent; it would have been {request.line}. "
        "No confirmation lifts this; the person who runs the server can change its policy."
    )


async def _ready(
    app: App, operation: Operation, arguments: Arguments, request: Request
) -> tuple[Request, dict[str, Any]]:
    """Put in the passwords that the server makes up: after the yes, which is bound to the request with the word for them."""
    filled, kept = await app.protection.ready(operation, arguments)
    if not kept:
        return request, {}
    return _build(app, operation, filled), {"generated": {place: reference_text(name) for place, name in kept.items()}}


async def _reserve(app: App, facts: Facts, request: Request) -> int | None:
    """Count a send, and decide once more: others may have been counted since."""
    reserved, counted = await app.history.reserve(facts)
    if reserved is None:
        return None
    decision = decide(app.policy, counted)
    if decision.effect == "deny":
        await app.history.release(reserved)
        raise Refused(_denied(decision, request))
    if decision.effect == "confirm" and decide(app.policy, facts).allowed:
        await app.history.release(reserved)
        raise Refused(
            f"Not made ({decision.rule}): {decision.reason}, by a call made at the same time. Nothing was sent. "
            "When it is made again, a person is asked."
        )
    return reserved


async def _send(app: App, facts: Facts, request: Request, caller: Caller) -> Response:
    reserved = await _reserve(app, facts, request)
    try:
        response = await app.client.send(request, repeatable=facts.operation.idempotent, notify=caller.notify)
    except MailgunFault as fault:
        if not fault.unknown:
            await app.history.release(reserved)
        raise
    await app.history.spent(facts)
    return response


async def _protect(app: App, operation: Operation, result: dict[str, Any], caller: Caller) -> dict[str, Any]:
    protected, marked = app.protection.apply(operation, result)
    if marked:
        await app.history.shown_untrusted(caller)
    return protected


def _fit(app: App, result: dict[str, Any]) -> Outcome:
    structured, text = app.results.fit(result)
    return Outcome(text, structured)


def _fault(tool: str, fault: Exception) -> Outcome:
    match fault:
        case RequestFault():
            listed = "\n".join(f"- {item}" for item in fault.faults)
            text = f"Nothing was sent: {len(fault.faults)} fault(s) in the arguments of {tool}.\n{listed}"
            return Outcome(text, kind="invalid")
        case MailgunFault():
            return Outcome(f"{fault}. {fault.step}", kind="failed")
        case StateError():
            return Outcome(f"Nothing was sent: {fault}", kind="failed")
        case _:
            return Outcome(str(fault), kind="refused")
