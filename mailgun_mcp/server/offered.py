"""Which tools a principal can call: prompts and skills name no others."""

from mailgun_mcp.call.access import may_be_shown
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.procedures import Tools, tools_offered
from mailgun_mcp.identity.access import Access


def tools_for(services: Services, access: Access) -> Tools:
    """Return the tools that the principal can call, by name, whether they are listed or not."""
    tools = tools_offered(services.catalogue, services.builtin_tools)
    if access.scopes is None:
        return tools
    return {name: tool for name, tool in tools.items() if may_be_shown(tool, access)}
