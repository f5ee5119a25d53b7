"""The table of MCP clients, and the entry that each of them gets."""

import sys
from pathlib import Path

import pytest

from mailgun_mcp.cli.clients import CLIENTS, KEY, entry

COMMAND = ["uvx", "mailgun-mcp"]


def test_the_first_scope_is_the_default(home: Path) -> None:
    cursor = CLIENTS["cursor"]
    assert cursor.file(None) == cursor.file("user") == home / ".cursor" / "mcp.json"
    assert cursor.file("project") == Path(".cursor/mcp.json")


def test_a_scope_that_a_client_does_not_have_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        CLIENTS["windsurf"].file("project")


def test_a_file_of_applications_settings_is_where_the_platform_keeps_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    path = CLIENTS["claude-desktop"].file(None)
    assert path == home / "Library" / "Application Support" / "Claude" / "claude_desktop_config.json"


VARIABLES = {"plain": "env", "opencode": "environment", "goose": "envs"}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_key_file_takes_the_place_of_the_client_s_own_way(name: str) -> None:
    server = entry(CLIENTS[name], COMMAND, "/keys/mailgun", keyless=False)
    assert server[VARIABLES[CLIENTS[name].shape]] == {f"{KEY}_FILE": "/keys/mailgun"}


@pytest.mark.parametrize("name", CLIENTS)
def test_an_entry_runs_the_command(name: str) -> None:
    server = entry(CLIENTS[name], COMMAND, None, keyless=True)
    command = server.get("cmd") or server["command"]
    assert (command if isinstance(command, list) else [command, *server["args"]]) == COMMAND


@pytest.mark.parametrize("name", CLIENTS)
def test_an_entry_without_a_key_passes_none_on(name: str) -> None:
    server = entry(CLIENTS[name], ["mailgun-mcp"], None, keyless=True)
    assert not {*VARIABLES.values(), "env_vars", "env_keys"} & server.keys()


def test_of_several_files_the_one_that_is_there_is_used(home: Path) -> None:
    opencode = CLIENTS["opencode"]
    assert opencode.file("user") == home / ".config/opencode/opencode.json"
    (home / ".config" / "opencode").mkdir(parents=True)
    (home / ".config/opencode/opencode.jsonc").touch()
    assert opencode.file("user") == home / ".config/opencode/opencode.jsonc"


def test_a_client_is_present_by_its_files_or_its_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert [name for name, client in CLIENTS.items() if client.present] == []
    (home / ".codex").mkdir()
    (home / "bin").mkdir()
    (home / "bin" / "claude").touch(0o755)
    assert [name for name, client in CLIENTS.items() if client.present] == ["claude-code", "codex"]
