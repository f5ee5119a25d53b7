"""The audit log from the command line."""

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.store.database import FILE, Store
from tests.support.forked import forked
from tests.support.processes import PATIENCE, environment

NOW = 1_800_000_000.0


@pytest.fixture
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("mailgun_mcp.cli.audit.time.time", lambda: NOW + 3600)
    return home / "state"


@pytest.fixture
def filled(state: Path) -> Path:
    store = Store(state)
    write(
        store, "aaa", NOW, "delete_bounce", "destructive", {"address": "=cmd@x.example"}, decision="confirm", by="ann"
    )
    write(store, "bbb", NOW + 60, "get_domain", "read", {"name": "mg.example.com"})
    AuditLog(store).append(
        [LogEntry("ccc", "intent", {"tool": "create_route", "risk": "write"})], NOW + 120, durable=True
    )
    store.close()
    return state


def write(store: Store, call: str, at: float, tool: str, risk: str, arguments: Any, **said: str) -> None:
    fields: dict[str, Any] = {
        "tool": tool,
        "risk": risk,
        "caller": "local",
        "account": "default",
        "arguments": arguments,
    }
    fields["decision"] = {"effect": said.get("decision", "allow"), "rule": "guarded/send-after-untrusted"}
    if "by" in said:
        fields["confirmation"] = {"level": "ask", "by": said["by"], "method": "approval"}
    AuditLog(store).append([LogEntry(call, "intent", fields)], at, durable=False)
    AuditLog(store).append(
        [LogEntry(call, "outcome", {"result": {"outcome": "done", "status": 200}})], at, durable=False
    )


def audit(state: Path, *arguments: str) -> int:
    return run(["audit", *arguments, "--state", str(state)])


@pytest.mark.parametrize("action", [["list"], ["tail"], ["export"], ["prune", "--before", "1d"]])
def test_where_nothing_is_kept_nothing_is_made(
    action: list[str], state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(state, *action) == exits.OK
    assert capsys.readouterr().out == f"The audit log in {state} is empty.\n"
    assert not state.exists()


def test_where_nothing_is_kept_nothing_is_verified(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(state, "verify") == exits.FAILED
    printed = capsys.readouterr().out
    assert printed.startswith(f"Not verified: the audit log in {state} has no entry: nothing was logged here yet, or ")
    assert "--heads or --expect" in printed
    assert audit(state, "verify", "--json") == exits.FAILED
    assert json.loads(capsys.readouterr().out)["entries"] == 0
    assert not state.exists()


def test_verifying_names_the_head_that_was_compared(filled: Path, tmp_path: Path, capsys: Any) -> None:
    assert audit(filled, "rotate-key") == exits.OK
    capsys.readouterr()
    assert audit(filled, "verify") == exits.OK
    assert "It has entry 7, the head that was noted at 20" in (printed := capsys.readouterr().out)
    assert "give --heads or --expect to compare with a head that was kept elsewhere" in printed
    heads = tmp_path / "heads.jsonl"
    heads.write_text((filled / "audit-head.json").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert audit(filled, "verify", "--heads", str(heads)) == exits.OK
    assert f"({heads}, line 1)." in (printed := capsys.readouterr().out)
    assert "kept elsewhere" not in printed


def test_calls_are_listed_with_decision_and_person_and_without_values(filled: Path, capsys: Any) -> None:
    assert audit(filled, "list") == exits.OK
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines] == [
        [
            "2027-01-15T08:00:00Z",
            "aaa",
            "done",
            "delete_bounce",
            "confirm guarded/send-after-untrusted",
            "confirmed by ann (approval)",
            "address",
        ],
        ["2027-01-15T08:01:00Z", "bbb", "done", "get_domain", "allow guarded/send-after-untrusted", "name"],
        ["2027-01-15T08:02:00Z", "ccc", "unknown", "create_route"],
    ]


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (["--tool", "delete_*"], ["aaa"]),
        (["--risk", "read"], ["bbb"]),
        (["--outcome", "unknown"], ["ccc"]),
        (["--since", "59m"], ["bbb", "ccc"]),
        (["--until", "59m"], ["aaa"]),
        (["--limit", "1"], ["ccc"]),
        (["--caller", "nobody"], []),
    ],
    ids=str,
)
def test_calls_are_chosen(flags: list[str], found: list[str], filled: Path, capsys: Any) -> None:
    assert audit(filled, "list", "--json", *flags) == exits.OK
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == found


