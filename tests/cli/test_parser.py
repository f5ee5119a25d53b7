"""The parser: flags anywhere, words of the previous release, and suggestions."""

import argparse
from pathlib import Path

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.commands import COMMANDS
from mailgun_mcp.cli.parser import Parser, add_settings, command_parser, open_store, parse, settings_given


@pytest.mark.parametrize("words", [["--size", "3", "x", "y"], ["x", "--size", "3", "y"], ["x", "y", "--size=3"]])
def test_a_flag_keeps_its_value_wherever_it_stands(words: list[str]) -> None:
    parser = Parser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--size", type=int)
    assert vars(parser.parse_args(words)) == {"names": ["x", "y"], "size": 3}


def test_flags_and_actions_of_the_previous_release_are_accepted() -> None:
    _, arguments = parse(["audit", "list", "--caller=alice"])
    assert arguments.principal == "alice"


def test_only_the_named_settings_are_added() -> None:
    parser = Parser()
    add_settings(parser, only=["state"])
    assert set(parser.flags()) == {"--state", "--config"}


def test_settings_that_are_not_given_are_left_out() -> None:
    given = argparse.Namespace(toolsets=["domains", "events"], read_only=None, config="x.toml", name="other")
    assert settings_given(given) == {"toolsets": "domains,events", "config": "x.toml"}


def test_a_store_is_opened_without_creating_anything(home: Path) -> None:
    open_store(argparse.Namespace(state=str(home / "state"))).close()
    assert not (home / "state").exists()


def test_an_unknown_flag_before_an_optional_action_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(["simulator", "--prt", "state"])
    assert (stopped.value.code, "did you mean '--port'?" in capsys.readouterr().err) == (exits.USAGE, True)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_parser_with_a_description(name: str) -> None:
    parser = command_parser(name)
    assert (parser.prog, bool(parser.description)) == (f"mailgun-mcp {name}", True)


@pytest.mark.parametrize(
    "words",
    [
        ["--simulator", "tools", "call", "list_domains"],
        ["--policy", "strict", "--simulator", "tools", "call", "list_domains"],
        ["--policy=tools", "--simulator", "tools", "call", "list_domains"],
    ],
)
def test_flags_may_stand_before_the_command(words: list[str]) -> None:
    _, arguments = parse(words)
    assert (arguments.name, arguments.simulator) == ("list_domains", True)


@pytest.mark.parametrize(
    "words",
    [
        ["audit", "--state", "st", "list", "--json"],
        ["audit", "--json", "--state=st", "list"],
        ["--state", "st", "audit", "--json", "list"],
        ["audit", "list", "--json", "--state", "st"],
    ],
)
def test_flags_may_stand_before_the_action(words: list[str]) -> None:
    _, arguments = parse(words)
    assert (arguments.action, arguments.state, arguments.json) == ("list", "st", True)


def test_a_flag_before_the_action_keeps_a_value_that_is_an_actions_name() -> None:
    _, arguments = parse(["audit", "--state", "list", "show", "--", "abc"])
    assert (arguments.action, arguments.state, arguments.id) == ("show", "list", "abc")


def test_flags_of_the_previous_release_may_stand_before_the_action() -> None:
    _, arguments = parse(["audit", "--caller", "alice", "list"])
    assert arguments.principal == "alice"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["audit", "--stat", "st", "list"], "unknown flag '--stat': did you mean '--state'?"),
        (["audit", "--state", "st", "lst"], "unknown action 'lst': did you mean 'list'?"),
        (["audit", "--state", "st"], "it needs an action:"),
        (["audit", "--state"], "it needs an action:"),
    ],
)
def test_a_fault_before_the_action_is_named(words: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(words)
    assert (stopped.value.code, fault in capsys.readouterr().err) == (exits.USAGE, True)


def test_flags_alone_start_the_server_whatever_their_values_are(capsys: pytest.CaptureFixture[str]) -> None:
    command, arguments = parse(["--state", "tools", "--simulator"])
    assert (command.__module__, arguments.state) == ("mailgun_mcp.cli.serve", "tools")
    with pytest.raises(SystemExit):
        parse(["--simulator", "nonsense", "tools"])
    assert "unexpected argument 'nonsense'" in capsys.readouterr().err


def test_help_may_stand_after_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["tools", "help"], ["tools", "help", "call"]):
        with pytest.raises(SystemExit) as end:
            parse(words)
        assert end.value.code == exits.OK
    assert "usage: mailgun-mcp tools call" in capsys.readouterr().out
