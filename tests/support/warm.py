"""Runs command lines, each in a process of its own that is forked from one which has imported what they need.

    python -m tests.support.warm

A start takes longer than what most commands do. `Warm` is the caller's side. A line of stdin is a request in JSON:
`arguments`, `environment`, `directory`, and the files for `stdin`, `stdout` and `stderr`. A line of stdout is the exit
code, negative for the signal that ended the process.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mailgun_mcp.__main__
import mailgun_mcp.cli

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
"""Seconds after which a command has failed. A command that does not end is ended by a signal."""
IMPORTS = (
    *("argparse", "httpx", "jsonschema", "mcp", "sqlite3", "structlog", "tomlkit", "yaml"),
    *("anyio._backends._asyncio", "anyio._core._sockets", "anyio._core._streams", "anyio._core._synchronization"),
    *("mailgun_mcp.app.compose", "mailgun_mcp.call.pipeline", "mailgun_mcp.mailgun.transport"),
    *("mailgun_mcp.server.server", "mailgun_mcp.simulator.app", "mailgun_mcp.policy.profiles"),
    "mailgun_mcp.request.validate",
)
"""What many commands import when they need it, besides the modules of the command line."""


class Warm:
    """A running process that forks for each command line."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str], stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run `mailgun-mcp` with `arguments` as a process of its own, and return how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with TemporaryDirectory() as name:
            files = {stream: Path(name) / stream for stream in ("stdin", "stdout", "stderr")}
            files["stdin"].write_text(stdin, encoding="utf-8")
            request = {
                "arguments": list(arguments),
                "directory": str(directory),
                "environment": dict(environment),
                **{stream: str(path) for stream, path in files.items()},
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            out, err = (files[stream].read_text(encoding="utf-8") for stream in ("stdout", "stderr"))
        return subprocess.CompletedProcess(["mailgun-mcp", *arguments], code, out, err)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def become(request: dict[str, Any]) -> None:
    """Have this process be the command line: its arguments, directory, environment and streams."""
    modes = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY | os.O_CREAT, "stderr": os.O_WRONLY | os.O_CREAT}
    for descriptor, (stream, mode) in enumerate(modes.items()):
        os.dup2(os.open(request[stream], mode, 0o600), descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 # ours has read from the pipe
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    sys.argv = [mailgun_mcp.__main__.__file__, *request["arguments"]]
    signal.alarm(PATIENCE)


def ended() -> int:
    """Run the command line and do what the interpreter does at its end, but free no memory: that copies every page."""
    try:
        code = mailgun_mcp.__main__.main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    threading._shutdown()  # type: ignore[attr-defined] # waits for the threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main() -> None:
    """Answer requests until stdin ends."""
    commands = [module.name for module in pkgutil.iter_modules(mailgun_mcp.cli.__path__, "mailgun_mcp.cli.")]
    for name in (*IMPORTS, *commands):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            become(json.loads(line))
            os._exit(ended())
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


@cache
def runner() -> Warm:
    """Return the process of this run of tests."""
    warm = Warm()
    atexit.register(warm.close)
    return warm


if __name__ == "__main__":
    main()
