"""Many clients at once: errors, times, and whether memory stays where it is.

    python -m benchmarks.load [--clients N] [--seconds S] [--json]

The server runs in a separate process, with authentication by a static token and the audit log as usual. Its upstream
costs next to nothing. Each client has one connection, and makes calls one after another. Memory is read after a warm-up
and at the end. Exits with 1 if a call failed or memory grew.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.many_clients import Clients, cpu_seconds, megabytes
from benchmarks.postgresql import upstream
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.store.database import Store
from tests.support.processes import command, environment, pointed_at
from tests.support.replicas import serving

CLIENTS = 1_000
SECONDS = 30.0
ROUND = 2
"""Calls of each client between two checks of the clock."""
MOST_GROWTH = 1.1
"""Limit on memory at the end, as a multiple of that after the warm-up."""


@dataclass(frozen=True, slots=True)
class Load:
    """The measured figures."""

    clients: int
    calls: int
    errors: int
    first_error: str
    rate: float
    """Calls per second."""
    p50: float
    """In milliseconds, like the next two."""
    p99: float
    longest: float
    cpu: float
    """Milliseconds of the server's CPU time per call."""
    warm: float
    """Megabytes after the warm-up."""
    end: float

    @property
    def is_kept(self) -> bool:
        """Whether the limits are kept."""
        return self.errors == 0 and self.end <= self.warm * MOST_GROWTH


def load(clients: int, seconds: float) -> Load:
    """Run the server and its clients."""
    with TemporaryDirectory() as directory, upstream() as mailgun:
        home = Path(directory)
        store = Store(home / "state")
        token = Tokens(store).create("load", Access(parse_scopes(["read"])), by="benchmark", now=store.clock())[1]
        store.close()
        variables = environment(home, {**pointed_at(mailgun), "MAILGUN_MCP_RATE_LIMIT": "0"})
        with serving(variables, start=command()) as server, Clients([server.url], token, clients) as crowd:
            process = server.process.pid
            warm_up = crowd.call(clients * ROUND)
            warm, used = megabytes(process), cpu_seconds(process)
            milliseconds, errors, spent = [], list(warm_up.errors), 0.0
            while spent < seconds and not errors:
                answers = crowd.call(clients * ROUND)
                milliseconds += answers.milliseconds
                errors += answers.errors
                spent += answers.seconds
            used = cpu_seconds(process) - used
            end = megabytes(process)
    times = sorted(milliseconds) or [0.0]
    return Load(
        clients,
        len(milliseconds),
        len(errors),
        errors[0] if errors else "",
        len(milliseconds) / max(spent, 0.001),
        times[len(times) // 2],
        times[len(times) * 99 // 100],
        times[-1],
        used * 1000 / max(len(milliseconds), 1),
        warm,
        end,
    )


def main() -> int:
    """Print the figures. Return 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = load(arguments.clients, arguments.seconds)
    if arguments.json:
        print(json.dumps(asdict(found)))
    else:
        print(
            f"{found.clients} clients, {found.calls} calls, {found.errors} errors {found.first_error}\n"
            f"{found.rate:.0f} calls/s, {found.cpu:.2f} ms of CPU each; p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms, "
            f"longest {found.longest:.0f} ms\n"
            f"memory {found.warm:.0f} MB after the warm-up, {found.end:.0f} MB at the end, limit {MOST_GROWTH:.1f} times"
        )
    return 0 if found.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
