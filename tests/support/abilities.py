"""What clients and the people at them do with a call, and what must become of it: the abilities of the proof."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, Protocol

import anyio
import mcp_types as types
import pytest
from mcp import Client, ClientSession
from mcp.shared.exceptions import MCPError

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.asker import REFUSALS
from mailgun_mcp.request.build import build
from mailgun_mcp.request.defaults import with_defaults
from mailgun_mcp.request.files import Files
from mailgun_mcp.store.database import Store
from tests.support import people
from tests.support.arguments import minimal
from tests.support.operations import catalogue
from tests.support.people import Desk

Era = Literal["legacy", "auto"]
ERAS: tuple[Era, ...] = ("legacy", "auto")
KEY = "confirmation"


class Mailgun(Protocol):
    """What is behind the server."""

    lines: list[str]

    @property
    def changes(self) -> list[str]:
        """The requests of more than a read."""


@dataclass
class Bench:
    """One server with its clients; all talk to one recorded Mailgun."""

    policy: str
    era: Era
    mailgun: Mailgun
    desk: Desk
    asking: Client
    mute: Client
    hasty: Client
    """Asks, and is waiting for an answer for next to no time."""
    urls: Client
    """Says that it shows web pages, but no forms."""
    sampling: Client
    """Lends its model and names its directories, but cannot ask a person."""
    store: Store


Said = str
"""A result's text, `""` for a success."""
Way = Callable[[Bench, Operation, Arguments], Awaitable[list[Said]]]


def said(result: Any) -> Said:
    (content,) = result.content
    return content.text if result.is_error else ""


async def call(client: Client, operation: Operation, arguments: Arguments) -> Said:
    try:
        return said(await client.call_tool(operation.name, arguments))
    except MCPError as error:
        return error.error.message