@pytest.mark.parametrize(
    ("flags", "told"), [([], {"argument_names": ["name"]}), (["--values"], {"arguments": {"name": "mg.example.com"}})]
)
def test_values_of_arguments_are_told_on_request(flags: list[str], told: Any, filled: Path, capsys: Any) -> None:
    assert audit(filled, "show", "bbb", "--json", *flags) == exits.OK
    record = json.loads(capsys.readouterr().out)
    assert {name: record[name] for name in ("arguments", "argument_names") if name in record} == told
    assert [entry["kind"] for entry in record["entries"]] == ["intent", "outcome"]


def test_an_unknown_call_names_the_nearest(filled: Path, capsys: Any) -> None:
    assert audit(filled, "show", "aab") == exits.USAGE
    assert "unknown call 'aab': did you mean 'aaa'?" in capsys.readouterr().err


def test_an_export_is_for_the_owner_alone_and_overwrites_nothing(filled: Path, home: Path, capsys: Any) -> None:
    path = home / "calls.jsonl"
    assert audit(filled, "export", "--output", str(path)) == exits.OK
    assert [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()] == ["aaa", "bbb", "ccc"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert audit(filled, "export", "--output", str(path)) == exits.USAGE
    assert "calls.jsonl: File exists" in capsys.readouterr().err


def test_no_cell_of_a_csv_is_a_formula(filled: Path, capsys: Any) -> None:
    store = Store(filled)
    AuditLog(store).append(
        [
            LogEntry(
                "ddd",
                "outcome",
                {"tool": "=1+1", "client": "@x", "reached": {"count": 1}, "result": {"outcome": "done"}},
            )
        ],
        NOW,
        durable=False,
    )
    store.close()
    assert audit(filled, "export", "--format", "csv", "--values") == exits.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["id"] for row in rows] == ["aaa", "bbb", "ccc", "ddd"]
    assert (rows[3]["tool"], rows[3]["client"]) == ("'=1+1", "'@x")
    assert json.loads(rows[0]["arguments"]) == {"address": "=cmd@x.example"}
    assert (json.loads(rows[3]["reached"]), rows[0]["reached"]) == ({"count": 1}, "")


def test_an_export_can_be_replayed_against_a_policy(filled: Path, home: Path, capsys: Any) -> None:
    store = Store(filled)
    write(store, "ddd", NOW, "delete_bounce", "destructive", {"domain": "a.example", "address": "b@c.example"})
    store.close()
    path = home / "calls.jsonl"
    audit(filled, "export", "--values", "--tool", "delete_*", "--output", str(path))
    capsys.readouterr()
    policy = home / "strict.yaml"
    policy.write_text("version: 1\nextends: strict\n", encoding="utf-8")
    assert run(["policy", "replay", str(policy), "--log", str(path)]) == exits.OK
    assert "delete_bounce: allow -> confirm (ask) (strict/changes)" in capsys.readouterr().out


def test_a_whole_chain_verifies_and_names_its_head(filled: Path, capsys: Any) -> None:
    assert audit(filled, "verify", "--json") == exits.OK
    found = json.loads(capsys.readouterr().out)
    assert (found["entries"], found["broken"], found["seq"]) == (5, None, 5)
    assert audit(filled, "verify", "--expect", found["head"]) == exits.OK
    assert audit(filled, "verify", "--expect", "0" * 63 + "1") == exits.FAILED


