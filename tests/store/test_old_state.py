"""A state directory that an older version wrote works on: nothing in it is lost, and its log still verifies."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.counters import Nonces, Sends, Untrusted
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.secret_store import SecretStore
from mailgun_mcp.call.services import Services
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run as run_command
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.settings import Settings
from mailgun_mcp.text.durations import iso

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


def by_address(services: Services) -> dict[str, str]:
    """Return the ids of the approvals by whose bounce they would remove."""
    approvals = services.approvals.list(NOW)
    return {approval.text.splitlines()[1].rsplit("/", 1)[1][:3]: approval.id for approval in approvals}


def test_the_chain_of_its_log_verifies_and_goes_on(services: Services) -> None:
    log = services.audit_log
    assert (log.verify().entries, log.verify().broken) == (log.last, None)


def test_its_log_is_read_with_todays_words(services: Services) -> None:
    calls = list(services.audit_log.calls())
    assert {call.fields["principal"] for call in calls} == {"local"}
    assert [call.outcome for call in calls if call.fields["tool"] == "delete_bounce"] == [*["pending"] * 4, "done"]


def test_its_approvals_are_listed_with_their_answers(services: Services) -> None:
    names = by_address(services)
    assert {address: services.approvals.get(name, NOW).status for address, name in names.items()} == {
        "ann": "used",
        "ben": "approved",
        "cas": "denied",
        "dan": "pending",
    }
    assert services.approvals.get(names["ben"], NOW).people == "olga"
    assert {approval.principal for approval in services.approvals.list(NOW)} == {"local"}


def test_its_pending_approval_can_be_answered(services: Services) -> None:
    pending = services.approvals.get(by_address(services)["dan"], NOW)
    assert services.approvals.approve(pending.id, by="olga", now=NOW, typed=pending.typed).status == "approved"


def test_its_grants_counters_and_nonces_count(services: Services) -> None:
    assert [grant.match for grant in services.grants.active(NOW)] == [{"tool": "delete_route"}]
    assert Sends(services.store).recipients_since("simulator", NOW - 60) == 1
    assert Untrusted(services.store).last("local") == NOW - 1
    assert not Nonces(services.store).burn("used", NOW + 60, NOW)


def test_its_secret_is_shown(state: Path) -> None:
    (secret,) = SecretStore(state, lambda: None).list()
    assert SecretStore(state, lambda: None).show(secret.ref) == "an old secret value"


async def test_a_call_that_it_recorded_is_undone(services: Services) -> None:
    unguarded = replace(services, policy=profile("unguarded"))
    (call,) = [
        call for call in services.audit_log.calls() if (call.fields["tool"], call.outcome) == ("delete_bounce", "done")
    ]
    target = call.fields["arguments"]
    assert (await run(unguarded, "get_bounce", target)).is_error

    undone = await run(unguarded, "undo_operation", {"id": call.id})

    assert (undone.kind, undone.structured and undone.structured["not_put_back"]) == ("done", [])
    assert (await run(unguarded, "get_bounce", target)).kind == "done"
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
