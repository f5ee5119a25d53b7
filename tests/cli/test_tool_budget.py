"""`tools budget`: what a choice of tools costs, and what each client does with it."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.catalogue.builtin_tools import listed
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.clients import CLIENTS
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.tool_budget import Budget, budget_of, effect_of
from tests.support.operations import catalogue


def test_all_tools_are_too_many_for_a_client_with_a_limit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["tools", "budget", "--client", "cursor"])
    count = len(listed(catalogue()))
    out = capsys.readouterr().out
    assert code == exits.OK
    assert out.startswith(f"{count} tools, ")
    assert f"accepts 80 tools from all servers together: {count - 80} are too many" in out


def test_a_preset_fits_and_says_what_is_left(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["tools", "budget", "--preset", "sending", "--read-only", "--client", "cursor", "--json"])
    said = json.loads(capsys.readouterr().out)
    left = 80 - said["tools"]
    assert said["clients"] == {"cursor": f"loads all of them, {left} left for other servers"}
    assert said["tokens"] < 6_000


def test_search_mode_is_counted_as_it_lists(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["tools", "budget", "--mode", "search", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["tools"] == len(listed(catalogue(), search_mode=True))
    assert said["tokens"] < 2_000


def test_a_client_that_loads_tools_when_needed_says_so() -> None:
    budget = budget_of(listed(catalogue()))
    assert effect_of(CLIENTS["claude-code"], budget) == "lists names only, and loads a tool when it is needed"
    assert effect_of(CLIENTS["copilot-cli"], Budget(20, 1, 1)) == "loads all of them"
