"""The account of a call, on a server that has several: the one that the call names, or that of its domain.

Who calls comes first: an account that the principal may not use does not exist for them.
"""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mailgun_mcp.call.prepare import find_operation
from mailgun_mcp.call.services import NamedAccount, Services
from mailgun_mcp.catalogue.account_argument import ACCOUNT, WITHOUT_ACCOUNT, with_account_argument
from mailgun_mcp.catalogue.types import Arguments, Record
from mailgun_mcp.catalogue.workflow_tools import TOOLSET as WORKFLOWS
from mailgun_mcp.errors import ArgumentError, DeniedError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.facts import domains_of
from mailgun_mcp.text.addresses import canonical_host
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailgun_mcp.catalogue.operation import Operation

NO_ACCOUNT = (
    "Refused (access/accounts): you may use none of the accounts of this server. Nothing was sent. The person who runs "
    "the server can change that."
)


def usable_accounts(services: Services, principal: Principal) -> tuple[str, ...]:
    """Return the accounts that the principal may use, of a server that has several, in the order of its file."""
    server = services.server or services
    return tuple(account.name for account in server.accounts if _may_use(principal, account))


def shown_tools(services: Services, tools: "Sequence[Record]", principal: Principal) -> list[Record]:
    """Return the tools as the principal sees them: with the argument `account` where they have a choice."""
    names = usable_accounts(services, principal)
    return [with_account_argument(tool, names) for tool in tools] if len(names) > 1 else list(tools)


async def choose_account(
    services: Services, tool: str, arguments: Arguments, principal: Principal
) -> tuple[Services, Arguments]:
    """Return the services of the account of the call, and the arguments without it.

    Raises ArgumentError for an account that the principal does not have, and where several could be meant.
    """
    if not services.accounts:
        return services, arguments
    operation = find_operation(services, tool)
    names = usable_accounts(services, principal)
    if not names:
        if operation.name in WITHOUT_ACCOUNT:
            return services, arguments
        raise DeniedError(NO_ACCOUNT)
    if len(names) == 1 or operation.name in WITHOUT_ACCOUNT:
        return services.of_accounts[names[0]], arguments
    if ACCOUNT in arguments:
        name = arguments[ACCOUNT]
        if name not in names:
            raise ArgumentError([f"{ACCOUNT}: {unknown('account', str(name)[:80], names)}"])
        rest = {argument: value for argument, value in arguments.items() if argument != ACCOUNT}
        return services.of_accounts[name], rest
    return services.of_accounts[await _account_of_domain(services, operation, arguments, names)], arguments


async def _account_of_domain(
    services: Services, operation: "Operation", arguments: Arguments, names: "Sequence[str]"
) -> str:
    """Return which account has the domains that the call names."""
    choice = f"{ACCOUNT}: name the account of this call: {' or '.join(names)}"
    domains = dict.fromkeys(_domains(operation, arguments))
    if not domains:
        raise ArgumentError([choice])
    owners: dict[str, None] = {}
    for domain in domains:
        for owner in await services.domains.accounts_with(domain, names):
            owners[owner] = None
    if len(owners) == 1:
        return next(iter(owners))
    which = "several accounts have" if owners else "no account is known to have"
    raise ArgumentError([f"{choice} ({which} {', '.join(domains)[:200]})"])


def _domains(operation: "Operation", arguments: Arguments) -> "Iterator[str]":
    yield from domains_of(operation, arguments)
    domain = arguments.get("domain")
    if operation.toolset == WORKFLOWS and isinstance(domain, str):
        yield canonical_host(domain) or domain


def _may_use(principal: Principal, account: NamedAccount) -> bool:
    """Return whether the token permits the account, and the account the principal.

    Who runs the server has no token, and may use all: the keys are theirs.
    """
    access = principal.access
    if access.accounts is not None and account.name not in access.accounts:
        return False
    if account.principals is None or access.scopes is None:
        return True
    return any(fnmatchcase(principal.id, glob) for glob in account.principals)
