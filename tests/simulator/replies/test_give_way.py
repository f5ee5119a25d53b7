"""A long search lets others run after its slice of time, and not before."""

import pytest

from mailgun_mcp.simulator.replies import give_way
from mailgun_mcp.simulator.replies.give_way import SLICE, Turn, in_turns


@pytest.mark.anyio
async def test_others_run_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    moments, others = iter([0.0, SLICE / 2, SLICE, SLICE, SLICE * 1.5]), []

    async def checkpoint() -> None:
        others.append("ran")

    monkeypatch.setattr(give_way, "perf_counter", lambda: next(moments))
    monkeypatch.setattr(give_way, "checkpoint", checkpoint)
    turn = Turn()
    await turn.give_way()
    assert others == []
    await turn.give_way()
    await turn.give_way()
    assert others == ["ran"]


@pytest.mark.anyio
async def test_items_are_listed_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[object] = []

    async def checkpoint() -> None:
        events.append("others")

    monkeypatch.setattr(give_way, "SLICE", 0.0)
    monkeypatch.setattr(give_way, "checkpoint", checkpoint)
    assert await in_turns(events.append(each) or each for each in (1, 2)) == [1, 2]  # type: ignore[func-returns-value]
    assert events == [1, "others", 2, "others"]
