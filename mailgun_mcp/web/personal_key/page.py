"""The page of a person's own Mailgun key. Whoever opens it stores their own key: no link can name another person."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.call.personal_accounts import PAGE, KeyRefused, PersonalAccounts
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.personal_keys import PersonalKey
from mailgun_mcp.web.pages.app import Section
from mailgun_mcp.web.pages.pages import PageRequest, Pages

TEMPLATES = (Path(__file__).parent / "templates",)
TITLE = "Your key"
NOTICES = {
    "stored": "Your key is stored. Your calls are made in your own account.",
    "removed": "Your key is removed from this server. It still works at Mailgun: delete it there if nothing else uses it.",
    "none": "No key was stored, so there was nothing to remove.",
}
"""Word in the URL after a form -> the message that the person sees."""
OFF = (
    "People cannot store their own Mailgun keys on this server, because it has no key to encrypt them with. Whoever runs it "
    "can set MAILGUN_MCP_PERSONAL_KEYS_SECRET or --personal-keys-secret-file."
)
Answer = Callable[[PageRequest, PersonalAccounts[Services]], Awaitable[Response]]
REGIONS = {"us": "US (api.mailgun.net)", "eu": "EU (api.eu.mailgun.net)"}


def sections(services: Services) -> tuple[Section, ...]:
    """Return the section in the navigation of pages, if people can store keys."""
    return (Section(PAGE, TITLE, None),) if services.personal is not None else ()


class PersonalKeyPage:
    """The routes of the page."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._pages.route(PAGE, self._offered(self._shown), scope=None),
            self._pages.form_route(f"{PAGE}/store", self._offered(self._store), scope=None),
            self._pages.form_route(f"{PAGE}/remove", self._offered(self._remove), scope=None),
        ]

    def _offered(self, answer: Answer) -> Callable[[PageRequest], Awaitable[Response]]:
        """Return a handler that runs `answer`, or says that people cannot store keys here."""
        personal = self._services.personal

        async def handle(page: PageRequest) -> Response:
            if personal is None:
                return self._pages.failure(page.request, TITLE, OFF, 404, page)
            return await answer(page, personal)

        return handle

    async def _shown(
        self, page: PageRequest, personal: PersonalAccounts[Services], fault: str | None = None
    ) -> Response:
        """Return the page. `fault` says what was wrong with a key. No key is ever on it, not even a refused one."""
        stored = await personal.stored(page.person)
        account = None if stored is None else await personal.account_of(page.session.principal)
        return page.render(
            TEMPLATES,
            "personal-key.html",
            400 if fault else 200,
            stored=None if stored is None else _without_key(stored),
            account=account,
            regions={region: REGIONS.get(region, region) for region in personal.regions},
            chosen=page.form.get("region", stored.region if stored else personal.regions[0]),
            fault=fault,
            notice=NOTICES.get(page.request.query_params.get("notice", "")),
        )

    async def _store(self, page: PageRequest, personal: PersonalAccounts[Services]) -> Response:
        try:
            await personal.store(page.session.principal, page.form.get("region", ""), page.form.get("key", ""))
        except KeyRefused as error:
            return await self._shown(page, personal, str(error))
        return page.redirect(f"{PAGE}?notice=stored")

    async def _remove(self, page: PageRequest, personal: PersonalAccounts[Services]) -> Response:
        removed = await personal.remove(page.person)
        return page.redirect(f"{PAGE}?notice={'removed' if removed else 'none'}")


def _without_key(stored: PersonalKey) -> dict[str, object]:
    return {"region": stored.region, "created": stored.created}
