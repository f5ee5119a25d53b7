"""Faults of the connection, as a client meets them on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.faults import Fault
from mailgun_mcp.simulator.control.harness import Environment
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
FAULTS = (
    Fault("reset", "list_domains"),
    Fault("truncated", "get_domain"),
    Fault("server_error", "list_routes", status=504),
)


@pytest.fixture
async def url(account: Account) -> AsyncIterator[str]:
    app = create_app(catalogue(), account=account, environment=Environment(faults=FAULTS))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_a_broken_connection_gives_no_answer(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, auth=("api", "key")) as mailgun:
        for path in ("/v4/domains", "/v4/domains/mail.example.com"):
            with pytest.raises(httpx.RemoteProtocolError):
                await mailgun.get(path)
        assert (await mailgun.get("/v3/routes")).status_code == 504
        assert (await mailgun.get("/v3/mail.example.com/bounces")).status_code == 200
