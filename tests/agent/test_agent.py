"""The agent inside of somebody's program."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.agent import Agent
from mailgun_mcp.errors import SettingsError
from tests.support.chats import CLEAR, DOMAIN, kinds, last, model, said

pytestmark = pytest.mark.anyio
EXAMPLE = """
turns:
- steps:
  - say: Some addresses do not exist.
    calls: [{tool: clear_bounces, arguments: {domain_name: mail.example.com}}]
"""


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


async def test_the_example_of_the_docs_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "agent.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    script = tmp_path / "script.yaml"
    script.write_text(EXAMPLE, encoding="utf-8")
    code = code.replace("anthropic:claude-sonnet-5-5", f"script:{script}").replace(
        "simulator=True", f"simulator=True, state={str(tmp_path)!r}"
    )
    body = "\n".join(f"    {line}" for line in code.splitlines())
    namespace: dict[str, Any] = {}
    exec(f"async def example():\n{body}", namespace)
    await namespace["example"]()
    written = capsys.readouterr().out
    assert "Some addresses do not exist." in written
    assert "Clear all bounces" in written