def test_the_first_broken_link_is_named(filled: Path, capsys: Any) -> None:
    import sqlite3

    with sqlite3.connect(filled / FILE) as connection:
        connection.execute("DROP TRIGGER audit_log_is_not_changed")
        connection.execute("UPDATE audit_log SET body = replace(body, 'mg.example.com', 'other.example') WHERE seq = 3")
    connection.close()
    assert audit(filled, "verify") == exits.FAILED
    assert capsys.readouterr().out == "Broken: entry 3 (bbb) was changed. The 2 entries before it are intact.\n"


def test_old_calls_are_pruned_and_the_rest_verifies(filled: Path, capsys: Any) -> None:
    assert audit(filled, "prune", "--before", "59m", "--dry-run") == exits.OK
    assert audit(filled, "prune", "--before", "59m") == exits.OK
    assert capsys.readouterr().out == "2 entries would be removed.\n2 entries were removed.\n"
    assert audit(filled, "verify") == exits.OK


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["prune"], "give --before, --megabytes or both"),
        (["prune", "--before", "old"], "--before: 'old' is not a duration"),
        (["prune", "--megabytes", "-1"], "--megabytes: '-1' must be a positive integer"),
        (["list", "--limit", "x"], "--limit: 'x' must be a positive integer"),
        (["list", "--outcome", "don"], "unknown value 'don': did you mean 'done'?"),
        (["lst"], "unknown action 'lst': did you mean 'list'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_flag_is_refused(arguments: list[str], told: str, filled: Path, capsys: Any) -> None:
    assert code_of(filled, *arguments) == exits.USAGE
    assert told in capsys.readouterr().err


def code_of(state: Path, *arguments: str) -> Any:
    """Return the exit code; the parser of the command line exits by itself."""
    try:
        return audit(state, *arguments)
    except SystemExit as exited:
        return exited.code


def test_tail_follows_what_another_process_records(tmp_path: Path) -> None:
    env = environment(tmp_path)
    subprocess.run(forked("tools", "call", "list_domains", "--simulator"), env=env, check=True, capture_output=True)
    tail = subprocess.Popen(
        forked("audit", "tail", "--follow", "--interval", "1s", "--json"), env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["tool"] == "list_domains"
        subprocess.run(forked("tools", "call", "list_routes", "--simulator"), env=env, check=True, capture_output=True)
        assert json.loads(tail.stdout.readline())["tool"] == "list_routes"
    finally:
        tail.kill()
        tail.communicate(timeout=PATIENCE)


def test_a_missing_log_is_broken_until_somebody_says_why(filled: Path, capsys: Any) -> None:
    for path in filled.glob("state.db*"):
        path.unlink()
    for action in ("verify", "list", "export"):
        assert audit(filled, action) == exits.FAILED
        assert "the log is missing" in capsys.readouterr().out
    assert audit(filled, "restart", "--reason", "moved to another machine", "--by", "olga") == exits.OK
    capsys.readouterr()
    assert audit(filled, "verify") == exits.OK
    assert "by olga: moved to another machine." in capsys.readouterr().out


def test_a_key_is_rotated_and_exported_heads_are_checked(filled: Path, tmp_path: Path, capsys: Any) -> None:
    assert audit(filled, "rotate-key") == exits.OK
    assert "New entries are signed with the key" in capsys.readouterr().out
    heads = tmp_path / "heads.jsonl"
    heads.write_text((filled / "audit-head.json").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert audit(filled, "verify", "--heads", str(heads)) == exits.OK
    heads.write_text('{"seq": 99, "hash": "x", "at": 1}\n', encoding="utf-8")
    assert audit(filled, "verify", "--heads", str(heads)) == exits.FAILED
    heads.write_text("nothing", encoding="utf-8")
    assert audit(filled, "verify", "--heads", str(heads)) != exits.OK
