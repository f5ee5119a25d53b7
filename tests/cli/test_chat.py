"""`mailgun-mcp chat`: the demo, a real terminal, and what is said where it cannot run."""

import sys
from pathlib import Path

import pytest

from mailgun_mcp.cli.chat_demo import MESSAGES
from mailgun_mcp.cli.main import run as main
from tests.support.terminals import Terminal

SCRIPT = """
turns:
- user: clear
  steps:
  - calls: [{tool: clear_bounces, arguments: {domain_name: mail.example.com}}]
  - {when: said no, say: I leave it.}
  - {say: Cleared.}
- user: talk
  steps: [{say: one two three four five six seven eight nine ten}]
"""


def test_the_demo_plays_to_its_end_without_key_account_or_network(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgun_mcp.agent.script.sleep", _at_once)
    assert main(["chat", "--demo"]) == 0
    text = capsys.readouterr().out
    for message in MESSAGES:
        assert message in text
    for outcome in (
        "haven't removed",
        "no longer on the bounce list",
        "back on the bounce list",
        "sent the report to ops@",
    ):
        assert outcome in text
    assert text.count("May the assistant do this?") == 4
    assert "?;" not in text


async def _at_once(_: float) -> None:
    """No pause between words."""


def test_without_a_terminal_it_says_what_there_is_for_programs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["chat", "--simulator", "--state", str(tmp_path), "--model", "openai:x"]) == 2
    assert "needs a terminal" in capsys.readouterr().err


def test_without_its_packages_it_says_how_to_install_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    assert main(["chat", "--demo"]) == 2
    assert "pip install 'mailgun-mcp-server[agent]'" in capsys.readouterr().err


@pytest.mark.slow
def test_in_a_terminal_a_person_types_answers_interrupts_and_leaves(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(f"delay: 0.3\n{SCRIPT}", encoding="utf-8")
    with Terminal("chat", "--simulator", "--state", str(tmp_path / "state"), "--model", f"script:{script}") as terminal:
        terminal.wait_for("/help lists commands")
        terminal.type("talk to me\r")
        terminal.wait_for("two")
        terminal.type("\x03")
        terminal.wait_for("Cancelled.")
        terminal.type("clear\r")
        terminal.wait_for("type mail.example.com to do it")
        terminal.type("mail.example.com\r")
        terminal.wait_for("Cleared.")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.end() == 0
