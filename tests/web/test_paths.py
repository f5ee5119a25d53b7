"""Each request goes to the app that its path belongs to, also under a prefix."""

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mailgun_mcp.web.paths import Paths

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "app"),
    [
        ("/approvals", "pages"),
        ("/approvals/x/approve", "pages"),
        ("/approvalsx", "rest"),
        ("//approvals", "rest"),
        ("/mcp", "rest"),
        ("/", "rest"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/mailgun"])
async def test_the_first_part_of_the_path_decides(prefix: str, path: str, app: str) -> None:
    paths = Paths({"/approvals": PlainTextResponse("pages")}, PlainTextResponse("rest"))
    transport = httpx.ASGITransport(app=paths, root_path=prefix)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get(prefix + path)).text == app


@pytest.mark.parametrize("prefix", ["", "/mailgun", "/mcp"])
@pytest.mark.parametrize(
    ("path", "passed_on"),
    [
        ("/mcp/", "/mcp"),
        ("/mcp//", "/mcp"),
        ("/a%2Fb/", "/a/b"),
        ("/", "/"),
        ("//", "/"),
        ("/approvals/", "/approvals"),
    ],
)
async def test_slashes_at_the_end_mean_nothing(prefix: str, path: str, passed_on: str) -> None:
    async def show(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    transport = httpx.ASGITransport(app=Paths({"/approvals": show}, show), root_path=prefix)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get(prefix + path)).text == prefix + passed_on
