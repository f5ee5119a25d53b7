"""What each operation does: one table, tool name -> handler.

An operation that is not in it answers a valid value of its documented shape.
"""

from mailgun_mcp.simulator.replies.simulated_request import Handler
from mailgun_mcp.simulator.sections import (
    administration,
    analytics,
    deliverability,
    domains,
    list_members,
    lists,
    messages,
    routes,
    suppressions,
    templates,
    validate,
    webhooks,
)

HANDLERS: dict[str, Handler] = {
    **domains.HANDLERS,
    **messages.HANDLERS,
    **suppressions.HANDLERS,
    **templates.HANDLERS,
    **webhooks.HANDLERS,
    **list_members.HANDLERS,
    **lists.HANDLERS,
    **routes.HANDLERS,
    **administration.HANDLERS,
    **analytics.HANDLERS,
    **validate.HANDLERS,
    **deliverability.HANDLERS,
}
