"""Assembles the pages of a server: what they share, their routes, and the headers of every response."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.web.pages.assets import asset_routes
from mailgun_mcp.web.pages.headers import PageHeaders
from mailgun_mcp.web.pages.pages import ASSETS, SIGN_IN, Pages
from mailgun_mcp.web.pages.sign_in import Issuer, SignIn

TITLES = {404: "Not found", 405: "Not possible"}
MESSAGES = {404: "There is no such page.", 405: "This page does not accept what the browser sent."}


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of page: its path, its title, and the scope that it needs."""

    path: str
    title: str
    scope: str | None


def create_pages(services: Services, public_url: str | None, sections: Sequence[Section], *, loopback: bool) -> Pages:
    """Return what all pages share. Browsers use plain http only on loopback without a public URL."""
    parts = urlsplit(public_url.lower()) if public_url else None
    return Pages(
        sessions=Sessions(services.store),
        burn=services.nonces.burn,
        clock=services.clock,
        secure=parts.scheme == "https" if parts else not loopback,
        public=f"{parts.scheme}://{parts.netloc}" if parts else None,
        navigation=[(section.path, section.title, section.scope) for section in sections],
    )


def page_apps(pages: Pages, routes: Sequence[Route], issuer: Issuer | None = None) -> Mapping[str, ASGIApp]:
    """Return the app of the pages for each first path segment. Pages check sessions themselves: see `pages.Pages`."""

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return pages.failure(request, TITLES.get(status, "Failed"), MESSAGES.get(status, "It did not work."), status)

    every = [*routes, *SignIn(pages, issuer).routes(), *asset_routes()]
    app = PageHeaders(Starlette(routes=every, exception_handlers={HTTPException: failed}), secure=pages.secure)
    firsts = {"/" + route.path.split("/")[1] for route in every}
    assert {SIGN_IN, ASSETS} <= firsts  # noqa: S101 - the layout of every page links there
    return dict.fromkeys(firsts, app)
