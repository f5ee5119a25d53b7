"""What goes wrong in a command becomes an exit code and a line on stderr."""

from collections.abc import Callable
from typing import Any

import pytest

from mailgun_mcp.cli import exits, parser, serve
from mailgun_mcp.cli.main import run
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.settings import SettingsError


def raising(error: BaseException) -> Callable[[Any], int]:
    def command(_: Any) -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(SettingsError("bad setting"), exits.USAGE, id="settings"),
        pytest.param(UnknownNameError("no such id"), exits.USAGE, id="unknown-name"),
        pytest.param(StateError("state is broken"), exits.FAILED, id="state"),
    ],
)
def test_an_expected_error_is_one_line_without_a_traceback(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser, "parse", lambda _: (raising(error), None))
    assert run(["any"]) == code
    assert tuple(capsys.readouterr()) == ("", f"mailgun-mcp: error: {error}\n")


def test_an_interrupt_is_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(parser, "parse", lambda _: (raising(KeyboardInterrupt()), None))
    assert run(["any"]) == exits.INTERRUPTED
    assert tuple(capsys.readouterr()) == ("", "")


def test_without_words_the_server_starts_without_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []

    def serving(flags: Any) -> int:
        served.append(flags)
        return exits.OK

    monkeypatch.setattr(serve, "serve", serving)
    assert (run([]), served) == (exits.OK, [{}])
