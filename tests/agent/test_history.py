"""The model's history."""

from dataclasses import replace

import pytest
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart

from mailgun_mcp.agent import history
from mailgun_mcp.agent.transcript import Message, ToolCall
from mailgun_mcp.errors import StateError

RESPONSE = history.write_response(ModelResponse(parts=[ToolCallPart("list_domains", "{}", tool_call_id="a")]))
CALL = ToolCall("a", "t", 2, "list_domains", {}, "done", text="x" * 1000, log="log1")
MESSAGES = [Message(1, "t", "user", "hello"), Message(2, "t", "response", RESPONSE)]


def results(calls: list[ToolCall], room: int = 10_000) -> list[str]:
    built = history.build(MESSAGES, calls, shorten=history.Shortener(calls, room))
    return [str(part.content) for part in built[-1].parts if isinstance(part, ToolReturnPart)]


def test_every_call_has_a_result() -> None:
    assert results([CALL]) == [CALL.text]
    assert results([replace(CALL, status="waiting")]) == [history.NOT_READ]


def test_older_results_make_room_and_say_where_they_are() -> None:
    newest = replace(CALL, id="b", text="y" * 900)
    old, new = results([CALL, newest], room=1_500)
    assert new == newest.text
    assert "no longer shown here" in old
    assert "log1" in old
    assert results([replace(CALL, text="short"), newest], room=100)[0] == "short"


def test_a_summary_and_the_instructions_come_first() -> None:
    built = history.build([Message(7, "t", "summary", "They said hello.")], [])
    sent = history.with_instructions(built, "Be kind.")
    assert "Be kind." in str(sent[0].parts)
    assert "They said hello." in str(sent[1].parts)
    assert history.size(sent) > history.size(built) > 0


def test_what_is_not_a_response_is_not_read() -> None:
    text = history.write_response(ModelResponse(parts=[TextPart("hello")]))
    assert history.read_response(text).text == "hello"
    with pytest.raises(StateError):
        history.read_response('[{"kind": "request", "parts": []}]')
