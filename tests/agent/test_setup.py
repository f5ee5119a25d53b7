"""What an operator sets about the agent."""

from pathlib import Path

import pytest

from mailgun_mcp.agent.options import INSTRUCTIONS
from mailgun_mcp.agent.setup import create_runner, options_of
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import Settings
from tests.support.apps import services_at


def test_own_instructions_follow_those_of_the_agent(tmp_path: Path) -> None:
    file = tmp_path / "rules.md"
    file.write_text("Answer in French.\n", encoding="utf-8")
    assert options_of(Settings(instructions=str(file))).instructions == f"{INSTRUCTIONS}\n\nAnswer in French."
    with pytest.raises(SettingsError, match="cannot read"):
        options_of(Settings(instructions=str(tmp_path / "none")))


def test_limits_of_money_and_of_the_context_are_the_operators() -> None:
    options = options_of(Settings(chat_cost=2.5, chat_cost_per_day=7.0, context_tokens=32_000))
    assert (options.limits.conversation.cost, options.limits.principal_per_day.cost) == (2.5, 7.0)
    assert options.context_tokens == 32_000
    assert options.limits.conversation.requests == 500


def test_models_are_opened_by_their_names(tmp_path: Path) -> None:
    script = tmp_path / "s.yaml"
    script.write_text("turns: []\n", encoding="utf-8")
    runner = create_runner(
        services_at("http://127.0.0.1:9"), Settings(model=f"script:{script}", summary_model=f"script:{script}")
    )
    assert runner._summary_model is not runner._model
