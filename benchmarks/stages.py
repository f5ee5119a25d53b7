"""Where the time of a call goes: the stages of a read on stdio, in microseconds.

    python -m benchmarks.stages [--calls N] [--json]

The server runs in this process, and gets its frames from memory, one at a time. Each stage is timed at its caller,
without the stages inside it. A stage's figure is the lower quartile, because longer times include other load on the
machine. Times are CPU time of the event loop's thread, so they do not include waiting for the disk and the upstream.
"""

import argparse
import asyncio
import inspect
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.speed import LEGACY, _call_frame, _check, _frame, _running
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.audit.recorder import Recorder
from mailgun_mcp.call import current_call, pipeline, prepare
from mailgun_mcp.call.services import Services
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.server import direct_calls, stdio_session
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.settings import Settings

SESSION = "the session: reading, dispatch, writing"
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("parse", stdio_session, "parsed"),
    ("find", pipeline, "find_operation"),
    ("coerce", pipeline, "as_meant"),
    ("validate", prepare, "validate"),
    ("build", prepare, "build"),
    ("facts", pipeline, "gather_facts"),
    ("decide", pipeline, "decide"),
    ("authorize", pipeline, "authorize"),
    ("record", current_call, "new_record"),
    ("record", Recorder, "begin"),
    ("record", Recorder, "finish"),
    ("send", Client, "send"),
    ("shape", pipeline, "shape"),
    ("shorten", pipeline, "shorten"),
    ("redact", pipeline, "protect"),
    ("frame", direct_calls, "answer_of"),
)
"""Stage, and where its function is called: module and name."""
OTHER = "the pipeline between the stages"


class Stopwatch:
    """Attributes time to the innermost stage. Only one call runs at a time, so stages nest."""

    def __init__(self) -> None:
        self._stages = [SESSION]
        self._since = time.thread_time()
        self.spent: defaultdict[str, float] = defaultdict(float)

    def enter(self, stage: str) -> None:
        """Begin a stage inside the current one."""
        self._count()
        self._stages.append(stage)

    def leave(self) -> None:
        """End the current stage."""
        self._count()
        self._stages.pop()

    def _count(self) -> None:
        now = time.thread_time()
        self.spent[self._stages[-1]] += now - self._since
        self._since = now

    def reset(self) -> dict[str, float]:
        """Return what each stage has taken since the last reset, in microseconds."""
        self._count()
        spent, self.spent = self.spent, defaultdict(float)
        return {stage: seconds * 1e6 for stage, seconds in spent.items()}

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function wrapped so that its time counts for the stage."""

        async def wait(*args: Any, **kwargs: Any) -> Any:
            self.enter(stage)
            try:
                return await function(*args, **kwargs)
            finally:
                self.leave()

        def work(*args: Any, **kwargs: Any) -> Any:
            self.enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave()

        return wait if inspect.iscoroutinefunction(function) else work


class MemoryClient:
    """A client in memory. It sends a frame, and waits for the answer."""

    is_terminal = False

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def read_line(self) -> bytes:
        """Return the next frame."""
        return await self._frames.get()

    async def write(self, data: bytes) -> None:
        """Receive an answer."""
        self._answers.put_nowait(data)

    def send(self, frame: bytes) -> None:
        """Send a frame that has no answer."""
        self._frames.put_nowait(frame)

    async def ask(self, frame: bytes) -> bytes:
        """Send a frame and return its answer."""
        self._frames.put_nowait(frame)
        return await self._answers.get()


async def _measure(services: Services, calls: int) -> list[dict[str, float]]:
    watch, client = Stopwatch(), MemoryClient()
    for stage, owner, name in STAGES:
        setattr(owner, name, watch.timed(stage, getattr(owner, name)))
    setattr(direct_calls, "run", watch.timed(OTHER, pipeline.run))  # noqa: B010 - the only place that calls it
    serving = asyncio.create_task(stdio_session.Session(services, client, EarlyAnswers(services)).run())
    info = {"name": "stages", "version": "1"}
    await client.ask(
        _frame("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info}, 0, LEGACY)
    )
    client.send(_frame("notifications/initialized", {}, None, LEGACY))
    measured = []
    for number in range(calls + 50):
        watch.reset()
        _check(await client.ask(_call_frame(number, LEGACY)))
        measured.append(watch.reset())
    serving.cancel()
    return measured[50:]


def run(calls: int) -> dict[str, float]:
    """Return what each stage takes, in microseconds."""
    command = [sys.executable, str(Path(__file__).with_name("upstream.py"))]
    with tempfile.TemporaryDirectory() as state, _running(command, stdout=subprocess.PIPE) as upstream:
        assert upstream.stdout
        url = f"http://127.0.0.1:{int(upstream.stdout.readline())}"
        services = create_services(Settings(api_key="key-for-the-benchmark", url=url, rate_limit=0, state=state))

        async def measure() -> list[dict[str, float]]:
            async with services:
                return await _measure(services, calls)

        measured = asyncio.run(measure())
    names = dict.fromkeys([SESSION, OTHER, *(stage for stage, _, _ in STAGES)])
    return {name: statistics.quantiles([one.get(name, 0.0) for one in measured], n=4)[0] for name in names}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Prints where the time of a call goes.")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    spent = run(options.calls)
    if options.json:
        print(json.dumps(spent))
        return 0
    print("| stage | us |\n| --- | --- |")
    for stage, microseconds in spent.items():
        print(f"| {stage} | {microseconds:.0f} |")
    print(f"| together | {sum(spent.values()):.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
