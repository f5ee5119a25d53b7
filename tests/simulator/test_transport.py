"""The simulator in the same process, for clients that speak httpx."""

import httpx
import pytest

from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.transport import InProcessTransport
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio


async def test_a_request_reaches_the_simulator_without_a_socket() -> None:
    transport = InProcessTransport(create_app(catalogue()))
    async with httpx.AsyncClient(
        transport=transport, base_url="https://api.mailgun.net", auth=("api", "key")
    ) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.text) == (200, "Mailgun Magnificent API")


async def test_a_broken_connection_looks_as_it_does_over_a_network() -> None:
    async def breaking(*_: object) -> None:
        raise ConnectionResetError("gone")

    async with httpx.AsyncClient(transport=InProcessTransport(breaking), base_url="http://x") as client:
        with pytest.raises(httpx.ReadError, match="gone"):
            await client.get("/")
