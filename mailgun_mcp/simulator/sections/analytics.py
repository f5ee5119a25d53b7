"""The handlers of everything that is computed from events."""

from mailgun_mcp.simulator.replies.simulated_request import Handler
from mailgun_mcp.simulator.sections import bounce_classification, events, logs, metrics, stats, tags

HANDLERS: dict[str, Handler] = {
    **events.HANDLERS,
    **logs.HANDLERS,
    **metrics.HANDLERS,
    **stats.HANDLERS,
    **tags.HANDLERS,
    **bounce_classification.HANDLERS,
}
