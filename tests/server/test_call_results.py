"""The result of a call as MCP sends it."""

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.server.call_results import error_result, result_of


def test_a_result_has_text_data_and_pictures() -> None:
    outcome = CallResult('{"a":1}', {"a": 1}, pictures=(("image/png", b"\x89"),))
    assert result_of(outcome) == {
        "resultType": "complete",
        "content": [{"type": "text", "text": '{"a":1}'}, {"type": "image", "data": "iQ==", "mimeType": "image/png"}],
        "isError": False,
        "structuredContent": {"a": 1},
    }


def test_a_call_that_waits_names_its_approval() -> None:
    result = result_of(CallResult("Pending", kind="refused", approval={"id": "k7"}))
    assert (result["isError"], result["_meta"]) == (True, {"mailgun-mcp/approval": {"id": "k7"}})


def test_an_error_is_a_text() -> None:
    assert error_result("no")["content"] == [{"type": "text", "text": "no"}]
    assert error_result("no")["isError"] is True
