"""The proof, by way in: the same operations over stdio, HTTP and the command line, in two accounts, by two principals.

`test_no_harm_without_a_yes` has each operation with every kind of client, in memory. Here the kinds of client cross a
socket and pipes, with one operation of each risk. Each rule is one test that names everything that breaks it. Where a
process adds nothing, none is started.
"""

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.model import ConfirmationRules
from mailgun_mcp.policy.profiles import PROFILES, profile
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from tests.e2e.conftest import ERAS, Era, connect
from tests.support.abilities import ABILITIES, HELD, Ability, Bench, begins, line_of, never_called, showing_only_urls
from tests.support.apps import with_key
from tests.support.arguments import minimal
from tests.support.calls import LOCAL_USER, run
from tests.support.decisions import ALLOWED, CONFIRMED
from tests.support.forked import forked
from tests.support.operations import catalogue
from tests.support.people import Desk
from tests.support.processes import environment, pointed_at
from tests.support.recorder import Recorder, recorded_services
from tests.support.requests import changing
from tests.support.upstream import Upstream
from tests.support.ways_in import over_http, over_stdio

pytestmark = pytest.mark.anyio

ANN, BEN = Principal("ann"), Principal("ben")
WAYS_IN: list[dict[str, Any]] = [
    {"principal": ANN.id, "account": "production", "region": "us"},
    {"principal": BEN.id, "account": "staging", "region": "eu", "subaccount": "s1"},
    {"principal": ANONYMOUS.id, "client": "an assistant"},
    {"principal": ANN.id, "account": "production", "client": "local"},
]


SMALL_FILE = {"file": b"address\nann@example.com\n"}
"""A file of one address: a larger one is asked about."""


@pytest.mark.parametrize("name", PROFILES)
def test_every_way_in_is_decided_on_alike(name: str) -> None:
    """Who calls, with what and in which account changes a decision where a rule says so; no profile does."""
    offenders = []
    for operation in catalogue():
        expected = (
            "confirm" if operation.risk in CONFIRMED[name] else "allow" if operation.risk in ALLOWED[name] else "deny"
        )
        effects = {
            decide(profile(name), gather(operation, minimal(operation), Context(**way), files=SMALL_FILE)).effect
            for way in WAYS_IN
        }
        if effects != {expected}:
            offenders.append(f"{operation.name}: {effects}, expected {expected}")
    assert offenders == []


@pytest.mark.slow
async def test_a_yes_counts_for_one_principal_in_one_account_once(tmp_path: Path) -> None:
    """Both servers share a state directory. `olga` approves what ann asked for in staging."""
    mailgun, offenders = Recorder(), []
    staging = recorded_services(mailgun, state=tmp_path / "state", account_name="staging")
    production = with_key(staging, "the key of production", account_name="production")

    async def outcome(services: Any, operation: Operation, principal: Principal) -> tuple[str, int]:
        mailgun.lines.clear()
        result = await run(services, operation.name, minimal(operation), Caller(principal))
        request = build(operation, minimal(operation), Files())
        return result.kind, mailgun.lines.count(f"{request.method} {request.target}")

    for operation in catalogue():
        if operation.risk not in CONFIRMED["guarded"]:
            continue
        result = await run(staging, operation.name, minimal(operation), Caller(ANN))
        assert result.approval is not None, (operation.name, result.text)
        asked = staging.approvals.get(result.approval["id"], staging.clock())
        staging.approvals.approve(asked.id, by="olga", now=staging.clock(), typed=asked.typed)
        outcomes = [
            await outcome(production, operation, ANN),
            await outcome(staging, operation, BEN),
            await outcome(staging, operation, ANN),
            await outcome(staging, operation, ANN),
        ]
        if outcomes != [("refused", 0), ("refused", 0), ("done", 1), ("refused", 0)]:
            offenders.append(f"{operation.name}: {outcomes}")
        for waiting in staging.approvals.list(staging.clock(), "pending"):
            staging.approvals.deny(waiting.id, by="olga", now=staging.clock())
    assert offenders == []


ONE_OF_EACH = [
    next(operation for operation in catalogue() if operation.risk == risk and operation.method != "GET")
    for risk in ("write", "send", "destructive", "credential", "billing")
]
IN_PROCESS = {"http": over_http, "stdio": over_stdio}


