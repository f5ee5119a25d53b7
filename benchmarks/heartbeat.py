"""Measures how long the event loop of a server was blocked, and tells another process through a small file.

`python -m benchmarks.heartbeat FILE ours|bare` runs a server with a timer in its event loop. FILE holds the longest
time between two beats, and the most CPU time of the process between two beats, until the harness resets them.
"""

import asyncio
import mmap
import struct
import sys
import time
from pathlib import Path

BEAT = 0.001
FIGURES = struct.Struct("dd")
"""The longest pause in seconds, and the most CPU time between two beats, in seconds."""


class Pauses:
    """The figures, in a file that both processes map into memory."""

    def __init__(self, file: Path) -> None:
        file.touch()
        with file.open("r+b") as opened:
            opened.truncate(FIGURES.size)
            self._memory = mmap.mmap(opened.fileno(), FIGURES.size)

    def reset(self) -> None:
        """Set the figures to zero."""
        self.write(0.0, 0.0)

    def write(self, wall: float, cpu: float) -> None:
        """Write the figures."""
        FIGURES.pack_into(self._memory, 0, wall, cpu)

    def read(self) -> tuple[float, float]:
        """Return the longest pause, and the most CPU time between two beats, in ms."""
        wall, cpu = FIGURES.unpack_from(self._memory)
        return wall * 1000, cpu * 1000


def watch(pauses: Pauses) -> None:
    """From now on, measure the pauses of each event loop that starts."""
    run_forever = asyncio.BaseEventLoop.run_forever

    def run(loop: asyncio.BaseEventLoop) -> None:
        last = (time.perf_counter(), time.process_time())

        def beat() -> None:
            nonlocal last
            now = (time.perf_counter(), time.process_time())
            wall, cpu = FIGURES.unpack_from(pauses._memory)
            pauses.write(max(wall, now[0] - last[0] - BEAT), max(cpu, now[1] - last[1]))
            last = now
            loop.call_later(BEAT, beat)

        loop.call_soon(beat)
        run_forever(loop)

    asyncio.BaseEventLoop.run_forever = run  # type: ignore[method-assign, assignment]


def _bare() -> None:
    """Run a uvicorn app that takes requests of any size and answers at once: the least that such a server does."""
    import socket

    import uvicorn

    from benchmarks.upstream import BODY

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        assert callable(receive)
        assert callable(send)
        if scope["type"] != "http":
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    sys.stderr.write(f"bare server on http://127.0.0.1:{listener.getsockname()[1]}/mcp\n")
    sys.stderr.flush()
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


def _ours() -> None:
    from mailgun_mcp.__main__ import main

    sys.argv = ["mailgun-mcp", "serve", "--transport", "http", "--port", "0", "--policy", "unguarded"]
    raise SystemExit(main())


if __name__ == "__main__":
    watch(Pauses(Path(sys.argv[1])))
    {"ours": _ours, "bare": _bare}[sys.argv[2]]()
