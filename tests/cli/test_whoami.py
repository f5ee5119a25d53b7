"""The command says who its user is to the server."""

import json
import sys
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


def test_a_person_at_a_terminal_gets_words(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run(["whoami", "--simulator"]) == exits.OK
    assert "policy: guarded" in capsys.readouterr().out
    assert run(["whoami", "--simulator", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["policy"] == "guarded"


def test_the_accounts_of_the_file_are_listed(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mailgun-mcp.toml"
    file.write_text(
        '[accounts.production]\napi_key_env = "A"\n[accounts.staging]\napi_key_env = "A"\n', encoding="utf-8"
    )
    assert run(["whoami", "--simulator", "--config", str(file)]) == exits.OK
    assert json.loads(capsys.readouterr().out)["accounts"] == ["production", "staging"]
    assert run(["whoami", "--simulator", "--config", str(file), "--account", "staging"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["accounts"] == ["staging"]
