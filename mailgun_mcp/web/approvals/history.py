"""The history page: calls that a person was asked about, refused calls, and changes, from the audit log."""

from dataclasses import dataclass
from itertools import islice

from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp.audit.log import CallFilter, LoggedCall
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.bounded_text import shorten, value_in_line
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.approvals.page import HOME, TEMPLATES
from mailgun_mcp.web.pages.pages import PageRequest, Pages

PATH = f"{HOME}/history"
SHOWN = 50
READ = 2_000
"""Number of calls that are read for one page. A link leads to older ones."""
ARGUMENT = 120
"""Maximum length of an argument in characters."""
OUTCOMES = {
    "done": "Done",
    "failed": "Failed",
    "unknown": "Unknown",
    "refused": "Refused",
    "pending": "Waited",
    "asked": "Asked",
    "invalid": "Not valid",
}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A call as the page shows it."""

    id: str
    at: float
    tool: str
    principal: str
    client: str
    account: str
    risk: str
    outcome: str
    word: str
    by: str
    """Who confirmed the call."""
    reason: str
    """Why a person was asked, or why the call was refused."""
    arguments: tuple[tuple[str, str], ...]


class HistoryPage:
    """The route of the page."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [self._pages.route(PATH, self._list, scope=APPROVE)]

    async def _list(self, page: PageRequest) -> Response:
        before = _time(page.request.query_params.get("before", ""))
        every = page.request.query_params.get("show") == "all"
        entries, older = await in_thread(self._read, page, before, every=every)
        return page.render(TEMPLATES, "history.html", entries=entries, older=older, every=every, before=before)

    def _read(self, page: PageRequest, before: float | None, *, every: bool) -> tuple[list[HistoryEntry], float | None]:
        """Return the entries of one page, and the time before which the next page starts."""
        if not self._services.store.exists:
            return [], None
        access = page.session.principal.access
        calls = self._services.audit_log.calls(CallFilter(until=before), newest_first=True)
        entries: list[HistoryEntry] = []
        last: float | None = None
        for call in islice(calls, READ):
            if len(entries) == SHOWN:
                return entries, last
            last = call.at
            if (every or call.fields.get("risk") != "read") and access.reaches(call.fields.get("account", "")):
                entries.append(_entry(call))
        more = next(calls, None)
        return entries, last if more is not None else None


def _entry(call: LoggedCall) -> HistoryEntry:
    fields = call.fields
    confirmation, decision = fields.get("confirmation") or {}, fields.get("decision") or {}
    arguments = fields.get("arguments")
    shown = arguments.items() if isinstance(arguments, dict) else ()
    return HistoryEntry(
        call.id,
        call.at,
        str(fields.get("tool", "")),
        str(fields.get("principal", "")),
        str(fields.get("client", "")),
        str(fields.get("account", "")),
        str(fields.get("risk", "")),
        call.outcome,
        OUTCOMES[call.outcome],
        str(confirmation.get("by", "")),
        str(decision.get("reason", "")) if call.outcome in ("refused", "pending") or confirmation else "",
        tuple((shorten(name, 40), value_in_line(value, ARGUMENT)) for name, value in shown),
    )


def _time(text: str) -> float | None:
    try:
        at = float(text)
    except ValueError:
        return None
    return at if 0 < at < 1e11 else None
