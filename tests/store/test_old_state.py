"""A state directory that an older version wrote works on: nothing in it is lost, and its log still verifies."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.call.counters import Nonces, Sends, Untrusted
from mailgun_mcp.call.secret_store import SecretStore
from mailgun_mcp.call.services import Services
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run as run_command
from mailgun_mcp.identity.account import Account
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.settings import Settings
from mailgun_mcp.text.durations import iso
from tests.support.calls import run

OLD = Path(__file__).parent.parent / "data" / "state-0.1.0"
NOW = 1_800_000_001.0
pytestmark = pytest.mark.anyio


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A copy, for its owner alone: a checkout does not keep that."""
    state = tmp_path / "state"
    shutil.copytree(OLD, state)
    for path in (state, *state.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return state


@pytest.fixture
def services(state: Path) -> Iterator[Services]:
    services = replace(create_services(Settings(simulator=True, state=str(state))), clock=lambda: NOW)
    yield services
    services.close()


async def opened(services: Services) -> Account:
    """Return the account, which takes over what version 0.1 left."""
    return await services.account.current(changes=True)


def by_address(services: Services) -> dict[str, str]:
    """Return the ids of the approvals by whose bounce they would remove."""
    approvals = services.approvals.list(NOW)
    return {approval.text.splitlines()[1].rsplit("/", 1)[1][:3]: approval.id for approval in approvals}


def test_the_chain_of_its_log_verifies_and_goes_on(services: Services) -> None:
    log = services.audit_log
    assert (log.verify().entries, log.verify().broken) == (log.last, None)


def test_its_log_is_sealed_by_the_first_entry_that_follows(services: Services) -> None:
    log, count = services.audit_log, services.audit_log.last
    assert "were written by version 0.1, whose hashes have no key, and will be sealed" in log.verify().notes[0]

    log.append([LogEntry("new", "intent", {"tool": "delete_bounce"})], NOW, durable=True)

    result = log.verify()
    assert (result.entries, result.broken) == (count + 2, None)
    assert [entry.kind for entry in log.entries(count)] == ["sealed", "intent"]
    assert "will be sealed" not in result.notes[0]
    with services.store.writing() as connection:
        connection.execute("DROP TRIGGER audit_log_is_not_changed")
        connection.execute("UPDATE audit_log SET call = 'other' WHERE seq = 2")
    assert "was changed" in str(log.verify().broken)


def test_its_log_is_read_with_todays_words(services: Services) -> None:
    calls = list(services.audit_log.calls())
    assert {call.fields["principal"] for call in calls} == {"local"}
    assert [call.outcome for call in calls if call.fields["tool"] == "delete_bounce"] == [*["pending"] * 4, "done"]


async def test_its_approvals_are_listed_with_their_answers(services: Services) -> None:
    account = await opened(services)
    names = by_address(services)
    assert {address: services.approvals.get(name, NOW).status for address, name in names.items()} == {
        "ann": "used",
        "ben": "approved",
        "cas": "denied",
        "dan": "pending",
    }
    assert services.approvals.get(names["ben"], NOW).people == "olga"
    listed = services.approvals.list(NOW)
    assert {(approval.account, approval.principal) for approval in listed} == {(account.name, local_user().id)}


def test_its_pending_approval_can_be_answered(services: Services) -> None:
    pending = services.approvals.get(by_address(services)["dan"], NOW)
    assert services.approvals.approve(pending.id, by="olga", now=NOW, typed=pending.typed).status == "approved"


async def test_its_grants_counters_and_nonces_count(services: Services) -> None:
    account = await opened(services)
    assert [grant.match for grant in services.grants.active(NOW, account.id)] == [{"tool": "delete_route"}]
    assert Sends(services.store).recipients_since(account.id, NOW - 60) == 1
    assert Untrusted(services.store).last(account.id, local_user().id) == NOW - 1
    assert not Nonces(services.store).burn("used", NOW + 60, NOW)


async def test_its_state_belongs_to_the_account_that_opens_it_first_and_the_operator_is_told_once(
    services: Services, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = await opened(services)
    services.close()
    other = replace(services, client=Client(services.client.endpoint, "another key", user_agent="tests"))
    stranger = await opened(other)
    assert account.name == "simulator"
    assert stranger.id != account.id
    assert other.grants.active(NOW, stranger.id) == ()
    assert other.snapshots.list(NOW, stranger.id) == ()
    assert Sends(other.store).recipients_since(stranger.id, 0) == 0
    assert Untrusted(other.store).last(stranger.id, local_user().id) is None
    other.close()
    assert (await opened(replace(services))).id == account.id
    assert capsys.readouterr().err.count("data that an earlier version stored without an account") == 1
    code = run_command(["secrets", "list", "--json", "--state", str(state)])
    assert (code, [one["account"] for one in json.loads(capsys.readouterr().out)]) == (exits.OK, ["simulator"])


def test_its_secret_is_shown(state: Path) -> None:
    (secret,) = SecretStore(state, lambda: None).list()
    assert SecretStore(state, lambda: None).show(secret.ref) == "an old secret value"


async def is_listed(services: Services, target: dict[str, str]) -> object:
    found = await run(services, "get_bounce", target)
    return found.structured and found.structured["listed"]


async def test_a_call_that_it_recorded_is_undone(services: Services) -> None:
    unguarded = replace(services, policy=profile("unguarded"))
    (call,) = [
        call for call in services.audit_log.calls() if (call.fields["tool"], call.outcome) == ("delete_bounce", "done")
    ]
    target = call.fields["arguments"]
    assert await is_listed(unguarded, target) is False

    undone = await run(unguarded, "undo_operation", {"id": call.id})

    assert (undone.kind, undone.structured and undone.structured["not_put_back"]) == ("done", [])
    assert await is_listed(unguarded, target) is True
    assert services.audit_log.verify().broken is None
    unguarded.close()


def test_an_export_of_its_log_is_replayed(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, policy = tmp_path / "calls.jsonl", tmp_path / "policy.yaml"
    lines = exported(services)
    assert all('"caller": "local"' in line and "principal" not in line for line in lines)
    # `local` is also the principal of a record that names none.
    text = "\n".join(lines).replace('"caller": "local"', '"caller": "olga"')
    log.write_text(text, encoding="utf-8")
    rule = "{match: {principal: olga, tool: delete_bounce}, decision: deny}"
    policy.write_text(f"version: 1\nextends: unguarded\nrules: [{rule}]\n", encoding="utf-8")

    assert run_command(["policy", "replay", str(policy), "--log", str(log)]) == exits.OK

    replayed = [line for line in capsys.readouterr().out.splitlines() if " delete_bounce: " in line]
    assert len(replayed) == 5
    assert all("-> deny (policy.yaml:" in line for line in replayed)


def exported(services: Services) -> list[str]:
    """Return the lines that `journal export --values` of version 0.1.0 wrote: in its own words."""
    calls: dict[str, dict[str, object]] = {}
    for entry in services.audit_log.entries():
        fields = entry.fields
        result = fields.pop("result", {})
        calls.setdefault(entry.call, {"id": entry.call, "when": iso(entry.at)}).update({**fields, **result})
    return [json.dumps(call, ensure_ascii=False) for call in calls.values()]
