"""A stateful simulator of Mailgun: the same HTTP API, without an account or a network.

It knows the catalogue of operations, and how requests are built. It must not know the server, its guard
rails or its settings: only `app`, `cli` and tests know the simulator.
"""

from mailgun_mcp.simulator.app import create_app
from mailgun_mcp.simulator.model.account import Account

__all__ = ["Account", "create_app"]
