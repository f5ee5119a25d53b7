"""All routes that the catalogue lacks."""

from mailgun_mcp.simulator.http.undocumented_routes import DOMAIN_ROUTES
from mailgun_mcp.simulator.sections.bulk_validation import BULK_VALIDATION_ROUTES
from mailgun_mcp.simulator.sections.exports import EXPORT_ROUTES
from mailgun_mcp.simulator.sections.list_validation import LIST_VALIDATION_ROUTES
from mailgun_mcp.simulator.sections.optimize_alerts import ALERT_ROUTES

UNDOCUMENTED_ROUTES = (*DOMAIN_ROUTES, *EXPORT_ROUTES, *ALERT_ROUTES, *LIST_VALIDATION_ROUTES, *BULK_VALIDATION_ROUTES)
