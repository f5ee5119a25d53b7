"""Responses with OpenAI's own package: streaming, items of calls, approvals, continuation, cancelling."""

import asyncio

import pytest
from openai import APIStatusError, AsyncOpenAI

from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.usage import Limits, Usage
from tests.support.chat_ways import WHO, Pause, client_of
from tests.support.chats import ANN, BEN, CLEAR, DOMAIN, LIST, Chat

pytestmark = pytest.mark.anyio


def openai_of(http: object) -> AsyncOpenAI:
    return AsyncOpenAI(base_url="http://localhost/v1", api_key="token", http_client=http, max_retries=0)  # type: ignore[arg-type] # its types name httpx2


async def test_a_call_is_an_item_and_the_text_streams() -> None:
    async with Chat(["Let me look.", LIST], ["Two ", "bounce."]) as chat, client_of(chat.runner) as http:
        stream = await openai_of(http).responses.create(model="mailgun-agent", input="What bounces?", stream=True)
        events = [event async for event in stream]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert deltas == ["Let me look.", "Two ", "bounce."]
        last = events[-1]
        assert last.type == "response.completed"
        assert last.response.usage is not None
        assert 0 < last.response.usage.output_tokens < last.response.usage.input_tokens
        assert [item.type for item in last.response.output] == ["message", "mcp_call", "message"]
        call = last.response.output[1]
        assert call.type == "mcp_call"
        assert (call.name, call.error, "items" in (call.output or "")) == ("list_bounces", None, True)


async def test_an_approval_is_an_item_and_so_is_the_answer() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat, client_of(chat.runner) as http:
        client = openai_of(http)
        asked = await client.responses.create(model="mailgun-agent", input="Clear the bounces.")
        request = asked.output[-1]
        assert request.type == "mcp_approval_request"
        assert (request.name, DOMAIN in request.arguments, DOMAIN in asked.output_text) == ("clear_bounces", True, True)
        answer = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": True, "reason": DOMAIN}
        done = await client.responses.create(
            model="mailgun-agent",
            input=[answer],  # type: ignore[list-item] # a plain dict
            previous_response_id=asked.id,
        )
        assert done.output_text == "Cleared."
        assert [item.type for item in done.output] == ["mcp_call", "message"]
        assert await chat.bounces() == 0


async def test_how_a_run_ends_is_the_status() -> None:
    async with Chat([ConnectionError("x")]) as chat, client_of(chat.runner) as http:
        failed = await openai_of(http).responses.create(model="mailgun-agent", input="hello")
        assert failed.status == "failed"
        assert failed.error is not None
        assert "did not answer" in failed.error.message
    limits = Limits(conversation=Usage(requests=1))
    async with Chat(["One."], options=AgentOptions(limits=limits)) as chat, client_of(chat.runner) as http:
        client = openai_of(http)
        first = await client.responses.create(model="mailgun-agent", input="hello")
        stopped = await client.responses.create(model="mailgun-agent", input="again", previous_response_id=first.id)
        assert stopped.status == "incomplete"
        assert stopped.output_text


async def test_a_run_is_cancelled() -> None:
    pause = Pause()
    async with Chat(pause) as chat, client_of(chat.runner) as http:
        client = openai_of(http)
        waiting = asyncio.create_task(client.responses.create(model="mailgun-agent", input="hello"))
        await pause.reached.wait()
        (found,) = await chat.runner.conversations(ANN)
        cancelled = await client.responses.cancel(f"resp_{found.id}.x")
        assert cancelled.status == "cancelled"
        assert (await waiting).status == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": []},
        {"input": "hello", "previous_response_id": "x"},
        {"input": "hello", "previous_response_id": 1},
        {"input": [{"role": "assistant", "content": "x"}]},
        {"input": [{"type": "mcp_approval_response", "approval_request_id": 1, "approve": True}]},
        {"input": [{"type": "mcp_approval_response", "approval_request_id": "k", "approve": "yes"}]},
    ],
)
async def test_a_request_of_another_form_is_refused(body: object) -> None:
    async with Chat() as chat, client_of(chat.runner) as http:
        assert (await http.post("/v1/responses", json=body)).status_code == 400


async def test_another_conversation_is_not_there() -> None:
    async with Chat() as chat, client_of(chat.runner) as http:
        answer = {"type": "mcp_approval_response", "approval_request_id": "k", "approve": True}
        with pytest.raises(APIStatusError) as error:
            await openai_of(http).responses.create(
                model="m",
                input=[answer],  # type: ignore[list-item] # a plain dict
                previous_response_id="resp_conv_1.2",
            )
        assert error.value.status_code == 404


async def test_a_previous_response_that_nobody_gave_begins_nothing() -> None:
    async with Chat(["Hello."]) as chat, client_of(chat.runner) as client:
        body = {"input": "hi", "previous_response_id": "resp_nowhere.1"}
        answer = await client.post("/v1/responses", json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "NotFound")
        assert await chat.runner.conversations(ANN) == ()


async def test_the_same_idempotency_key_is_the_same_run() -> None:
    async with Chat([CLEAR], ["Cleared."], ["Once more."]) as chat, client_of(chat.runner) as http:
        client = openai_of(http)
        answers = [
            await client.responses.create(
                model="mailgun-agent", input="Clear.", extra_headers={"Idempotency-Key": "tuesday, 1"}
            )
            for _ in range(2)
        ]
        first, again = answers
        assert (first.id, first.output[-1].id) == (again.id, again.output[-1].id)
        assert again.usage is not None
        assert again.usage.total_tokens >= 0
        other = {"Idempotency-Key": "tuesday, 1", WHO: BEN.id}
        bens = await client.responses.create(model="mailgun-agent", input="Clear.", extra_headers=other)
        assert (bens.id != first.id, bens.output_text) == (True, "Cleared.")
