"""`demo`: a session in which every step goes as its title says."""

import re
from pathlib import Path

import mcp.client.stdio  # noqa: F401 - it keeps the stderr of its first import, which must be a file
import pytest

from mailgun_mcp.catalogue.catalogue import is_deprecated
from mailgun_mcp.cli import demo, exits
from mailgun_mcp.cli.main import run
from tests.support.operations import find


def test_every_step_but_the_last_is_narrated_and_goes_as_expected(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "STEPS", demo.STEPS[:-1])
    assert run(["demo"]) == exits.OK
    text = capsys.readouterr().out
    assert re.findall(r"^\d+\. (.+)$", text, re.MULTILINE) == [step.title for step in demo.STEPS]
    assert f"{demo.DOMAIN} is active" in text
    assert re.search(r"events of that message: .*delivered", text)
    assert "did you mean limit?" in text
    assert not {name for name in re.findall(r"calls (\w+)\(", text) if is_deprecated(find(name).tool)}
    assert text.index("and declines") < text.index("the bounces are still there")


def test_the_last_step_deletes_and_undoes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"]) == exits.OK
    assert "4 bounces, with their dates and reasons" in capsys.readouterr().out


def test_a_step_that_fails_ends_the_demo(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def failing(_: object) -> bool:
        return False

    monkeypatch.setattr(demo, "STEPS", (demo._Step("It fails", failing), demo._Step("It goes on", failing)))
    assert run(["demo"]) == exits.FAILED
    text = capsys.readouterr().out
    assert "1. It fails\n   this step did not go as expected\n" in text
    assert "It goes on" not in text


def test_long_values_are_shortened() -> None:
    assert (demo._short("x"), demo._short("x" * 99)) == ("'x'", f"'{'x' * 39}…")
