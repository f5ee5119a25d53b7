"""The agent inside of somebody's program."""

from pathlib import Path

import pytest

from mailgun_mcp.agent import Agent
from mailgun_mcp.errors import SettingsError
from tests.support.chats import CLEAR, DOMAIN, kinds, last, model, said

pytestmark = pytest.mark.anyio


async def test_a_program_asks_and_passes_a_persons_answer_on(tmp_path: Path) -> None:
    async with Agent(model=model([CLEAR], ["Cleared."]), simulator=True, state=str(tmp_path)) as agent:
        events = [event async for event in agent.ask("clear", conversation="c", principal="ann@example.com")]
        asked = last(events, "approval_needed")
        answer = agent.answer(asked["approval"], yes=True, typed=DOMAIN, conversation="c", principal="ann@example.com")
        after = [event async for event in answer]
        assert said(after) == "Cleared."
        assert last(after, "approval_answered")["by"] == "ann@example.com"


async def test_without_a_principal_it_is_the_user_of_the_process(tmp_path: Path) -> None:
    async with Agent(model=model(["Hello."]), simulator=True, state=str(tmp_path)) as agent:
        events = [event async for event in agent.ask("hello", conversation="c", run="r")]
        assert kinds(events) == ["user_message", "text", "ended"]


def test_settings_are_those_of_the_server(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'toolset'"):
        Agent(model="script:x", toolset="bounces")
    with pytest.raises(SettingsError, match="say which model"):
        Agent(simulator=True, state=str(tmp_path))
