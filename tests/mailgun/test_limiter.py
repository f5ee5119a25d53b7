"""The client's own rate limit, in virtual time."""

import heapq
from collections.abc import Awaitable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.mailgun.limiter import RateLimiter

Times = st.lists(st.floats(0, 100, allow_nan=False), max_size=40)


@dataclass
class Pause:
    """What a coroutine waits for in virtual time."""

    seconds: float

    def __await__(self) -> Generator[float, None, None]:
        yield self.seconds


@dataclass
class World:
    """Runs coroutines by a clock that only moves when all of them wait."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> Awaitable[None]:
        self.waits.append(seconds)
        return Pause(seconds)

    def run(self, limiter: RateLimiter, arrivals: list[float]) -> list[float]:
        """Let one call arrive at each moment; return when each was let through, in order."""
        waiting: list[tuple[float, int, Coroutine[Any, Any, None]]] = []
        for number, moment in enumerate(arrivals):
            heapq.heappush(waiting, (moment, number, limiter.acquire()))
        passed = []
        while waiting:
            moment, number, call = heapq.heappop(waiting)
            self.now = max(self.now, moment)
            try:
                heapq.heappush(waiting, (self.now + call.send(None), number, call))
            except StopIteration:
                passed.append(self.now)
        return passed


def limited(calls: int, seconds: float) -> tuple[World, RateLimiter]:
    world = World()
    return world, RateLimiter(calls, seconds, world.clock, world.sleep)


def test_the_501st_call_waits_until_the_first_is_ten_seconds_old() -> None:
    world, limiter = limited(500, 10.0)

    passed = world.run(limiter, [0.0] * 501)

    assert passed == [0.0] * 500 + [10.0]
    assert world.waits == [10.0]


def test_calls_that_are_far_enough_apart_do_not_wait() -> None:
    world, limiter = limited(2, 10.0)

    assert world.run(limiter, [0.0, 5.0, 10.0, 15.0, 20.0]) == [0.0, 5.0, 10.0, 15.0, 20.0]
    assert world.waits == []


def test_a_limit_of_nothing_is_no_limit() -> None:
    world, limiter = limited(0, 10.0)

    assert world.run(limiter, [0.0] * 1000) == [0.0] * 1000
    assert world.waits == []


def test_a_call_that_gives_up_waiting_takes_no_place() -> None:
    world, limiter = limited(1, 10.0)
    world.run(limiter, [0.0])
    given_up = limiter.acquire()
    given_up.send(None)
    given_up.close()

    assert world.run(limiter, [10.0]) == [10.0]


@given(calls=st.integers(1, 6), seconds=st.floats(0.1, 20), arrivals=Times)
def test_no_window_ever_holds_more_calls_than_the_limit(calls: int, seconds: float, arrivals: list[float]) -> None:
    world, limiter = limited(calls, seconds)

    passed = world.run(limiter, arrivals)

    assert len(passed) == len(arrivals)
    too_early = [(old, new) for old, new in zip(passed, passed[calls:], strict=False) if new < old + seconds]
    assert too_early == []


@pytest.mark.parametrize("start", [0.1, 1 / 3, 5.3, 1e9 + 0.7], ids=str)
def test_rounding_lets_no_burst_through(start: float) -> None:
    """When the first call is exactly one window old, one call takes its place, and only one."""
    world, limiter = limited(1, 10.0)
    world.now = start

    assert world.run(limiter, [start] * 4) == pytest.approx([start, start + 10, start + 20, start + 30])
