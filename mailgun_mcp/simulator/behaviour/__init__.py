"""What each operation does: one table, tool name -> handler.

An operation that is not in it answers a valid value of its documented shape.
"""

from mailgun_mcp.simulator.behaviour import domains, events, logs, messages, suppressions, templates
from mailgun_mcp.simulator.call import Handler

HANDLERS: dict[str, Handler] = {
    **domains.HANDLERS,
    **messages.HANDLERS,
    **events.HANDLERS,
    **logs.HANDLERS,
    **suppressions.HANDLERS,
    **templates.HANDLERS,
}
