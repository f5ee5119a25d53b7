"""Calls that have just begun, for the tests of single stages."""

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import LOCAL
from tests.support.operations import find

BOUNCE = {"domain_name": "mg.example.com", "address": "ann@example.com"}


def begun(services: Services, tool: str = "delete_bounce", arguments: Arguments = BOUNCE) -> Call:
    """Return a call before its first stage."""
    return Call.start(services, find(tool), arguments, LOCAL)
