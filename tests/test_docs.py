"""The docs name every setting, command, argument and exit code, and only messages that the program can print."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mailgun_mcp
from docs.generate import render
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.commands import COMMANDS
from mailgun_mcp.cli.parser import Parser, command_parser
from mailgun_mcp.settings import OPTIONS, env_name

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
OURS = ["README.md", "docs/architecture.md", "docs/commands.md", "docs/threat-model.md"]
GUIDES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md", "tools/README.md"]
PROSE = [*GUIDES, *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]


def parsers() -> Iterator[tuple[str, Parser]]:
    """Yield the parser of each command and action, by its name."""
    for command in COMMANDS:
        parser = command_parser(command)
        yield f"mailgun-mcp {command}", parser
        for actions in parser.actions():
            for name, action in actions.choices.items():
                yield f"mailgun-mcp {command} {name}", action


def test_every_setting_is_in_the_readme_with_its_variable() -> None:
    rows = README.splitlines()
    for name, option in OPTIONS.items():
        flag = f"`--{name.replace('_', '-')}`" if option.metadata["flag"] else ""
        assert [row for row in rows if row.startswith(f"| {flag} | `{env_name(name)}` |")], name


def test_every_command_is_in_the_readme() -> None:
    assert [name for name in COMMANDS if f"| `mailgun-mcp {name}` | {COMMANDS[name]} |" not in README] == []


def test_every_command_and_action_is_in_the_reference() -> None:
    headings = [line.lstrip("# ") for line in REFERENCE.splitlines() if line.startswith("##")]
    assert headings == [name for name, _ in parsers()]


def test_every_argument_has_a_help_text() -> None:
    silent = [f"{name} {action.dest}" for name, parser in parsers() for action in parser._actions if not action.help]
    assert [name for name in silent if not name.endswith(" action")] == []


def test_every_exit_code_is_in_the_readme_with_its_meaning() -> None:
    assert [code for code, meaning in exits.MEANINGS.items() if f"| {code} | {meaning} |" not in README] == []


def test_every_message_under_troubleshooting_can_be_printed() -> None:
    texts = "\n".join(
        node.value
        for path in Path(mailgun_mcp.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    messages = re.findall(r"^\| `(.+?)` \|", README.partition("## Troubleshooting")[2], re.MULTILINE)
    assert len(messages) > 10
    # What the program fills in: numbers, and what follows a colon or stands in brackets or for an ellipsis.
    fixed = {message: [part for part in re.split(r"…|\(|\)|\d+|: \"", message) if part.strip()] for message in messages}
    assert [message for message, parts in fixed.items() if not all(part.strip() in texts for part in parts)] == []


@pytest.mark.parametrize("name", OURS)
def test_generated_parts_are_fresh(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert render(text) == text


@pytest.mark.parametrize("name", PROSE)
def test_a_line_holds_one_sentence(name: str) -> None:
    text = re.sub(r"```.*?```|<!-- generated: .*?<!-- end -->", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "    "))]
    assert [line for line in prose if re.search(r"[a-z)`][.?!] [A-Z`*]", line)] == []
