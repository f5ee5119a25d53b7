"""Undo from the command line: what is kept, what is in it, and putting it back."""

import json
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from tests.support.processes import simulated

BOUNCES = {"domain": "mail.example.com"}


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with simulated(tmp_path) as url:
        monkeypatch.setenv("MAILGUN_API_URL", url)
        monkeypatch.setenv("MAILGUN_API_KEY", "key-of-the-tests")
        yield url


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(list(arguments)) == exits.OK
    return json.loads(capsys.readouterr().out)


def bounces(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    found: list[Any] = called(capsys, "tools", "call", "list_bounces", json.dumps(BOUNCES))["items"]
    return [bounce["address"] for bounce in found]


def test_where_nothing_is_kept_nothing_is_listed_and_nothing_made(home: Path, capsys: Any) -> None:
    assert run(["undo", "list", "--state", str(home / "state")]) == exits.OK
    assert capsys.readouterr().out.startswith("Nothing can be undone: ")
    assert not (home / "state").exists()
    assert run(["undo", "show", "abc", "--state", str(home / "state")]) == exits.USAGE


def test_a_call_is_listed_shown_and_undone(home: Path, simulator: str, capsys: Any) -> None:
    before = bounces(capsys)
    made = called(capsys, "tools", "call", "clear_bounces", json.dumps(BOUNCES), "--policy", "unguarded")
    call = made["undo"]["id"]
    assert bounces(capsys) == []
    (listed,) = called(capsys, "undo", "list", "--json")
    assert (listed["id"], listed["tool"], listed["summary"]) == (call, "clear_bounces", "4 bounces")
    shown = called(capsys, "undo", "show", call, "--json")
    assert [resource["key"] for resource in shown["resources"]] == before
    told = called(capsys, "undo", "apply", call, "--dry-run")
    assert (told["message"], bounces(capsys)) == (
        "Would put back or remove 4 with 1 call; 0 are already as before.",
        [],
    )
    # The bounces were shown above, so under `guarded` a bulk write needs a confirmation.
    assert called(capsys, "undo", "apply", call, "--policy", "unguarded")["put_back"] == 4
    assert bounces(capsys) == before
    assert called(capsys, "undo", "list", "--json") == []
    assert [found["status"] for found in called(capsys, "undo", "list", "--all", "--json")] == ["undone"]


def test_a_person_is_shown_one_line_for_each_undo(home: Path, simulator: str, capsys: Any) -> None:
    made = called(capsys, "tools", "call", "clear_bounces", json.dumps(BOUNCES), "--policy", "unguarded")
    assert run(["undo", "list"]) == exits.OK
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(made["undo"]["id"])
    assert line.endswith(f"until {made['undo']['until']}")
    assert run(["undo", "show", made["undo"]["id"]]) == exits.OK
    shown = capsys.readouterr().out
    assert shown.splitlines()[1] == "tool         clear_bounces"
    assert "\nsaved: bounce nobody@novak.example (domain: mail.example.com)\n  address: nobody@novak.example\n" in shown
    assert "{" not in shown


def test_an_unknown_id_names_the_nearest(home: Path, simulator: str, capsys: Any) -> None:
    made = called(capsys, "tools", "call", "clear_bounces", json.dumps(BOUNCES), "--policy", "unguarded")
    wrong = made["undo"]["id"][:-1] + "0"
    assert run(["undo", "show", wrong]) == exits.USAGE
    assert f"did you mean '{made['undo']['id']}'?" in capsys.readouterr().err
    assert run(["undo", "apply", wrong]) == exits.FAILED


def test_an_undo_in_another_account_is_refused(home: Path, simulator: str, capsys: Any, monkeypatch: Any) -> None:
    call = called(capsys, "tools", "call", "clear_bounces", json.dumps(BOUNCES), "--policy", "unguarded")["undo"]["id"]
    monkeypatch.setenv("MAILGUN_API_URL", "http://127.0.0.1:1")
    assert run(["undo", "apply", call]) == exits.FAILED
    assert f"{call} was made in another account, or at another endpoint" in capsys.readouterr().err


def test_what_an_undo_may_not_do_is_refused_by_policy(home: Path, simulator: str, capsys: Any) -> None:
    made = called(capsys, "tools", "call", "clear_bounces", json.dumps(BOUNCES), "--policy", "unguarded")
    assert run(["undo", "apply", made["undo"]["id"], "--policy", "strict"]) == exits.REFUSED
    assert "Pending approval " in capsys.readouterr().err
    assert run(["undo", "apply", made["undo"]["id"], "--exclude-tools", "add_bounces"]) == exits.REFUSED
    assert "it needs add_bounces, which this server does not offer" in capsys.readouterr().err
    assert bounces(capsys) == []
