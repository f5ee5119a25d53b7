"""The styles, scripts and picture of the pages: the only ones that a browser may load."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.web.pages.pages import ASSETS

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
OWN: Mapping[str, Path] = {path: STATIC / path for path in ("page.css", "page.js", "mark.svg")}


def asset_routes(files: Mapping[str, Path] = OWN) -> list[Route]:
    """Return the routes of these files. They need no session, as they reveal nothing about an account."""
    return [_route(name, path) for name, path in files.items()]


def _route(name: str, path: Path) -> Route:
    async def asset(_: Request) -> Response:
        return Response(_content(path), media_type=TYPES[path.suffix], headers={"Cache-Control": "public, max-age=300"})

    return Route(f"{ASSETS}/{name}", asset, methods=["GET"])


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()
