"""A stateful Mailgun in the box: the same HTTP API, no account, no network."""

from mailgun_mcp.simulator.app import create_app
from mailgun_mcp.simulator.model.account import Account

__all__ = ["Account", "create_app"]
