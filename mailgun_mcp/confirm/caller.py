"""How a call came in: who makes it, with which client, and how to ask the person behind it."""

from dataclasses import dataclass

from mailgun_mcp.confirm.asker import NOBODY, Asker
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.exchange import Notify


async def quiet(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Caller:
    """How a call came in."""

    principal: Principal
    client: str = ""
    """The client's name, as it calls itself. This proves nothing."""
    asker: Asker = NOBODY
    notify: Notify = quiet
    """Receives progress messages."""
    shows_views: bool = False
    """Whether the client draws charts itself from the figures in a result."""
