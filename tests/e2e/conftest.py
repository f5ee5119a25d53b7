"""Every way in which a client reaches a server, over a stub of Mailgun that records what left."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from mcp import Client, StdioServerParameters

from mailgun_mcp.server.server import create_server
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER
from tests.support.forked import forked
from tests.support.people import Desk
from tests.support.processes import environment, http_server, pointed_at
from tests.support.upstream import Upstream, serve_upstream

Era = Literal["legacy", "auto"]
WAYS = ("memory", "stdio", "http", "http+sse", "sse")
ERAS: tuple[Era, ...] = ("legacy", "auto")


@dataclass(frozen=True)
class Reached:
    """A connected client, and the Mailgun behind its server."""

    client: Client
    upstream: Upstream
    modern: bool
    way: str = "memory"


@pytest.fixture(scope="module")
async def mailgun() -> AsyncIterator[Upstream]:
    async with serve_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=[(way, era) for way in WAYS for era in ERAS], ids="-".join)
async def connection(
    request: pytest.FixtureRequest, mailgun: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Reached]:
    way, era = request.param
    env = environment(tmp_path_factory.mktemp("home"), pointed_at(mailgun.url))
    async with connect(way, era, mailgun, env) as client:
        yield Reached(client, mailgun, era == "auto", way)


@pytest.fixture
def reached(connection: Reached) -> Reached:
    """The connection of the module with nothing recorded and nothing scripted."""
    connection.upstream.forget()
    return connection


@asynccontextmanager
async def connect(
    way: str, era: Era, mailgun: Upstream, env: Mapping[str, str], desk: Desk | None = None
) -> AsyncIterator[Client]:
    """Connect a client in the given way and era; without a desk nobody can be asked there."""
    if way == "memory":
        async with Client(
            create_server(services_at(mailgun.url), LOCAL_USER), mode=era, cache=None, elicitation_callback=desk
        ) as client:
            yield client
    elif way == "stdio":
        program, *arguments = forked("serve")
        parameters = StdioServerParameters(command=program, args=arguments, env=dict(env))
        async with Client(parameters, mode=era, cache=None, elicitation_callback=desk) as client:
            yield client
    else:
        async with (
            http_server(["--transport", way.partition("+")[0]], env) as server,
            Client(
                server.target("/mcp" if way == "http" else "/sse"), mode=era, cache=None, elicitation_callback=desk
            ) as client,
        ):
            yield client


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path
