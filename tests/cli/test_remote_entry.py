"""`install --server-url`: each client's own form of a server that runs already, and a token that only its user can read."""

import json
import stat
import tomllib
from pathlib import Path

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.clients import CLIENTS
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.remote_entry import FORMS, remote_entry
from mailgun_mcp.settings import SettingsError

URL = "http://127.0.0.1:8000/mcp"
HEADER = {"Authorization": "Bearer the-token"}
STATE = Path(".local") / "state" / "mailgun-mcp"


def token(home: Path) -> str:
    return (home / STATE / "http-token").read_text(encoding="ascii").strip()


def test_clients_name_the_url_and_the_header_each_in_their_way() -> None:
    entries = {key: remote_entry(CLIENTS[key], URL, "the-token") for key in FORMS}
    assert entries["claude-code"] == {"type": "http", "url": URL, "headers": HEADER}
    assert entries["codex"] == {"url": URL, "http_headers": HEADER}
    assert entries["gemini"] == {"httpUrl": URL, "headers": HEADER}
    assert entries["windsurf"] == {"serverUrl": URL, "headers": HEADER}
    assert entries["goose"]["uri"] == URL
    assert all(HEADER in entry.values() and URL in entry.values() for entry in entries.values())


@pytest.mark.parametrize("client", sorted(CLIENTS.keys() - FORMS.keys()))
def test_a_client_that_cannot_send_headers_runs_the_server_itself(client: str) -> None:
    with pytest.raises(SettingsError, match="cannot send the server's token"):
        remote_entry(CLIENTS[client], URL, "the-token")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "mcp",
            "http://127.0.0.1:8000",
            "https://127.0.0.1:8000/mcp",
            "http://example.com/mcp",
            "http://[::1/mcp",
        ),
        *("http://a@127.0.0.1/mcp", "http://127.0.0.1/mcp?token=x", "http://127.0.0.1:x/mcp"),
        "http://localhost.evil.example/mcp",
    ],
)
def test_the_token_is_written_for_a_server_on_this_machine_only(url: str) -> None:
    with pytest.raises(SettingsError, match="server-url"):
        remote_entry(CLIENTS["cursor"], url, "the-token")


def test_the_token_is_in_the_users_file_which_only_they_can_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude.json"
    file.write_text('{"theme": "dark"}\n', encoding="utf-8")
    file.chmod(0o644)
    assert run(["install", "--client", "claude-code", "--server-url", URL]) == exits.OK
    written = json.loads(file.read_text(encoding="utf-8"))
    entry = {"type": "http", "url": URL, "headers": {"Authorization": f"Bearer {token(home)}"}}
    assert written == {"theme": "dark", "mcpServers": {"mailgun": entry}}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, home / ".claude.json.bak")] == [0o600, 0o600]
    output = capsys.readouterr()
    assert token(home) not in output.out + output.err
    assert not (home / ".mcp.json").exists()


def test_a_toml_file_gets_it_too(home: Path) -> None:
    assert run(["install", "--client", "codex", "--server-url", URL]) == exits.OK
    written = tomllib.loads((home / ".codex" / "config.toml").read_text(encoding="utf-8"))
    assert written["mcp_servers"]["mailgun"]["http_headers"] == {"Authorization": f"Bearer {token(home)}"}


def test_a_projects_file_never_gets_the_token(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["install", "--client", "claude-code", "--server-url", URL, "--scope", "project"]
    assert run(words) == exits.USAGE
    assert "others may share a project's file" in capsys.readouterr().err
    assert not (home / ".mcp.json").exists()


def test_what_is_printed_holds_no_token(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", "--client", "cursor", "--server-url", URL, "--print"]) == exits.OK
    output = capsys.readouterr()
    assert '"Authorization": "Bearer TOKEN"' in output.out
    assert "http-token" in output.err
    assert not (home / STATE).exists()


def test_the_state_of_the_server_is_named(home: Path) -> None:
    words = ["install", "--client", "cursor", "--server-url", URL, "--state", str(home / "other")]
    assert run(words) == exits.OK
    kept = (home / "other" / "http-token").read_text(encoding="ascii").strip()
    assert kept in (home / ".cursor" / "mcp.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content", ['{"mcpServers": {"mailgun": {"headers": {"Authorization": "Bearer old"}}}}', "{ broken"]
)
def test_an_error_shows_no_token(home: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text(content, encoding="utf-8")
    assert run(["install", "--client", "cursor", "--server-url", URL]) == exits.USAGE
    shown = capsys.readouterr().err
    assert (token(home) in shown, "Bearer old" in shown) == (False, False)
