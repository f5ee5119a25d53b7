"""The page of marks: whose assistants were shown third-party text, with a button to clear each mark."""

from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.audit.actions import recorded_action
from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.approvals import same_person
from mailgun_mcp.errors import UnknownNameError
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.approvals.page import HOME, TEMPLATES
from mailgun_mcp.web.approvals.views import only_for_others
from mailgun_mcp.web.pages.forms import FormRefused
from mailgun_mcp.web.pages.pages import PageRequest, Pages

PATH = f"{HOME}/marks"
OWN = "The mark is yours. Somebody else must clear it, or you in a terminal."


class MarksPage:
    """The routes of the page."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._pages.route(PATH, self._list, scope=APPROVE),
            self._pages.form_route(f"{PATH}/clear", self._clear, scope=APPROVE),
        ]

    async def _list(self, page: PageRequest) -> Response:
        marks = await in_thread(self._marks, page)
        own = [name for name in marks if self._own(page, name)]
        return page.render(TEMPLATES, "marks.html", marks=marks, own=own)

    async def _clear(self, page: PageRequest) -> Response:
        name = page.form.get("principal", "")
        if self._own(page, name):
            raise FormRefused(OWN, 403)

        def clear() -> None:
            if name not in self._marks(page):
                raise UnknownNameError(f"There is no mark of {name}")
            with recorded_action(
                self._services.audit_log,
                "approvals clear",
                by=page.person,
                client="approvals page",
                details={"principal": name},
                clock=self._services.clock,
            ):
                Untrusted(self._services.store).clear(name)

        await in_thread(clear)
        return page.redirect(PATH)

    def _marks(self, page: PageRequest) -> dict[str, list[tuple[str, float]]]:
        """Return the marks by principal. A person sees only principals for all of whose accounts they may answer."""
        store, access = self._services.store, page.session.principal.access
        names = Accounts(store).names()
        marks: dict[str, list[tuple[str, float]]] = {}
        for account, principal, at in Untrusted(store).marks():
            marks.setdefault(principal, []).append((names.get(account, account), at))
        return {
            principal: places
            for principal, places in marks.items()
            if all(access.reaches(account) for account, _ in places)
        }

    def _own(self, page: PageRequest, principal: str) -> bool:
        return only_for_others(page.session) and same_person(principal, page.person)
