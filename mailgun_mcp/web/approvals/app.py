"""The approvals part of the pages: its sections in the navigation, and its routes."""

from starlette.routing import Route

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.web.approvals import grants, history, marks
from mailgun_mcp.web.approvals.changes import ApprovalChanges
from mailgun_mcp.web.approvals.page import HOME, ApprovalsPage
from mailgun_mcp.web.pages.app import Section
from mailgun_mcp.web.pages.pages import Pages

SECTIONS = (
    Section(HOME, "Approvals", APPROVE),
    Section(grants.PATH, "Grants", APPROVE),
    Section(marks.PATH, "Third-party text", APPROVE),
    Section(history.PATH, "History", APPROVE),
)


def page_routes(services: Services, pages: Pages, changes: ApprovalChanges) -> list[Route]:
    """Return the routes of the approvals pages. Those of the sections come first: an id could match in their place."""
    return [
        *grants.GrantsPage(services, pages).routes(),
        *marks.MarksPage(services, pages).routes(),
        *history.HistoryPage(services, pages).routes(),
        *ApprovalsPage(services, pages, changes).routes(),
    ]
