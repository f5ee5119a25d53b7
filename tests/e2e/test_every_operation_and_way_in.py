"""The proof, by way in: the same operations over stdio, HTTP and the command line, in two accounts, by two principals.

`test_no_harm_without_a_yes` has each operation with every kind of client. Here each rule is one test that names every
operation that breaks it. Where a process adds nothing, none is started.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.profiles import PROFILES, profile
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from tests.e2e.conftest import ERAS, Era, connect
from tests.support.apps import with_key
from tests.support.arguments import minimal
from tests.support.calls import run
from tests.support.decisions import ALLOWED, CONFIRMED
from tests.support.operations import catalogue
from tests.support.processes import command, environment, pointed_at
from tests.support.recorder import Recorder, recorded_services
from tests.support.requests import changing
from tests.support.upstream import Upstream

pytestmark = pytest.mark.anyio

ANN, BEN = Principal("ann"), Principal("ben")
WAYS_IN: list[dict[str, Any]] = [
    {"principal": ANN.id, "account": "production", "region": "us"},
    {"principal": BEN.id, "account": "staging", "region": "eu", "subaccount": "s1"},
    {"principal": ANONYMOUS.id, "client": "an assistant"},
    {"principal": ANN.id, "account": "production", "client": "local"},
]


@pytest.mark.parametrize("name", PROFILES)
def test_every_way_in_is_decided_on_alike(name: str) -> None:
    """Who calls, with what and in which account changes a decision where a rule says so; no profile does."""
    offenders = []
    for operation in catalogue():
        expected = (
            "confirm" if operation.risk in CONFIRMED[name] else "allow" if operation.risk in ALLOWED[name] else "deny"
        )
        effects = {
            decide(profile(name), gather(operation, minimal(operation), Context(**way))).effect for way in WAYS_IN
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
                await anyio.run_process(command(*arguments), env=env, stdin=subprocess.DEVNULL, check=False)
                made.append(bool(changing(mailgun.lines)))
        else:
            async with connect(way, era, mailgun, env) as client:
                for operation in ONE_OF_EACH:
                    mailgun.forget()
                    result = await client.call_tool(operation.name, minimal(operation))
                    made.append(bool(changing(mailgun.lines)))
                    assert result.is_error != made[-1], (operation.name, result.content)
        assert made == allowed, (way, era)
