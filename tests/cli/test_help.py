"""Help: every command and action says what it does, shows how, and fits the terminal."""

import argparse
import shlex
from collections.abc import Iterator

import pytest

from mailgun_mcp.cli.commands import COMMANDS
from mailgun_mcp.cli.help import HelpFormatter, action_list, examples_of, sentences
from mailgun_mcp.cli.parser import Parser, command_parser, parse


def pages() -> Iterator[tuple[str, Parser]]:
    """Yield every page of help: of each command, and of each of its actions."""
    for command in COMMANDS:
        parser = command_parser(command)
        yield command, parser
        for actions in parser.actions():
            yield from ((f"{command} {name}", page) for name, page in actions.choices.items())


def test_no_line_of_help_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    wide = {
        name: line
        for name, page in pages()
        for line in page.format_help().splitlines()
        if len(line) > 80 and not line.startswith("  mailgun-mcp ")
    }
    assert wide == {}


def test_every_page_says_what_it_is_for() -> None:
    assert [name for name, page in pages() if not page.description] == []


def test_every_page_has_an_example() -> None:
    assert [name for name, page in pages() if "\nexamples:\n  mailgun-mcp " not in page.format_help()] == []


def test_placeholders_are_capitals_or_the_words_to_choose_from() -> None:
    def is_right(action: argparse.Action) -> bool:
        choices = action.choices or ()
        words = (action.metavar or "|".join(map(str, choices))) if action.nargs != 0 else "-"
        return isinstance(words, str) and (words.upper() == words or "|" in words or words in choices)

    wrong = [(name, action.dest) for name, page in pages() for action in page._actions if not is_right(action)]
    assert wrong == []


def test_every_example_is_a_command_that_the_parser_takes() -> None:
    for _, page in pages():
        for line in (page.epilog or "").splitlines()[1:]:
            program, *words = shlex.split(line)
            assert program == "mailgun-mcp"
            parse(words)


def test_no_flag_of_a_server_is_offered_where_nobody_connects() -> None:
    helps = dict(pages())
    for_clients = {"--port", "--host", "--transport", "--without-token", "--slack", "--require-user-interaction"}
    for name in ("tools call", "undo apply", "doctor", "whoami", "chat"):
        assert not for_clients & set(helps[name].flags()), name


def test_the_usage_names_required_flags_and_shortens_the_others() -> None:
    parser = Parser(prog="run")
    parser.add_argument("--log", metavar="FILE", required=True)
    assert parser.format_usage() == "usage: run --log FILE\n"
    parser.add_argument("--kind", choices=("a", "b"))
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--one", action="store_true")
    which.add_argument("--two", action="store_true")
    parser.add_argument("name")
    assert parser.format_usage() == "usage: run [FLAGS] --log FILE (--one | --two) NAME\n"
    assert "  --kind a|b\n" in parser.format_help()


def test_paragraphs_are_wrapped_without_breaking_names_and_examples_stay() -> None:
    text = "A sentence about mailgun-mcp.\n\n  an example that is longer than the line"
    parser = argparse.ArgumentParser(
        prog="run", description=text, formatter_class=lambda prog: HelpFormatter(prog, width=28)
    )
    assert "A sentence about\nmailgun-mcp.\n\n  an example that is longer than the line\n" in parser.format_help()


def test_the_examples_of_an_action_are_those_that_begin_with_it() -> None:
    text = "  run list\n  run list --all\n  run listen"
    assert examples_of(text, "run list") == "examples:\n  run list\n  run list --all"
    assert examples_of(text, "run stop") is None


def test_actions_are_listed_with_what_they_do() -> None:
    assert action_list([("list", "list all"), ("go", "run it")]) == "  list  list all\n  go    run it"
    assert sentences("list all") == "List all."


@pytest.mark.parametrize("command", ["tools", "audit", "policy"])
def test_a_command_without_an_action_lists_them(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([command])
    said = capsys.readouterr().err
    names = [name.split()[1] for name, _ in pages() if name.startswith(f"{command} ")]
    assert all(f"\n  {name} " in said for name in names)
    assert said.endswith(f"For help: mailgun-mcp help {command}\n")
