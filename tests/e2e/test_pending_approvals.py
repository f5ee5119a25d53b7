"""A call that waits for approval: what a person's yes outside the client lets through, and what it does not."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import profile
from tests.support.apps import with_key
from tests.support.arguments import minimal
from tests.support.calls import LOCAL, LOCAL_USER, run
from tests.support.operations import catalogue, find
from tests.support.policies import policy
from tests.support.recorder import NOW, Clock, Recorder, recorded_services
from tests.support.undoing import Yes

pytestmark = pytest.mark.anyio

DOMAIN = {"name": "mg.example.com"}
BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
HELD = "Pending approval "
CONFIRMED = [o.name for o in catalogue() if o.risk in ("destructive", "credential", "billing")]


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(mailgun: Recorder, clock: Clock, tmp_path: Path) -> Services:
    return recorded_services(mailgun, state=tmp_path / "state", clock=clock)


async def pending(
    services: Services, tool: str = "delete_bounce", arguments: Any = BOUNCE, caller: Caller = LOCAL
) -> Approval:
    """Make a call that nobody can be asked about, and return its pending approval."""
    before = {approval.id for approval in services.approvals.list(services.clock(), "pending")}
    outcome = await run(services, tool, arguments, caller)
    assert outcome.text.startswith(HELD), outcome
    name = outcome.text.removeprefix(HELD)[:8]
    assert name not in before
    return services.approvals.get(name, services.clock())


def approve(services: Services, approval: Approval, by: str = "ann") -> None:
    services.approvals.approve(approval.id, by=by, now=services.clock(), typed=approval.typed)


def status(services: Services, approval: Approval) -> str:
    return services.approvals.get(approval.id, services.clock()).status


def is_held(outcome: CallResult) -> bool:
    return outcome.kind == "refused" and outcome.text.startswith(HELD)


@pytest.mark.parametrize("tool", CONFIRMED)
async def test_after_a_yes_the_same_call_runs_once(tool: str, services: Services, mailgun: Recorder) -> None:
    arguments = minimal(find(tool))
    approval = await pending(services, tool, arguments)
    again = await run(services, tool, arguments)
    assert (is_held(again), mailgun.changes) == (True, [])
    approve(services, approval)
    made = await run(services, tool, arguments)
    assert (made.kind, len(mailgun.changes), status(services, approval)) == ("done", 1, "used")
    another = await pending(services, tool, arguments)
    assert (another.id != approval.id, len(mailgun.changes)) == (True, 1)


async def test_a_call_that_is_made_again_while_it_is_pending_has_one_approval(services: Services) -> None:
    approval = await pending(services)
    for _ in range(3):
        outcome = await run(services, "delete_bounce", BOUNCE)
        assert outcome.text.startswith(f"{HELD}{approval.id};")
    assert services.approvals.list(NOW) == (approval,)


async def test_a_yes_that_came_too_late_is_none(services: Services, clock: Clock, mailgun: Recorder) -> None:
    approval = await pending(services)
    approve(services, approval)
    clock.now += services.policy.confirmation.ttl
    assert (await pending(services)).id != approval.id
    assert (status(services, approval), mailgun.changes) == ("expired", [])


async def test_a_no_is_a_no_and_the_call_is_asked_about_again(services: Services, mailgun: Recorder) -> None:
    approval = await pending(services)
    services.approvals.deny(approval.id, by="ann", now=NOW)
    assert (await pending(services)).id != approval.id
    assert (status(services, approval), mailgun.changes) == ("denied", [])


async def test_the_model_is_told_why_a_person_said_no(services: Services, mailgun: Recorder) -> None:
    approval = await pending(services)
    services.approvals.deny(approval.id, by="ann", now=NOW, reason="this address is a customer's")
    result = await run(services, approval.tool, approval.details["arguments"])
    assert re.search(
        r"ann denied it, for this reason: ⟦(\w{8}) the person⟧ this address is a customer's ⟦\1⟧\.", result.text
    )
    assert (result.kind, mailgun.changes) == ("refused", [])


OTHERWISE: dict[str, Callable[[Services], Services]] = {
    "key": lambda services: with_key(services, "another"),
    "subaccount": lambda services: replace(services, subaccount="sub1"),
    "policy": lambda services: replace(services, policy=policy("extends: guarded\nsend: {recipients_per_call: 5}\n")),
}


@pytest.mark.parametrize("other", OTHERWISE)
async def test_a_yes_is_for_one_account_and_one_policy(other: str, services: Services, mailgun: Recorder) -> None:
    approval = await pending(services)
    approve(services, approval)
    assert is_held(await run(OTHERWISE[other](services), "delete_bounce", BOUNCE))
    assert (status(services, approval), mailgun.changes) == ("approved", [])


@pytest.mark.parametrize(
    ("tool", "arguments", "caller"),
    [
        pytest.param("delete_bounce", BOUNCE, Caller(Principal("mallory")), id="caller"),
        pytest.param("delete_bounce", {**BOUNCE, "address": "ben@example.com"}, LOCAL, id="address"),
        pytest.param("delete_bounce", {**BOUNCE, "domain": "mg2.example.com"}, LOCAL, id="domain"),
        pytest.param("delete_complaint", BOUNCE, LOCAL, id="tool"),
    ],
)
async def test_a_yes_is_for_one_call_of_one_caller(
    tool: str, arguments: dict[str, str], caller: Caller, services: Services, mailgun: Recorder
) -> None:
    approval = await pending(services)
    approve(services, approval)
    assert is_held(await run(services, tool, arguments, caller))
    assert (status(services, approval), mailgun.changes) == ("approved", [])


async def test_a_yes_is_for_one_state_of_the_target(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda _: httpx.Response(200, json={"address": "ann@example.com", "code": "550"})
    approval = await pending(services)
    approve(services, approval)
    mailgun.answer = lambda _: httpx.Response(200, json={"address": "ann@example.com", "code": "552"})
    another = await pending(services)
    assert ("code 552" in another.text, status(services, approval), mailgun.changes) == (True, "stale", [])


async def test_a_pending_approval_shows_the_person_what_a_form_would(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda _: httpx.Response(200, json={"address": "ann@example.com", "code": "550"})
    approval = await pending(services, caller=Caller(LOCAL_USER, client="an assistant"))
    account = await services.account.current(changes=False)
    assert approval.text.splitlines() == [
        "Remove a bounce: ann@example.com (domain mg.example.com).",
        "Risk: destructive.",
        f"Account {account.name} (key {account.fingerprint[:8]}, {account.endpoint}), called by local with an assistant",
        "It can be undone with undo_operation.",
        "Asked because it removes or overwrites something, changes whether mail flows, or allows mail to someone who "
        "opted out (guarded/destructive).",
        "Now there: bounce ann@example.com (code 550).",
        "DELETE /v3/mg.example.com/bounces/ann%40example.com",
        "  domain: mg.example.com",
        "  address: ann@example.com",
    ]


async def test_no_password_of_the_target_is_shown(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda _: httpx.Response(200, json={"domain": {"smtp_password": "hunter2hunter2"}})
    approval = await pending(services, "delete_domain", DOMAIN)
    assert "Now there: " in approval.text
    assert "hunter2" not in f"{approval.text}{approval.details}"
    assert not [row for row in services.state.glob("*") if row.is_file() and b"hunter2" in row.read_bytes()]


def level(name: str) -> Policy:
    return policy(
        f"extends: guarded\nrules:\n  - match: {{tool: delete_bounce}}\n    decision: confirm\n    level: {name}\n"
    )


@pytest.mark.parametrize("name", ["approval", "two_people"])
async def test_some_levels_no_answer_at_the_client_reaches(name: str, services: Services, mailgun: Recorder) -> None:
    person = Yes()
    outcome = await run(
        replace(services, policy=level(name)), "delete_bounce", BOUNCE, Caller(LOCAL_USER, asker=person)
    )
    assert (is_held(outcome), person.asked, mailgun.changes) == (True, [], [])


async def test_two_people_are_two(services: Services, mailgun: Recorder) -> None:
    services = replace(services, policy=level("two_people"))
    approval = await pending(services)
    approve(services, approval, "ann")
    assert is_held(await run(services, "delete_bounce", BOUNCE))
    approve(services, approval, "ben")
    assert mailgun.changes == []
    assert (await run(services, "delete_bounce", BOUNCE)).kind == "done"
    assert (len(mailgun.changes), is_held(await run(services, "delete_bounce", BOUNCE))) == (1, True)


async def test_without_any_way_to_ask_a_call_is_not_made(services: Services, mailgun: Recorder) -> None:
    services = replace(services, policy=policy("extends: guarded\nconfirmation: {methods: [elicitation]}\n"))
    outcome = await run(services, "delete_bounce", BOUNCE)
    assert (outcome.kind, outcome.text) == (
        "refused",
        "Not made: a person must confirm it, this client cannot ask one, and the policy allows no other way. Nothing was sent.",
    )
    assert (services.approvals.list(services.clock()), mailgun.changes) == ((), [])


MINUTES = 60.0


async def elevate(services: Services, match: dict[str, Any]) -> None:
    account = await services.account.current(changes=True)
    now = services.clock()
    services.grants.add(match, account=account.id, until=now + 15 * MINUTES, by="ann", now=now)


async def test_what_a_person_allows_for_a_while_is_made_while_it_lasts_and_the_model_is_not_told(
    services: Services, mailgun: Recorder, clock: Clock
) -> None:
    await elevate(services, {"tool": "delete_*"})
    mailgun.answer = lambda _: httpx.Response(200, json={})
    made = await run(services, "delete_bounce", BOUNCE)
    assert made.structured is not None
    assert (set(made.structured), len(mailgun.changes)) == ({"undo"}, 1)
    assert (await run(services, "get_domain", DOMAIN)).structured == {}
    assert is_held(await run(services, "create_api_key", minimal(find("create_api_key"))))
    clock.now += 15 * MINUTES
    assert is_held(await run(services, "delete_bounce", BOUNCE))
    assert (await run(services, "get_domain", DOMAIN)).structured == {}
    assert len(mailgun.changes) == 1


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(level("two_people"), id="two-people"),
        pytest.param(profile("read-only"), id="read-only"),
        pytest.param(policy("extends: guarded\nrules: [{match: {tool: delete_bounce}, decision: deny}]\n"), id="deny"),
    ],
)
async def test_what_one_person_cannot_allow_no_grant_does(rules: Policy, services: Services, mailgun: Recorder) -> None:
    await elevate(services, {"tool": "*"})
    outcome = await run(replace(services, policy=rules), "delete_bounce", BOUNCE)
    assert (outcome.kind, mailgun.changes) == ("refused", [])


def changing_answers() -> Callable[[str], httpx.Response]:
    numbers = count()
    return lambda _: httpx.Response(200, json={"code": next(numbers)})


async def test_a_target_that_never_keeps_still_is_left_alone(services: Services, mailgun: Recorder) -> None:
    mailgun.answer, person = changing_answers(), Yes()
    outcome = await run(services, "delete_bounce", BOUNCE, Caller(LOCAL_USER, asker=person))
    assert outcome == CallResult(
        "Not made: the target changed each time while the person was being asked. Nothing was sent.", kind="refused"
    )
    assert (len(person.asked), len(set(person.asked)), mailgun.changes) == (3, 3, [])


async def test_a_target_that_changed_meanwhile_is_asked_about_again(services: Services, mailgun: Recorder) -> None:
    codes = iter([1, 2, 2, 2])
    mailgun.answer = lambda line: httpx.Response(200, json={"code": next(codes)} if line.startswith("GET") else {})
    person = Yes()
    outcome = await run(services, "delete_bounce", BOUNCE, Caller(LOCAL_USER, asker=person))
    assert (outcome.kind, len(mailgun.changes)) == ("done", 1)
    assert ["code 1)" in person.asked[0], "code 2)" in person.asked[1]] == [True, True]


@pytest.mark.parametrize("status_code", [400, 401, 403, 429, 500, 502, 503])
async def test_what_cannot_be_read_is_not_changed(status_code: int, services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda _: httpx.Response(status_code, json={"message": "no"})
    person = Yes()
    outcome = await run(services, "delete_bounce", BOUNCE, Caller(LOCAL_USER, asker=person))
    assert (outcome.kind, person.asked, mailgun.changes) == ("failed", [], [])
    assert (services.approvals.list(services.clock()), services.snapshots.list(services.clock())) == ((), ())
    assert outcome.text.startswith("delete_bounce was not called: its target cannot be read. ")


async def test_what_is_not_there_is_shown_as_such(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda line: httpx.Response(404 if line.startswith("GET") else 200, json={"message": "no"})
    person = Yes()
    outcome = await run(services, "delete_bounce", BOUNCE, Caller(LOCAL_USER, asker=person))
    assert (outcome.kind, "Not there now: bounce ann@example.com." in person.asked[0]) == ("done", True)


def a_file_in_its_place(state: Path) -> None:
    state.write_text("not a directory", encoding="utf-8")


def open_to_others(state: Path) -> None:
    state.mkdir()
    (state / "state.db").touch(0o600)
    state.chmod(0o755)


def damaged(state: Path) -> None:
    state.mkdir(0o700)
    (state / "state.db").touch(0o600)
    (state / "state.db").write_bytes(b"x" * 4096)


@pytest.fixture(params=[a_file_in_its_place, open_to_others, damaged])
def stateless(request: pytest.FixtureRequest, services: Services) -> Services:
    """Services whose state can't be used."""
    request.param(services.state)
    return services


CHANGING = ["delete_bounce", "delete_domain", "create_api_key", "send_message", "validate_email_address"]


@pytest.mark.parametrize("tool", CHANGING)
async def test_without_a_state_what_needs_one_is_not_made_and_says_why(
    tool: str, stateless: Services, mailgun: Recorder
) -> None:
    outcome = await run(stateless, tool, minimal(find(tool)))
    assert (outcome.kind, mailgun.changes) == ("failed", [])
    assert outcome.text.startswith("Nothing was sent: ")
    assert str(stateless.state) in outcome.text


async def test_without_a_state_reads_go_on(stateless: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda _: httpx.Response(200, json={"address": "ann@example.com", "error": "no such user"})
    outcome = await run(stateless, "get_bounce", BOUNCE)
    assert outcome.kind == "done"
    assert json.loads(outcome.text)["address"] == "ann@example.com"
