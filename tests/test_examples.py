"""The examples for agent frameworks, each with a scripted model that calls a tool and answers with its result.

The frameworks are not dependencies: what is not installed is skipped.
"""

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
QUESTION, USER = "Which domains do we have?", "ann@example.com"
TOOL, ARGUMENTS = "list_domains", {"limit": 1}


@pytest.fixture(autouse=True)
def simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUN_MCP_SIMULATOR", "true")
    monkeypatch.setenv("MAILGUN_MCP_STATE", str(tmp_path))


def is_answered(answer: str) -> bool:
    """Say whether the answer repeats what the tool returned."""
    return '"items":[{' in answer and "example." in answer


async def test_an_agent_of_pydantic_ai_calls_the_tools() -> None:
    pytest.importorskip("pydantic_ai")
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    from docs.examples.pydantic_ai_agent import answer

    def respond(messages: list[Any], info: AgentInfo) -> ModelResponse:
        assert TOOL in {tool.name for tool in info.function_tools}
        last = messages[-1].parts[-1]
        if isinstance(last, ToolReturnPart):
            return ModelResponse(parts=[TextPart(str(last.content))])
        return ModelResponse(parts=[ToolCallPart(TOOL, ARGUMENTS)])

    assert is_answered(await answer(QUESTION, USER, FunctionModel(respond)))


async def test_an_agent_of_the_openai_agents_sdk_calls_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("agents")
    import json

    from agents import Model, ModelResponse, Usage, set_tracing_disabled
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    from docs.examples.openai_agents_agent import answer

    class Scripted(Model):
        async def get_response(self, **options: Any) -> ModelResponse:
            assert TOOL in {tool.name for tool in options["tools"]}
            outputs = [item["output"] for item in options["input"] if isinstance(item, dict) and "output" in item]
            call = ResponseFunctionToolCall(
                call_id="1", name=TOOL, arguments=json.dumps(ARGUMENTS), type="function_call"
            )
            text = ResponseOutputText(text=str(outputs[-1]) if outputs else "", type="output_text", annotations=[])
            said = ResponseOutputMessage(id="1", content=[text], role="assistant", status="completed", type="message")
            return ModelResponse(output=[said] if outputs else [call], usage=Usage(), response_id=None)

        def stream_response(self, *args: Any, **options: Any) -> Any:
            raise NotImplementedError

    set_tracing_disabled(True)
    assert is_answered(await answer(QUESTION, USER, Scripted()))


async def test_an_agent_of_langchain_calls_the_tools() -> None:
    pytest.importorskip("langchain.agents")
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    from docs.examples.langchain_agent import answer

    class Scripted(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Any, **_: Any) -> Any:
            from langchain_core.utils.function_calling import convert_to_openai_tool

            assert TOOL in {convert_to_openai_tool(tool)["function"]["name"] for tool in tools}
            return self

        def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
            last = messages[-1]
            call = AIMessage("", tool_calls=[{"name": TOOL, "args": ARGUMENTS, "id": "1"}])
            said = AIMessage(last.content) if isinstance(last, ToolMessage) else call
            return ChatResult(generations=[ChatGeneration(message=said)])

    assert is_answered(await answer(QUESTION, USER, Scripted()))


def test_an_agent_of_smolagents_calls_the_tools() -> None:
    pytest.importorskip("smolagents")
    from smolagents import ChatMessage, MessageRole, Model
    from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction

    from docs.examples.smolagents_agent import answer

    class Scripted(Model):
        def generate(self, messages: Any, *_: Any, tools_to_call_from: Any = None, **__: Any) -> ChatMessage:
            assert TOOL in {tool.name for tool in tools_to_call_from}
            observed = [message.content[0]["text"] for message in messages if message.role == MessageRole.TOOL_RESPONSE]
            name, arguments = ("final_answer", {"answer": observed[-1]}) if observed else (TOOL, ARGUMENTS)
            call = ChatMessageToolCallFunction(name=name, arguments=arguments)
            return ChatMessage(
                role=MessageRole.ASSISTANT, content="", tool_calls=[ChatMessageToolCall(call, "1", "function")]
            )

    assert is_answered(answer(QUESTION, USER, Scripted()))
