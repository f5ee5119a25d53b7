"""Signing in and out: with a link that a terminal printed, or at the authorization server."""

import re
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import SESSION_SECONDS
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.pages.forms import FormRefused, check_origin, read_form
from mailgun_mcp.web.pages.pages import SIGN_IN, UNAVAILABLE, PageRequest, Pages, prefixed

LINK = "link"
CALLBACK = f"{SIGN_IN}/callback"
HOME = "/approvals"
OWN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/._~?&=%-]{0,500}")
"""A path on this server. Not `//host`, which would be another server."""
COMMAND = "mailgun-mcp approvals page"
LINK_REFUSED = "This link was used before, or is older than five minutes. Print a new one in the terminal."


class SignInRefused(Exception):
    """Somebody could not be signed in. The message tells the person why."""


class Issuer(Protocol):
    """Signs people in at the authorization server."""

    async def start(self, next_path: str) -> Response:
        """Return a redirect of the browser to the authorization server. Raises SignInRefused."""

    async def finish(self, request: Request) -> tuple[Principal, str]:
        """Return who came back, and the path that they asked for. Raises SignInRefused."""

    def forget(self, response: Response) -> None:
        """Remove the cookie of the sign-in."""


class SignIn:
    """The routes that begin and end a session."""

    def __init__(self, pages: Pages, issuer: Issuer | None) -> None:
        self._pages = pages
        self._issuer = issuer

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes = [
            Route(SIGN_IN, self._page, methods=["GET"]),
            Route(f"{SIGN_IN}/{LINK}", self._by_link, methods=["POST"]),
            self._pages.form_route(f"{SIGN_IN}/out", self._out, scope=None),
        ]
        if self._issuer is not None:
            routes.append(Route(f"{SIGN_IN}/issuer", self._to_issuer, methods=["GET"]))
            routes.append(Route(CALLBACK, self._from_issuer, methods=["GET"]))
        return routes

    async def _page(self, request: Request) -> Response:
        """Show a form that uses the link. Opening the link does not use it up: chats open links to preview them."""
        link, who = request.query_params.get(LINK, ""), None
        try:
            if link:
                who = await in_thread(self._pages.sessions.linked, link, self._pages.clock())
            elif await self._pages.find_session(request) is not None:
                return RedirectResponse(prefixed(request, own_path(request)), 303)
        except StateError as error:
            return self._unavailable(request, error)
        return self._pages.render(
            request,
            (),
            "sign-in.html",
            400 if link and who is None else 200,
            link=link if who is not None else None,
            who=who,
            refused=LINK_REFUSED if link and who is None else None,
            next=own_path(request),
            issuer=self._issuer is not None,
            command=COMMAND,
        )

    async def _by_link(self, request: Request) -> Response:
        try:
            check_origin(request, self._pages.public)
            form = await read_form(request)
            secret = await in_thread(self._pages.sessions.use_link, form.get(LINK, ""), self._pages.clock())
        except FormRefused as error:
            return self._pages.failure(request, "You are not signed in", str(error), error.status)
        except StateError as error:
            return self._unavailable(request, error)
        if secret is None:
            return self._pages.failure(request, "You are not signed in", LINK_REFUSED, 400)
        response = RedirectResponse(prefixed(request, _checked(form.get("next", ""))), 303)
        self._pages.cookie.write(response, secret, SESSION_SECONDS)
        return response

    async def _to_issuer(self, request: Request) -> Response:
        assert self._issuer is not None  # noqa: S101 - the route exists only with an issuer
        try:
            return await self._issuer.start(own_path(request))
        except SignInRefused as error:
            return self._pages.failure(request, "You are not signed in", str(error), 503)

    async def _from_issuer(self, request: Request) -> Response:
        assert self._issuer is not None  # noqa: S101 - the route exists only with an issuer
        try:
            principal, target = await self._issuer.finish(request)
            secret = await in_thread(self._pages.sessions.open, principal, "issuer", self._pages.clock())
        except SignInRefused as error:
            response = self._pages.failure(request, "You are not signed in", str(error), 403)
        except StateError as error:
            response = self._unavailable(request, error)
        else:
            # Not a redirect: after one from another site, the browser would not send the cookie.
            response = self._pages.render(request, (), "continue.html", target=prefixed(request, _checked(target)))
            self._pages.cookie.write(response, secret, SESSION_SECONDS)
        self._issuer.forget(response)
        return response

    async def _out(self, page: PageRequest) -> Response:
        await in_thread(self._pages.sessions.close, page.secret)
        response = page.redirect(SIGN_IN)
        self._pages.cookie.clear(response)
        return response

    def _unavailable(self, request: Request, error: StateError) -> Response:
        logger().error("nobody can sign in", reason=str(error))
        return self._pages.failure(request, "Not available", UNAVAILABLE, 503)


def own_path(request: Request) -> str:
    """Return the path to which the person wants to go after signing in."""
    return _checked(request.query_params.get("next", ""))


def _checked(path: str) -> str:
    return path if OWN_PATH.fullmatch(path) else HOME
