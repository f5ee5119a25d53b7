"""Several servers on one PostgreSQL, as processes of their own, behind a real nginx that takes turns among them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread, Timer

import pytest

from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.opening import open_store
from tests.support.forked import forked
from tests.support.processes import ADDRESS, PATIENCE, environment, pointed_at
from tests.support.team import bearer

AHEAD = """
import sys, time
real = time.time
ahead = float(sys.argv.pop(1))
time.time = lambda: real() + ahead
import mailgun_mcp.__main__
sys.exit(mailgun_mcp.__main__.main())
"""
"""A server whose clock is ahead of the others'."""
NGINX = """
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  upstream team {{ {servers} keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://team;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host localhost;
      proxy_buffering off;
      proxy_read_timeout 1h;
      proxy_next_upstream http_404 non_idempotent;
    }}
  }}
}}
"""
"""As docs/postgresql.md has it: who does not know a session says 404, and the next server is asked."""


POLICY = "version: 1\nextends: guarded\nlimits: {confirm_addresses_per_hour: 1000000}\n"
"""Under load more addresses are put on lists than a person is asked about."""


@dataclass
class Replica:
    """One of the servers."""

    process: "subprocess.Popen[str]"
    url: str
    lines: list[str] = field(default_factory=list)
    reader: Thread | None = None
    """Reads what it says on stderr, until it ends."""

    def kill(self) -> None:
        """Kill the server, and wait until it is gone: it may be a child of the fork server."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        assert self.reader is not None
        self.reader.join(PATIENCE)


@dataclass
class Team:
    """The servers, what is in front of them, and what they share."""

    home: Path
    state_url: str
    mailgun: str
    replicas: list[Replica]
    url: str
    """Of nginx."""
    store: Store
    keys: Path

    def token(self, name: str, scopes: str = "read,write,send,destructive") -> dict[str, str]:
        """Make a static token, and return the header that sends it."""
        access = Access(parse_scopes(scopes.split(",")))
        return bearer(Tokens(self.store).create(name, access, by="tests", now=self.store.clock())[1])

    @property
    def environment(self) -> dict[str, str]:
        """That of a command that people run."""
        return environment(
            self.home,
            {
                "MAILGUN_MCP_STATE_URL": self.state_url,
                "MAILGUN_MCP_SEAL_KEYS": str(self.keys),
                "MAILGUN_MCP_POLICY": str(self.keys.with_name("policy.yaml")),
            },
        )


@contextmanager
def replica(
    home: Path,
    mailgun: str,
    state_url: str,
    keys: Path,
    *flags: str,
    ahead: float = 0,
    code: str = "",
    start: Sequence[str] | None = None,
) -> Iterator[Replica]:
    """Run a server on loopback with a state directory of its own."""
    home.mkdir(exist_ok=True)
    if code:
        start = [sys.executable, "-c", code, *([] if not ahead else [str(ahead)])]
    variables = {**pointed_at(mailgun), "MAILGUN_MCP_STATE_URL": state_url, "MAILGUN_MCP_SEAL_KEYS": str(keys)}
    variables["MAILGUN_MCP_POLICY"] = str(keys.with_name("policy.yaml"))
    with serving(environment(home, variables), *flags, start=start) as running:
        yield running


@contextmanager
def serving(variables: Mapping[str, str], *flags: str, start: Sequence[str] | None = None) -> Iterator[Replica]:
    """Run a server over HTTP on a free port of loopback until the block ends: a forked one, or what `start` starts."""
    arguments = ["serve", "--transport", "http", "--port", "0", *flags]
    process = subprocess.Popen(
        [*start, *arguments] if start else forked(*arguments),
        env=dict(variables),
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = Timer(PATIENCE, process.kill)
    watchdog.start()
    running = Replica(process, "")
    assert process.stderr is not None
    for line in process.stderr:
        running.lines.append(line)
        if found := ADDRESS.search(line):
            running.url = found[1]
            break
    watchdog.cancel()
    assert running.url, "".join(running.lines)
    # What it goes on to say must not fill the pipe.
    reader = running.reader = Thread(target=lambda: running.lines.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        yield running
    finally:
        process.kill()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        process.stderr.close()


@contextmanager
def team(
    home: Path,
    mailgun: str,
    state_url: str,
    *flags: str,
    ahead: Sequence[float] = (0, 0, 0),
    start: Sequence[str] | None = None,
) -> Iterator[Team]:
    """Run a server for each of `ahead`, which says how far its clock is, and nginx in front of them.

    They are forked, or what `start` starts.
    """
    keys = home / "seal-keys"
    keys.write_text("k" * 40, encoding="ascii")
    (home / "policy.yaml").write_text(POLICY, encoding="ascii")
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(
                replica(
                    home / f"replica{number}",
                    mailgun,
                    state_url,
                    keys,
                    *flags,
                    ahead=seconds,
                    code=AHEAD if seconds else "",
                    start=start,
                )
            )
            for number, seconds in enumerate(ahead)
        ]
        url = stack.enter_context(nginx(home, [one.url for one in replicas]))
        store = open_store(home / "tests", state_url, str(keys))
        stack.callback(store.close)
        with store.reading():
            pass
        yield Team(home, state_url, mailgun, replicas, url, store, keys)


@contextmanager
def nginx(home: Path, urls: Sequence[str]) -> Iterator[str]:
    """Run nginx in front of the servers."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    servers = " ".join(f"server {re.sub('^http://', '', url)} max_fails=1 fail_timeout=5s;" for url in urls)
    configuration = home / "nginx.conf"
    configuration.write_text(
        ("user root;\n" if os.geteuid() == 0 else "") + NGINX.format(home=home, servers=servers, port=port),
        encoding="utf-8",
    )
    process = subprocess.Popen([program, "-c", str(configuration), "-e", str(home / "error.log")])
    try:
        for _ in range(int(PATIENCE * 20)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
