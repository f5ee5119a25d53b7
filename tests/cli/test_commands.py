"""The names of the commands: each is a module of `cli` that can be run."""

import importlib
import subprocess
import sys

import pytest

from mailgun_mcp.cli.commands import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_module_with_arguments_and_a_run(name: str) -> None:
    module = importlib.import_module(f"mailgun_mcp.cli.{name}")
    assert callable(module.add_arguments)
    assert callable(module.run)


def test_the_names_are_read_without_loading_a_command() -> None:
    script = (
        "import sys; from mailgun_mcp.cli.commands import COMMANDS; "
        "print([name for name in COMMANDS if f'mailgun_mcp.cli.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
