"""Calls and who makes them: for the tests of single stages, and of the whole pipeline."""

from mailgun_mcp.call import pipeline
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from tests.support.operations import find

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
LOCAL_USER = Principal("local")
LOCAL = Caller(LOCAL_USER)
"""Somebody who calls where it does not matter who; there is nobody to ask."""


async def run(services: Services, tool: str, arguments: Arguments, caller: Caller = LOCAL) -> CallResult:
    """Make the call."""
    return await pipeline.run(services, tool, arguments, caller)


def begun(services: Services, tool: str = "delete_bounce", arguments: Arguments = BOUNCE) -> Call:
    """Return a call before its first stage."""
    return Call.start(services, find(tool), arguments, LOCAL, services.account.assumed)
