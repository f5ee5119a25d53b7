"""The conformance suite and OAuth: the authorization server of the tests passes its scenarios, and our server passes its
own behind that one, with an access token on every request.

The suite's `auth/*` scenarios judge clients. It cannot send a token itself, so a gateway adds the one that was got.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import anyio
import httpx
import pytest
import uvicorn
from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp import asgi
from mailgun_mcp.identity.access import SCOPES
from mailgun_mcp.settings import Settings
from tests.conformance.suite import FOLDER, found_in, ran, suite_command
from tests.support.identity_provider import CLIENT, RESOURCE, IdentityProvider
from tests.support.loopback_provider import free_port, listening, loopback_provider
from tests.support.recorder import Recorder, recorded_services

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.slow]

SCENARIOS = (
    "tools-list",
    "prompts-list",
    "resources-list",
    "caching",
    "http-header-validation",
    "server-sse-multiple-streams",
)
"""Of those that need no fixture: lists, calls and streams."""


class WithToken:
    """Adds the access token to each request."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            header = (b"authorization", f"Bearer {self._token}".encode())
            scope = {**scope, "headers": [*scope["headers"], header]}
        await self._app(scope, receive, send)


@asynccontextmanager
async def served(provider: IdentityProvider) -> AsyncIterator[str]:
    """Give the URL of our server behind the authorization server, and a gateway that has a token of it."""
    listener = listening()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(public_url=base, oauth_issuer=provider.issuer, oauth_loopback=True)
    app = asgi.create(settings, services=recorded_services(Recorder()))
    token = provider.token(aud=f"{base}/mcp", scope=" ".join(SCOPES))
    server = uvicorn.Server(uvicorn.Config(WithToken(app, token), http="h11", log_config=None, access_log=False))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        yield f"{base}/mcp"
        server.should_exit = True
    listener.close()


async def test_the_server_passes_with_a_token_of_the_authorization_server(tmp_path: Path) -> None:
    command = suite_command()
    with loopback_provider() as provider:
        async with served(provider) as url:
            for scenario in SCENARIOS:
                words = ["--url", url, "--scenario", scenario, "--spec-version", "2026-07-28", "-o", str(tmp_path)]
                await run_sync(ran, [*command, "server", *words])
        assert "/jwks" in provider.requests, "the token was checked with the keys of the authorization server"
    checks = found_in(tmp_path)
    assert checks.keys() == set(SCENARIOS)
    assert [
        (scenario, check["id"], check.get("errorMessage"))
        for scenario, found in checks.items()
        for check in found
        if check["status"] == "FAILURE"
    ] == []


def followed(command: list[str]) -> str:
    """Run all scenarios for authorization servers, open the address that one prints, as a browser does, and return its words."""
    said = ""
    with Popen(command, cwd=FOLDER, stdout=PIPE, stderr=STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if address := re.search(r"http://127\.0\.0\.1:\d+/authorize\S+", line):
                to = httpx.get(address[0]).headers["location"]
            if line.startswith("Callback server started"):
                httpx.get(to)
    return said


async def test_the_authorization_server_of_the_tests_conforms(tmp_path: Path) -> None:
    """Its metadata, and the code flow with PKCE. The second scenario uses the answer to the first."""
    command = suite_command()
    port = free_port()
    with loopback_provider(f"http://127.0.0.1:{port}/callback") as provider:
        words = ["--url", provider.issuer, "--client-id", CLIENT, "--resource", f"{RESOURCE}/mcp", "-p", str(port)]
        said = await run_sync(followed, [*command, "authorization", *words, "-o", str(tmp_path)])
    found = found_in(tmp_path)
    assert {name.removeprefix("authorization-server-") for name in found} == {
        "authorization-server-metadata-endpoint",
        "authorization-code-grant",
    }
    checks = [(check["id"], check["status"], check.get("errorMessage")) for each in found.values() for check in each]
    assert [check for check in checks if check[1] == "FAILURE"] == [], said
    assert ("authorization-code-grant", "SUCCESS", None) in checks
