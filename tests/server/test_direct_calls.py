"""Calls that are made without the SDK: what they write themselves, and what they leave to it."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from mcp_types import CONNECTION_CLOSED

from mailgun_mcp.call.results import CallResult, ReturnedFile
from mailgun_mcp.server.call_results import result_of
from mailgun_mcp.server.direct_calls import CLOSED, NOT_JSON, answer_of
from mailgun_mcp.server.plain_calls import as_sent
from mailgun_mcp.text.compact_json import compact
from tests.support.stdio_clients import LEGACY, call, in_session
from tests.support.stdio_sessions import few_tools

pytestmark = pytest.mark.anyio

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    identifier=st.integers() | st.text(max_size=5),
    structured=st.none() | st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    text=st.text(max_size=9),
    modern=st.booleans(),
)
def test_an_answer_is_the_result_as_it_is_sent(
    identifier: int | str, structured: dict[str, Any] | None, text: str, modern: bool
) -> None:
    outcome = CallResult(text, kind="failed") if structured is None else CallResult(compact(structured), structured)
    # A text that could hold a number which JSON does not have is left to the SDK.
    assume(structured is None or not any(word in outcome.text for word in NOT_JSON))
    sent = {"jsonrpc": "2.0", "id": identifier, "result": as_sent(result_of(outcome), modern=modern)}
    assert answer_of(identifier, outcome, modern=modern) == compact(sent).encode() + b"\n"


@pytest.mark.parametrize(
    "outcome",
    [
        CallResult("held", kind="refused", approval={"id": "7"}),
        CallResult("{}", {}, pictures=(("image/png", b"x"),)),
        CallResult("{}", {}, file=ReturnedFile("mailgun-mcp://x", "text/plain", b"x", is_text=True, linked=True)),
        CallResult('{"n":NaN}', {"n": float("nan")}),
        CallResult('{"n":-Infinity}', {"n": float("-inf")}),
        CallResult("\ud83d", kind="failed"),
    ],
    ids=["an approval", "a picture", "a link", "no number", "infinity", "half a character"],
)
def test_what_only_the_models_of_the_sdk_describe_is_left_to_it(outcome: CallResult) -> None:
    assert answer_of(1, outcome, modern=True) is None


def test_the_end_of_a_session_has_the_code_of_the_sdk() -> None:
    assert CLOSED["code"] == CONNECTION_CLOSED


async def test_a_bug_in_a_call_is_an_internal_error_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("what the client may not read")

    monkeypatch.setattr("mailgun_mcp.server.direct_calls.run", fail)
    async with in_session(few_tools(), LEGACY) as client:
        answer = await client.ask(call(LEGACY, "list_domains", {}, 1))
    assert answer["error"] == {"code": -32603, "message": "Internal error"}
