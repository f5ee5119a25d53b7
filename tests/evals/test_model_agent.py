"""A model as the agent: its loop, its budget, and models that cannot be opened. The models here are scripts."""

from collections.abc import Callable

import anyio
import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.model_agent import ModelAgent, open_model
from mailgun_mcp.evals.runner import run_task
from tests.support.evals import DROP, drop_one

Script = Callable[[list[ModelMessage], AgentInfo], ModelResponse]


def judged(script: Script, **changes: object) -> Verdict:
    return anyio.run(run_task, drop_one(**changes), ModelAgent(FunctionModel(script)))


def drops(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if len(messages) == 1:
        assert "delete_bounce" in {tool.name for tool in info.function_tools}
        return ModelResponse([ToolCallPart("delete_bounce", DROP)])
    return ModelResponse([TextPart("**drop@reader.example** is removed.")])


def loops(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return ModelResponse([ToolCallPart("list_bounces", {"domain": DROP["domain"], "limit": len(messages)})])


def test_a_model_that_does_the_task_succeeds() -> None:
    verdict = judged(drops, budget=drop_one().budget.model_copy(update={"tokens": 500_000}))
    assert verdict.success, verdict.faults
    assert verdict.tokens > 0


def test_a_model_that_goes_in_circles_is_stopped_by_the_budget() -> None:
    verdict = judged(loops, budget=drop_one().budget.model_copy(update={"tokens": 500_000}))
    assert verdict.faults[0].startswith("over budget: ")
    assert len(verdict.calls) <= 3


def test_tokens_are_limited_too() -> None:
    verdict = judged(loops, budget=drop_one().budget.model_copy(update={"tokens": 10}))
    assert any("over budget" in fault for fault in verdict.faults)


def test_a_provider_that_fails_is_a_failed_run() -> None:
    def fails(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        raise ModelHTTPError(529, "script", "overloaded")

    verdict = judged(fails)
    assert verdict.faults[0].startswith("the model failed: ")
    assert verdict.first_wrong_step.startswith("no call was made: the model failed: ")


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing-like-it", "--model nothing-like-it: "), ("nobody:model", "--model nobody:model: ")],
)
def test_a_model_that_is_unknown_says_so(name: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        open_model(name)


def test_a_missing_key_and_a_missing_library_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        open_model("openai:gpt-5")
    monkeypatch.setitem(__import__("sys").modules, "anthropic", None)
    monkeypatch.setitem(__import__("sys").modules, "pydantic_ai.models.anthropic", None)
    monkeypatch.setitem(__import__("sys").modules, "pydantic_ai.providers.anthropic", None)
    with pytest.raises(SettingsError, match=r"install `mailgun-mcp-server\[agent-anthropic\]`"):
        open_model("anthropic:claude-sonnet-4-5")
    monkeypatch.setitem(__import__("sys").modules, "pydantic_ai.models", None)
    with pytest.raises(SettingsError, match="needs pydantic-ai"):
        open_model("anthropic:claude-sonnet-4-5")


def test_a_model_that_is_known_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert open_model("openai:gpt-5").model_name == "gpt-5"
