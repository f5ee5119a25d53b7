"""Asking the person at the terminal."""

import io

import pytest

from mailgun_mcp.cli.terminal import Terminal
from mailgun_mcp.confirm.asker import FormAnswer, FormResult
from tests.support.state import asked


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> Keyboard:
    """Have a person at the terminal who types `text`; gives what is shown to them."""
    shown = Keyboard()
    monkeypatch.setattr("sys.stdin", Keyboard(text))
    monkeypatch.setattr("sys.stderr", shown)
    return shown


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "result"),
    [("y\n", "yes"), ("YES\n", "yes"), ("n\n", "declined"), ("\n", "declined"), ("", "cancelled")],
)
async def test_only_a_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, text: str, result: FormResult) -> None:
    shown = typing(monkeypatch, text)
    assert await Terminal().ask(asked(), patience=30) == FormAnswer(result)
    assert shown.getvalue() == f"{asked().text}\nMake this call? [y/N] "


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["y\n", "mail.example\n", "\n"])
async def test_where_a_name_must_be_typed_nothing_else_will_do(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    typing(monkeypatch, text)
    assert await Terminal().ask(asked("typed"), patience=30) != FormAnswer("yes")


@pytest.mark.anyio
async def test_the_name_that_must_be_typed_is_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "mail.example.com\n")
    assert await Terminal().ask(asked("typed"), patience=30) == FormAnswer("yes")


def test_nobody_can_be_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "")
    assert Terminal().can_ask
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert not Terminal().can_ask
