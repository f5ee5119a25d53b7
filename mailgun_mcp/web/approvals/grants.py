"""The page of grants: the active ones, a form to give one, and a button to end one."""

import json
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.audit.actions import recorded_action
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.approvals import same_person
from mailgun_mcp.confirm.grants import Grant
from mailgun_mcp.errors import SettingsError, UnknownNameError
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.identity.accounts import Accounts, StoredAccount
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.durations import duration
from mailgun_mcp.text.suggest import sentence
from mailgun_mcp.web.approvals.page import HOME, TEMPLATES
from mailgun_mcp.web.approvals.views import only_for_others
from mailgun_mcp.web.pages.pages import PageRequest, Pages

PATH = f"{HOME}/grants"
SPANS = {"15m": "15 minutes", "1h": "1 hour", "4h": "4 hours", "24h": "1 day"}
CLIENT = "approvals page"


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as the page shows it."""

    id: str
    account: str
    match: str
    by: str
    seconds_left: float


class GrantsPage:
    """The routes of the page."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._pages.route(PATH, self._list, scope=APPROVE),
            self._pages.form_route(f"{PATH}/give", self._give, scope=APPROVE),
            self._pages.form_route(f"{PATH}/{{id}}/end", self._end, scope=APPROVE),
        ]

    async def _list(self, page: PageRequest) -> Response:
        return await self._shown(page)

    async def _shown(self, page: PageRequest, fault: str | None = None) -> Response:
        grants, accounts = await in_thread(self._read, page)
        return page.render(
            TEMPLATES,
            "grants.html",
            400 if fault else 200,
            grants=grants,
            accounts=[account.name for account in accounts],
            spans=SPANS,
            fault=fault,
            given=page.form,
            for_others=only_for_others(page.session),
        )

    async def _give(self, page: PageRequest) -> Response:
        try:
            await in_thread(self._given, page)
        except SettingsError as error:
            return await self._shown(page, f"{sentence(str(error))}.")
        return page.redirect(PATH)

    async def _end(self, page: PageRequest) -> Response:
        name = str(page.request.path_params["id"])

        def end() -> None:
            grants, _ = self._read(page)
            if name not in [grant.id for grant in grants]:
                raise UnknownNameError(f"There is no active grant {name}")
            with recorded_action(
                self._services.audit_log,
                "approvals revoke",
                by=page.person,
                client=CLIENT,
                details={"id": name},
                clock=self._services.clock,
            ):
                self._services.grants.revoke(name, page.now)

        await in_thread(end)
        return page.redirect(PATH)

    def _read(self, page: PageRequest) -> tuple[list[GrantView], list[StoredAccount]]:
        """Return the grants and accounts for which the person may answer."""
        store, access = self._services.store, page.session.principal.access
        every = Accounts(store).list() if store.exists else ()
        accounts = [account for account in every if access.reaches(account.name)]
        names = {account.id: account.name for account in accounts}
        active = self._services.grants.active(page.now) if store.exists else ()
        shown = [grant for grant in active if access.reaches(names.get(grant.account, grant.account))]
        return [_view(grant, names, page.now) for grant in shown], accounts

    def _given(self, page: PageRequest) -> Grant:
        """Give the grant that the form describes. Raises SettingsError, which says what is wrong with the form."""
        from mailgun_mcp.policy.file.match_text import parse_match

        form, (_, accounts) = page.form, self._read(page)
        account = next((one for one in accounts if one.name == form.get("account")), None)
        if account is None:
            raise SettingsError("choose an account")
        if form.get("span") not in SPANS:
            raise SettingsError("choose for how long")
        match = parse_match(form.get("match", ""), "calls")
        principal = form.get("principal", "").strip()
        if principal:
            match = {**match, "principal": principal}
        elif only_for_others(page.session):
            raise SettingsError("say for whom: people who are signed in here cannot allow their own calls")
        if only_for_others(page.session) and _can_be(principal, page.person):
            raise SettingsError("for whom: a single name that is not yours, without * and ?")
        match = parse_match(json.dumps(match), "calls")
        with recorded_action(
            self._services.audit_log,
            "approvals grant",
            by=page.person,
            client=CLIENT,
            details={"match": json.dumps(match, ensure_ascii=False), "account": account.name, "span": form["span"]},
            clock=self._services.clock,
        ):
            until = page.now + duration(form["span"])
            return self._services.grants.add(match, account=account.id, until=until, by=page.person, now=page.now)


def _can_be(pattern: str, person: str) -> bool:
    """Return whether the pattern of a rule can match the person: it is a glob, or their name."""
    return any(sign in pattern for sign in "*?[]!,") or same_person(pattern, person)


def _view(grant: Grant, names: dict[str, str], now: float) -> GrantView:
    match = ", ".join(
        f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in grant.match.items()
    )
    return GrantView(grant.id, names.get(grant.account, grant.account), match, grant.by, grant.until - now)
