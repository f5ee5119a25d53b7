"""A long answer is the same as a short one, and lets others run while it is encoded."""

import pytest

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.replies import give_way
from mailgun_mcp.simulator.replies.large_reply import large_reply
from mailgun_mcp.simulator.replies.reply import Reply


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"items": []},
        {'na"me': "ü", "items": [{"a": [1, None, "}"]}, {}], "none": None, "inner": {"items": [1.5]}},
    ],
)
async def test_the_answer_is_that_of_a_short_reply(answer: Record) -> None:
    reply, short = await large_reply(answer), Reply(answer)
    assert (reply.body, reply.raw_headers) == (short.body, short.raw_headers)


@pytest.mark.anyio
async def test_others_run_between_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = []

    async def checkpoint() -> None:
        turns.append(1)

    monkeypatch.setattr(give_way, "SLICE", 0.0)
    monkeypatch.setattr(give_way, "checkpoint", checkpoint)
    await large_reply({"items": [{"a": 1}] * 3})
    assert len(turns) == 3
