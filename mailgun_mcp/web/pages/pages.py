"""Routes of pages: each needs a session with a scope, and each form is checked before its page reads it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.sessions import BrowserSession, Sessions
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.pages.cookies import SESSION, Cookie
from mailgun_mcp.web.pages.forms import (
    FIELD,
    FormRefused,
    check_origin,
    check_script,
    form_token,
    read_form,
    read_token,
    script_token,
)
from mailgun_mcp.web.pages.templates import render
from mailgun_mcp.web.principal import path_in

SIGN_IN = "/sign-in"
ASSETS = "/assets"
UNAVAILABLE = "The state cannot be read or written at the moment. Nothing was done. Try again."
Burn = Callable[[str, float, float], bool]
"""Function that uses up a nonce: `call.counters.Nonces.burn`."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of a person who is signed in."""

    pages: "Pages"
    request: Request
    session: BrowserSession
    secret: str
    """The secret of the session."""
    now: float
    form: Mapping[str, str] = field(default_factory=dict)
    """The fields of a POST, after all checks."""

    @property
    def person(self) -> str:
        """The name of the person who is signed in."""
        return self.session.principal.id

    def render(self, directories: Sequence[Path], name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page made from a template. `url` and `token` are for its links and forms."""
        return self.pages.render(self.request, directories, name, status, page=self, token=self.token, **values)

    def token(self, action: str) -> str:
        """Return the token for a form that posts to the path `action` of the app."""
        return form_token(self.secret, action, self.now)

    @property
    def script_token(self) -> str:
        """The token that scripts of the page send: see `forms.check_script`."""
        return script_token(self.secret)

    def redirect(self, path: str) -> Response:
        """Return the response after a form was accepted: a redirect of the browser to `path`."""
        return RedirectResponse(prefixed(self.request, path), 303)


Handler = Callable[[PageRequest], Awaitable[Response]]


@dataclass(frozen=True)
class Pages:
    """What all pages of a server share."""

    sessions: Sessions
    burn: Burn
    clock: Callable[[], float]
    secure: bool
    """Whether browsers reach the server over https."""
    public: str | None = None
    """The origin of the server's public URL, if it has one."""
    navigation: Sequence[tuple[str, str, str | None]] = ()
    """Path, title and scope of each kind of page."""

    @property
    def cookie(self) -> Cookie:
        """The cookie of a session."""
        return Cookie(SESSION, secure=self.secure)

    def route(self, path: str, handler: Handler, *, scope: str | None, document: bool = True) -> Route:
        """Return the route of a page. `document`: whether a person opens it; if not, a script of ours does."""

        async def answer(request: Request) -> Response:
            return await self._guarded(request, handler, scope=scope, document=document)

        return Route(path, answer, methods=["GET"])

    def form_route(self, path: str, handler: Handler, *, scope: str | None) -> Route:
        """Return the route of a form. `handler` runs once per form, after checking that this person sent it."""

        async def answer(request: Request) -> Response:
            return await self._guarded(request, self._with_form(handler), scope=scope, document=True)

        return Route(path, answer, methods=["POST"])

    def script_route(
        self, path: str, handler: Handler, *, scope: str | None, methods: Sequence[str] = ("POST",)
    ) -> Route:
        """Return a route that our scripts call, with `X-Page-Token`. The handler reads the body itself."""

        async def checked(page: PageRequest) -> Response:
            check_script(page.request, page.secret, self.public)
            return await handler(page)

        async def answer(request: Request) -> Response:
            return await self._guarded(request, checked, scope=scope, document=False)

        return Route(path, answer, methods=list(methods))

    async def find_session(self, request: Request) -> tuple[BrowserSession, str] | None:
        """Return the session of a request and its secret, or None. Raises StateError."""
        secret = self.cookie.read(request)
        session = await in_thread(self.sessions.find, secret, self.clock()) if secret else None
        return (session, secret) if session is not None and secret is not None else None

    def render(
        self, request: Request, directories: Sequence[Path], name: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page made from a template."""
        page: PageRequest | None = values.pop("page", None)
        sections = [
            (path, title)
            for path, title, scope in self.navigation
            if page is not None and (scope is None or page.session.principal.access.has(scope))
        ]
        html = render(
            directories,
            name,
            url=lambda path: prefixed(request, path),
            person=None if page is None else page.person,
            sign_out=None if page is None else page.token(f"{SIGN_IN}/out"),
            sections=sections,
            path=request.url.path,
            **values,
        )
        return HTMLResponse(html, status)

    def failure(
        self, request: Request, title: str, message: str, status: int, page: PageRequest | None = None
    ) -> Response:
        """Return a page that says what went wrong, and what to do."""
        return self.render(request, (), "failure.html", status, page=page, title=title, message=message)

    async def _guarded(self, request: Request, handler: Handler, *, scope: str | None, document: bool) -> Response:
        page: PageRequest | None = None
        try:
            session = await self.find_session(request)
            if session is None:
                return self._signed_out(request, document=document)
            page = PageRequest(self, request, session[0], session[1], self.clock())
            if scope is not None and not session[0].principal.access.has(scope):
                message = f"You are signed in as {page.person}, who does not have the scope {scope}."
                return self.failure(request, "You may not use this page", message, 403, page)
            return await handler(page)
        except FormRefused as error:
            return self.failure(request, "The form was not accepted", str(error), error.status, page)
        except UnknownNameError as error:
            return self.failure(request, "Not found", f"{error}.", 404, page)
        except StateError as error:
            logger().error("a page cannot be shown", reason=str(error))
            return self.failure(request, "Not available", UNAVAILABLE, 503, page)

    def _signed_out(self, request: Request, *, document: bool) -> Response:
        if request.method != "GET" or not document:
            message = "You are not signed in, or your session has ended. Nothing was done. Sign in, and try again."
            return self.failure(request, "Sign in first", message, 401)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A browser does not send our cookie when it follows a link on another site. From our own page, it does.
            return self.render(request, (), "continue.html", target=_as_written(request))
        target = path_inside(request) + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(prefixed(request, f"{SIGN_IN}?next={quote(target, safe='/')}"), 303)

    def _with_form(self, handler: Handler) -> Handler:
        async def checked(page: PageRequest) -> Response:
            check_origin(page.request, self.public)
            form = await read_form(page.request)
            token = read_token(page.secret, path_inside(page.request), form.get(FIELD, ""), page.now)
            if not await in_thread(self.burn, f"form {token.nonce}", token.expires, page.now):
                raise FormRefused("This form was already sent. Open the page again to see the result.", 409)
            return await handler(PageRequest(self, page.request, page.session, page.secret, page.now, form))

        return checked


def prefixed(request: Request, path: str) -> str:
    """Return the path as browsers request it: the app may be mounted under a prefix."""
    return str(request.scope.get("root_path", "")) + path


def _as_written(request: Request) -> str:
    """Return the URL of the request, for a page that links to it."""
    query = request.url.query
    return quote(request.scope["path"], safe="/") + (f"?{quote(query, safe='=&%+/')}" if query else "")


def path_inside(request: Request) -> str:
    """Return the path inside the app."""
    return path_in(request.scope)
