"""Chooses the account of a call on a server with several: the account that the call names, or that of its domain.

The principal is checked first: an account that they may not use does not exist for them.
"""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mailgun_mcp.call.prepare import find_operation
from mailgun_mcp.call.services import NamedAccount, Services
from mailgun_mcp.catalogue.account_argument import ACCOUNT, WITHOUT_ACCOUNT, with_account_argument
from mailgun_mcp.catalogue.types import Arguments, Record
from mailgun_mcp.catalogue.workflow_tools import TOOLSET as WORKFLOWS
from mailgun_mcp.errors import ArgumentError, CallError, DeniedError, OwnKeyMissingError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.facts import domains_of
from mailgun_mcp.text.host_names import canonical_host
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailgun_mcp.catalogue.operation import Operation

NO_ACCOUNT = (
    "Refused (access/accounts): you may use none of the accounts of this server. Nothing was sent. The person who runs "
    "the server can change that."
)


def usable_accounts(services: Services, principal: Principal) -> tuple[str, ...]:
    """Return the accounts that the principal may use on a server with several, in the order of its file."""
    server = services.server or services
    return tuple(account.name for account in server.accounts if _may_use(principal, account))


async def reachable_accounts(services: Services, principal: Principal) -> dict[str, Services]:
    """Return the accounts that the principal may use, by name: the server's, then the one of their own key.

    Empty if there is nothing to choose: the server has one account, and the principal has no key of their own.
    Raises StateError if people's keys cannot be read.
    """
    server = services.server or services
    reachable = {name: server.of_accounts[name] for name in usable_accounts(server, principal)}
    own = await server.personal.services_of(principal) if server.personal is not None else None
    if own is None:
        return reachable
    if not server.accounts and not server.without_account:
        shared = await server.account.current(changes=False)
        if principal.access.reaches(shared.name):
            reachable[shared.name] = server.shared_account
    reachable[(await own.account.current(changes=False)).name] = own
    return reachable


async def names_of_choice(services: Services, principal: Principal) -> tuple[str, ...]:
    """Return the names of the accounts to choose from. If the state cannot be read, only the server's own."""
    try:
        return tuple(await reachable_accounts(services, principal))
    except CallError:
        return usable_accounts(services, principal)


def shown_tools(tools: "Sequence[Record]", names: "Sequence[str]") -> list[Record]:
    """Return the tools as shown to a principal with these accounts: with an argument `account` if there are several."""
    return [with_account_argument(tool, names) for tool in tools] if len(names) > 1 else list(tools)


async def choose_account(
    services: Services, tool: str, arguments: Arguments, principal: Principal
) -> tuple[Services, Arguments]:
    """Return the services of the call's account, and the arguments without `account`.

    Raises ArgumentError for an account that the principal does not have, and if several could be meant.
    """
    if not services.accounts and services.personal is None:
        return services, arguments
    operation = find_operation(services, tool)
    reachable = await reachable_accounts(services, principal)
    if not reachable:
        if operation.name in WITHOUT_ACCOUNT or not (services.accounts or services.without_account):
            return services, arguments
        if services.personal is not None and principal.authenticated:
            raise OwnKeyMissingError(services.personal.page)
        raise DeniedError(NO_ACCOUNT)
    names = list(reachable)
    if len(names) == 1 or operation.name in WITHOUT_ACCOUNT:
        return reachable[names[0]], arguments
    if ACCOUNT in arguments:
        name = arguments[ACCOUNT]
        if name not in names:
            raise ArgumentError([f"{ACCOUNT}: {unknown('account', str(name)[:80], names)}"])
        rest = {argument: value for argument, value in arguments.items() if argument != ACCOUNT}
        return reachable[name], rest
    return reachable[await _account_of_domain(services, operation, arguments, reachable)], arguments


async def _account_of_domain(
    services: Services, operation: "Operation", arguments: Arguments, reachable: "Mapping[str, Services]"
) -> str:
    """Return the account that has the domains which the call names."""
    choice = f"{ACCOUNT}: name the account of this call: {' or '.join(reachable)}"
    domains = dict.fromkeys(_domains(operation, arguments))
    if not domains:
        raise ArgumentError([choice])
    owners: dict[str, None] = {}
    for domain in domains:
        for owner in await _owners(services, domain, reachable):
            owners[owner] = None
    if len(owners) == 1:
        return next(iter(owners))
    which = "several accounts have" if owners else "no account is known to have"
    raise ArgumentError([f"{choice} ({which} {', '.join(domains)[:200]})"])


async def _owners(services: Services, domain: str, reachable: "Mapping[str, Services]") -> list[str]:
    """Return which of the accounts have the domain."""
    shared = [name for name in reachable if name in services.of_accounts]
    owners = await services.domains.accounts_with(domain, shared) if shared else []
    for name, account in reachable.items():
        if name not in shared and await account.domains.accounts_with(domain, [""]):
            owners.append(name)
    return owners


def _domains(operation: "Operation", arguments: Arguments) -> "Iterator[str]":
    yield from domains_of(operation, arguments)
    domain = arguments.get("domain")
    if operation.toolset == WORKFLOWS and isinstance(domain, str):
        yield canonical_host(domain) or domain


def _may_use(principal: Principal, account: NamedAccount) -> bool:
    """Return whether the token permits the account, and the account permits the principal.

    The person who runs the server has no token and may use every account: the keys are theirs.
    """
    access = principal.access
    if not access.reaches(account.name):
        return False
    if account.principals is None or access.scopes is None:
        return True
    return any(fnmatchcase(principal.id, glob) for glob in account.principals)
