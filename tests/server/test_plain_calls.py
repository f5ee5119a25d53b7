"""A plain call is answered with the bytes that the SDK sends, and everything else by the SDK itself."""

import json
from itertools import product
from typing import Any

import anyio
import mcp_types as types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from mailgun_mcp.server.context import ServerContext
from mailgun_mcp.server.description import NAME, SERVER_INFO
from mailgun_mcp.server.plain_calls import PlainCalls
from tests.support.stdio_sessions import ENVELOPE, answers_of_the_sdk, few_tools, frame, opened

RESULT: dict[str, Any] = {"resultType": "complete", "content": [{"type": "text", "text": "x"}], "isError": False}
RESULTS: dict[str, Any] = {
    "structured": {**RESULT, "structuredContent": {"items": [{"name": "ü", "n": 1e16, "none": None}], "b": True}},
    "an error": {**RESULT, "isError": True},
    "an approval": {**RESULT, "isError": True, "_meta": {"mailgun-mcp/approval": {"id": "7"}}},
    "a picture": {
        **RESULT,
        "content": [*RESULT["content"], {"type": "image", "data": "aGk=", "mimeType": "image/png"}],
    },
    "a question": types.InputRequiredResult(
        input_requests={
            "a": types.ElicitRequest(
                params=types.ElicitRequestFormParams(message="?", requested_schema={"type": "object", "properties": {}})
            )
        },
        request_state="s",
    ),
    "a fault": MCPError(types.INVALID_PARAMS, "no such tool"),
}
ARGUMENTS: dict[str, Any] = {
    "none": {"name": "a"},
    "some": {"name": "a", "arguments": {"limit": 5}},
    "null": {"name": "a", "arguments": None},
    "a list": {"name": "a", "arguments": []},
    "no name": {"arguments": {}},
    "a number for a name": {"name": 5},
    "another field": {"name": "a", "more": 1},
    "the answer to a question": {"name": "a", "requestState": "s", "inputResponses": {"a": {"action": "cancel"}}},
}
META: dict[str, dict[str, Any]] = {
    "no token": {},
    "a token": {"progressToken": 3},
    "a wrong token": {"progressToken": []},
}


def make_server(result: Any, *, plain: bool) -> tuple[Server[Any], list[types.CallToolRequestParams]]:
    made: list[types.CallToolRequestParams] = []

    async def call_tool(_: ServerContext, params: types.CallToolRequestParams) -> Any:
        made.append(params)
        if isinstance(result, Exception):
            raise result
        return result

    async def list_tools(_: ServerContext, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[])

    calls = PlainCalls(call_tool)
    server: Server[Any] = Server(
        NAME,
        version=SERVER_INFO["version"],
        title=SERVER_INFO["title"],
        description=SERVER_INFO["description"],
        website_url=SERVER_INFO["websiteUrl"],
        on_list_tools=list_tools,
        on_call_tool=calls.handle if plain else call_tool,
    )
    if plain:
        server.middleware.append(calls.answer)
    return server, made


def answered(result: Any, lines: list[bytes], *, plain: bool) -> tuple[list[bytes], list[types.CallToolRequestParams]]:
    server, made = make_server(result, plain=plain)

    async def run() -> list[bytes]:
        return await answers_of_the_sdk(few_tools(), lines, server=server)

    return anyio.run(run), made


def session(version: str, *calls: tuple[dict[str, Any], dict[str, Any]]) -> list[bytes]:
    if version >= "2026":
        return [
            frame("tools/call", {**params, "_meta": {**ENVELOPE, **meta}}, number)
            for number, (params, meta) in enumerate(calls)
        ]
    requests = (
        frame("tools/call", {**params, "_meta": meta} if meta else params, 1 + number)
        for number, (params, meta) in enumerate(calls)
    )
    return [*opened(version), *requests]


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_every_answer_has_the_bytes_of_the_sdk(version: str, result: Any) -> None:
    lines = session(version, *product(ARGUMENTS.values(), META.values()))
    answers, made = answered(result, lines, plain=True)
    assert (answers, made) == answered(result, lines, plain=False)
    assert len(made) >= 4


@pytest.mark.parametrize("params", [ARGUMENTS["some"], ARGUMENTS["null"]])
def test_a_call_before_the_session_is_refused_by_the_sdk(params: dict[str, Any]) -> None:
    lines = [frame("tools/call", params)]
    assert answered(RESULT, lines, plain=True) == answered(RESULT, lines, plain=False)
    assert answered(RESULT, lines, plain=True)[1] == []


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_a_notification_makes_no_call(version: str) -> None:
    [*start, line] = session(version, (ARGUMENTS["some"], {}))
    message = json.loads(line)
    del message["id"]
    lines = [*start, json.dumps(message).encode() + b"\n"]
    assert answered(RESULT, lines, plain=True) == answered(RESULT, lines, plain=False)
    assert answered(RESULT, lines, plain=True)[1] == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["2025-11-25", "2026-07-28"]),
    st.text(max_size=9),
    st.dictionaries(st.text(max_size=5), JSON, max_size=3),
)
@settings(max_examples=15)
def test_any_json_is_written_as_the_sdk_writes_it(version: str, text: str, structured: dict[str, Any]) -> None:
    result = {**RESULT, "content": [{"type": "text", "text": text}], "structuredContent": structured}
    lines = session(version, (ARGUMENTS["some"], {}))
    assert answered(result, lines, plain=True) == answered(result, lines, plain=False)