@asynccontextmanager
async def bench(way: str, era: Era, principal: Principal) -> AsyncIterator[Bench]:
    """Connect three clients to a guarded server, over a socket or pipes."""
    many = ConfirmationRules(max_pending=1_000)
    mailgun, desk = Recorder(), Desk()
    services = recorded_services(mailgun, policy=replace(profile("guarded"), confirmation=many))
    hasty = recorded_services(mailgun, policy=replace(services.policy, confirmation=replace(many, ttl=0.001)))
    async with AsyncExitStack() as stack:
        connect = await stack.enter_async_context(IN_PROCESS[way](services, principal))
        connect_hasty = await stack.enter_async_context(IN_PROCESS[way](hasty, principal))
        asking = await stack.enter_async_context(Client(connect(), mode=era, elicitation_callback=desk))
        mute = await stack.enter_async_context(Client(connect(), mode=era))
        waiting = await stack.enter_async_context(Client(connect_hasty(), mode=era, elicitation_callback=desk))
        urls = Client(connect(), mode=era, elicitation_callback=desk)
        await stack.enter_async_context(showing_only_urls(urls))
        sampling = Client(connect(), mode=era, sampling_callback=never_called, list_roots_callback=never_called)
        await stack.enter_async_context(sampling)
        yield Bench("guarded", era, mailgun, desk, asking, mute, waiting, urls, sampling, services.store)


async def offenders(
    tried: Bench, names: Iterable[str], expected: Callable[[Ability, bool], tuple[str, ...]]
) -> list[Any]:
    """Return the abilities and operations where another answer came, or another request left, than is expected."""
    found: list[Any] = []
    for name in names:
        for operation in ONE_OF_EACH:
            arguments = minimal(operation)
            tried.mailgun.lines.clear()
            results = await ABILITIES[name].way(tried, operation, arguments)
            wanted = expected(ABILITIES[name], operation.risk in CONFIRMED["guarded"])
            wanted = wanted if operation.risk in CONFIRMED["guarded"] else ("",) * len(results)
            changes = [line_of(operation, arguments)] * wanted.count("")
            if not begins(results, wanted) or tried.mailgun.changes != changes:
                found.append((name, operation.name, results, tried.mailgun.changes))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("way", IN_PROCESS)
async def test_every_ability_of_a_client_meets_the_same_no_over_every_way_in(way: str, era: Era) -> None:
    names = [name for name, ability in ABILITIES.items() if era in ability.eras]
    async with bench(way, era, LOCAL_USER) as tried:
        assert await offenders(tried, names, lambda ability, _: ability.says) == []


@pytest.mark.parametrize("era", ERAS)
async def test_whoever_is_not_authenticated_is_never_asked_whatever_their_client_can(era: Era) -> None:
    names = ("accepts", "declines", "cancels", "answers-wrong")
    async with bench("http", era, ANONYMOUS) as tried:
        assert await offenders(tried, names, lambda *_: (HELD,)) == []
        assert tried.desk.asked == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["stdio", "http", "cli"])
async def test_in_a_real_process_nothing_leaves_that_a_person_must_confirm(
    way: str, mailgun: Upstream, tmp_path: Path
) -> None:
    """A client that cannot ask, and a terminal without a person: what `guarded` allows is made, and nothing else."""
    env = environment(tmp_path, pointed_at(mailgun.url))
    allowed = [operation.risk in ALLOWED["guarded"] for operation in ONE_OF_EACH]
    eras: tuple[Era, ...] = ERAS if way != "cli" else ERAS[:1]
    for era in eras:
        made = []
        if way == "cli":
            for operation in ONE_OF_EACH:
                mailgun.forget()
                arguments = ["tools", "call", operation.name, json.dumps(minimal(operation))]
                await anyio.run_process(forked(*arguments), env=env, stdin=subprocess.DEVNULL, check=False)
                made.append(bool(changing(mailgun.lines)))
        else:
            async with connect(way, era, mailgun, env) as client:
                for operation in ONE_OF_EACH:
                    mailgun.forget()
                    result = await client.call_tool(operation.name, minimal(operation))
                    made.append(bool(changing(mailgun.lines)))
                    assert result.is_error != made[-1], (operation.name, result.content)
        assert made == allowed, (way, era)
