"""The pipeline makes no call that the principal has no scope, account or domain for, whatever the policy says."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mailgun_mcp.call.access import may_be_shown, needed_scopes
from mailgun_mcp.call.results import CallResult, Owner
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import builtin_operation, listed
from mailgun_mcp.catalogue.types import RISKS
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.access import EVERYTHING, SCOPES, Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.suppressions import Unsubscribe
from tests.support.arguments import minimal
from tests.support.calls import run
from tests.support.operations import catalogue
from tests.support.recorder import Recorder, recorded_services
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio
MAIL = {"domain_name": NAME, "from": f"a@{NAME}", "to": ["b@x.example"], "subject": "x", "text": "x"}
KIM = "kim@example.org"


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def services(mailgun: Recorder) -> Services:
    return recorded_services(mailgun, policy=profile("unguarded"))


@pytest.fixture
def account() -> Account:
    account = account_to_change()
    account.domains[NAME].unsubscribes[KIM] = Unsubscribe(KIM, account.clock.now() - 1000, "7", ["*"])
    return account


@pytest.fixture
async def with_account(account: Account) -> AsyncIterator[Services]:
    async with services_on(Mailgun(account), account, policy=profile("unguarded")) as services:
        yield services


def caller(scopes: str, name: str = "ci", **bounds: Any) -> Caller:
    return Caller(Principal(name, access=Access(parse_scopes(scopes.split()), **bounds)))


def refused(result: CallResult, rule: str) -> bool:
    return result.kind == "refused" and result.text.startswith(f"Refused ({rule}): ")


async def test_no_operation_is_called_without_the_scope_of_its_risk(services: Services, mailgun: Recorder) -> None:
    offenders = []
    for operation in catalogue():
        others = " ".join(risk for risk in RISKS if risk != operation.risk)
        if not refused(await run(services, operation.name, minimal(operation), caller(others)), "access/scopes"):
            offenders.append(operation.name)
    assert (offenders, mailgun.lines) == ([], [])


async def test_with_the_scope_the_call_is_made_and_recorded(services: Services, mailgun: Recorder) -> None:
    assert (await run(services, "send_message", MAIL, caller("send"))).kind == "done"
    assert mailgun.changes == [f"POST /v3/{NAME}/messages"]
    refusal = await run(services, "send_message", MAIL, caller("read write"))
    assert "needs the scope mailgun:send" in refusal.text
    services.recorder.close()
    calls = [
        (call.outcome, call.fields["principal"], call.fields.get("decision")) for call in services.audit_log.calls()
    ]
    assert [(outcome, principal) for outcome, principal, _ in calls] == [("done", "ci"), ("refused", "ci")]
    assert (calls[1][2] or {})["rule"] == "access/scopes"


async def test_arguments_that_raise_the_risk_raise_the_scope(services: Services, mailgun: Recorder) -> None:
    route = {"expression": "catch_all()", "priority": 1}
    assert (await run(services, "create_route", {**route, "action": ["store()"]}, caller("write"))).kind == "done"
    stopping = {**route, "action": ["stop()"]}
    assert refused(await run(services, "create_route", stopping, caller("write")), "access/scopes")
    assert len(mailgun.changes) == 1


async def test_what_is_there_raises_the_scope_too(with_account: Services, account: Account) -> None:
    narrowing = {"domain_name": NAME, "unsubscribes": [{"address": KIM, "tags": ["news"]}]}
    result = await run(with_account, "add_unsubscribes", narrowing, caller("read write"))
    assert (refused(result, "access/scopes"), "mailgun:destructive" in result.text) == (True, True)
    assert account.domains[NAME].unsubscribes[KIM].tags == ["*"]


async def test_an_undo_needs_the_scopes_of_what_it_does(with_account: Services, account: Account) -> None:
    call = {"domain_name": NAME, "address": KIM}
    deleted = await run(with_account, "delete_unsubscribe", call, caller("destructive"))
    assert deleted.structured is not None
    undo = {"id": deleted.structured["undo"]["id"]}
    assert refused(await run(with_account, "undo_operation", undo, caller("read")), "access/scopes")
    assert refused(await run(with_account, "undo_operation", undo, caller("billing")), "access/scopes")
    assert (await run(with_account, "undo_operation", {**undo, "dry_run": True}, caller("read"))).kind == "done"
    assert KIM not in account.domains[NAME].unsubscribes
    elsewhere = caller("read write destructive", domains=("other.example",))
    assert refused(await run(with_account, "undo_operation", {**undo, "dry_run": True}, elsewhere), "access/domains")
    done = await run(with_account, "undo_operation", undo, caller("write destructive", domains=(NAME,)))
    assert (done.kind, KIM in account.domains[NAME].unsubscribes) == ("done", True)


DOMAINS = {
    "its own": (("mg.example.com",), "get_domain", {"name": "mg.example.com"}, True),
    "its own in capitals": (("mg.example.com",), "get_domain", {"name": "MG.Example.COM"}, True),
    "one of a glob": (("*.example.com",), "get_domain", {"name": "mg.example.com"}, True),
    "another": (("mg.example.com",), "get_domain", {"name": "mg.other.com"}, False),
    "one that ends alike": (("*.example.com",), "get_domain", {"name": "mgxexample.com"}, False),
    "one below": (("example.com",), "get_domain", {"name": "mg.example.com"}, False),
    "none": (("mg.example.com",), "list_domains", {}, False),
    "none, and all would be allowed": (("*",), "list_domains", {}, False),
    "a list of another": (("mg.example.com",), "delete_mailing_list", {"list_address": "a@mg.other.com"}, False),
    "undo of all": (("mg.example.com",), "list_undoable", {}, False),
}


@pytest.mark.parametrize(("domains", "tool", "arguments", "allowed"), DOMAINS.values(), ids=DOMAINS)
async def test_a_token_of_some_domains_reaches_no_other(
    domains: tuple[str, ...], tool: str, arguments: dict[str, Any], allowed: bool, services: Services, mailgun: Recorder
) -> None:
    result = await run(services, tool, arguments, caller(" ".join(RISKS), domains=domains))
    assert (refused(result, "access/domains"), bool(mailgun.lines)) == (not allowed, allowed)


async def test_no_operation_without_a_domain_is_made_for_a_token_of_domains(
    services: Services, mailgun: Recorder
) -> None:
    bound = caller(" ".join(RISKS), domains=("nowhere.example",))
    for operation in catalogue():
        await run(services, operation.name, minimal(operation), bound)
    assert mailgun.lines == []


async def test_an_account_outside_the_grant_does_not_exist(services: Services, mailgun: Recorder) -> None:
    result = await run(services, "get_domain", {"name": NAME}, caller("read", accounts=("staging",)))
    assert (refused(result, "access/accounts"), mailgun.lines) == (True, [])
    name = (await services.account.current(changes=False)).name
    assert name not in result.text
    assert (await run(services, "get_domain", {"name": NAME}, caller("read", accounts=(name,)))).kind == "done"


async def test_nobody_reads_on_in_a_result_of_somebody_else(services: Services) -> None:
    account = (await services.account.current(changes=False)).key
    name = services.results.keep("a long result", owner=Owner("ann", account))
    assert (await run(services, "read_result", {"result": name}, caller("read", "ben"))).kind == "invalid"
    assert (await run(services, "read_result", {"result": name}, caller("read", "ann"))).kind == "done"


def test_tools_beyond_the_scopes_are_not_listed() -> None:
    tools = listed(catalogue())
    shown = {
        scope: {tool["name"] for tool in tools if may_be_shown(tool, Access(frozenset({scope})))} for scope in SCOPES
    }
    assert {tool["_meta"]["mailgun-mcp/risk"] for tool in tools if tool["name"] in shown["mailgun:read"]} == {"read"}
    assert ("send_message" in shown["mailgun:send"], "delete_domain" in shown["mailgun:send"]) == (True, False)
    assert "undo_operation" in shown["mailgun:write"]
    assert all(may_be_shown(tool, EVERYTHING) for tool in tools)


def test_an_undo_needs_some_scope_of_changes_before_its_steps_are_known() -> None:
    undo = builtin_operation("undo_operation")
    reader, sender = Access(parse_scopes(["read"])), Access(parse_scopes(["send"]))
    assert needed_scopes(undo, reader) == {"mailgun:write"}
    assert needed_scopes(undo, sender) == frozenset()
    assert needed_scopes(undo, sender, dry_run=True) == {"mailgun:read"}
