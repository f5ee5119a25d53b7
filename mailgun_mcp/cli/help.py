"""How help looks: the whole command in a line, what it does in lines that fit the terminal, and examples."""

import argparse
from collections.abc import Iterable, Sequence
from textwrap import fill, wrap
from typing import Any

from mailgun_mcp.text.suggest import sentence

EXAMPLES = "examples:\n"


class HelpFormatter(argparse.HelpFormatter):
    """Shows one word for all optional flags in the usage, and leaves the examples unwrapped."""

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        """Add the usage: required flags, then `[FLAGS]` for all others, then the arguments."""
        all_actions, required_groups = list(actions), [group for group in groups if group.required]
        one_of = [action for group in required_groups for action in group._group_actions]
        shown = [action for action in all_actions if not action.option_strings or action.required or action in one_of]
        if any(isinstance(action, argparse._HelpAction) < (action not in shown) for action in all_actions):
            self._prog += " [FLAGS]"
        super().add_usage(usage, shown, required_groups, prefix)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = text.strip().splitlines()
        return "\n".join(
            line if line.startswith(" ") else fill(line, width, initial_indent=indent, break_on_hyphens=False)
            for line in lines
        )

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Any:
        if action.metavar is None and action.choices is not None:
            return lambda size: ("|".join(map(str, action.choices or ())),) * size
        return super()._metavar_formatter(action, default_metavar)


def examples_of(text: str, command: str) -> str | None:
    """Return the epilog of a command's help: its examples (one per line) that start with `command`, or None."""
    chosen = [line for line in text.splitlines() if f"{line.strip()} ".startswith(f"{command} ")]
    return EXAMPLES + "\n".join(chosen) if chosen else None


def sentences(help_text: str) -> str:
    """Return the help text of an action as sentences, to start its help page with."""
    return f"{sentence(help_text)}."


def action_list(helps: Sequence[tuple[str, str]]) -> str:
    """Return the actions of a command and what each does, one per line."""
    width = max(len(name) for name, _ in helps)
    return "\n".join(f"  {name:<{width}}  {help_text}" for name, help_text in helps)
