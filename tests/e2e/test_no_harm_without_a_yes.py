"""The proof: every operation under every policy, in both eras, with every kind of person and client.

No request that changes anything leaves without the right yes, and with it exactly one does. The proof has two halves.
What a policy allows or refuses without asking never reaches a person, so one who agrees to everything and a client
that cannot ask stand for all of them. What has to be confirmed is tried with every one of them, under `strict`, which
confirms every change.

Under `guarded` every operation is tried with a yes, a no, nobody to ask and a replay; with every other kind of answer,
one operation stands for those of its kind: the same decision and level, the same risk, and the same preview and undo.
That what is proven under `strict` holds for the rest of them follows from this: the two policies differ in their rules
alone, and about each operation that `guarded` confirms their rules decide the same. What becomes of an answer depends on
the decision, not on the rule behind it.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from typing import Any

import pytest
from mcp import Client, ClientSession

from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import as_called
from mailgun_mcp.catalogue.types import Arguments, Risk
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.model import ConfirmationRules, Policy
from mailgun_mcp.policy.profiles import PROFILES, profile
from mailgun_mcp.server.server import create_server
from tests.support.abilities import (
    ABILITIES,
    ERAS,
    Ability,
    Bench,
    Era,
    begins,
    line_of,
    never_called,
    showing_only_urls,
    the_model_itself,
)
from tests.support.arguments import minimal
from tests.support.calls import LOCAL_USER
from tests.support.decisions import ALLOWED, CONFIRMED
from tests.support.one_thread import no_threads
from tests.support.operations import catalogue
from tests.support.people import Desk
from tests.support.recorder import Recorder, recorded_services

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

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
        urls = Client(server, mode=era, elicitation_callback=desk)
        await stack.enter_async_context(showing_only_urls(urls))
        sampling = Client(server, mode=era, sampling_callback=never_called, list_roots_callback=never_called)
        await stack.enter_async_context(sampling)
        yield Bench(policy, era, mailgun, desk, asking, mute, waiting, urls, sampling, services.store)


def is_confirmed(operation: Operation, policy: str) -> bool:
    return risk_of(operation) in CONFIRMED[policy]


FEWER = ("accepts", "accepts-once", "cannot-ask", "declines", "replays")
CONFIRMING = [
    (bench, name)
    for bench in BENCHES
    for name, ability in ABILITIES.items()
    if CONFIRMED[bench[0]] and bench[1] in ability.eras
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
    names = [field.name for field in fields(Policy) if field.compare]
    assert [name for name in names if getattr(guarded, name) != getattr(strict, name)] == ["name", "rules", "digest"]
    assert {
        operation.name
        for operation in catalogue()
        if is_confirmed(operation, "guarded")
        and operation.name not in RAISED_BY_WHAT_IS_THERE
        and len({decided(policy, operation) for policy in (guarded, strict)}) > 1
    } == set()


def decided(policy: Policy, operation: Operation) -> tuple[str, str | None]:
    decision = decide(policy, gather(operation, minimal(operation), Context()))
    return decision.effect, decision.level


def representatives() -> dict[tuple[Any, ...], Operation]:
    """Return an operation of each kind that `guarded` confirms: for any two of a kind a person is asked the same."""
    guarded = profile("guarded")
    return {
        (
            decided(guarded, operation),
            risk_of(operation),
            operation.reversible,
            operation.bulk,
            operation.preview is not None,
            frozenset(effect.kind for effect in operation.affects),
        ): operation
        for operation in catalogue()
        if is_confirmed(operation, "guarded")
    }


def operations_for(bench: Bench, ability: str, *, confirmed: bool) -> Iterable[Operation]:
    if bench.policy == "guarded" and confirmed and ability not in FEWER:
        return representatives().values()
    return (operation for operation in catalogue() if is_confirmed(operation, bench.policy) == confirmed)


async def offenders(bench: Bench, ability: str, *, confirmed: bool) -> dict[str, Any]:
    """Return what came of each operation of which something else came than it had to."""
    tried, wrong = ABILITIES[ability], {}
    for operation in operations_for(bench, ability, confirmed=confirmed):
        arguments = minimal(operation)
        bench.mailgun.lines.clear()
        bench.desk.asked.clear()
        # A read that showed third-party text, such as an attachment, would have later calls confirmed.
        Untrusted(bench.store).clear()
        results = await tried.way(bench, operation, arguments)
        expected = expected_to_say(tried, bench, operation, len(results))
        outcome = (begins(results, expected), bench.mailgun.changes, bool(bench.desk.asked) and not confirmed)
        if outcome != (True, expected_to_leave(tried, bench, operation, arguments, len(results)), False):
            wrong[operation.name] = (results, bench.mailgun.changes, [*bench.desk.asked])
    return wrong


RAISED_BY_WHAT_IS_THERE: dict[str, Risk] = dict.fromkeys(
    ("add_unsubscribes", "create_template", "create_template_version"), "destructive"
)
"""The address of the first is unsubscribed from everything, and the call unsubscribes it from one tag. The others take
over from a template that is there.
"""


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
    assert {name: text for name, text in results.items() if not text.startswith("Nothing was sent: 1 fault")} == {}
    assert bench.mailgun.lines == []


def test_what_each_policy_does_is_said_for_every_risk() -> None:
    risks = {operation.risk for operation in catalogue()}
    assert ALLOWED["unguarded"] == risks
    assert CONFIRMED.keys() == ALLOWED.keys() == PROFILES.keys()
