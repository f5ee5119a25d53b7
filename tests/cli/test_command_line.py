"""The command line as a whole: help, versions, unknown names, exit codes, and what a start loads."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailgun_mcp import __version__
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.commands import COMMANDS
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.parser import parse, settings_given
from mailgun_mcp.cli.simulator_control import CONTROLS
from tests.cli.conftest import Command

ACTIONS = {"tools": ("list", "show", "call"), "spec": ("diff",), "simulator": tuple(CONTROLS)}
HELPS = [("--help",), *((name, "--help") for name in COMMANDS)] + [
    (name, action, "--help") for name, actions in ACTIONS.items() for action in actions
]
HEAVY = ("anyio", "httpx", "jsonschema", "mcp", "mcp_types", "pydantic", "starlette", "structlog", "uvicorn", "yaml")
HELPED = f"""
import os, sys
from mailgun_mcp.cli.main import run
for line in sys.stdin:
    if os.fork() == 0:
        try:
            run(line.split())
        except SystemExit:
            pass
        print("loaded", sorted(set({HEAVY!r}) & sys.modules.keys()), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
    print(end="\\0", flush=True)
"""
"""Runs each line of stdin as a command line, in a process that has loaded nothing for those before it."""


def test_help_is_given_without_loading_what_it_does_not_need() -> None:
    lines = "".join(" ".join(arguments) + "\n" for arguments in HELPS)
    done = subprocess.run([sys.executable, "-c", HELPED], input=lines, capture_output=True, text=True, check=True)
    texts = done.stdout.split("\0")
    assert (len(texts), texts.pop(), done.stderr) == (len(HELPS) + 1, "", "")
    for arguments, text in zip(HELPS, texts, strict=True):
        assert text.startswith(f"usage: mailgun-mcp {' '.join(arguments[:-1])}".rstrip())
        assert text.endswith("\nloaded []\n"), arguments


def test_the_overview_names_every_command(started: Command) -> None:
    done = started("--help")
    named = re.findall(r"^  ([a-z]+) +\S", done.stdout, re.MULTILINE)
    assert (done.returncode, [name for name in named if name in COMMANDS]) == (exits.OK, list(COMMANDS))


def test_the_overview_documents_every_exit_code(mailgun_mcp: Command) -> None:
    codes = mailgun_mcp("--help").stdout.partition("exit codes:\n")[2].splitlines()
    documented = {int(code): meaning for code, meaning in (line.split(maxsplit=1) for line in codes)}
    assert documented == exits.MEANINGS
    assert set(documented) == {value for value in vars(exits).values() if isinstance(value, int)}


@pytest.mark.parametrize(
    ("arguments", "same"),
    [
        (["help"], ["--help"]),
        (["help", "audit"], ["audit", "--help"]),
        (["help", "tools", "call"], ["tools", "call", "--help"]),
    ],
    ids=" ".join,
)
def test_help_is_a_command_too(arguments: list[str], same: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for words in (arguments, same):
        with pytest.raises(SystemExit) as stopped:
            run(words)
        texts.append((stopped.value.code, capsys.readouterr()))
    assert texts[0] == texts[1]
    assert texts[0][0] == exits.OK


@pytest.mark.parametrize(
    "words",
    [
        ["tools", "show", "get_domain", "--json", "--toolsets", "domains"],
        ["tools", "show", "--json", "get_domain", "--toolsets", "domains"],
        ["tools", "show", "--toolsets", "domains", "--json", "get_domain"],
        ["tools", "show", "--toolsets=domains", "--json", "--", "get_domain"],
    ],
    ids=" ".join,
)
def test_flags_may_stand_before_and_after_other_arguments(words: list[str]) -> None:
    _, arguments = parse(words)
    assert (arguments.name, arguments.json, settings_given(arguments)) == ("get_domain", True, {"toolsets": "domains"})


def test_a_value_that_looks_like_a_flag_follows_two_dashes() -> None:
    _, arguments = parse(["tools", "show", "--json", "--", "-x"])
    assert (arguments.name, arguments.json) == ("-x", True)


def test_help_shows_the_choices_of_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["serve", "--help"])
    text = capsys.readouterr().out
    assert "--transport stdio|http|sse" in text
    assert "--region us|eu" in text
    assert "--api-key-file FILE" in text


def test_the_version_is_told(started: Command) -> None:
    done = started("--version")
    assert (done.returncode, done.stdout, done.stderr) == (exits.OK, f"mailgun-mcp {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["servee"], "unknown command 'servee': did you mean 'serve'?", id="command"),
        pytest.param(["--simulatr"], "unknown flag '--simulatr': did you mean '--simulator'?", id="flag-of-the-server"),
        pytest.param(["serve", "--prot=1"], "unknown flag '--prot': did you mean '--port'?", id="flag-with-a-value"),
        pytest.param(["serve", "--read"], "unknown flag '--read': did you mean '--read-only'?", id="abbreviated-flag"),
        pytest.param(["serve", "all"], "unexpected argument 'all'", id="argument"),
        pytest.param(["tools", "lst"], "unknown action 'lst': did you mean 'list'?", id="action"),
        pytest.param(
            ["tools", "list", "--jso"], "unknown flag '--jso': did you mean '--json'?", id="flag-of-an-action"
        ),
        pytest.param(["install", "--client", "claud-code"], "'claud-code': did you mean 'claude-code'?", id="client"),
        pytest.param(["doctor", "--jsn"], "unknown flag '--jsn': did you mean '--json'?", id="flag-of-doctor"),
        pytest.param(
            ["simulator", "--prt", "1"], "unknown flag '--prt': did you mean '--port'?", id="flag-of-simulator"
        ),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest(
    arguments: list[str], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(arguments)
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (exits.USAGE, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        pytest.param([], {}, "no API key: set MAILGUN_API_KEY", id="no-key"),
        pytest.param([], {"MAILGUN_API_KEYFILE": "x"}, "did you mean 'MAILGUN_API_KEY_FILE'?", id="unknown-variable"),
        pytest.param(["--policy", "open"], {}, "unknown policy 'open'", id="value-of-a-flag"),
        pytest.param(["--config", "none.toml"], {}, "none.toml", id="missing-file"),
        pytest.param(["serve", "--toolsets", "domain"], {}, "did you mean 'domains'?", id="toolset"),
        pytest.param(
            ["serve", "--transport", "http", "--host", "0.0.0.0", "--simulator"], {}, "nobody could call", id="host"
        ),
    ],
)
def test_a_server_that_cannot_start_says_why_and_writes_nothing_to_stdout(
    arguments: list[str], variables: dict[str, str], message: str, mailgun_mcp: Command
) -> None:
    done = mailgun_mcp(*arguments, **variables)
    assert (done.returncode, done.stdout) == (exits.USAGE, "")
    assert done.stderr.startswith("mailgun-mcp: error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_flags_without_a_command_are_the_servers() -> None:
    command, arguments = parse(["--read-only", "--toolsets", "events", "--toolsets", "bounces,domains"])
    assert command.__module__ == "mailgun_mcp.cli.serve"
    assert settings_given(arguments) == {"read_only": True, "toolsets": "events,bounces,domains"}


def test_an_interrupt_has_its_own_exit_code(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def read(self) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupted())
    assert run(["tools", "call", "list_domains", "-", "--simulator"]) == exits.INTERRUPTED


def test_a_reader_that_leaves_is_no_crash(tmp_path: Path) -> None:
    script = f"{sys.executable} -m mailgun_mcp tools list --json; echo code $? >&2"
    pipe = subprocess.run(
        ["bash", "-c", f"exec 3> >(exec true); wait $!; ({script}) >&3"],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert pipe.stderr == f"code {exits.FAILED}\n"


def test_the_server_speaks_on_stdio_without_a_command(mailgun_mcp: Command) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
    frame = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
    done = mailgun_mcp(stdin=f"{frame}\n", MAILGUN_MCP_SIMULATOR="1")
    (answer,) = done.stdout.splitlines()
    assert done.returncode == exits.OK
    assert json.loads(answer)["result"]["serverInfo"]["version"] == __version__
