"""`install`: each client's own file and form, nothing lost, and no key written."""

import json
import os
import stat
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.clients import CLIENTS
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.tool_selection import fitting_toolsets, tool_count
from tests.cli.conftest import Command

KEY = "key-0123456789abcdef0123456789abcdef"
CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = str(Path(sys.executable).with_name("mailgun-mcp"))
FROM_ENVIRONMENT = {"env": {"MAILGUN_API_KEY": "${env:MAILGUN_API_KEY}"}}
INPUT = {"type": "promptString", "id": "mailgun-api-key", "description": "Mailgun API key", "password": True}
CURSOR_TOOLSETS, WINDSURF_TOOLSETS, VSCODE_TOOLSETS = (
    ",".join(fitting_toolsets(CLIENTS[client], Catalogue.load())) for client in ("cursor", "windsurf", "vscode")
)
OPENCODE = {"type": "local", "command": [SCRIPT], "environment": {"MAILGUN_API_KEY": "{env:MAILGUN_API_KEY}"}}
WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "claude-code": (".mcp.json", {"mcpServers": {"mailgun": {"type": "stdio", "command": SCRIPT}}}),
    "claude-desktop": (
        ".config/Claude/claude_desktop_config.json",
        {"mcpServers": {"mailgun": {"command": SCRIPT}}},
    ),
    "cursor": (
        ".cursor/mcp.json",
        {
            "mcpServers": {
                "mailgun": {
                    "type": "stdio",
                    "command": SCRIPT,
                    "args": ["serve", "--toolsets", CURSOR_TOOLSETS],
                    **FROM_ENVIRONMENT,
                }
            }
        },
    ),
    "vscode": (
        ".vscode/mcp.json",
        {
            "servers": {
                "mailgun": {
                    "type": "stdio",
                    "command": SCRIPT,
                    "args": ["serve", "--toolsets", VSCODE_TOOLSETS],
                    "env": {"MAILGUN_API_KEY": "${input:mailgun-api-key}"},
                }
            },
            "inputs": [INPUT],
        },
    ),
    "windsurf": (
        ".codeium/windsurf/mcp_config.json",
        {
            "mcpServers": {
                "mailgun": {
                    "command": SCRIPT,
                    "args": ["serve", "--toolsets", WINDSURF_TOOLSETS],
                    **FROM_ENVIRONMENT,
                }
            }
        },
    ),
    "zed": (".config/zed/settings.json", {"context_servers": {"mailgun": {"command": SCRIPT, "args": []}}}),
    "jetbrains": (".junie/mcp/mcp.json", {"mcpServers": {"mailgun": {"command": SCRIPT}}}),
    "cline": (
        ".cline/data/settings/cline_mcp_settings.json",
        {"mcpServers": {"mailgun": {"command": SCRIPT}}},
    ),
    "codex": (
        ".codex/config.toml",
        {"mcp_servers": {"mailgun": {"command": SCRIPT, "env_vars": ["MAILGUN_API_KEY"]}}},
    ),
    "gemini": (
        ".gemini/settings.json",
        {"mcpServers": {"mailgun": {"command": SCRIPT, "env": {"MAILGUN_API_KEY": "$MAILGUN_API_KEY"}}}},
    ),
    "copilot-cli": (
        ".copilot/mcp-config.json",
        {
            "mcpServers": {
                "mailgun": {
                    "type": "local",
                    "command": SCRIPT,
                    "args": [],
                    "tools": ["*"],
                    "env": {"MAILGUN_API_KEY": "${MAILGUN_API_KEY}"},
                }
            }
        },
    ),
    "opencode": (".config/opencode/opencode.json", {"mcp": {"servers": {"mailgun": OPENCODE}}}),
    "opencode-1": (".config/opencode/opencode.json", {"mcp": {"mailgun": OPENCODE}}),
    "goose": (
        ".config/goose/config.yaml",
        {
            "extensions": {
                "mailgun": {
                    "enabled": True,
                    "type": "stdio",
                    "name": "Mailgun",
                    "description": "The Mailgun API, with guard rails",
                    "cmd": SCRIPT,
                    "args": [],
                    "env_keys": ["MAILGUN_API_KEY"],
                }
            }
        },
    ),
}
"""Client -> the file in a home that is also the project, and what a first `install` writes there."""


