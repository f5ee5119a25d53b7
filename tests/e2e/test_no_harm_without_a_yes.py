"""The proof: every operation under every policy, in both eras, with every kind of person and client.

No request that changes anything leaves without the right yes, and with it exactly one does. The proof has two halves.
What a policy allows or refuses without asking never reaches a person, so one who agrees to everything and a client
that cannot ask stand for all of them. What has to be confirmed is tried with every one of them, under `strict`, which
confirms every change; under `guarded`, which asks the same questions about fewer operations, with a yes, a no and
nobody to ask.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp import Client, ClientSession
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import as_called
from mailgun_mcp.catalogue.types import Arguments, Risk
from mailgun_mcp.confirm.asker import REFUSALS
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.model import ConfirmationRules, Policy
from mailgun_mcp.policy.profiles import PROFILES, profile
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.server.server import create_server
from tests.support import people
from tests.support.arguments import minimal
from tests.support.calls import LOCAL_USER
from tests.support.decisions import ALLOWED, CONFIRMED
from tests.support.one_thread import no_threads
from tests.support.operations import catalogue
from tests.support.people import Desk
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

Era = Literal["legacy", "auto"]
ERAS: tuple[Era, ...] = ("legacy", "auto")
KEY = "confirmation"


@dataclass
class Bench:
    """One server with its clients; all talk to one recorded Mailgun."""

    policy: str
    era: Era
    services: Services
    mailgun: Recorder
    desk: Desk
    asking: Client
    mute: Client
    hasty: Client
    """Asks, and is waiting for an answer for next to no time."""


BENCHES = [(policy, era) for policy in PROFILES for era in ERAS]


async def _believe(*_: object) -> None:
    """Look at no result."""


@pytest.fixture(scope="module")
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    policy, era = request.param
    mailgun, desk = Recorder(), Desk()
    # All of these calls wait at once.
    many = ConfirmationRules(max_pending=1_000)
    services = recorded_services(mailgun, policy=replace(profile(policy), confirmation=many))
    hasty = replace(services, policy=replace(services.policy, confirmation=replace(many, ttl=0.001)))
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # Whether results fit their schemas is proven elsewhere, and would take most of the time here.
        patch.setattr(ClientSession, "validate_tool_result", _believe)
        stack.enter_context(no_threads())
        server, impatient = create_server(services, LOCAL_USER), create_server(hasty, LOCAL_USER)
        asking = await stack.enter_async_context(Client(server, mode=era, elicitation_callback=desk))
        mute = await stack.enter_async_context(Client(server, mode=era))
        waiting = await stack.enter_async_context(Client(impatient, mode=era, elicitation_callback=desk))
        yield Bench(policy, era, services, mailgun, desk, asking, mute, waiting)


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
    request = build(operation, arguments, Files())
    return f"{request.method} {request.target}"


def is_confirmed(operation: Operation, policy: str) -> bool:
    return risk_of(operation) in CONFIRMED[policy]


FEWER = ("accepts", "accepts-once", "cannot-ask", "declines", "replays")
CONFIRMING = [
    (bench, name)
    for bench in BENCHES
    for name, ability in ABILITIES.items()
    if CONFIRMED[bench[0]] and bench[1] in ability.eras and (bench[0] == "strict" or name in FEWER)
]
UNASKED = [(bench, name) for bench in BENCHES for name in ("accepts", "cannot-ask")]


def named(cases: list[tuple[tuple[str, Era], str]]) -> list[str]:
    return ["-".join((*bench, name)) for bench, name in cases]


@pytest.mark.parametrize(("bench", "ability"), CONFIRMING, indirect=["bench"], ids=named(CONFIRMING))
async def test_what_has_to_be_confirmed_leaves_only_with_the_right_yes(ability: str, bench: Bench) -> None:
    assert await offenders(bench, ability, confirmed=True) == {}


@pytest.mark.parametrize(("bench", "ability"), UNASKED, indirect=["bench"], ids=named(UNASKED))
async def test_what_is_not_confirmed_is_made_or_refused_without_asking(ability: str, bench: Bench) -> None:
    assert await offenders(bench, ability, confirmed=False) == {}


def test_guarded_asks_what_strict_asks() -> None:
    """So that every kind of answer need be tried under one of them only."""
    guarded, strict = profile("guarded"), profile("strict")
    assert (guarded.confirmation, guarded.send) == (strict.confirmation, strict.send)
    assert {
        operation.name
        for operation in catalogue()
        if is_confirmed(operation, "guarded") and len({decided(policy, operation) for policy in (guarded, strict)}) > 1
    } == set()


def decided(policy: Policy, operation: Operation) -> tuple[str, str | None]:
    decision = decide(policy, gather(operation, minimal(operation), Context()))
    return decision.effect, decision.level


async def offenders(bench: Bench, ability: str, *, confirmed: bool) -> dict[str, Any]:
    """Return what came of each operation of which something else came than it had to."""
    tried, wrong = ABILITIES[ability], {}
    for operation in catalogue():
        if is_confirmed(operation, bench.policy) != confirmed:
            continue
        arguments = minimal(operation)
        bench.mailgun.lines.clear()
        bench.desk.asked.clear()
        results = await tried.way(bench, operation, arguments)
        expected = expected_to_say(tried, bench, operation, len(results))
        outcome = (begins(results, expected), bench.mailgun.changes, bool(bench.desk.asked) and not confirmed)
        if outcome != (True, expected_to_leave(tried, bench, operation, arguments, len(results)), False):
            wrong[operation.name] = (results, bench.mailgun.changes, bench.desk.asked)
    return wrong


def begins(results: list[Said], beginnings: tuple[str, ...]) -> bool:
    return len(results) == len(beginnings) and all(
        result.startswith(start) if start else result == "" for result, start in zip(results, beginnings, strict=True)
    )


RAISED_BY_WHAT_IS_THERE: dict[str, Risk] = {"add_unsubscribes": "destructive"}
"""Its address is unsubscribed from everything, and the call unsubscribes it from one tag."""


def risk_of(operation: Operation) -> Risk:
    """Return the risk of a call with the fewest arguments, in the account of these tests."""
    return RAISED_BY_WHAT_IS_THERE.get(operation.name) or as_called(operation, minimal(operation)).risk


def expected_to_say(tried: Ability, bench: Bench, operation: Operation, calls: int) -> tuple[str, ...]:
    risk = risk_of(operation)
    if risk in CONFIRMED[bench.policy]:
        return tried.says
    return ("" if risk in ALLOWED[bench.policy] else "Refused by policy (",) * calls


def expected_to_leave(
    tried: Ability, bench: Bench, operation: Operation, arguments: Arguments, calls: int
) -> list[str]:
    if operation.risk == "read":
        return []
    risk = risk_of(operation)
    made = calls if risk in ALLOWED[bench.policy] else 0
    if risk in CONFIRMED[bench.policy]:
        made = tried.says.count("")
    return [line_of(operation, arguments)] * made


@pytest.mark.parametrize("bench", BENCHES, indirect=True, ids="-".join)
async def test_a_yes_that_the_model_writes_into_the_arguments_is_a_fault(bench: Bench) -> None:
    bench.mailgun.lines.clear()
    results = {
        operation.name: (await the_model_itself(bench, operation, minimal(operation)))[0] for operation in catalogue()
    }
    assert {name: text for name, text in results.items() if not text.startswith("Nothing was sent: 1 fault(s)")} == {}
    assert bench.mailgun.lines == []


def test_what_each_policy_does_is_said_for_every_risk() -> None:
    risks = {operation.risk for operation in catalogue()}
    assert ALLOWED["unguarded"] == risks
    assert CONFIRMED.keys() == ALLOWED.keys() == PROFILES.keys()
