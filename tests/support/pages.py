"""A browser without scripts: it keeps cookies, follows links and sends the forms of the pages that it was given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from lxml import html  # type: ignore[import-untyped] # it ships no types

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.pages.cookies import SESSION
from tests.support.state import asked, request_approval
from tests.support.team import BASE

ORIGIN = {"Origin": BASE}


@dataclass
class Browser:
    """One person's browser."""

    http: httpx.AsyncClient
    services: Services
    page: httpx.Response | None = None

    async def open(self, path: str, **headers: str) -> httpx.Response:
        """Open an address, as if it was typed."""
        self.page = await self.http.get(path, headers=headers, follow_redirects=True)
        return self.page

    @property
    def tree(self) -> Any:
        assert self.page is not None
        return html.document_fromstring(self.page.text)

    @property
    def text(self) -> str:
        """What a person reads in the main part of the page."""
        return " ".join(self.tree.get_element_by_id("main").text_content().split())

    def form(self, action: str) -> dict[str, str]:
        """Return the fields of the form whose address ends like this, as the page fills them in."""
        (form,) = [form for form in self.tree.forms if form.action.endswith(action)]
        return {"": form.action, **{name: value or "" for name, value in form.form_values()}}

    async def send(self, action: str, /, **words: str) -> httpx.Response:
        """Send a form of the page with these words in its fields, and read the answer."""
        fields = {**self.form(action), **words}
        self.page = await self.post(fields.pop(""), fields, follow=True)
        return self.page

    async def post(
        self, path: str, fields: dict[str, str], *, follow: bool = False, headers: dict[str, str] = ORIGIN
    ) -> httpx.Response:
        """Post fields, with the headers that a browser sends."""
        return await self.http.post(path, data=fields, headers=headers, follow_redirects=follow)

    async def sign_in(self, name: str = "olga") -> None:
        """Sign in with a link from a terminal."""
        self.http.cookies.clear()
        link = Sessions(self.services.store).create_link(name, self.services.clock())
        await self.open(f"/sign-in?link={link}")
        answer = await self.send("/sign-in/link")
        assert answer.status_code == 200, answer.text

    def sign_in_as(self, name: str, scopes: str = "approve", **bounds: Any) -> str:
        """Sign in as somebody whom the authorization server knows, and return the secret of the session."""
        principal = Principal(name, access=Access(parse_scopes(scopes.split()), **bounds))
        secret = Sessions(self.services.store).open(principal, "issuer", self.services.clock())
        self.http.cookies.clear()
        self.http.cookies.set(SESSION, secret)
        return secret


@asynccontextmanager
async def browsing(services: Services, settings: Settings | None = None, **options: Any) -> AsyncIterator[Browser]:
    """Give a browser beside a server on loopback."""
    app = asgi.create(settings or Settings(), services=services, loopback=options.pop("loopback", True), **options)
    transport = httpx.ASGITransport(app=app)
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30) as http:
        yield Browser(http, services)


def pending(services: Services, level: Any = "typed", principal: str = "ann", request: str = "request") -> Approval:
    """Return a call of `principal` that waits for an answer."""
    form = asked(level, principal=principal, request=request)
    return request_approval(services.store, form, services.clock())