@pytest.fixture(autouse=True)
def _linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture(autouse=True)
def _inactive_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the virtual environment off the PATH: in a developer's terminal it may be active."""
    own = Path(SCRIPT).parent
    others = [name for name in os.environ["PATH"].split(os.pathsep) if Path(name) != own]
    monkeypatch.setenv("PATH", os.pathsep.join(others))


def parsed(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    document: dict[str, Any] = READERS[path.suffix](text)
    return document


READERS: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads, ".yaml": yaml.safe_load}


def server(path: Path, client: str, name: str = "mailgun") -> dict[str, Any]:
    document = parsed(path)
    for key in (*CLIENTS[client].servers, name):
        document = document[key]
    return document


def test_every_client_is_tried() -> None:
    assert list(WRITTEN) == list(CLIENTS)


@pytest.mark.parametrize("client", WRITTEN)
def test_the_clients_own_file_is_written_in_its_own_form(client: str, home: Path) -> None:
    file, document = WRITTEN[client]
    assert run(["install", "--client", client]) == exits.OK
    assert parsed(home / file) == document
    assert [path for path in home.rglob("*") if path.is_file()] == [home / file]


@pytest.mark.parametrize("client", WRITTEN)
def test_what_is_printed_is_what_would_be_written(client: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", "--client", client, "--print"]) == exits.OK
    out = capsys.readouterr().out
    assert READERS[Path(WRITTEN[client][0]).suffix](out) == WRITTEN[client][1]
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("client", WRITTEN)
def test_a_second_time_changes_nothing(client: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--client", client])
    file = home / WRITTEN[client][0]
    before, moment = file.read_bytes(), file.stat().st_mtime_ns
    assert run(["install", "--client", client]) == exits.OK
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (before, moment)
    assert list(file.parent.iterdir()) == [file]
    assert "already has this server" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("client", "scope", "file"),
    [
        ("claude-code", "user", ".claude.json"),
        ("cursor", "project", "project/.cursor/mcp.json"),
        ("vscode", "user", ".config/Code/User/mcp.json"),
        ("codex", "project", "project/.codex/config.toml"),
        ("gemini", "project", "project/.gemini/settings.json"),
        ("zed", "project", "project/.zed/settings.json"),
        ("jetbrains", "project", "project/.junie/mcp/mcp.json"),
        ("copilot-cli", "project", "project/.github/mcp.json"),
    ],
)
def test_the_other_scope_has_a_file_of_its_own(
    client: str, scope: str, file: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "project").mkdir()
    monkeypatch.chdir(home / "project")
    assert run(["install", "--client", client, "--scope", scope, "--simulator"]) == exits.OK
    assert server(home / file, client)["args"][-1] == "--simulator"


def test_a_scope_that_the_client_lacks_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", "--client", "windsurf", "--scope", "project"]) == exits.USAGE
    assert "Windsurf: unknown scope 'project': choose from user" in capsys.readouterr().err


def test_a_policy_file_is_named_so_that_the_server_finds_it_from_anywhere(home: Path) -> None:
    (home / "team.yaml").write_text("version: 1\nextends: strict\n", encoding="utf-8")
    assert run(["install", "--client", "claude-code", "--policy", "team.yaml"]) == exits.OK
    assert server(home / ".mcp.json", "claude-code")["args"] == ["serve", "--policy", str(home / "team.yaml")]


def test_what_the_server_is_to_get_becomes_its_flags(home: Path) -> None:
    (home / "own.toml").write_text("", encoding="utf-8")
    flags = [
        "--read-only",
        "--toolsets",
        "events,bounces",
        "--region",
        "eu",
        "--policy",
        "guarded",
        "--config",
        "own.toml",
    ]
    assert run(["install", "--client", "claude-code", *flags]) == exits.OK
    assert server(home / ".mcp.json", "claude-code")["args"] == [
        *("serve", "--toolsets", "events,bounces", "--read-only", "--policy", "guarded", "--region", "eu"),
        *("--config", str(home / "own.toml")),
    ]


@pytest.mark.parametrize("client", WRITTEN)
def test_the_simulator_needs_no_key(client: str, home: Path) -> None:
    assert run(["install", "--client", client, "--simulator"]) == exits.OK
    document = parsed(home / WRITTEN[client][0])
    assert "KEY" not in json.dumps(document)
    assert "inputs" not in document


@pytest.mark.parametrize("client", WRITTEN)
def test_a_key_file_is_named_by_its_whole_path(client: str, home: Path) -> None:
    assert run(["install", "--client", client, "--api-key-file", "secrets/key"]) == exits.OK
    entry = server(home / WRITTEN[client][0], client)
    variables = next(entry[name] for name in ("env", "environment", "envs") if name in entry)
    assert variables == {"MAILGUN_API_KEY_FILE": str(home / "secrets" / "key")}
    assert not {"env_vars", "env_keys"} & entry.keys()


@pytest.mark.parametrize("client", WRITTEN)
def test_no_key_is_ever_written_or_shown(
    client: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILGUN_API_KEY", KEY)
    assert run(["install", "--client", client]) == exits.OK
    assert run(["install", "--client", client, "--print"]) == exits.OK
    out, err = capsys.readouterr()
    assert KEY not in out + err + (home / WRITTEN[client][0]).read_text(encoding="utf-8")


@pytest.fixture
def uvx(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The full path of a uvx on the PATH."""
    path = home / "bin" / "uvx"
    path.parent.mkdir()
    path.touch(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    return str(path)


def test_uvx_runs_a_checkout_by_full_paths_that_a_desktop_application_can_find(uvx: str, home: Path) -> None:
    assert run(["install", "--client", "cursor", "--uvx", str(CHECKOUT), "--simulator"]) == exits.OK
    entry = server(home / ".cursor" / "mcp.json", "cursor")
    assert [entry["command"], *entry["args"]] == [
        *(uvx, "--from", str(CHECKOUT), "mailgun-mcp", "serve", "--toolsets", CURSOR_TOOLSETS, "--simulator"),
    ]


def test_uvx_runs_a_wheel(uvx: str, home: Path) -> None:
    wheel = home / "mailgun_mcp_server-0.1.0-py3-none-any.whl"
    wheel.touch()
    assert run(["install", "--client", "cursor", "--uvx", wheel.name, "--simulator"]) == exits.OK
    assert server(home / ".cursor" / "mcp.json", "cursor")["args"][:2] == ["--from", str(wheel)]


@pytest.mark.usefixtures("uvx")
def test_codex_waits_longer_for_uvx_which_installs_the_package_first(home: Path) -> None:
    assert run(["install", "--client", "codex", "--uvx", str(CHECKOUT)]) == exits.OK
    assert server(home / ".codex" / "config.toml", "codex")["startup_timeout_sec"] == 120


@pytest.mark.usefixtures("uvx")
@pytest.mark.parametrize("source", ["mailgun-mcp", "mailgun-mcp-server", "mailgun_mcp-0.1.0-py3-none-any.whl", "empty"])
def test_uvx_runs_nothing_that_could_be_somebody_elses_package(
    source: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "mailgun_mcp-0.1.0-py3-none-any.whl").touch()
    (home / "empty").mkdir()
    assert run(["install", "--client", "cursor", "--uvx", source]) == exits.USAGE
    assert f"{source} is neither a checkout of mailgun-mcp nor a wheel of mailgun-mcp-server" in capsys.readouterr().err


def test_without_uvx_on_the_path_it_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(home))
    assert run(["install", "--client", "cursor", "--uvx", str(CHECKOUT)]) == exits.USAGE
    assert "uvx is not on the PATH: install uv" in capsys.readouterr().err


def test_without_a_script_the_interpreter_is_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "bin" / "python"))
    assert run(["install", "--client", "cursor", "--simulator"]) == exits.OK
    entry = server(home / ".cursor" / "mcp.json", "cursor")
    assert [entry["command"], *entry["args"]] == [
        str(home / "bin" / "python"),
        *("-m", "mailgun_mcp", "serve", "--toolsets", CURSOR_TOOLSETS, "--simulator"),
    ]


def test_an_installation_in_uvs_cache_is_warned_of(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(home / ".cache" / "uv" / "archive-v0" / "x1" / "bin" / "python"))
    run(["install", "--client", "cursor"])
    assert "may be removed: use --uvx PATH" in capsys.readouterr().err


def test_the_server_can_have_another_name_and_file(home: Path) -> None:
    path = home / "there" / "mcp.json"
    assert (
        run(["install", "--client", "cursor", "--name", "mail-eu", "--file", str(path), "--region", "eu"]) == exits.OK
    )
    assert list(parsed(path)["mcpServers"]) == ["mail-eu"]


@pytest.mark.parametrize("name", ["", "a b", "a.b", 'a"b', "é"])
def test_a_name_that_clients_do_not_take_is_refused(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", "--client", "codex", f"--name={name}"]) == exits.USAGE
    assert "may contain only letters, digits, - and _" in capsys.readouterr().err


LIMITED = [(name, client.tool_limit) for name, client in CLIENTS.items() if client.tool_limit]


@pytest.mark.parametrize(("client", "limit"), LIMITED)
def test_a_client_with_a_tool_limit_gets_a_choice_that_fits_and_says_so(
    client: str, limit: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["install", "--client", client, "--print"])
    err = " ".join(capsys.readouterr().err.split())
    assert (
        f"accepts {limit} tools from all servers together, and this one has {tool_count(Catalogue.load())}. It now offers "
        in err
    )
    assert int(err.partition("It now offers ")[2].partition(":")[0]) <= limit
    assert "Use --toolsets to choose others, or --all-tools." in err


@pytest.mark.parametrize("flags", [["--all-tools"], ["--exclude-tools", "send_message"]])
@pytest.mark.parametrize(("client", "limit"), LIMITED)
def test_a_choice_of_the_person_stands_and_is_warned_of_if_it_does_not_fit(
    client: str, limit: int, flags: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["install", "--client", client, "--print", *flags])
    out, err = capsys.readouterr()
    assert "--toolsets" not in out
    assert f"accepts {limit} tools from all servers together" in err
    proposed = err.partition("--toolsets ")[2].partition(" ")[0]
    run(["install", "--client", client, "--print", "--toolsets", proposed])
    assert "from all servers" not in capsys.readouterr().err


@pytest.mark.parametrize("client", [name for name, client in CLIENTS.items() if not client.tool_limit])
def test_a_client_without_a_limit_gets_all_tools(client: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--client", client, "--print"])
    out, err = capsys.readouterr()
    assert "--toolsets" not in out
    assert "from all servers" not in err


def test_a_name_that_makes_tool_names_too_long_is_warned_of(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--client", "codex", "--print", "--name", "mailgun-of-the-whole-company"])
    assert "characters shorter" in capsys.readouterr().err


@pytest.mark.parametrize("client", WRITTEN)
def test_what_to_do_next_is_told(client: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--client", client])
    err = capsys.readouterr().err
    assert f"Next: {CLIENTS[client].key_step} {CLIENTS[client].after}" in err


def test_a_key_file_that_is_not_there_yet_is_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--client", "claude-desktop", "--api-key-file", "key"])
    assert f"Save the API key in {home / 'key'}" in capsys.readouterr().err
    (home / "key").write_text(KEY, encoding="utf-8")
    run(["install", "--client", "claude-desktop", "--api-key-file", "key"])
    assert "Save" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--toolsets", "mesages"], "unknown toolset 'mesages': did you mean 'messages'?"),
        (["--policy", "gaurded"], "unknown policy 'gaurded': did you mean 'guarded'?"),
        (["--region", "uk"], "unknown region 'uk'"),
    ],
)
def test_what_the_server_would_refuse_is_not_written(
    flags: list[str], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["install", "--client", "cursor", *flags]) == exits.USAGE
    assert message in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_another_server_of_that_name_is_kept_unless_forced(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    there = {"mcpServers": {"mailgun": {"command": "old", "env": {"MAILGUN_API_KEY": KEY}, "args": [KEY]}}}
    path.write_text(json.dumps(there), encoding="utf-8")
    assert run(["install", "--client", "cursor"]) == exits.USAGE
    out, err = capsys.readouterr()
    assert parsed(path) == there
    assert '-  "command": "old"' in err
    assert f'+  "command": "{SCRIPT}"' in err
    assert KEY not in out + err
    assert run(["install", "--client", "cursor", "--force"]) == exits.OK
    assert parsed(path) == WRITTEN["cursor"][1]
    assert json.loads(path.with_name("mcp.json.bak").read_text(encoding="utf-8")) == there


def test_the_files_mode_is_kept_and_its_backup_has_it_too(home: Path) -> None:
    path = home / "mcp.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(0o640)
    assert run(["install", "--client", "cursor", "--file", str(path)]) == exits.OK
    assert {stat.S_IMODE(found.stat().st_mode) for found in home.iterdir()} == {0o640}


def test_a_configuration_that_install_wrote_starts_the_server(mailgun_mcp: Command, tmp_path: Path) -> None:
    assert mailgun_mcp("install", "--client", "claude-code", "--simulator", "--read-only").returncode == exits.OK
    entry = server(tmp_path / ".mcp.json", "claude-code")
    done = mailgun_mcp(*entry["args"][1:], stdin="")
    assert (entry["command"], done.returncode, done.stdout) == (SCRIPT, exits.OK, "")


def test_a_file_of_the_project_that_names_paths_of_this_machine_is_warned_of(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["install", "--client", "claude-code", "--api-key-file", "key"])
    err = capsys.readouterr().err
    assert (
        f"it now names paths of this machine ({SCRIPT}, {home / 'key'}): do not commit it, or use --scope user" in err
    )
    run(["install", "--client", "claude-code", "--scope", "user"])
    assert "paths of this machine" not in capsys.readouterr().err


def test_a_file_of_the_project_names_the_command_alone_where_that_finds_this_program(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "bin").mkdir()
    (home / "bin" / "mailgun-mcp").symlink_to(SCRIPT)
    monkeypatch.setenv("PATH", str(home / "bin"))
    run(["install", "--client", "claude-code"])
    assert server(home / ".mcp.json", "claude-code")["command"] == "mailgun-mcp"
    assert "paths of this machine" not in capsys.readouterr().err
    run(["install", "--client", "claude-code", "--scope", "user"])
    assert server(home / ".claude.json", "claude-code")["command"] == SCRIPT, "an application may not have the PATH"


@pytest.mark.usefixtures("uvx")
def test_a_client_that_cannot_wait_for_uvx_is_warned_of(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["install", "--client", "cursor", "--uvx", str(CHECKOUT)])
    assert "the first start installs packages, and Cursor may not wait so long" in capsys.readouterr().err
    run(["install", "--client", "opencode", "--uvx", str(CHECKOUT)])
    assert "the first start" not in capsys.readouterr().err
    assert server(home / ".config/opencode/opencode.json", "opencode")["timeout"] == {"startup": 120_000}


@pytest.mark.parametrize("client", WRITTEN)
def test_an_uninstall_takes_away_what_an_install_added(
    client: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / WRITTEN[client][0]
    run(["install", "--client", client, "--name", "other", "--simulator"])
    before = path.read_text(encoding="utf-8")
    run(["install", "--client", client])
    assert run(["install", "--client", client, "--uninstall"]) == exits.OK
    assert READERS[path.suffix](path.read_text(encoding="utf-8")).items() >= READERS[path.suffix](before).items()
    assert path.read_text(encoding="utf-8").count("MAILGUN_API_KEY") == 0
    assert "no longer has the server 'mailgun'" in capsys.readouterr().out
    assert run(["install", "--client", client, "--uninstall"]) == exits.OK
    assert "Nothing was changed" in capsys.readouterr().out


def test_an_uninstall_of_the_last_server_leaves_a_valid_file(home: Path) -> None:
    for client, (file, _) in WRITTEN.items():
        run(["install", "--client", client])
        run(["install", "--client", client, "--uninstall"])
        document = READERS[Path(file).suffix]((home / file).read_text(encoding="utf-8"))
        assert "mailgun" not in json.dumps(document), client
        (home / file).unlink()


def test_the_list_says_which_clients_are_here_and_which_have_the_server(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.chdir("/")
    (home / ".codex").mkdir()
    run(["install", "--client", "cursor"])
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text("{", encoding="utf-8")
    capsys.readouterr()
    assert run(["install", "--list"]) == exits.OK
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["cursor", "found", "mailgun", "~/.cursor/mcp.json"] in rows
    assert ["codex", "found", "-", "~/.codex/config.toml"] in rows
    assert ["gemini", "found", "unreadable", "~/.gemini/settings.json"] in rows
    assert ["zed", "-", "~/.config/zed/settings.json"] in rows
    assert {row[0] for row in rows[1:]} == set(CLIENTS)


def test_the_list_has_each_file_once_for_the_version_of_the_client_that_reads_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.chdir(home)
    run(["install", "--client", "cursor", "--simulator"])
    run(["install", "--client", "opencode", "--simulator"])
    capsys.readouterr()
    assert run(["install", "--list"]) == exits.OK
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row[0] == "cursor"] == [["cursor", "found", "mailgun", "~/.cursor/mcp.json"]]
    assert ["opencode-1", "-", "~/.config/opencode/opencode.json"] in rows


@pytest.fixture
def several(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with three clients."""
    monkeypatch.setenv("PATH", str(home))
    for name in (".codex", ".cursor", ".config/goose"):
        (home / name).mkdir(parents=True)
    return home


def test_all_clients_on_this_machine_get_the_server_with_one_command(several: Path) -> None:
    assert run(["install", "--all", "--simulator"]) == exits.OK
    made = {path.relative_to(several) for path in several.rglob("*") if path.is_file()}
    assert made == {Path(WRITTEN[name][0]) for name in ("cursor", "codex", "goose")}
    assert run(["install", "--all", "--uninstall"]) == exits.OK
    assert "mailgun" not in "".join((several / path).read_text(encoding="utf-8") for path in made)


def test_one_client_that_cannot_be_edited_does_not_stop_the_others(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (several / ".cursor" / "mcp.json").write_text("{", encoding="utf-8")
    assert run(["install", "--all", "--simulator"]) == exits.FAILED
    assert "Cursor: " in capsys.readouterr().err
    assert (several / ".codex" / "config.toml").is_file()


def test_all_clients_where_there_are_none_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(home))
    assert run(["install", "--all"]) == exits.USAGE
    assert "no supported client was found on this machine" in capsys.readouterr().err


def test_a_file_of_opencode_1_keeps_its_form(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".config" / "opencode" / "opencode.jsonc"
    path.parent.mkdir(parents=True)
    path.write_text('{\n  // mine\n  "mcp": {"a": {"type": "local", "command": ["a"]}}\n}\n', encoding="utf-8")
    assert run(["install", "--client", "opencode"]) == exits.USAGE
    assert "use --client opencode-1" in capsys.readouterr().err
    assert run(["install", "--all", "--simulator"]) == exits.OK
    assert '"mailgun": {"type": "local"' in path.read_text(encoding="utf-8")
    assert "// mine" in path.read_text(encoding="utf-8")
    path.write_text('{"mcp": {"servers": {}}}', encoding="utf-8")
    assert run(["install", "--client", "opencode-1"]) == exits.USAGE
    assert "use --client opencode" in capsys.readouterr().err
