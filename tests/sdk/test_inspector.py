"""The MCP Inspector in Chromium, connected to the HTTP server without its proxy, as far as CORS lets its page.

Version 1 of the Inspector connects from the page itself ("Direct"). Version 2 connects from a program of its own, for
which no browser decides what it may read. The page comes from npm, and a browser is driven by `node/inspector.mjs`.
"""

import functools
import http.server
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread
import pytest

from mailgun_mcp.catalogue.builtin_tools import offered
from tests.support.identity_provider import CLIENT
from tests.support.loopback_provider import USER, free_port, loopback_provider
from tests.support.operations import catalogue
from tests.support.processes import environment, http_server
from tests.support.sdk import CACHE, NODE, need_command, run, without

INSPECTOR = "@modelcontextprotocol/inspector@1.0.3"
DOMAIN = "mail.example.com"
ALLOWED, REFUSED = "inspector.test", "evil.test"
"""Names that the browser finds on this machine."""


class Files(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """Return the page itself for the address to which an authorization server sends the browser back."""
        return super().translate_path("/index.html" if path.startswith("/oauth/callback") else path)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pages() -> Path:
    """The directory of the Inspector's page."""
    directory = CACHE / "inspector-1.0.3"
    if not directory.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        done = run([need_command("npm", provided=True), "pack", "--silent", INSPECTOR], CACHE)
        if done.returncode:
            without(f"`npm pack {INSPECTOR}` failed: {done.stderr[-400:]}", provided=False)
        with tarfile.open(CACHE / done.stdout.split()[-1]) as archive:
            archive.extractall(directory, filter="data")
    return directory / "package" / "client" / "dist"


@pytest.fixture(scope="module")
def port(pages: Path) -> Iterator[int]:
    """Where the Inspector's page is served."""
    handler = functools.partial(Files, directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site.server_address[1]
        finally:
            site.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def chromium() -> str:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return path or need_command("chromium", provided=True)


@pytest.mark.slow
@pytest.mark.anyio
async def test_the_inspector_works_from_pages_that_are_allowed_and_from_no_other(
    node: str, chromium: str, port: int, tmp_path: Path
) -> None:
    allowed = f"http://{ALLOWED}:{port}"
    urls = (f"http://localhost:{port}", allowed, f"http://{REFUSED}:{port}")
    env = environment(tmp_path)
    arguments = ("--transport", "http", "--simulator", "--allowed-origins", allowed)
    async with http_server(arguments, env) as server:
        variables = {
            "PAGE_URLS": " ".join(urls),
            "SERVER_URL": f"{server.address}/mcp",
            "TOKEN": server.token,
            "CHROMIUM": chromium,
            "DOMAIN": DOMAIN,
        }
        done = await anyio.to_thread.run_sync(lambda: run([node, "inspector.mjs"], NODE, **variables))
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert [page["connected"] for page in (first, second, third)] == [True, True, False]
    tools = [*catalogue().tools(), *offered(catalogue()).values()]
    assert [tool["title"] for tool in tools if tool["title"] not in first["tools"]] == []
    assert "Risk: destructive" in first["form"]
    assert f"Type {DOMAIN}" in first["form"]
    assert "Tool Result: Success" in first["result"]


@pytest.mark.slow
@pytest.mark.anyio
async def test_the_inspector_signs_in_at_the_authorization_server(
    node: str, chromium: str, port: int, tmp_path: Path
) -> None:
    page, ours = f"http://localhost:{port}", free_port()
    server_url = f"http://127.0.0.1:{ours}"
    with loopback_provider(f"{page}/oauth/callback") as provider:
        arguments = [
            *("--transport", "http", "--simulator", "--port", str(ours), "--public-url", server_url),
            *("--oauth-issuer", provider.issuer, "--oauth-loopback"),
        ]
        async with http_server(arguments, environment(tmp_path)):
            variables = {
                "PAGE_URL": page,
                "SERVER_URL": f"{server_url}/mcp",
                "CLIENT_ID": CLIENT,
                "CHROMIUM": chromium,
            }
            done = await anyio.to_thread.run_sync(lambda: run([node, "inspector_oauth.mjs"], NODE, **variables))
    assert done.returncode == 0, (done.stderr, provider.requests)
    seen = json.loads(done.stdout)
    assert any(url.startswith(f"{page}/oauth/callback?code=") for url in seen["visited"]), seen["visited"]
    (form,) = seen["tokens"]
    assert (form["grant_type"], form["resource"], len(form["code_verifier"]) >= 43) == (
        "authorization_code",
        f"{server_url}/mcp",
        True,
    )
    (token,) = provider.issued.values()
    assert (token.claims["sub"], token.claims["aud"]) == (USER, f"{server_url}/mcp")
    assert "List bounces" in seen["tools"]
    assert "Delete a domain" not in seen["tools"], "the token has the scope mailgun:read only"
