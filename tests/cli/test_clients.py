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


@pytest.mark.parametrize("name", CLIENTS)
def test_a_key_file_takes_the_place_of_the_client_s_own_way(name: str) -> None:
    server = entry(CLIENTS[name], COMMAND, "/keys/mailgun", keyless=False)
    assert server["env"] == {f"{KEY}_FILE": "/keys/mailgun"}
    assert (server["command"], server["args"]) == ("uvx", ["mailgun-mcp"])


@pytest.mark.parametrize("name", CLIENTS)
def test_an_entry_without_a_key_passes_none_on(name: str) -> None:
    assert entry(CLIENTS[name], ["mailgun-mcp"], None, keyless=True).keys() <= {"type", "command"}
