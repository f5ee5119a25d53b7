"""What the chat agent adds to its model: the first token, 200 conversations at once on one core, idle memory, and 10,000 of them.

    python -m benchmarks.chat [--rounds N]

A scripted model answers at once, in process. Exit code 1 when a limit is broken.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel

from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import Settings

ANN = Principal("ann@example.com")
FIRST_TOKEN_MS = 15.0
STALL_MS = 250.0
IDLE_KB = 50.0
MANY_MS = 250.0
CONVERSATIONS = 10_000
AT_ONCE = 200
WORDS = 50
PAUSE = 0.02
"""Seconds between two words of the model while many conversations stream."""


async def at_once(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[str]:
    """Answer with one word."""
    yield "Yes."


async def in_words(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[str]:
    """Stream words."""
    for number in range(WORDS):
        yield f"word{number} "
        await asyncio.sleep(PAUSE)


async def first_token(runner: Runner, rounds: int) -> float:
    """Return the median time from a message to its first token, in ms. The model itself takes no time."""
    times = list[float]()
    for number in range(rounds):
        begun = time.perf_counter()
        run = await runner.start(ANN, f"first-{number}", f"message {number}", run="r", client="chat:benchmark")
        seen = [time.perf_counter() async for event in runner.watch(run, ANN) if event.kind == "text"]
        times.append((seen[0] - begun) * 1000)
    return statistics.median(times)


async def stall(runner: Runner) -> tuple[float, float, float, float]:
    """Measure while many conversations stream. Return the longest pause of the event loop in ms: in elapsed time, then
    in CPU time of its thread, which other programs do not lengthen. Then the total elapsed and CPU time in s.
    """
    longest, longest_cpu, done = 0.0, 0.0, False

    async def beat() -> None:
        nonlocal longest, longest_cpu
        while not done:
            before, cpu_before = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before - 0.005)
            longest_cpu = max(longest_cpu, time.thread_time() - cpu_before)

    async def one(number: int) -> None:
        run = await runner.start(ANN, f"many-{number}", "go", run="r", client="chat:benchmark")
        async for _ in runner.watch(run, ANN):
            pass

    beating = asyncio.create_task(beat())
    begun, cpu_begun = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(number) for number in range(AT_ONCE)))
    whole, cpu = time.perf_counter() - begun, time.process_time() - cpu_begun
    done = True
    await beating
    return longest * 1000, longest_cpu * 1000, whole, cpu


async def many(runner: Runner) -> dict[str, tuple[float, float]]:
    """Return how long it takes to list, open and continue a conversation among many, in ms."""
    times: dict[str, float] = {}
    begun = time.perf_counter()
    listed = await runner.conversations(ANN)
    times["list"] = time.perf_counter() - begun
    name = listed[-1].id
    begun = time.perf_counter()
    await runner.get(ANN, name)
    async for _ in runner.events(ANN, name, follow=False):
        pass
    times["open"] = time.perf_counter() - begun
    begun = time.perf_counter()
    run = await runner.start(ANN, name, "go on", run="again", client="chat:benchmark")
    async for event in runner.watch(run, ANN):
        if event.kind == "text":
            break
    times["continue"] = time.perf_counter() - begun
    return {f"{name}, of {CONVERSATIONS:,} conversations, ms": (value * 1000, MANY_MS) for name, value in times.items()}


def fill(services: Services) -> None:
    """Write many conversations, as if they were left from earlier days."""
    now = services.clock()
    with services.store.writing() as connection:
        connection.executemany(
            """INSERT INTO agent_conversations (id, principal, title, created, updated, status, turn, third_party_text,
            lease_by, lease_until, cancelling) VALUES (?, ?, 'old', ?, ?, 'idle', 't', 0, '', 0, 0)""",
            [(f"old-{number}", ANN.id, now - number, now - number) for number in range(CONVERSATIONS)],
        )
        connection.executemany(
            "INSERT INTO agent_messages (conversation, number, turn, kind, body) VALUES (?, 1, 't', 'user', 'hello')",
            [(f"old-{number}",) for number in range(CONVERSATIONS)],
        )
        connection.executemany(
            "INSERT INTO agent_events (conversation, id, turn, at, kind, body) VALUES (?, ?, 't', ?, 'text', ?)",
            [
                (f"old-{number}", event, now, '{"message": "m", "text": "word "}')
                for number in range(CONVERSATIONS)
                for event in range(1, 11)
            ],
        )


async def idle_memory(runner: Runner) -> float:
    """Return how much memory a conversation keeps after it has ended, in KB."""
    tracemalloc.start()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100):
        run = await runner.start(ANN, f"idle-{number}", "hello", run="r", client="chat:benchmark")
        async for _ in runner.watch(run, ANN):
            pass
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return kept / 100 / 1024


async def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Return each figure with its value and limit."""
    with tempfile.TemporaryDirectory(prefix="mailgun-mcp-") as state:
        async with create_services(Settings(simulator=True, state=state)) as services:
            quick, slow = (Runner(services, FunctionModel(stream_function=each)) for each in (at_once, in_words))
            await first_token(quick, 3)
            token = await first_token(quick, rounds)
            standing, standing_cpu, whole, cpu = await stall(slow)
            memory = await idle_memory(quick)
            fill(services)
            figures = await many(quick)
            for runner in (quick, slow):
                await runner.aclose()
    sys.stdout.write(
        f"{AT_ONCE} conversations of {WORDS} words took {whole:.1f} s (the model alone: {WORDS * PAUSE:.1f} s) "
        f"and {cpu:.1f} s of CPU\n"
    )
    return {
        "first token, overhead p50, ms": (token, FIRST_TOKEN_MS),
        f"longest stall with {AT_ONCE} conversations, ms": (standing, STALL_MS),
        "the same, time in which the loop ran, ms": (standing_cpu, STALL_MS),
        "memory of an idle conversation, KB": (memory, IDLE_KB),
        **figures,
    }


def main(arguments: Any = None) -> int:
    """Print the figures. Return 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    figures = asyncio.run(measure(parser.parse_args(arguments).rounds))
    for name, (value, limit) in figures.items():
        sys.stdout.write(f"{name:<48} {value:8.1f}  limit {limit:.0f}\n")
    return int(any(value > limit for value, limit in figures.values()))


if __name__ == "__main__":
    raise SystemExit(main())
