"""The approvals room of a server: its sections in the navigation, and its routes."""

from starlette.routing import Route

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.web.approvals.changes import Changes
from mailgun_mcp.web.approvals.page import HOME, ApprovalsPage
from mailgun_mcp.web.pages.app import Section
from mailgun_mcp.web.pages.pages import Pages

SECTIONS = (Section(HOME, "Approvals", APPROVE),)


def page_routes(services: Services, pages: Pages) -> list[Route]:
    """Return the routes of the approvals page."""
    changes = Changes(services.approvals, services.clock)
    return ApprovalsPage(services, pages, changes).routes()
