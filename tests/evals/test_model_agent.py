"""A model as the agent: its loop, and its budget. The models here are scripts."""

from collections.abc import Callable

import anyio
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.model_agent import ModelAgent
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
