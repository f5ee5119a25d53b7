"""The command says who its user is to the server."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.identity.access import SCOPES
from mailgun_mcp.identity.principal import local_user


def test_the_user_of_the_system_may_do_everything(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["whoami", "--simulator", "--policy", "strict"]) == exits.OK
    assert json.loads(capsys.readouterr().out) == {
        "principal": local_user().id,
        "scopes": list(SCOPES),
        "accounts": ["simulator"],
        "policy": "strict",
    }
