"""What a principal can call and read. Prompts, skills, resources and completions name nothing else."""

from mailgun_mcp.call.access import may_be_shown
from mailgun_mcp.call.account_choice import names_of_choice
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.account_argument import ACCOUNT
from mailgun_mcp.catalogue.procedures import Tools, tools_offered
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal


def tools_for(services: Services, access: Access) -> Tools:
    """Return the tools that the principal can call, by name, including those that are not listed."""
    tools = tools_offered(services.catalogue, services.builtin_tools)
    if access.scopes is None:
        return tools
    return {name: tool for name, tool in tools.items() if may_be_shown(tool, access)}


async def in_each_account(services: Services, principal: Principal, arguments: Arguments) -> list[Arguments]:
    """Return the arguments of a read: once, or once per account if several are possible.

    If a domain is named, it determines the account.
    """
    accounts = await names_of_choice(services, principal)
    if len(accounts) < 2 or "domain" in arguments:
        return [arguments]
    return [{**arguments, ACCOUNT: account} for account in accounts]
