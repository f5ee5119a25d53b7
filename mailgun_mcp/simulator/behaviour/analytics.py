"""The handlers of everything that is computed from events."""

from mailgun_mcp.simulator.behaviour import bounce_classification, events, logs, metrics, stats, tags
from mailgun_mcp.simulator.call import Handler

HANDLERS: dict[str, Handler] = {
    **events.HANDLERS,
    **logs.HANDLERS,
    **metrics.HANDLERS,
    **stats.HANDLERS,
    **tags.HANDLERS,
    **bounce_classification.HANDLERS,
}
