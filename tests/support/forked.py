"""Command lines in processes of their own that need no start: a server that has imported the package forks them.

A start takes two seconds of CPU, nearly all of it imports, and the tests start more than a hundred servers. What a
forked program does is what a started one does; tests of the start itself use `processes.command`.

    python -m tests.support.forked SOCKET [DESCRIPTOR]

serves until its stdin ends, on a socket that it makes there, or has as a descriptor. A run of the tests has one, from
its first use on, also when several processes share the tests.
"""

import atexit
import gc
import marshal
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from tempfile import mkdtemp
from typing import NoReturn

from mailgun_mcp import __main__, cli
from mailgun_mcp.cli.main import run

SHARED = "TESTS_FORK_SERVER"
"""The environment variable that holds the socket of the fork server of a whole run."""
ROOT = Path(__file__).resolve().parents[2]
CLIENT = Path(__file__).with_name("fork_client.py")
IMPORTS = (
    *("argparse", "httpx", "jsonschema", "sqlite3", "structlog", "yaml"),
    *("anyio._backends._asyncio", "anyio._core._sockets", "anyio._core._streams", "anyio._core._synchronization"),
    *("mailgun_mcp.app.compose", "mailgun_mcp.call.pipeline", "mailgun_mcp.cli.tools", "mailgun_mcp.cli.undo"),
    *("mailgun_mcp.asgi", "mailgun_mcp.cli.serve", "mailgun_mcp.store.postgresql_driver", "uvicorn"),
    *("mailgun_mcp.mailgun.transport", "mailgun_mcp.policy.profiles", "mailgun_mcp.request.validate"),
)
"""What calls and servers import when they need it."""
SERVERS = (
    *("mailgun_mcp.agent.http.served", "mailgun_mcp.agent.script"),
    *("mailgun_mcp.server.stdio", "mailgun_mcp.simulator"),
    *("uvicorn.protocols.http.h11_impl", "uvicorn.lifespan.on", "uvicorn.loops.asyncio"),
)


def forked(*arguments: str) -> list[str]:
    """Return what to run instead of `mailgun-mcp ARGUMENTS`, with the same effect and without its start."""
    if not hasattr(os, "pidfd_open"):
        return [sys.executable, "-m", "mailgun_mcp", *arguments]
    return [sys.executable, "-ISE", str(CLIENT), _server(), *arguments]


def share() -> None:
    """Let the processes that this one starts use one fork server with it."""
    if hasattr(os, "pidfd_open"):
        os.environ[SHARED] = _own()


def _server() -> str:
    """Return the path of the fork server's socket."""
    return os.environ.get(SHARED) or _own()


@cache
def _own() -> str:
    """Return the path of a socket at which a fork server of this process answers. It starts with the first client."""
    directory = mkdtemp(prefix="mailgun-mcp-forks-")
    path = f"{directory}/socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    ends, end = os.pipe()

    def run() -> None:
        if ends in select.select([listener.fileno(), ends], [], [])[0]:
            return
        command = [sys.executable, "-m", "tests.support.forked", path, str(listener.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=ends, stdout=subprocess.DEVNULL, pass_fds=[listener.fileno()]
        )
        listener.close()
        process.wait()

    starter = threading.Thread(target=run, daemon=True)
    starter.start()

    def stop() -> None:
        os.close(end)
        starter.join()
        os.unlink(path)
        os.rmdir(directory)

    atexit.register(stop)
    return path


@dataclass
class ForkServer:
    """Forks a process for each client, and tells the client how it ended."""

    listener: socket.socket
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    running: dict[int, tuple[int, socket.socket]] = field(default_factory=dict)
    """The descriptor of each process, with its id and client."""

    def serve(self) -> "Request | None":
        """Serve until stdin ends. In a forked process, return at once what it is to run."""
        self.selector.register(self.listener, selectors.EVENT_READ, self._fork)
        self.selector.register(0, selectors.EVENT_READ, None)
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    self._kill_all()
                    return None
                request: Request | None = key.data()
                if request:
                    return request

    def _fork(self) -> "Request | None":
        client, _ = self.listener.accept()
        request = _receive(client)
        if request is None:
            client.close()
            return None
        pid = os.fork()
        if pid == 0:
            client.close()
            self._close()
            return request
        for descriptor in request.streams:
            os.close(descriptor)
        process = os.pidfd_open(pid)
        self.running[process] = (pid, client)
        with suppress(OSError):
            client.sendall(pid.to_bytes(8, "big", signed=True))
        self.selector.register(process, selectors.EVENT_READ, lambda: self._end(process))
        # A client says nothing more: it has died.
        self.selector.register(client, selectors.EVENT_READ, lambda: self._kill(process, pid))
        return None

    def _kill(self, process: int, pid: int) -> None:
        # The process may have ended in this very round, and another may have its descriptor.
        running, client = self.running.get(process, (None, None))
        if client is not None and running == pid:
            self.selector.unregister(client)
            os.kill(pid, signal.SIGKILL)

    def _end(self, process: int) -> None:
        self.selector.unregister(process)
        pid, client = self.running.pop(process)
        with suppress(KeyError):
            self.selector.unregister(client)
        _, status = os.waitpid(pid, 0)
        with suppress(OSError):
            client.sendall(os.waitstatus_to_exitcode(status).to_bytes(8, "big", signed=True))
        client.close()
        os.close(process)

    def _kill_all(self) -> None:
        for pid, _ in self.running.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _close(self) -> None:
        self.selector.close()
        self.listener.close()
        for process, (_, client) in self.running.items():
            os.close(process)
            client.close()


@dataclass
class Request:
    """What a client wants to be run."""

    streams: list[int]
    directory: str
    environment: dict[str, str]
    arguments: list[str]

    def run(self) -> NoReturn:
        """Run the command line in this process, with its streams, and end it."""
        for number, descriptor in enumerate(self.streams):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(self.directory)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv[:] = [__main__.__file__, *self.arguments]
        try:
            code = run(self.arguments)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        # What the interpreter does at its end, but for taking all modules apart: that takes longer than most commands.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
        os._exit(code)


def _receive(client: socket.socket) -> Request | None:
    """Return what the client wants; None of a client that was killed before it said so."""
    streams: list[int] = []
    try:
        first, streams, _, _ = socket.recv_fds(client, 8, 3)
        with client.makefile("rb") as rest:
            text = rest.read(int.from_bytes(first, "big"))
        return Request(list(streams), *marshal.loads(text))
    except (OSError, EOFError, ValueError):
        for descriptor in streams:
            os.close(descriptor)
        return None


def main() -> None:
    """Serve, until stdin ends."""
    commands = [module.name for module in iter_modules(cli.__path__, f"{cli.__name__}.")]
    for name in (*IMPORTS, *SERVERS, *commands):
        import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads must not fork"
    if len(sys.argv) > 2:
        listener = socket.socket(fileno=int(sys.argv[2]))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen(64)
    gc.collect()
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    request = ForkServer(listener).serve()
    if request:
        request.run()


if __name__ == "__main__":
    main()
