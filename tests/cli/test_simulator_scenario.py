"""The simulator from the command line: with a scenario, and with an account that is kept."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from tests.cli.conftest import Command
from tests.support.processes import PATIENCE
from tests.support.simulator_process import simulating, url_in

AUTH = ("api", "any")


def test_a_scenario_s_account_is_kept_between_runs(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with simulating(tmp_path, "--scenario", "injection", "--state", str(state)) as (process, greeting):
        url = url_in(greeting)
        made = httpx.post(f"{url}/v4/domains", data={"name": "kept.example.com"}, auth=AUTH)
        assert made.status_code == 200, made.text
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert state.stat().st_mode & 0o777 == 0o600
    with simulating(tmp_path, "--state", str(state)) as (_, greeting):
        items = httpx.get(f"{url_in(greeting)}/v4/domains", auth=AUTH).json()["items"]
    assert sorted(item["name"] for item in items) == ["kept.example.com", "mail.example.com"]


def test_a_tool_is_called_in_a_scenario(mailgun_mcp: Command) -> None:
    done = mailgun_mcp("tools", "call", "list_domains", "--simulator", "--scenario", "injection")
    assert (done.returncode, done.stderr) == (exits.OK, "")
    assert [item["name"] for item in json.loads(done.stdout)["items"]] == ["mail.example.com"]


def test_a_state_file_of_something_else_stops_the_start_and_stays(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "notes.json"
    state.write_text('{"my": "notes"}')
    assert run(["simulator", "--port", "0", "--state", str(state)]) == exits.USAGE
    assert (state.read_text(), "damaged, or not a state" in capsys.readouterr().err) == ('{"my": "notes"}', True)