def person(who: people.Person, times: int = 1) -> Way:
    """Return the way of a client at which this person sits."""

    async def way(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
        bench.desk.person = who
        return [await call(bench.asking, operation, arguments) for _ in range(times)]

    return way


async def yes_to_the_first(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    return await person(people.once(people.accepts), 2)(bench, operation, arguments)


async def nobody(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    return [await call(bench.mute, operation, arguments) for _ in range(2)]


async def no_answer_in_time(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    bench.desk.person = people.never_answers
    return [await call(bench.hasty, operation, arguments)]


async def only_urls(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    return [await call(bench.urls, operation, arguments)]


async def only_sampling(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    return [await call(bench.sampling, operation, arguments)]


ENDED = "ended by the client"


async def ends_the_call(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    """The client cancels its request while the person reads the question."""
    asked, results = anyio.Event(), list[Said]()

    async def reads(_: types.ElicitRequestFormParams) -> types.ElicitResult:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def make() -> None:
        results.append(await call(bench.asking, operation, arguments))
        asked.set()

    bench.desk.person = reads
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(make)
        await asked.wait()
        tasks.cancel_scope.cancel()
    return results or [ENDED]


@asynccontextmanager
async def showing_only_urls(client: Client) -> AsyncIterator[Client]:
    """Connect the client, which says that it can show URLs, and no forms."""
    whole = ClientSession._build_capabilities

    def without_forms(session: ClientSession, version: str) -> types.ClientCapabilities:
        elicitation = types.ElicitationCapability(url=types.UrlElicitationCapability())
        return whole(session, version).model_copy(update={"elicitation": elicitation})

    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ClientSession, "_build_capabilities", without_forms)
            await stack.enter_async_context(client)
        yield client


async def never_called(*_: Any, **named: Any) -> Any:
    raise AssertionError("no server asks a client for its model or its directories")


async def the_model_itself(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
    """A yes in the arguments is a fault of theirs."""
    bench.desk.person = people.declines
    return [await call(bench.asking, operation, {**arguments, "confirm": True})]


async def ask(bench: Bench, operation: Operation, arguments: Arguments, **given: Any) -> Any:
    session = bench.asking.session
    try:
        return await session.call_tool(operation.name, arguments, allow_input_required=True, **given)
    except MCPError as error:
        return types.CallToolResult(content=[types.TextContent(text=error.error.message)], is_error=True)


def yes_to(question: types.InputRequiredResult) -> types.InputResponses:
    asked = (question.input_requests or {})[KEY].params
    assert isinstance(asked, types.ElicitRequestFormParams)
    return {KEY: types.ElicitResult(action="accept", content=people.right(asked))}


YES: types.InputResponses = {KEY: types.ElicitResult(action="accept", content={"confirm": True})}


def returned(answers: Callable[[Bench, Operation, Arguments, types.InputRequiredResult], Awaitable[list[Any]]]) -> Way:
    """Return a way that takes the question in the hand, as a client of the modern era may."""

    async def way(bench: Bench, operation: Operation, arguments: Arguments) -> list[Said]:
        first = await ask(bench, operation, arguments)
        if not isinstance(first, types.InputRequiredResult):
            return [said(first)]
        results = await answers(bench, operation, arguments, first)
        return ["asked again" if isinstance(result, types.InputRequiredResult) else said(result) for result in results]

    return way


@returned
async def replays(bench: Bench, operation: Operation, arguments: Arguments, question: Any) -> list[Any]:
    given = {"input_responses": yes_to(question), "request_state": question.request_state}
    return [await ask(bench, operation, arguments, **given) for _ in range(3)]


@returned
async def answers_another_call(bench: Bench, operation: Operation, arguments: Arguments, question: Any) -> list[Any]:
    """The state is that of the same tool with other arguments, and of another tool."""
    other = next(other for other in catalogue() if other.risk == "destructive" and other.name != operation.name)
    of_other = await ask(bench, other, minimal(other))
    assert isinstance(of_other, types.InputRequiredResult)
    given = {"input_responses": yes_to(question), "request_state": of_other.request_state}
    mine = {"input_responses": yes_to(of_other), "request_state": question.request_state}
    return [
        await ask(bench, operation, arguments, **given),
        await ask(bench, other, minimal(other), **mine),
        await ask(bench, operation, {**arguments, "x": 1}, **mine),
    ]


@returned
async def answers_too_late(bench: Bench, operation: Operation, arguments: Arguments, question: Any) -> list[Any]:
    given = {"input_responses": yes_to(question), "request_state": question.request_state}
    with pytest.MonkeyPatch.context() as patch:
        import time

        late = SimpleNamespace(time=lambda: time.time() + 601)
        patch.setattr("mcp.server.request_state.time", late)
        return [await ask(bench, operation, arguments, **given)]


@returned
async def forges(bench: Bench, operation: Operation, arguments: Arguments, question: Any) -> list[Any]:
    state = question.request_state
    changed = state[:-1] + ("A" if state[-1] != "A" else "B")
    return [
        await ask(bench, operation, arguments, input_responses=yes_to(question)),
        await ask(bench, operation, arguments, input_responses=yes_to(question), request_state=changed),
        await ask(bench, operation, arguments, input_responses=yes_to(question), request_state="{}"),
        await ask(bench, operation, arguments, request_state=state),
        await ask(bench, operation, arguments, input_responses={"other": yes_to(question)[KEY]}, request_state=state),
    ]


@dataclass(frozen=True)
class Ability:
    """What a client and its person do, and what becomes of a call that has to be confirmed."""

    way: Way
    says: tuple[str, ...]
    """How the results begin, `""` for a call that was made."""
    eras: tuple[Era, ...] = ERAS


def no(verdict: Literal["declined", "cancelled", "timeout", "empty", "wrong", "unknown", "replay", "broken"]) -> str:
    return f"Not made: {REFUSALS[verdict]}. Nothing was sent. "


REJECTED = "Invalid or expired requestState"
HELD = "Pending approval "
BECAUSE = f"Not made: {REFUSALS['declined']}, for this reason: ⟦"
MIXED = f"Not made: {REFUSALS['mixed']}, for this reason: ⟦"
LEGACY: tuple[Era, ...] = ("legacy",)
MODERN: tuple[Era, ...] = ("auto",)

ABILITIES: dict[str, Ability] = {
    "accepts": Ability(person(people.accepts), ("",)),
    "accepts-once": Ability(yes_to_the_first, ("", no("declined"))),
    "cannot-ask": Ability(nobody, (HELD, HELD)),
    "shows-only-urls": Ability(only_urls, (HELD,)),
    "has-only-sampling-and-roots": Ability(only_sampling, (HELD,)),
    "ends-the-call": Ability(ends_the_call, (ENDED,)),
    "declines": Ability(person(people.declines), (no("declined"),)),
    "declines-with-a-yes-inside": Ability(person(people.declines_with_a_yes_inside), (no("declined"),)),
    "declines-with-a-reason": Ability(person(people.declines_with_a_reason), (BECAUSE,)),
    "gives-only-a-reason": Ability(person(people.fills_in_only_the_reason), (BECAUSE,)),
    "agrees-with-a-reason-against-it": Ability(person(people.agrees_with_a_reason_against_it), (MIXED,)),
    "cancels": Ability(person(people.cancels), (HELD,)),
    "accepts-without-content": Ability(person(people.says_nothing), (HELD,)),
    "accepts-with-nothing": Ability(person(people.fills_in_nothing), (HELD,)),
    "answers-wrong": Ability(person(people.answers_wrong), ("Not made: ",)),
    "answers-false": Ability(person(people.answers_false), ("Not made: ",)),
    "answers-more": Ability(person(people.answers_more), (no("unknown"),)),
    "answers-beside": Ability(person(people.answers_beside), (no("unknown"),)),
    "breaks": Ability(person(people.breaks), (HELD,), LEGACY),
    "breaks-at-the-client": Ability(person(people.breaks), ("the window is gone",), MODERN),
    "no-answer-in-time": Ability(no_answer_in_time, (HELD,), LEGACY),
    "answers-too-late": Ability(answers_too_late, (REJECTED,), MODERN),
    "replays": Ability(replays, ("", no("replay"), no("replay")), MODERN),
    "answers-another-call": Ability(answers_another_call, (REJECTED, REJECTED, REJECTED), MODERN),
    "forges": Ability(forges, ("asked again", REJECTED, REJECTED, "asked again", "asked again"), MODERN),
}


def line_of(operation: Operation, arguments: Arguments) -> str:
    request = build(operation, with_defaults(operation.sent, arguments), Files())
    return f"{request.method} {request.target}"


def begins(results: list[Said], beginnings: tuple[str, ...]) -> bool:
    return len(results) == len(beginnings) and all(
        result.startswith(start) if start else result == "" for result, start in zip(results, beginnings, strict=True)
    )
