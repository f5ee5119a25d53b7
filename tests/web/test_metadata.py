"""The metadata of the server as a protected resource."""

import httpx
import pytest
from starlette.applications import Starlette

from mailgun_mcp.web.metadata import PATHS, metadata_path, metadata_routes

pytestmark = pytest.mark.anyio
URL = "https://mail.example.com"


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_each_resource_has_a_document_that_names_it_and_who_issues_tokens(path: str) -> None:
    app = Starlette(routes=metadata_routes(URL, ["https://login.example.com"]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=URL) as client:
        answer = await client.get(metadata_path(path))
    document = answer.json()
    assert document["resource"] == f"{URL}{path}"
    assert document["authorization_servers"] == ["https://login.example.com"]
    assert document["scopes_supported"] == ["mailgun:read"]
    assert document["bearer_methods_supported"] == ["header"]
    # A page that is a client reads it before it has a token.
    assert answer.headers["access-control-allow-origin"] == "*"


def test_every_document_is_at_a_public_path() -> None:
    assert {route.path for route in metadata_routes(URL, [])} == PATHS
